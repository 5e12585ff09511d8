"""What a row wants: by its fields with a role, and the date. Without such fields every row is as usual."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from musterroll.contract.batch import Batch
from musterroll.contract.fields import USERNAME, Field, FieldRole, FieldSet
from musterroll.contract.problems import Problem
from musterroll.contract.rows import Row
from musterroll.contract.translation import gettext_noop


class Wish(StrEnum):
    """What becomes of the user, if the row has its way."""

    USUAL = "usual"  # created or updated, whichever it takes
    CREATE = "create"
    UPDATE = "update"
    REACTIVATE = "reactivate"
    DEACTIVATE = "deactivate"
    DELETE = "delete"
    IGNORE = "ignore"


_ACTIVE = frozenset({Wish.CREATE, Wish.REACTIVATE})
_LEAVES = frozenset({Wish.DEACTIVATE, Wish.DELETE})


class Order(NamedTuple):
    """What one row wants.

    Attributes:
        wish: what becomes of the user.
        field: the field that says so, for messages.
        is_command: whether it is said as a command, so that there ought to be such a user.
        not_before: a date that has not come: until then nobody is created or made active.
        old_username: the name that the user had before.
    """

    wish: Wish = Wish.USUAL
    field: str = USERNAME
    is_command: bool = False
    not_before: str | None = None
    old_username: str = ""

    @property
    def leaves(self) -> bool:
        """Whether the user is to go: then the row's other values count for nothing."""
        return self.wish in _LEAVES


USUAL = Order()


class RowOrders:
    """Reads what rows want.

    Args:
        fields: the fields of a user.
        match: the fields that recognise a user.
        today: the date.
    """

    def __init__(self, fields: FieldSet, match: Sequence[str], today: dt.date) -> None:
        self._today = today.isoformat()
        self._fields = [field for field in fields.values() if field.role is not None]
        self._names = {field.role: field.name for field in self._fields}
        self._who = frozenset((*match, USERNAME, *self._names.values()))
        self.old_username = self._names.get(FieldRole.OLD_USERNAME)
        """The field of former usernames; None where there is none."""

    def __bool__(self) -> bool:
        """Whether any field has a role."""
        return bool(self._fields)

    def of(self, batch: Batch) -> list[Order]:
        """Returns what each row of a batch wants."""
        columns = [batch.texts(field.name) for field in self._fields]
        known: dict[tuple[str, ...], Order] = {("",) * len(columns): USUAL}
        orders = []
        for texts in zip(*columns, strict=True):
            order = known.get(texts)
            if order is None:
                order = self._order(dict(zip((field.role for field in self._fields), texts, strict=True)))
                known[texts] = order
            orders.append(order)
        return orders

    def _order(self, said: dict[FieldRole | None, str]) -> Order:
        names, command = self._names, said.get(FieldRole.COMMAND, "")
        begin, end = said.get(FieldRole.VALID_FROM, ""), said.get(FieldRole.VALID_UNTIL, "")
        not_before, old = begin if begin > self._today else None, said.get(FieldRole.OLD_USERNAME, "")
        wish = Wish(command) if command else Wish.USUAL
        if wish is Wish.IGNORE or wish in _LEAVES:
            return Order(wish, names[FieldRole.COMMAND], True)
        if said.get(FieldRole.ACTIVE) == "no":
            return Order(Wish.DEACTIVATE, names[FieldRole.ACTIVE])
        if end and end <= self._today:
            return Order(Wish.DEACTIVATE, names[FieldRole.VALID_UNTIL])
        if command:
            return Order(wish, names[FieldRole.COMMAND], True, not_before, old)
        if said.get(FieldRole.ACTIVE) == "yes":
            return Order(Wish.REACTIVATE, names[FieldRole.ACTIVE], False, not_before, old)
        return Order(not_before=not_before, old_username=old)

    def ignored(self, batch: Batch) -> list[int]:
        """Returns the places of rows that nobody needs to look at."""
        if FieldRole.COMMAND not in self._names:
            return []
        texts = batch.texts(self._names[FieldRole.COMMAND])
        return [place for place, text in enumerate(texts) if text == Wish.IGNORE]

    def concerns(self, row: Row, problem: Problem) -> bool:
        """Whether a problem of a row has to do with what the row wants: of who leaves, only who it is counts."""
        if problem.field is None or problem.field in self._who or problem.code.startswith("row."):
            return True
        return not self._order({field.role: row[field.name] for field in self._fields}).leaves


class Contradictions:
    """`row.contradictory`: the fields with a role want different things.

    Args:
        fields: the fields of a user.
    """

    def __init__(self, fields: FieldSet) -> None:
        self._fields: list[Field] = [field for field in fields.values() if field.role is not None]

    def suspects(self, batch: Batch) -> Iterator[int]:
        """Suspects rows that say two things."""
        columns = [batch.texts(field.name) for field in self._fields]
        yield from (place for place, texts in enumerate(zip(*columns, strict=True)) if sum(map(bool, texts)) > 1)

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem."""
        message = _contradiction({field.role: row[field.name] for field in self._fields})
        if message is not None:
            at = next(field.name for field in reversed(self._fields) if row[field.name])
            yield row.problem(at, "row.contradictory", message)


def _contradiction(said: Mapping[FieldRole | None, str]) -> str | None:
    """What is contradictory in what the fields say; None where nothing is."""
    command, active = said.get(FieldRole.COMMAND), said.get(FieldRole.ACTIVE)
    begin, end = said.get(FieldRole.VALID_FROM), said.get(FieldRole.VALID_UNTIL)
    if (active == "no" and command in _ACTIVE) or (active == "yes" and command in _LEAVES):
        return gettext_noop(
            "One cell of the row wants the user active, and another one does not; correct one of the two"
        )
    if begin and end and end < begin:
        return gettext_noop("The row's user leaves before the first day; correct one of the two dates")
    return None
