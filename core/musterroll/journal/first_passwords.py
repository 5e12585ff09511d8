"""Who has got a password that was made, and nobody has been told it yet. The passwords themselves are nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from musterroll.contract.fields import PASSWORD
from musterroll.journal.change import Action, PasswordAction, field_changes
from musterroll.journal.damage import decoded, refuse_other_than_text, storable
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OpState, PlannedUser

_MADE = f"""r.job = ?1 AND r.action = '{Action.CREATE}' AND r.handed IS NULL
    AND EXISTS (SELECT 1 FROM json_each(r.made) AS m WHERE m.value = '{PASSWORD}')"""  # noqa: S608 -- constants
_IS_INVITED = """EXISTS (SELECT 1 FROM invite AS i WHERE i.job = r.job AND i.row = r.row AND i.state <> 'failed')"""


@dataclass(frozen=True, slots=True)
class Untold:
    """A user whom nobody has told the password.

    Attributes:
        user: the user; exists in the portal.
        is_invited: whether an invite is to go out, which tells it; else it is handed over in a file.
    """

    user: PlannedUser
    is_invited: bool


class LostPasswords(NamedTuple):
    """The passwords of a job that was cut off before it told them: who has one gets another one when it goes on.

    Attributes:
        people: how many users have one.
        perhaps: how many more may have one, since nobody knows whether they were created.
    """

    people: int
    perhaps: int


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A file that tells first passwords.

    Attributes:
        path: the file; whether it is there still, only its owner knows.
        people: how many users' passwords are in it.
    """

    path: str
    people: int


class FirstPasswords:
    """The passwords that a job has made.

    Args:
        journal: where the job is kept.
        job: its id.
    """

    def __init__(self, journal: Journal, job: str) -> None:
        self._journal, self._job = journal, job

    def count_without_invite(self) -> int:
        """Returns how many users have got a password, or will, of which no invite tells."""
        query = f"SELECT count(*) FROM row AS r WHERE {_MADE} AND r.invite IS NULL"  # noqa: S608 -- constants
        (count,) = self._journal.execute(query, (self._job,)).fetchone()
        return int(count)

    def rows(self) -> Iterator[int]:
        """Streams the rows of those who have got a password, or will."""
        query = f"SELECT r.row FROM row AS r WHERE {_MADE}"  # noqa: S608 -- constants
        return (row for (row,) in self._journal.stream(query, (self._job,)))

    @decoded
    def untold(self) -> Iterator[Untold]:
        """Streams the users who exist and whom nobody has told their password, by row."""
        query = (
            f"SELECT r.row, r.username, r.ref, r.fields, r.invite IS NOT NULL FROM row AS r "  # noqa: S608 -- constants
            f"WHERE {_MADE} AND r.ref IS NOT NULL AND NOT {_IS_INVITED} AND NOT EXISTS (SELECT 1 FROM operation AS o "
            f"INDEXED BY operation_row WHERE o.job = r.job AND o.row = r.row AND o.kind = 'create_user' "
            f"AND o.state NOT IN (?2, ?3)) ORDER BY r.row"
        )
        for row, username, ref, fields, is_invited in self._journal.stream(
            query, (self._job, OpState.DONE, OpState.NOOP)
        ):
            changes = field_changes(json.loads(fields))
            after = {name: None if change.after is None else str(change.after) for name, change in changes.items()}
            user = PlannedUser(row, username, ref, PasswordAction.SET, after, {})
            yield Untold(user, bool(is_invited))

    def lost(self) -> LostPasswords:
        """Returns how many users nobody has told their password."""
        query = (
            f"SELECT count(*) FILTER (WHERE o.state IN (?2, ?3)), count(*) FILTER (WHERE o.state IN (?4, ?5)) "  # noqa: S608 -- constants
            f"FROM row AS r JOIN operation AS o INDEXED BY operation_row ON o.job = r.job AND o.row = r.row "
            f"AND o.kind = 'create_user' WHERE {_MADE} AND NOT {_IS_INVITED}"
        )
        states = OpState.DONE, OpState.NOOP, OpState.INTENT, OpState.UNKNOWN
        people, perhaps = self._journal.execute(query, (self._job, *states)).fetchone()
        return LostPasswords(people, perhaps)

    def note_handed_over(self, rows: Iterable[int], file: Path) -> None:
        """Notes that a file tells the passwords of rows."""
        self._journal.executemany(
            "UPDATE row SET handed = ? WHERE job = ? AND row = ?",
            [(storable(str(file)), self._job, row) for row in rows],
        )

    @decoded
    def files(self) -> Iterator[HandedOver]:
        """Streams the files that tell passwords, in the order of whom they tell."""
        query = "SELECT handed, count(*) FROM row WHERE job = ? AND handed IS NOT NULL GROUP BY 1 ORDER BY min(row)"
        for path, people in self._journal.stream(query, (self._job,)):
            refuse_other_than_text(path)
            yield HandedOver(path, people)
