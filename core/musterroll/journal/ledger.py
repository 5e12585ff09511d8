"""The ledger: who was created and invited by a pipeline, on a portal. All of it is read and written here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from musterroll.contract.messages import Purpose
from musterroll.contract.operations import Kind
from musterroll.journal.change import Action
from musterroll.journal.damage import decoded, refuse_other_than_text
from musterroll.journal.invites import InviteState
from musterroll.journal.journal import Journal
from musterroll.journal.last_values import LastValuesStore
from musterroll.journal.made_names import MadeNames
from musterroll.journal.operations import OpState
from musterroll.journal.roster import IS_DONE, OWNER, PRESENT_NAME, Roster, in_chunks, note_owner

_MOST_ENTRIES = 500  # that are told apart at once
_OF_USER = "pipeline = ?1 AND identity = ?2 AND ref = k.ref"
# Of a known user `k`, with the latest invite `i`, `managed` as `m` and `uninvited` as `u`.
_IS_SETTLED = f"""EXISTS (SELECT 1 FROM roster AS r WHERE r.owner = {OWNER} AND r.ref = k.ref
        AND r.username = coalesce(i.username, u.username, m.username)
        AND r.username = coalesce(m.username, r.username) AND r.username = coalesce(u.username, r.username)
        AND NOT EXISTS (SELECT 1 FROM invite WHERE {_OF_USER} AND username <> r.username))
    AND NOT EXISTS (SELECT 1 FROM taken_back WHERE {_OF_USER})"""  # noqa: S608 -- a constant


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What the ledger knows of a user.

    Attributes:
        created: the user was created by this pipeline.
        invite: the state of the latest invite; None where there was none.
        expires: when that invite expires.
        channel: by what it was sent.
        sent: when it was sent.
        detail: why it failed or is held; where there was none, why not (None where that is not known).
        message: the id of its message.
        job: the job that it belongs to.
    """

    created: bool = False
    invite: InviteState | None = None
    expires: dt.datetime | None = None
    channel: str | None = None
    sent: dt.datetime | None = None
    detail: str | None = None
    message: str = ""
    job: str = ""

    def standing(self, now: dt.datetime) -> InviteState:
        """Returns where the user stands: `sent` while the invite is valid, `held` whenever there is a doubt."""
        match self.invite:
            case None:
                return InviteState.NEVER
            case InviteState.SENT if self.expires is None or self.expires <= now:
                return InviteState.EXPIRED
            case InviteState.SENDING:
                return InviteState.HELD
        return self.invite


NOT_KNOWN = LedgerEntry()


@dataclass(frozen=True, slots=True)
class LedgerUser:
    """A user whom the ledger knows: created by this pipeline, invited, or found in a sheet."""

    ref: str
    username: str
    entry: LedgerEntry


class Ledger:
    """The ledger of one pipeline on one backend.

    Args:
        journal: where it is kept.
        pipeline: the pipeline's name.
        identity: the backend's identity.
    """

    def __init__(self, journal: Journal, pipeline: str, identity: str) -> None:
        self._journal = journal
        self._owner = (pipeline, identity)
        self.roster, self.names = Roster(journal, pipeline, identity), MadeNames(journal, pipeline, identity)
        self.last_values = LastValuesStore(journal, pipeline, identity)

    def entries(self, refs: Iterable[str]) -> Mapping[str, LedgerEntry]:
        """Returns what is known of users; those of whom nothing is known are left out."""
        found: dict[str, LedgerEntry] = {}
        for chunk in in_chunks(refs):
            found.update((user.ref, user.entry) for user in self._select(_marks(chunk), "k.ref", *chunk))
        return found

    def settled(self, refs: Iterable[str]) -> Iterator[LedgerUser]:
        """Streams those users of whom a completed sheet has noted all there is, under one and the same name.

        If nothing is done to such a user, the end of a job notes nothing new, but for the reason why no invite goes out
        to somebody who never got one.
        """
        for chunk in in_chunks(refs):
            yield from self._select(_marks(chunk), "k.ref", *chunk, where=_IS_SETTLED)

    def users(self) -> Iterator[LedgerUser]:
        """Streams all whom the ledger knows, by username; SQLite sorts, so that nothing is held in memory."""
        known = (
            f"SELECT ref FROM invite WHERE pipeline = ?1 AND identity = ?2 "  # noqa: S608 -- a constant
            f"UNION SELECT ref FROM managed WHERE owner = {OWNER} UNION SELECT ref FROM uninvited WHERE owner = {OWNER}"
        )
        return self._select(known, "username COLLATE NOCASE, username")

    @decoded
    def _select(self, known: str, order: str, *values: str, where: str = "TRUE") -> Iterator[LedgerUser]:
        """Streams those of the known refs of whom there is something in the ledger."""
        entries: dict[Any, LedgerEntry] = {}  # of those who were not invited most are the same
        for ref, username, *of_entry in self._journal.stream(
            f"""
            WITH known (ref) AS ({known})
            SELECT k.ref, coalesce(i.username, u.username, m.username) AS username, m.ref IS NOT NULL,
                   i.state, i.expires, i.channel, i.sent, CASE WHEN i.id IS NULL THEN u.reason ELSE i.detail END,
                   i.message, i.job
            FROM known AS k
            LEFT JOIN invite AS i ON i.id = (
                SELECT max(id) FROM invite WHERE pipeline = ?1 AND identity = ?2 AND ref = k.ref AND purpose = ?3)
            LEFT JOIN managed AS m ON m.owner = {OWNER} AND m.ref = k.ref
            LEFT JOIN uninvited AS u ON u.owner = {OWNER} AND u.ref = k.ref
            WHERE coalesce(i.id, m.ref, u.ref) IS NOT NULL AND {where} ORDER BY {order}
            """,  # noqa: S608 -- constants
            (*self._owner, Purpose.INVITE, *values),
        ):
            refuse_other_than_text(ref, username)
            key = tuple(of_entry)
            entry = entries.get(key)
            if entry is None:
                if len(entries) >= _MOST_ENTRIES:
                    entries.clear()
                refuse_other_than_text(*of_entry[1:])
                entry = entries[key] = _entry(bool(of_entry[0]), *of_entry[1:])
            yield LedgerUser(ref, username, entry)

    def lost(self, known_as: Iterable[str], ref: str | None, now: dt.datetime) -> LedgerEntry | None:
        """Returns the invite of a user who is known by other ids, too: the portal has lost that one.

        Args:
            known_as: by what the user is known again.
            ref: the user's present id; None for one that is being created.
            now: the time that expiry is judged at.

        Returns:
            An invite that is alive, or may be; None where there is none.
        """
        query = "SELECT ref FROM invited_as WHERE pipeline = ? AND identity = ? AND who = ? AND ref IS NOT ?"
        refs = {other for who in known_as for (other,) in self._journal.execute(query, (*self._owner, who, ref))}
        alive = (InviteState.SENT, InviteState.HELD)
        return next((entry for entry in self.entries(sorted(refs)).values() if entry.standing(now) in alive), None)

    def taken_back(self, refs: Iterable[str]) -> frozenset[str]:
        """Returns those users whom this pipeline created and an undo deactivated, and nobody has made active since."""
        return self._among(refs, "taken_back", "")

    def password_was_reset(self, refs: Iterable[str], sheet_sha256: str) -> frozenset[str]:
        """Returns those users whose password was reset by this very sheet already."""
        return self._among(refs, "password_reset", " AND sheet_sha256 = ?", sheet_sha256)

    def _among(self, refs: Iterable[str], table: str, where: str, *values: str) -> frozenset[str]:
        query = f"SELECT 1 FROM {table} WHERE pipeline = ? AND identity = ? AND ref = ?{where}"  # noqa: S608 -- constants
        return frozenset(ref for ref in refs if self._journal.execute(query, (*self._owner, ref, *values)).fetchone())

    def add_created(self, job: str, rows: Iterable[int]) -> None:
        """Notes that users were created by this pipeline: those of some rows of a job, which have their ids by now."""
        created = dict.fromkeys(rows, 1)
        if not created:
            return
        note_owner(self._journal, *self._owner)
        query = (
            f"INSERT OR IGNORE INTO managed SELECT {OWNER}, ref, username, job FROM row "  # noqa: S608 -- a constant
            "WHERE job = ?3 AND row BETWEEN ?4 AND ?5 AND given(row)"
        )
        self._journal.execute_given(query, (*self._owner, job), created)

    def add_resets(self, job: str, refs: Sequence[str], *, sheet_sha256: str) -> None:
        """Notes that users got a sheet's password, so that running it again does not reset it."""
        self._journal.executemany(
            "INSERT OR IGNORE INTO password_reset VALUES (?, ?, ?, ?, ?)",
            [(*self._owner, ref, sheet_sha256, job) for ref in refs],
        )

    def remove(self, refs: Sequence[str]) -> None:
        """Notes that users are gone: whoever gets their name is another."""
        for table, whose in (
            ("managed", f"owner = {OWNER}"),
            ("roster", f"owner = {OWNER}"),
            ("last_values", f"owner = {OWNER}"),
            ("invited_as", "pipeline = ?1 AND identity = ?2"),
            ("taken_back", "pipeline = ?1 AND identity = ?2"),
        ):
            self._journal.executemany(
                f"DELETE FROM {table} WHERE {whose} AND ref = ?3",  # noqa: S608 -- constants
                [(*self._owner, ref) for ref in refs],
            )
        self.names.note_gone(refs)

    def keep_job(self, job: str, *, is_undo: bool) -> None:
        """Keeps what is to be known of a job's users when it has ended, even when the job itself is forgotten."""
        self._keep_names(job)
        self._journal.execute(
            f"INSERT OR IGNORE INTO invited_as SELECT ?1, ?2, a.value, r.ref "  # noqa: S608 -- a constant
            f"FROM row AS r JOIN json_each(r.known_as) AS a "
            f"WHERE r.job = ?3 AND r.known_as IS NOT NULL AND r.ref IS NOT NULL AND {IS_DONE}",
            (*self._owner, job),
        )
        if is_undo:
            self._keep_taken_back(job)
        else:
            self.keep_uninvited(job)
            # Whoever deactivates those whom the job found active, or made active again, means it.
            self._journal.execute(
                f"DELETE FROM taken_back WHERE pipeline = ?1 AND identity = ?2 AND ref IN ("  # noqa: S608 -- a constant
                f"SELECT r.ref FROM row AS r WHERE r.job = ?3 "
                f"AND r.action IN ('unchanged', 'update', 'reactivate') AND {IS_DONE})",
                (*self._owner, job),
            )

    def keep_uninvited(self, job: str) -> None:
        """Notes why users of a job were not invited, for those whom nobody has invited yet."""
        note_owner(self._journal, *self._owner)
        self._journal.execute(
            f"""
            INSERT INTO uninvited SELECT {OWNER}, r.ref, {PRESENT_NAME},
                CASE WHEN r.invite IS NULL THEN coalesce(r.reason, '') ELSE 'its row was not carried out to the end' END
            FROM row AS r WHERE r.job = ?3 AND r.ref IS NOT NULL AND r.action NOT IN (?4, ?6, ?7)
            AND NOT EXISTS (SELECT 1 FROM invite AS i WHERE i.pipeline = ?1 AND i.identity = ?2 AND i.ref = r.ref
                            AND i.purpose = ?5)
            ON CONFLICT DO UPDATE SET username = excluded.username, reason = excluded.reason
            WHERE reason <> excluded.reason OR username <> excluded.username
            """,  # noqa: S608 -- a constant
            (*self._owner, job, Action.REJECTED, Purpose.INVITE, Action.IGNORED, Action.DELETE),
        )

    def _keep_names(self, job: str) -> None:
        """Notes the present names of users whom the ledger knows by former ones."""
        for table, whose in (
            ("managed", f"l.owner = {OWNER}"),
            ("invite", "l.pipeline = ?1 AND l.identity = ?2"),
        ):
            # CROSS JOIN: SQLite keeps the order, which makes it one look-up for each row.
            renamed = self._journal.execute(
                f"SELECT DISTINCT {PRESENT_NAME} AS name, l.ref FROM row AS r CROSS JOIN {table} AS l "  # noqa: S608 -- constants
                f"WHERE r.job = ?3 AND r.ref IS NOT NULL AND r.action <> ?4 "
                f"AND {whose} AND l.ref = r.ref AND l.username <> name",
                (*self._owner, job, Action.REJECTED),
            ).fetchall()
            self._journal.executemany(
                f"UPDATE {table} AS l SET username = ?3 WHERE {whose} AND l.ref = ?4",  # noqa: S608 -- constants
                [(*self._owner, name, ref) for name, ref in renamed],
            )

    def _keep_taken_back(self, undo: str) -> None:
        """Notes whom an undo has deactivated, of those whom this pipeline created: a later sheet may mean them."""
        self._journal.execute(
            f"""
            INSERT OR REPLACE INTO taken_back SELECT ?1, ?2, r.ref, ?3 FROM operation AS o
            JOIN row AS r ON r.job = o.job AND r.row = o.row
            JOIN managed AS m ON m.owner = {OWNER} AND m.ref = r.ref
            WHERE o.job = ?3 AND o.kind = ?4 AND o.state = ?5
            """,  # noqa: S608 -- a constant
            (*self._owner, undo, Kind.DEACTIVATE, OpState.DONE),
        )


@decoded
def invite_of_row(journal: Journal, job: str, row: int) -> LedgerEntry | None:
    """Returns the invite that a job's row has earned, whatever came later."""
    found = journal.execute(
        "SELECT state, expires, channel, sent, detail, message, job FROM invite WHERE job = ? AND row = ?", (job, row)
    ).fetchone()
    return None if found is None else _entry(False, *found)


def known_identities(journal: Journal, pipeline: str, profile: str | None) -> list[str]:
    """Returns the backends on which a pipeline has a ledger: those of the profile's jobs, failing that all."""
    of_profile = journal.execute(
        "SELECT DISTINCT identity FROM job WHERE pipeline = ? AND profile IS ? AND planned", (pipeline, profile)
    ).fetchall()
    everywhere = journal.execute(
        "SELECT identity FROM owner WHERE pipeline = ?1 AND (number IN (SELECT owner FROM managed) "
        "OR number IN (SELECT owner FROM uninvited)) UNION SELECT identity FROM invite WHERE pipeline = ?1",
        (pipeline,),
    ).fetchall()
    return sorted(identity for (identity,) in (of_profile or everywhere))


def _marks(values: Sequence[str]) -> str:
    """The rows of one column that a query takes: what comes before them has the first three numbers."""
    return f"VALUES {', '.join(f'(?{number})' for number in range(4, 4 + len(values)))}"


def _entry(
    created: bool,
    state: str | None = None,
    expires: str | None = None,
    channel: str | None = None,
    sent: str | None = None,
    detail: str | None = None,
    message: str | None = None,
    job: str | None = None,
) -> LedgerEntry:
    return LedgerEntry(
        created,
        InviteState(state) if state else None,
        _time(expires),
        channel,
        _time(sent),
        detail,
        message or "",
        job or "",
    )


def _time(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
