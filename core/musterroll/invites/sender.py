"""Sends invites that are due. Never twice; every doubtful one is held and listed.

`sending` is committed, the message is handed over, `sent` is committed. What was `sending` when the process
died is held until a person decides.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from musterroll.contract.messages import Message, Purpose, SentStatus
from musterroll.contract.roles import Notifier
from musterroll.errors import MusterrollError
from musterroll.journal.invites import DueInvite, InviteStore
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import InviteState
from musterroll.progress import Progress

# Few, because so many are held at the most when the process dies.
_CHUNK = 16
_STATES = {
    SentStatus.SENT: InviteState.SENT,
    SentStatus.FAILED: InviteState.FAILED,
    SentStatus.UNKNOWN: InviteState.HELD,
}


class Due(Protocol):
    """Says which invites are due."""

    def __call__(self, notifier: str, after: int, limit: int) -> list[DueInvite]:
        """Returns the next invites that a notifier is to send, by ascending row, beyond a row."""
        ...


class Inviter:
    """Sends the invites that are due.

    Args:
        journal: where they are noted.
        pipeline: the pipeline's name.
        identity: the backend's identity.
        valid_days: how long an invite lives.
        clock: the time in UTC.
        cancelled: set when the person interrupts: what is in flight is finished, nothing new begins.
        progress: told how it goes on.
    """

    def __init__(
        self,
        journal: Journal,
        pipeline: str,
        identity: str,
        *,
        valid_days: int,
        clock: Callable[[], dt.datetime],
        cancelled: threading.Event,
        progress: Progress,
    ) -> None:
        self._journal = journal
        self._pipeline = pipeline
        self._store = InviteStore(journal, pipeline, identity)
        self._valid = dt.timedelta(days=valid_days)
        self._clock = clock
        self._cancelled = cancelled
        self._progress = progress
        self._noted: dict[str, DueInvite] = {}  # committed as `sending`, not asked for yet
        self._handed: dict[str, DueInvite] = {}  # handed to the notifier, no answer yet

    def run_job(self, job: str, notifiers: Sequence[tuple[str, Notifier]]) -> None:
        """Sends what a job has earned. See `run`."""

        def due(notifier: str, after: int, limit: int) -> list[DueInvite]:
            return self._store.due(job, notifier, after, limit)

        self.run(due, notifiers)

    def run(self, due: Due, notifiers: Sequence[tuple[str, Notifier]]) -> None:
        """Sends what is due, notifier by notifier. One that fails does not stop the others.

        Raises:
            NotifierError: a notifier could not go on.
            PluginError: a notifier broke.
            StateError: the journal cannot be written.
        """
        first_error: MusterrollError | None = None
        for label, notifier in notifiers:
            if self._cancelled.is_set() or not due(label, -1, 1):
                continue
            self._progress.stage("Inviting")
            try:
                self._send(label, notifier, due)
            except MusterrollError as error:
                first_error = first_error or error
        if first_error is not None:
            raise first_error

    def _send(self, label: str, notifier: Notifier, due: Due) -> None:
        try:
            for sent in notifier.send(self._messages(label, due)):
                self._settle(self._handed.pop(sent.message), _STATES[sent.status], sent.detail)
                self._progress.advance()
        finally:
            with self._journal.transaction():
                for invite in self._handed.values():
                    self._settle(invite, InviteState.HELD, "no answer: it may or may not have gone out")
                self._store.withdraw(list(self._noted.values()))
            self._handed.clear()
            self._noted.clear()

    def _messages(self, label: str, due: Due) -> Iterator[Message]:
        after = -1
        while not self._cancelled.is_set():
            chunk = due(label, after, _CHUNK)
            if not chunk:
                return
            after = chunk[-1].row
            with self._journal.transaction():
                self._store.begin(chunk)
            self._noted = {invite.message: invite for invite in chunk}
            expires = self._clock() + self._valid
            for invite in chunk:
                if self._cancelled.is_set():
                    return
                self._handed[invite.message] = self._noted.pop(invite.message)
                yield Message(
                    id=invite.message,
                    purpose=Purpose.INVITE,
                    recipient=invite.recipient,
                    values={
                        "pipeline": self._pipeline,
                        "job": invite.job,
                        "valid_days": str(self._valid.days),
                        "expires": f"{expires:%Y-%m-%d}",
                    },
                )

    def _settle(self, invite: DueInvite, state: InviteState, detail: str | None) -> None:
        if state is InviteState.FAILED and invite.was is InviteState.HELD:
            # This time it did not go out, but the first time it may have: that doubt stays.
            state, detail = InviteState.HELD, f"not sent again: {detail or 'the notifier does not say why'}"
        now = self._clock()
        self._journal.begin()
        self._store.settle(invite.message, state, sent=now, expires=now + self._valid, detail=detail)
        # Each answer at once: a message that is known to be sent must not be held by a crash later.
        self._journal.commit()
