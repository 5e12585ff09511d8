"""Rows that create users as they say: what becomes of them, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from json.encoder import encode_basestring
from typing import NamedTuple

from musterroll.journal.change import Action, InviteDecision, Made

_CREATE = Action.CREATE.value
# Of new users most columns are empty, and those take as long to write as others: they are left out.
_OF_NEW = ("job", "action", "row", "username", "folded", "password", "fields", "add_to")
_OF_INVITES = ("invite", "channel", "reason", "recipient", "known_as")
_OF_MADE = ("made", "who", "handed")


class NewRows(NamedTuple):
    """What happens to rows that create users as they say, column by column: what there is to know of their `Change`s.

    Attributes:
        rows: the sheet rows.
        usernames: as in the sheet.
        folded: the same folded.
        passwords: what happens to the passwords, as the journal has it.
        fields: the attributes that are not empty, as `new_fields` writes them.
        add: the groups that the users are added to, as `numbers_text` has them.
        invites: whether the users are invited; one decision where none of them is.
        made: what was made, where anything was.
    """

    rows: Sequence[int]
    usernames: Sequence[str]
    folded: Sequence[str]
    passwords: Sequence[str]
    fields: Sequence[str]
    add: Sequence[str | None]
    invites: Sequence[InviteDecision] | InviteDecision
    made: Sequence[Made] | None = None

    def columns(self, job: str) -> tuple[Sequence[str], Iterable[tuple[object, ...]]]:
        """Returns which columns of the table `row` say something of them, and what, row by row."""
        *of_users, invites, made = self
        names = list(_OF_NEW)
        columns: list[Iterable[object]] = [repeat(job), repeat(_CREATE), *of_users]
        if isinstance(invites, InviteDecision):
            names.append("reason")
            columns.append(repeat(invites.reason))
        else:
            names += _OF_INVITES
            columns += zip(*(one.columns() for one in invites), strict=True)
        if made is not None:
            names += _OF_MADE
            columns += zip(*(one.columns() for one in made), strict=True)
        return names, zip(*columns, strict=False)


def new_fields(names: Sequence[str], columns: Iterable[Iterable[str]]) -> list[str]:
    """Writes the attributes of new users as JSON, as `Change.columns` does: those that are not empty.

    Args:
        names: of the attributes.
        columns: the texts of each.
    """
    keys = [f"{encode_basestring(name)}:" for name in names]
    written = [
        [key + encode_basestring(text) if text else "" for text in column]
        for key, column in zip(keys, columns, strict=True)
    ]
    return [f"{{{','.join(filter(None, row))}}}" for row in zip(*written, strict=True)]
