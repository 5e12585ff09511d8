"""The invites of a job: who is due, who is being told, what became of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from musterroll.journal.journal import Journal
from musterroll.journal.ledger import InviteState
from musterroll.model.messages import Purpose, Recipient


@dataclass(frozen=True, slots=True)
class DueInvite:
    """An invite that is to go out. `message` stays the same when it is sent again."""

    row: int
    ref: str
    channel: str
    message: str
    recipient: Recipient


class InviteStore:
    """The invites of one job, and with them the ledger.

    Args:
        journal: where they are kept.
        job: the job's id.
        pipeline: the pipeline's name.
        identity: the backend's identity.
    """

    def __init__(self, journal: Journal, job: str, pipeline: str, identity: str) -> None:
        self._journal = journal
        self._job = job
        self._owner = (pipeline, identity)

    def due(self, notifier: str, after: int, limit: int) -> list[DueInvite]:
        """Returns the next invites of a notifier, by row.

        Due is who was planned to be invited, whose own operations and memberships are all done, and whom this
        job has not told yet (a failed message is due again).
        """
        rows = self._journal.execute(
            """
            SELECT r.row, r.ref, r.channel, r.username, r.recipient FROM row AS r
            WHERE r.job = ?1 AND r.invite = ?2 AND r.row > ?3 AND r.ref IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM invite AS i WHERE i.job = ?1 AND i.row = r.row AND i.state <> 'failed')
            AND NOT EXISTS (SELECT 1 FROM operation AS o WHERE o.job = ?1 AND o.row = r.row
                            AND o.state NOT IN ('done', 'noop'))
            AND NOT EXISTS (SELECT 1 FROM membership AS m JOIN operation AS o ON o.job = m.job AND o.seq = m.op
                            WHERE m.job = ?1 AND m.row = r.row
                            AND (m.refused IS NOT NULL OR o.state NOT IN ('done', 'noop')))
            ORDER BY r.row LIMIT ?4
            """,
            (self._job, notifier, after, limit),
        ).fetchall()
        return [
            DueInvite(
                row,
                ref,
                channel,
                f"{self._job}-invite-{row}",  # never the id of an operation
                Recipient(username=username, fields=json.loads(recipient), ref=ref),
            )
            for row, ref, channel, username, recipient in rows
        ]

    def begin(self, invites: Sequence[DueInvite]) -> None:
        """Notes that invites are being handed over; one that stays so at a crash is held."""
        self._journal.executemany(
            "INSERT INTO invite (pipeline, identity, ref, purpose, username, state, channel, message, job, row) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (message) DO UPDATE SET state = excluded.state, detail = NULL",
            [
                (
                    *self._owner,
                    invite.ref,
                    Purpose.INVITE,
                    invite.recipient.username,
                    InviteState.SENDING,
                    invite.channel,
                    invite.message,
                    self._job,
                    invite.row,
                )
                for invite in invites
            ],
        )

    def settle(
        self, message: str, state: InviteState, *, sent: dt.datetime, expires: dt.datetime, detail: str | None
    ) -> None:
        """Notes what became of an invite."""
        is_sent = state is InviteState.SENT
        self._journal.execute(
            "UPDATE invite SET state = ?, sent = ?, expires = ?, detail = ? WHERE message = ?",
            (
                state,
                sent.isoformat() if is_sent else None,
                expires.isoformat() if is_sent else None,
                detail,
                message,
            ),
        )

    def withdraw(self, messages: Sequence[str]) -> None:
        """Takes back what was noted but never handed over."""
        self._journal.executemany(
            "DELETE FROM invite WHERE message = ? AND state = 'sending'", [(message,) for message in messages]
        )

    def failures(self) -> Iterator[tuple[int, str, str, str, str | None]]:
        """Streams (row, username, channel, state, detail) of invites that did not certainly go out."""
        yield from self._journal.stream(
            "SELECT row, username, channel, state, detail FROM invite "
            "WHERE job = ? AND state IN ('held', 'failed', 'sending') ORDER BY row",
            (self._job,),
        )


def record_creations(
    journal: Journal, owner: tuple[str, str], job: str, users: Sequence[tuple[str, str]], *, now: dt.datetime
) -> None:
    """Notes that users were created by this pipeline: (id, username). The owner is (pipeline, identity)."""
    journal.executemany(
        "INSERT OR IGNORE INTO managed VALUES (?, ?, ?, ?, ?, ?)",
        [(*owner, ref, username, job, now.isoformat()) for ref, username in users],
    )


def record_resets(
    journal: Journal, owner: tuple[str, str], job: str, refs: Sequence[str], *, sheet_sha256: str
) -> None:
    """Notes that users got a sheet's password, so that running it again does not reset it."""
    journal.executemany(
        "INSERT OR IGNORE INTO password_reset VALUES (?, ?, ?, ?, ?)",
        [(*owner, ref, sheet_sha256, job) for ref in refs],
    )
