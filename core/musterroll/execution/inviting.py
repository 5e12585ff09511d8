"""Sends the invites that a job has earned. Never twice; every doubtful one is held and listed.

`sending` is committed, the message is handed over, `sent` is committed. What was `sending` when the process
died is held until a person decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from musterroll.errors import MusterrollError, PluginError
from musterroll.execution.answers import JobContext
from musterroll.journal.invite_store import DueInvite, InviteStore
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import InviteState
from musterroll.model.messages import Message, Purpose, SentStatus
from musterroll.plugin.roles import Notifier
from musterroll.progress import Progress

# Few, because so many are held at the most when the process dies.
_CHUNK = 16
_STATES = {
    SentStatus.SENT: InviteState.SENT,
    SentStatus.FAILED: InviteState.FAILED,
    SentStatus.UNKNOWN: InviteState.HELD,
}


class Inviter:
    """Sends the invites of one job.

    Args:
        context: the job.
        journal: where its invites are.
        valid_days: how long an invite lives.
        progress: told how it goes on.
    """

    def __init__(self, context: JobContext, journal: Journal, valid_days: int, progress: Progress) -> None:
        self._context = context
        self._journal = journal
        self._store = InviteStore(journal, context.job, context.pipeline, context.identity)
        self._valid = dt.timedelta(days=valid_days)
        self._progress = progress
        self._noted: dict[str, DueInvite] = {}  # committed as `sending`, not asked for yet
        self._handed: dict[str, DueInvite] = {}  # handed to the notifier, no answer yet

    def run(self, notifiers: Sequence[tuple[str, Notifier]]) -> None:
        """Sends what is due, notifier by notifier. One that fails does not stop the others.

        Raises:
            NotifierError: a notifier could not go on.
            PluginError: a notifier broke.
            StateError: the journal cannot be written.
        """
        first_error: MusterrollError | None = None
        for label, notifier in notifiers:
            if self._context.cancelled.is_set() or not self._store.due(label, -1, 1):
                continue
            self._progress.stage("Inviting")
            try:
                self._send(label, notifier)
            except MusterrollError as error:
                first_error = first_error or error
            except Exception as error:
                wrapped = PluginError(plugin=label, stage="inviting", cause=error)
                wrapped.__cause__ = error
                first_error = first_error or wrapped
        if first_error is not None:
            raise first_error

    def _send(self, label: str, notifier: Notifier) -> None:
        try:
            for sent in notifier.send(self._messages(label)):
                if self._handed.pop(sent.message, None) is None:
                    raise PluginError(
                        plugin=label, stage="inviting", cause=f"it answered to {sent.message}, which it was not given"
                    )
                self._settle(sent.message, _STATES[sent.status], sent.detail)
                self._progress.advance()
        finally:
            with self._journal.transaction():
                for message in self._handed:
                    self._settle(message, InviteState.HELD, "no answer: it may or may not have gone out")
                self._store.withdraw(list(self._noted))
            self._handed.clear()
            self._noted.clear()

    def _messages(self, label: str) -> Iterator[Message]:
        after = -1
        while not self._context.cancelled.is_set():
            chunk = self._store.due(label, after, _CHUNK)
            if not chunk:
                return
            after = chunk[-1].row
            with self._journal.transaction():
                self._store.begin(chunk)
            self._noted = {invite.message: invite for invite in chunk}
            expires = self._context.clock() + self._valid
            for invite in chunk:
                if self._context.cancelled.is_set():
                    return
                self._handed[invite.message] = self._noted.pop(invite.message)
                yield Message(
                    id=invite.message,
                    purpose=Purpose.INVITE,
                    recipient=invite.recipient,
                    values={
                        "pipeline": self._context.pipeline,
                        "job": self._context.job,
                        "invite_url": "",
                        "valid_days": str(self._valid.days),
                        "expires": f"{expires:%Y-%m-%d}",
                    },
                )

    def _settle(self, message: str, state: InviteState, detail: str | None) -> None:
        now = self._context.clock()
        self._journal.begin()
        self._store.settle(message, state, sent=now, expires=now + self._valid, detail=detail)
        # Each answer at once: a message that is known to be sent must not be held by a crash later.
        self._journal.commit()
