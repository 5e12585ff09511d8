"""What the completed sheets of a pipeline have said: whom they named, and how the last of them looked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from musterroll.contract.fields import USERNAME
from musterroll.journal.change import FIRST_OFF_SHEET_ROW, Action
from musterroll.journal.journal import Journal
from musterroll.journal.sheet_parts import forget_sheet_parts, sheet_digests

_CHUNK = 500  # values in a query
# Of a row `r`: whether everything that was to be done to its user was done.
IS_DONE = """NOT EXISTS (SELECT 1 FROM operation AS o INDEXED BY operation_row
    WHERE o.job = r.job AND o.row = r.row AND o.state NOT IN ('done', 'noop'))"""
# The same for many rows of the job `?3`: those of its operations that are not done are few, so they are found once.
IS_DONE_OF_ALL = """r.row NOT IN (SELECT row FROM operation
    WHERE job = ?3 AND row IS NOT NULL AND state NOT IN ('done', 'noop'))"""
# Of a row `r`: the name that its user has by now, as a row can rename.
PRESENT_NAME = f"""CASE WHEN r.action IN ('update', 'reactivate') AND {IS_DONE}
    THEN coalesce(json_extract(r.fields, '$.{USERNAME}[1]'), r.username) ELSE r.username END"""


OWNER = "(SELECT number FROM owner WHERE pipeline = ?1 AND identity = ?2)"
"""The number of a pipeline (`?1`) on a portal (`?2`): tables with a row for every user have that."""


def note_owner(journal: Journal, pipeline: str, identity: str) -> None:
    """Gives a pipeline on a portal its number, unless it has one."""
    journal.execute("INSERT OR IGNORE INTO owner (pipeline, identity) VALUES (?, ?)", (pipeline, identity))


def in_chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """Yields values, as many at once as a query takes."""
    rest = iter(values)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def marks(values: Sequence[str]) -> str:
    """Returns the places of values in a query that begins with those of `OWNER`."""
    return ", ".join(f"?{number}" for number in range(3, 3 + len(values)))


class Roster:
    """The roster of one pipeline on one backend.

    Args:
        journal: where it is kept.
        pipeline: the pipeline's name.
        identity: the backend's identity.
    """

    def __init__(self, journal: Journal, pipeline: str, identity: str) -> None:
        self._journal = journal
        self._owner = (pipeline, identity)

    @property
    def salt(self) -> bytes:
        """What the digests of rows are salted with: one for all sheets of a journal, so that they can be compared."""
        (salt,) = self._journal.execute("SELECT value FROM salt").fetchone()
        return bytes(salt)

    def managed(self) -> Iterator[tuple[str, str]]:
        """Streams (ref, username) of the users that this pipeline manages, by ref.

        Those are the users that it has created, and those that an earlier completed sheet of it named.
        """
        yield from self._journal.stream(
            f"""
            SELECT ref, username FROM roster WHERE owner = {OWNER}
            UNION ALL
            SELECT m.ref, m.username FROM managed AS m WHERE m.owner = {OWNER} AND NOT EXISTS
                (SELECT 1 FROM roster AS r WHERE r.owner = m.owner AND r.ref = m.ref)
            ORDER BY 1
            """,  # noqa: S608 -- a constant
            self._owner,
        )

    def last_sheet(self) -> str | None:
        """Returns the job of the last completed sheet; None where there is none yet."""
        found = self._journal.execute(
            "SELECT job FROM last_sheet WHERE pipeline = ? AND identity = ?", self._owner
        ).fetchone()
        return None if found is None else str(found[0])

    def last_digests(self) -> Iterator[tuple[bytes, bytes]]:
        """Streams what `sheet_digests` has of the last completed sheet."""
        if (job := self.last_sheet()) is not None:
            yield from sheet_digests(self._journal, job)

    def left(self, as_: str) -> str | None:
        """Returns the job of the last completed sheet, if it has left all as `as_` says and nobody has written since.

        To the journal, that is: whoever has locked it meanwhile may have changed what is noted of users.
        """
        found = self._journal.execute(
            "SELECT job FROM last_sheet WHERE pipeline = ? AND identity = ? AND left_as = ? AND writer = ?",
            (*self._owner, as_, -1 if self._journal.writer is None else self._journal.writer - 1),
        ).fetchone()
        return None if found is None else str(found[0])

    def note_left(self, as_: str) -> None:
        """Notes how the sheet that is the last completed one from now on has left all that decides about its rows."""
        self._journal.execute(
            "UPDATE last_sheet SET left_as = ?, writer = ? WHERE pipeline = ? AND identity = ?",
            (as_, self._journal.writer, *self._owner),
        )

    def take_over(self, job: str) -> None:
        """Makes a job's sheet the last completed one. The caller's transaction is the one that ends the job."""
        former = self.last_sheet()
        if former is not None and former != job:
            forget_sheet_parts(self._journal, former)
        self._journal.execute(
            "INSERT OR REPLACE INTO last_sheet (pipeline, identity, job) VALUES (?, ?, ?)", (*self._owner, job)
        )
        note_owner(self._journal, *self._owner)
        # A row that failed may have failed to rename its user, so what is known of the user stays as it was.
        self._journal.execute(
            f"""
            INSERT INTO roster SELECT {OWNER}, ref, {PRESENT_NAME}, ?3
            FROM row AS r WHERE job = ?3 AND action NOT IN (?4, ?6, ?7) AND row < ?5 AND ref IS NOT NULL
            AND {IS_DONE_OF_ALL}
            ON CONFLICT DO UPDATE SET username = excluded.username WHERE username <> excluded.username
            """,  # noqa: S608 -- a constant
            (*self._owner, job, Action.REJECTED, FIRST_OFF_SHEET_ROW, Action.IGNORED, Action.DELETE),
        )

    def forget(self, job: str) -> None:
        """Forgets the sheet of a job that was taken back: it was the wrong one, so it manages nobody."""
        query = f"DELETE FROM roster WHERE owner = {OWNER} AND job = ?3"  # noqa: S608 -- a constant
        self._journal.execute(query, (*self._owner, job))
        self._journal.execute(
            f"DELETE FROM last_values WHERE owner = {OWNER} "  # noqa: S608 -- constants
            f"AND ref NOT IN (SELECT ref FROM roster WHERE owner = {OWNER}) "
            f"AND ref NOT IN (SELECT ref FROM managed WHERE owner = {OWNER})",
            self._owner,
        )
        self._journal.execute(
            "DELETE FROM last_sheet WHERE pipeline = ? AND identity = ? AND job = ?", (*self._owner, job)
        )
