"""Who was created and invited by this pipeline, on this backend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from musterroll.contract.messages import Purpose
from musterroll.journal.damage import decoded, refuse_other_than_text
from musterroll.journal.journal import Journal
from musterroll.journal.roster import Roster
from musterroll.journal.taken_back import taken_back

_CHUNK = 500


class InviteState(StrEnum):
    """Where an invite stands."""

    SENDING = "sending"  # handed to the notifier; after a crash: held
    SENT = "sent"
    HELD = "held"  # nobody knows whether it went out; a person decides
    FAILED = "failed"


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

    def is_alive(self, now: dt.datetime) -> bool:
        """Whether an invite has been sent that is still valid."""
        return self.invite is InviteState.SENT and self.expires is not None and self.expires > now


NOBODY = LedgerEntry()


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A user whom the ledger knows: created by this pipeline, invited, or found in a sheet."""

    ref: str
    username: str
    entry: LedgerEntry


class Ledger:
    """The ledger of one pipeline on one backend.

    Args:
        journal: where it is kept; None for an empty one.
        pipeline: the pipeline's name.
        identity: the backend's identity.
    """

    def __init__(self, journal: Journal | None, pipeline: str, identity: str) -> None:
        self._journal = journal
        self._owner = (pipeline, identity)
        self.roster = Roster(journal, pipeline, identity)

    def entries(self, refs: Iterable[str]) -> Mapping[str, LedgerEntry]:
        """Returns what is known of users; those of whom nothing is known are left out."""
        wanted = list(refs)
        found: dict[str, LedgerEntry] = {}
        for start in range(0, len(wanted), _CHUNK):
            found.update(self._chunk(wanted[start : start + _CHUNK]))
        return found

    @decoded
    def _chunk(self, refs: Sequence[str]) -> dict[str, LedgerEntry]:
        if self._journal is None:
            return {}
        marks = ", ".join("?" * len(refs))
        created = {
            ref
            for (ref,) in self._journal.execute(
                f"SELECT ref FROM managed WHERE pipeline = ? AND identity = ? AND ref IN ({marks})",  # noqa: S608 -- marks
                (*self._owner, *refs),
            )
        }
        invites = {
            ref: invite
            for ref, *invite in self._journal.execute(
                f"SELECT ref, state, expires, channel, sent, detail, message, job FROM invite "  # noqa: S608 -- marks
                f"WHERE pipeline = ? AND identity = ? AND purpose = ? AND ref IN ({marks}) ORDER BY id",
                (*self._owner, Purpose.INVITE, *refs),
            )
        }
        return {ref: _entry(ref in created, *invites.get(ref, ())) for ref in created | invites.keys()}

    @decoded
    def users(self) -> Iterator[KnownUser]:
        """Streams all whom the ledger knows, by username; SQLite sorts, so that nothing is held in memory."""
        if self._journal is None:
            return
        for ref, username, created, state, *invite in self._journal.stream(
            """
            WITH latest (ref, id) AS (
                SELECT ref, max(id) FROM invite WHERE pipeline = ?1 AND identity = ?2 AND purpose = ?3 GROUP BY ref
            ), known (ref) AS (
                SELECT ref FROM latest
                UNION SELECT ref FROM managed WHERE pipeline = ?1 AND identity = ?2
                UNION SELECT ref FROM uninvited WHERE pipeline = ?1 AND identity = ?2
            )
            SELECT k.ref, coalesce(i.username, u.username, m.username) AS username, m.ref IS NOT NULL,
                   i.state, i.expires, i.channel, i.sent, CASE WHEN i.id IS NULL THEN u.reason ELSE i.detail END,
                   i.message, i.job
            FROM known AS k
            LEFT JOIN latest AS l ON l.ref = k.ref LEFT JOIN invite AS i ON i.id = l.id
            LEFT JOIN managed AS m ON m.pipeline = ?1 AND m.identity = ?2 AND m.ref = k.ref
            LEFT JOIN uninvited AS u ON u.pipeline = ?1 AND u.identity = ?2 AND u.ref = k.ref
            ORDER BY username COLLATE NOCASE, username
            """,
            (*self._owner, Purpose.INVITE),
        ):
            refuse_other_than_text(ref, username, *invite)
            yield KnownUser(ref, username, _entry(bool(created), state, *invite))

    def lost(self, known_as: Iterable[str], ref: str | None, now: dt.datetime) -> LedgerEntry | None:
        """Returns the invite of a user who is known by other ids, too: the portal has lost that one.

        Args:
            known_as: by what the user is known again.
            ref: the user's present id; None for one that is being created.
            now: the time that expiry is judged at.

        Returns:
            An invite that is alive, or may be; None where there is none.
        """
        if self._journal is None:
            return None
        query = "SELECT ref FROM invited_as WHERE pipeline = ? AND identity = ? AND who = ? AND ref IS NOT ?"
        refs = {other for who in known_as for (other,) in self._journal.execute(query, (*self._owner, who, ref))}
        in_doubt = (InviteState.HELD, InviteState.SENDING)
        entries = self.entries(sorted(refs)).values() if refs else ()
        return next((entry for entry in entries if entry.is_alive(now) or entry.invite in in_doubt), None)

    def taken_back(self, refs: Iterable[str]) -> frozenset[str]:
        """Returns those users whom a job of this pipeline created and its undo deactivated."""
        return frozenset() if self._journal is None else taken_back(self._journal, self._owner, refs)

    def password_was_reset(self, refs: Iterable[str], sheet_sha256: str) -> frozenset[str]:
        """Returns those users whose password was reset by this very sheet already."""
        if self._journal is None:
            return frozenset()
        return frozenset(
            ref
            for ref in refs
            if self._journal.execute(
                "SELECT 1 FROM password_reset WHERE pipeline = ? AND identity = ? AND ref = ? AND sheet_sha256 = ?",
                (*self._owner, ref, sheet_sha256),
            ).fetchone()
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
        "SELECT identity FROM managed WHERE pipeline = ?1 UNION SELECT identity FROM uninvited WHERE pipeline = ?1 "
        "UNION SELECT identity FROM invite WHERE pipeline = ?1",
        (pipeline,),
    ).fetchall()
    return sorted(identity for (identity,) in (of_profile or everywhere))


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
