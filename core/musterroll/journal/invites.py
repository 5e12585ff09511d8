"""The invites of jobs: who is due, who is being told, what became of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from musterroll.contract.messages import Purpose, Recipient
from musterroll.journal.damage import decoded, storable
from musterroll.journal.journal import Journal
from musterroll.journal.roster import IS_DONE, PRESENT_NAME


class InviteState(StrEnum):
    """Where somebody stands with their invite. The last two are never stored: time and absence make them."""

    SENDING = "sending"  # handed over; without an answer, after a crash, nobody knows: as held
    SENT = "sent"
    HELD = "held"  # nobody knows whether it went out: a person decides
    FAILED = "failed"
    EXPIRED = "expired"  # sent, and not valid any more
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueInvite:
    """An invite that is to go out.

    Attributes:
        job: the job that it belongs to.
        row: its row in that job.
        message: the id of its message; it stays the same when it is sent again.
        channel: by what it goes.
        recipient: whom to tell; `ref` is filled in.
        was: the state that it was in before; None for a new one.
        why: the reason for that state.
    """

    job: str
    row: int
    message: str
    channel: str
    recipient: Recipient
    was: InviteState | None = None
    why: str | None = None


class InviteStore:
    """The invites of one pipeline on one backend.

    Args:
        journal: where they are kept.
        pipeline: the pipeline's name.
        identity: the backend's identity.
    """

    def __init__(self, journal: Journal, pipeline: str, identity: str) -> None:
        self._journal = journal
        self._owner = (pipeline, identity)

    @decoded
    def due(self, job: str, notifier: str, after: int, limit: int) -> list[DueInvite]:
        """Returns the next invites of a job that a notifier is to send, by row.

        Due is who was planned to be invited, whose own operations and memberships are all done, and whom this
        job has not told yet (a failed message is due again), nor another one that came in between.
        """
        rows = self._journal.execute(
            f"""
            SELECT r.row, r.ref, r.channel, {PRESENT_NAME}, r.recipient, i.state, i.detail FROM row AS r
            LEFT JOIN invite AS i ON i.job = ?1 AND i.row = r.row
            WHERE r.job = ?1 AND r.invite = ?2 AND r.row > ?3 AND r.ref IS NOT NULL
            AND (i.state IS NULL OR i.state = 'failed')
            AND NOT EXISTS (SELECT 1 FROM invite AS other WHERE other.pipeline = ?5 AND other.identity = ?6
                            AND other.ref = r.ref AND other.purpose = ?7 AND other.job <> ?1
                            AND (other.state IN ('sending', 'held') OR other.state = 'sent' AND other.turn >
                                 (SELECT number FROM job WHERE id = ?1)))
            AND {IS_DONE}
            AND r.row NOT IN (
                SELECT row FROM refused WHERE job = ?1
                UNION ALL SELECT m.value FROM operation AS o CROSS JOIN json_each(o.members) AS m WHERE o.job = ?1
                AND o.members IS NOT NULL AND o.state NOT IN ('done', 'noop'))
            ORDER BY r.row LIMIT ?4
            """,  # noqa: S608 -- a constant
            (job, notifier, after, limit, *self._owner, Purpose.INVITE),
        ).fetchall()
        return [
            DueInvite(
                job=job,
                row=row,
                message=f"{job}-invite-{row}",  # never the id of an operation
                channel=channel,
                recipient=Recipient(username=username, fields=json.loads(recipient), ref=ref),
                was=InviteState(state) if state else None,
                why=why,
            )
            for row, ref, channel, username, recipient, state, why in rows
        ]

    def begin(self, invites: Sequence[DueInvite]) -> None:
        """Notes that invites are being handed over; one that stays so at a crash is held."""
        self._journal.executemany(
            "INSERT INTO invite (pipeline, identity, ref, purpose, username, state, channel, message, job, row) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message) DO UPDATE "
            "SET state = excluded.state, username = excluded.username, channel = excluded.channel, detail = NULL",
            [
                (
                    *self._owner,
                    invite.recipient.ref,
                    Purpose.INVITE,
                    invite.recipient.username,
                    InviteState.SENDING,
                    invite.channel,
                    invite.message,
                    invite.job,
                    invite.row,
                )
                for invite in invites
            ],
        )
        self._journal.executemany(
            "INSERT OR IGNORE INTO invited_as SELECT ?1, ?2, a.value, r.ref "
            "FROM row AS r JOIN json_each(r.known_as) AS a WHERE r.job = ?3 AND r.row = ?4 AND r.ref = ?5",
            [(*self._owner, invite.job, invite.row, invite.recipient.ref) for invite in invites],
        )

    def settle(
        self, message: str, state: InviteState, *, sent: dt.datetime, expires: dt.datetime, detail: str | None
    ) -> None:
        """Notes what became of an invite."""
        is_sent = state is InviteState.SENT
        self._journal.execute(
            "UPDATE invite SET state = ?, sent = ?, expires = ?, detail = ?, turn = ? WHERE message = ?",
            (
                state,
                sent.isoformat() if is_sent else None,
                expires.isoformat() if is_sent else None,
                None if detail is None else storable(detail),
                self._journal.next_turn(),
                message,
            ),
        )

    def withdraw(self, invites: Sequence[DueInvite]) -> None:
        """Takes back what was noted but never handed over: it is as it was before."""
        self._journal.executemany(
            "DELETE FROM invite WHERE message = ? AND state = 'sending'",
            [(invite.message,) for invite in invites if invite.was is None],
        )
        self._journal.executemany(
            "UPDATE invite SET state = ?, detail = ? WHERE message = ? AND state = 'sending'",
            [(invite.was, invite.why, invite.message) for invite in invites if invite.was is not None],
        )


def failed_invites(journal: Journal, job: str) -> Iterator[tuple[int, str, str, str, str | None]]:
    """Streams (row, username, channel, state, detail) of a job's invites that did not certainly go out."""
    yield from journal.stream(
        "SELECT row, username, channel, state, detail FROM invite "
        "WHERE job = ? AND state IN ('held', 'failed', 'sending') ORDER BY row",
        (job,),
    )
