"""Fields that name another user: the one whom the portal has, or who comes with the same sheet."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from musterroll.contract.fields import USERNAME, FieldSet, FieldType
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.text import fold
from musterroll.contract.translation import gettext
from musterroll.contract.users import Desired, UserKey
from musterroll.journal.plan import NamedUser, PlanStore
from musterroll.plan.near_names import NearPaths
from musterroll.portal.portal import Portal
from musterroll.sheet.batch import RowBatch
from musterroll.sheet.problem_log import ProblemLog

_EMAIL = "email"
_Key = tuple[str, str]  # a field, and a text as it stands there


class _Wanted(NamedTuple):
    """Where somebody is named whom the portal does not have."""

    field: str
    text: str
    rows: array[int]


class References:
    """Finds out whom the fields of type `user` name.

    Whom the portal has is known at once, by username or else by address. Everybody else may stand further below in the
    sheet, so that this is settled when all rows are planned (`finish`).

    Args:
        fields: the fields of a user.
        portal: only asked.
    """

    def __init__(self, fields: FieldSet, portal: Portal) -> None:
        self._fields, self._portal = fields, portal
        self._names = [name for name, field in fields.items() if field.type is FieldType.USER]
        self._known: dict[str, str | None] = {}  # by text: the username, as the portal has it
        self._rows: dict[_Key, array[int]] = {}

    def __bool__(self) -> bool:
        """Whether there are such fields."""
        return bool(self._names)

    def look_up(self, batch: RowBatch) -> None:
        """Looks up whom the rows of a batch name.

        Raises:
            BackendError: the portal cannot answer.
            PluginError: the backend broke.
        """
        texts = {text for name in self._names for text in batch.columns.texts(name) if text}
        new = sorted(texts.difference(self._known))
        self._known |= dict.fromkeys(new)
        for field in (USERNAME, _EMAIL):
            keys = {UserKey.of(field, text): text for text in new if field == USERNAME or "@" in text}
            for key, found in self._portal.lookup(list(keys)).items():
                if len(found) == 1 and self._known[keys[key]] is None:
                    self._known[keys[key]] = found[0].username

    def spell(self, row: int, fields: dict[str, str | None]) -> None:
        """Puts the usernames of users whom the portal has into the fields of a row, and notes that it names them."""
        for name in self._names:
            text = fields.get(name)
            if text:
                self._rows.setdefault((name, text), array("q")).append(row)
                fields[name] = self._known.get(text) or text

    def finish(self, store: PlanStore, log: ProblemLog, columns: Mapping[str, str], *, with_others: bool) -> None:
        """Settles who comes with the sheet, and says who is nowhere.

        Args:
            store: has all rows.
            log: takes what is wrong.
            columns: the letters of the fields' columns.
            with_others: whether rows are out as well that others keep out.
        """
        if not self._rows:
            return
        comes = self._in_sheet(store)
        bad = set(log.bad_rows(with_others=with_others))
        unknown: list[_Wanted] = []
        wanted: dict[int, list[_Wanted]] = {}  # by the row of whom they name
        for (name, text), rows in self._rows.items():
            one = _Wanted(name, text, rows)
            user = comes.get(text)
            if user is not None and user.former is not None and fold(user.former) == fold(self._known[text] or ""):
                self._say(log, columns, one, self._renamed(user), user.username)
                bad.update(rows)
            elif self._known[text] is None and user is None:
                unknown.append(one)
                bad.update(row for row in rows if store.asks_for(row, name))
            elif self._known[text] is None and user is not None:
                wanted.setdefault(user.row, []).append(one)
        self._say_unknown(store, log, columns, unknown)
        users = {user.row: user for user in comes.values()}
        left_out = [row for row in wanted if row in bad or not users[row].comes]
        for row in left_out:  # which grows: whoever must not go without is out as well
            for one in wanted.pop(row, ()):
                required = self._fields[one.field].required
                told = one._replace(rows=array("q", (other for other in one.rows if other not in bad)))
                self._say(log, columns, told, self._left_out(users[row], required=required), None, is_error=required)
                if required:
                    left_out += [other for other in one.rows if other in wanted and other not in bad]
                    bad.update(one.rows)
                store.refer((other, one.field, None, None) for other in one.rows)
        for row, ones in wanted.items():
            for one in ones:
                text = self._stored(one.field, users[row].username)
                store.refer((other, one.field, text, row) for other in one.rows)

    def _in_sheet(self, store: PlanStore) -> dict[str, NamedUser]:
        """The users of the sheet who are named, by the texts that name them."""
        by_folded: dict[str, list[str]] = {}
        for text in {text for _, text in self._rows}:
            by_folded.setdefault(fold(text), []).append(text)
            if (username := self._known[text]) is not None and fold(username) != fold(text):
                by_folded.setdefault(fold(username), []).append(text)
        found: dict[str, NamedUser] = {}
        by_address: dict[str, list[NamedUser]] = {}
        for user in store.named_users():
            for folded in {user.folded, fold(user.former or "")}:
                for text in by_folded.get(folded, ()):
                    # Of two rows for one user, one is out.
                    if text not in found or not found[text].comes:
                        found[text] = user
            if user.email and (address := fold(user.email)) in by_folded:
                by_address.setdefault(address, []).append(user)
        for address, users in by_address.items():
            for text in by_folded[address] if len(users) == 1 else ():
                found.setdefault(text, users[0])
        return found

    def _stored(self, field: str, username: str) -> str:
        """How the portal will have it."""
        if not self._portal.capabilities().changes_values:
            return username
        username = self._portal.canonical(Desired(username=username, fields={})).username
        fields = self._portal.canonical(Desired(username=username, fields={field: username})).fields
        return fields.get(field) or username

    def _say_unknown(
        self, store: PlanStore, log: ProblemLog, columns: Mapping[str, str], unknown: Sequence[_Wanted]
    ) -> None:
        near = NearPaths(dict.fromkeys(self._everybody(store))) if unknown else None
        for one in unknown:
            place = near.find((fold(one.text),)) if near is not None else None
            meant = near[place][0] if near is not None and place is not None else None
            message = gettext(
                'Neither the sheet nor the portal has the user "{name}"; correct the cell, or add a row for the user',
                name=one.text,
            )
            asks = {row: store.asks_for(row, one.field) for row in one.rows}
            asking, others = (array("q", (row for row in one.rows if asks[row] is so)) for so in (True, False))
            self._say(log, columns, one._replace(rows=asking), message, meant)
            # What is stored already keeps no row out: an export can be imported.
            message = gettext('The user "{name}" is not there any more; this field stays as it is', name=one.text)
            self._say(log, columns, one._replace(rows=others), message, meant, is_error=False)

    def _everybody(self, store: PlanStore) -> Iterator[tuple[str]]:
        yield from ((user.folded,) for user in store.named_users() if user.folded)
        yield from ((fold(name),) for name in self._known.values() if name)

    def _renamed(self, user: NamedUser) -> str:
        return gettext(
            'The user "{former}" becomes "{name}" in row {row} of this sheet; write the new name',
            former=user.former,
            name=user.username,
            row=user.row,
        )

    def _left_out(self, user: NamedUser, *, required: bool) -> str:
        if required:
            return gettext(
                'The user "{name}" is that of row {row}, which does not go in; correct that row first',
                name=user.username,
                row=user.row,
            )
        return gettext(
            'The user "{name}" is that of row {row}, which does not go in; this field stays as it is until the whole '
            "sheet is imported again",
            name=user.username,
            row=user.row,
        )

    def _say(
        self,
        log: ProblemLog,
        columns: Mapping[str, str],
        one: _Wanted,
        message: str,
        suggestion: str | None,
        *,
        is_error: bool = True,
    ) -> None:
        for row in one.rows:
            log.add(
                Problem(
                    code=f"{one.field}.unknown_user",
                    message=message,
                    severity=Severity.ERROR if is_error else Severity.WARNING,
                    row=row,
                    column=columns.get(one.field),
                    field=one.field,
                    value=one.text,
                    suggestion=suggestion,
                )
            )
