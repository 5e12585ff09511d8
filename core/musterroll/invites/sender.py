"""Sends invites that are due. Never twice; every doubtful one is held and listed.

`sending` is committed, the message is handed over, `sent` is committed. What was `sending` when the process
died is held until a person decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from musterroll.contract.fields import PASSWORD
from musterroll.contract.messages import Message, Purpose, Recipient, Sent, SentStatus
from musterroll.contract.operations import Op, SendInvite, Status, UserRef
from musterroll.contract.roles import Notifier
from musterroll.contract.secret import Secret
from musterroll.errors import MusterrollError
from musterroll.journal.invites import DueInvite, InviteState, InviteStore
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.portal.portal import Portal
from musterroll.progress import Progress
from musterroll.registry.masks import masked

Due: TypeAlias = Callable[[str, int, int], Sequence[DueInvite]]
"""Returns the next invites that a notifier is to send: beyond a row, by ascending row, and so many at the most."""
# Few, because so many are held at the most when the process dies.
_CHUNK = 16
_STATES = {
    SentStatus.SENT: InviteState.SENT,
    SentStatus.FAILED: InviteState.FAILED,
    SentStatus.UNKNOWN: InviteState.HELD,
}


_OF_THE_PORTAL = {Status.DONE: SentStatus.SENT, Status.NOOP: SentStatus.SENT, Status.UNKNOWN: SentStatus.UNKNOWN}


class PortalNotifier:
    """Lets the portal itself invite."""

    channel = "portal"

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def can_reach(self, user: Recipient) -> bool:
        """A portal invites by e-mail."""
        return bool(user.email)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Passes the invites to the portal as operations."""
        for result in self._portal.execute(_operations(messages)):
            yield Sent(result.op, _OF_THE_PORTAL.get(result.status, SentStatus.FAILED), result.detail)

    def close(self) -> None:
        """The portal is closed by whoever opened it."""


def _operations(messages: Iterator[Message]) -> Iterator[Op]:
    for message in messages:
        if message.recipient is not None:
            yield SendInvite(id=message.id, user=UserRef(message.recipient.ref, message.recipient.username))


@contextmanager
def open_senders(pipeline: Pipeline, portal: Portal, *, read_only: bool) -> Iterator[Sequence[tuple[str, Notifier]]]:
    """Builds the notifiers; yields label and notifier of those that send invites, first choice first; closes all."""
    with ExitStack() as stack:
        notifiers = [(one, stack.enter_context(post)) for one, post in pipeline.build_notifiers(read_only=read_only)]
        if pipeline.settings.invites.by == "notifiers":
            yield [(instance.label, post) for instance, post in notifiers if Purpose.INVITE in instance.on]
        else:
            yield [("backend", PortalNotifier(portal))] if portal.capabilities().invite else []


class InviteSender:
    """Sends the invites that are due.

    Args:
        pipeline: whose invites they are.
        journal: where they are noted.
        identity: the portal's identity.
        progress: told how it goes on.
        passwords: first passwords that were made, by row: the invite tells them.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        journal: Journal,
        identity: str,
        progress: Progress,
        passwords: Mapping[int, Secret] = MappingProxyType({}),
    ) -> None:
        self._pipeline = pipeline
        self._journal = journal
        self._store = InviteStore(journal, pipeline.name, identity)
        self._valid = dt.timedelta(days=pipeline.settings.invites.valid_days)
        self._progress, self._passwords = progress, passwords
        self._noted: dict[str, DueInvite] = {}  # committed as `sending`, not asked for yet
        self._handed: dict[str, DueInvite] = {}  # handed to the notifier, no answer yet

    def run_job(self, job: str, senders: Sequence[tuple[str, Notifier]]) -> None:
        """Sends what a job has earned. See `run`."""
        self.run(partial(self._store.due, job), senders)

    def run(self, due: Due, senders: Sequence[tuple[str, Notifier]]) -> None:
        """Sends what is due, notifier by notifier. One that fails does not stop the others.

        Raises:
            NotifierError: a notifier could not go on.
            PluginError: a notifier broke.
            StateError: the journal cannot be written.
        """
        first_error: MusterrollError | None = None
        for label, notifier in senders:
            if self._pipeline.cancelled.is_set() or not due(label, -1, 1):
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
        while not self._pipeline.cancelled.is_set():
            chunk = due(label, after, _CHUNK)
            if not chunk:
                return
            after = chunk[-1].row
            with self._journal.transaction():
                self._store.begin(chunk)
            self._noted = {invite.message: invite for invite in chunk}
            expires = self._pipeline.clock() + self._valid
            for invite in chunk:
                if self._pipeline.cancelled.is_set():
                    return
                self._handed[invite.message] = self._noted.pop(invite.message)
                yield Message(
                    id=invite.message,
                    purpose=Purpose.INVITE,
                    recipient=invite.recipient,
                    values={
                        "pipeline": self._pipeline.name,
                        "job": invite.job,
                        "valid_days": str(self._valid.days),
                        "expires": f"{expires:%Y-%m-%d}",
                        **self._password(invite),
                    },
                )

    def _password(self, invite: DueInvite) -> Mapping[str, str]:
        password = self._passwords.get(invite.row)
        return {} if password is None else {PASSWORD: password.reveal()}

    def _settle(self, invite: DueInvite, state: InviteState, detail: str | None) -> None:
        if state is InviteState.FAILED and invite.was is InviteState.HELD:
            # This time it did not go out, but the first time it may have: that doubt stays.
            state, detail = InviteState.HELD, f"not sent again: {detail or 'the notifier does not say why'}"
        now, password = self._pipeline.clock(), self._passwords.get(invite.row)
        if detail is not None and password is not None:
            detail = masked(detail, [password.reveal()])
        self._journal.begin()
        self._store.settle(invite.message, state, sent=now, expires=now + self._valid, detail=detail)
        # Each answer at once: a message that is known to be sent must not be held by a crash later.
        self._journal.commit()
