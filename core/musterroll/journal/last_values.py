"""What a pipeline gave its users last, so that what somebody has changed in the portal by hand can be told apart.

Kept only for pipelines with `[hand_edits]`. No passwords.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from musterroll.journal.change import Action
from musterroll.journal.damage import decoded, refuse_other_than_text
from musterroll.journal.journal import Journal
from musterroll.journal.roster import OWNER, in_chunks, marks, note_owner

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# Values are texts: only a null would take a field away.
_MERGED = "fields = json_patch(fields, excluded.fields)"
_JOINED = "groups = json_insert(groups, '$[#]', ?4)"
_LEFT = "groups = (SELECT json_group_array(value) FROM json_each(groups) WHERE value <> ?4)"


class LastValues(NamedTuple):
    """What a user was given last, or had already when a sheet asked for it.

    Attributes:
        fields: by field, the username among them; an emptied one is "".
        groups: ids of the groups; None where no sheet has said anything of them.
    """

    fields: Mapping[str, str]
    groups: frozenset[str] | None


class LastValuesStore:
    """The last values of one pipeline's users on one backend.

    Args:
        journal: where they are kept.
        pipeline: the pipeline's name.
        identity: the backend's identity.
    """

    def __init__(self, journal: Journal, pipeline: str, identity: str) -> None:
        self._journal = journal
        self._owner = (pipeline, identity)

    @decoded
    def of(self, refs: Iterable[str]) -> Mapping[str, LastValues]:
        """Returns the last values of users; those of whom there are none are left out."""
        found: dict[str, LastValues] = {}
        for chunk in in_chunks(refs):
            query = f"SELECT ref, fields, groups FROM last_values WHERE owner = {OWNER} AND ref IN ({marks(chunk)})"  # noqa: S608 -- constants
            for ref, fields, groups in self._journal.execute(query, (*self._owner, *chunk)):
                values = json.loads(fields)
                refuse_other_than_text(*values.values())
                found[ref] = LastValues(values, None if groups is None else frozenset(json.loads(groups)))
        return found

    def add(self, users: Sequence[tuple[str, Mapping[str, str | None]]], *, created: Set[str]) -> None:
        """Keeps what users were given: (id, fields). Those that were created are in no group yet."""
        if users:
            note_owner(self._journal, *self._owner)
        self._journal.executemany(
            f"INSERT INTO last_values VALUES ({OWNER}, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET {_MERGED}",  # noqa: S608 -- constants
            [
                (
                    *self._owner,
                    ref,
                    _encode({name: value or "" for name, value in fields.items()}),
                    "[]" if ref in created else None,
                )
                for ref, fields in users
            ],
        )

    def add_members(self, group: str, refs: Iterable[str], *, joined: bool) -> None:
        """Keeps that users were added to a group, or taken out of it."""
        self._journal.executemany(
            f"UPDATE last_values SET {_JOINED if joined else _LEFT} "  # noqa: S608 -- constants
            f"WHERE owner = {OWNER} AND ref = ?3 AND groups IS NOT NULL "
            f"AND EXISTS (SELECT 1 FROM json_each(groups) WHERE value = ?4) <> {int(joined)}",
            [(*self._owner, ref, group) for ref in refs],
        )

    def take_over(self, job: str) -> None:
        """Keeps what a job's rows ask for and their users have already. The caller's transaction begins the job."""
        note_owner(self._journal, *self._owner)
        self._journal.execute(
            f"""
            INSERT INTO last_values SELECT {OWNER}, r.ref, a.fields, a.groups FROM agreed AS a
            JOIN row AS r ON r.job = a.job AND r.row = a.row
            WHERE a.job = ?3 AND r.ref IS NOT NULL AND r.action NOT IN (?4, ?5)
            ON CONFLICT DO UPDATE SET {_MERGED}, groups = coalesce(excluded.groups, groups)
            """,  # noqa: S608 -- constants
            (*self._owner, job, Action.REJECTED, Action.IGNORED),
        )
        self._journal.execute("DELETE FROM agreed WHERE job = ?", (job,))
