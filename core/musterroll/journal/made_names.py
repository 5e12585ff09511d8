"""The usernames of people where usernames are made, so that the same person has the same name next time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from musterroll.journal.change import Action
from musterroll.journal.damage import decoded, refuse_other_than_text
from musterroll.journal.journal import Journal
from musterroll.journal.roster import IS_DONE, OWNER, PRESENT_NAME, in_chunks, marks, note_owner


class KnownName(NamedTuple):
    """The name of somebody: `ref` is the portal's id, None as long as nobody is known to have the name."""

    username: str
    ref: str | None


class MadeNames:
    """The names of one pipeline on one backend.

    A name is noted before the first write, so it is kept for its person even where the user could not be created.

    Args:
        journal: where they are kept.
        pipeline: the pipeline's name.
        identity: the backend's identity.
    """

    def __init__(self, journal: Journal, pipeline: str, identity: str) -> None:
        self._journal = journal
        self._owner = (pipeline, identity)

    def of(self, whos: Iterable[str]) -> Mapping[str, KnownName]:
        """Returns the names of people, by the digests of what they are recognised by."""
        return {who: KnownName(username, ref) for who, username, ref in self._select("who, username, ref", "who", whos)}

    def owners(self, folded: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Returns by what the people are recognised who have names; the names folded."""
        found: dict[str, frozenset[str]] = {}
        for name, who in self._select("folded, who", "folded", folded):
            found[name] = found.get(name, frozenset()) | {who}
        return found

    def ours(self, refs: Iterable[str]) -> Mapping[str, str]:
        """Returns the names of users whom this pipeline has created, or a completed sheet has named, by their ids."""
        refs = list(refs)
        return {
            ref: username
            for table in ("managed", "roster")
            for ref, username in self._select("ref, username", "ref", refs, table=table)
        }

    @decoded
    def _select(
        self, columns: str, column: str, values: Iterable[str], *, table: str = "made_name"
    ) -> Iterator[Sequence[Any]]:
        for chunk in in_chunks(values):
            query = f"SELECT {columns} FROM {table} WHERE owner = {OWNER} AND {column} IN ({marks(chunk)})"  # noqa: S608 -- constants
            for found in self._journal.execute(query, (*self._owner, *chunk)):
                refuse_other_than_text(*found)
                yield found

    def note(self, job: str) -> None:
        """Notes the names of a job's rows: those that are to be created at once, all others once that is done."""
        note_owner(self._journal, *self._owner)
        self._journal.execute(
            f"""
            INSERT INTO made_name
            SELECT {OWNER}, w.value, {PRESENT_NAME}, r.folded, CASE WHEN {IS_DONE} THEN r.ref END
            FROM row AS r JOIN json_each(r.who) AS w
            WHERE r.job = ?3 AND r.who IS NOT NULL AND r.action NOT IN (?4, ?5, ?6) AND (r.action = ?7 OR {IS_DONE})
            ON CONFLICT DO UPDATE SET username = excluded.username, folded = excluded.folded,
                ref = CASE WHEN excluded.ref IS NULL AND folded = excluded.folded THEN ref ELSE excluded.ref END
            WHERE username <> excluded.username OR (excluded.ref IS NOT NULL AND ref IS NOT excluded.ref)
            """,  # noqa: S608 -- constants
            (*self._owner, job, Action.REJECTED, Action.IGNORED, Action.DELETE, Action.CREATE),
        )

    def note_gone(self, refs: Iterable[str]) -> None:
        """Notes that users are gone; nobody else gets their names."""
        self._journal.executemany(
            f"UPDATE made_name SET ref = NULL WHERE owner = {OWNER} AND ref = ?3",  # noqa: S608 -- a constant
            [(*self._owner, ref) for ref in refs],
        )
