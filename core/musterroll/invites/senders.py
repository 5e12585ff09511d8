"""Who sends the invites: the notifiers of the pipeline, or the portal itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from musterroll.contract.messages import Message, Purpose, Recipient, Sent, SentStatus
from musterroll.contract.operations import Op, SendInvite, Status, UserRef
from musterroll.contract.roles import Notifier
from musterroll.pipeline.pipeline import Instance
from musterroll.pipeline.settings import InviteSettings
from musterroll.portal.portal import Portal

_STATUS = {Status.DONE: SentStatus.SENT, Status.NOOP: SentStatus.SENT, Status.UNKNOWN: SentStatus.UNKNOWN}


class PortalNotifier:
    """Lets the portal itself invite."""

    channel = "portal"

    def __init__(self, backend: Portal) -> None:
        self._backend = backend

    def can_reach(self, user: Recipient) -> bool:
        """A portal invites by e-mail."""
        return bool(user.email)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Passes the invites to the backend as operations."""
        for result in self._backend.execute(_operations(messages)):
            yield Sent(result.op, _STATUS.get(result.status, SentStatus.FAILED), result.detail)

    def close(self) -> None:
        """The backend is closed by whoever built it."""


def _operations(messages: Iterator[Message]) -> Iterator[Op]:
    for message in messages:
        if message.recipient is not None:
            yield SendInvite(id=message.id, user=UserRef(message.recipient.ref, message.recipient.username))


def inviters(
    settings: InviteSettings, notifiers: Sequence[tuple[Instance, Notifier]], backend: Portal
) -> list[tuple[str, Notifier]]:
    """Returns the label and notifier of those that send invites, first choice first."""
    if settings.by == "backend":
        return [("backend", PortalNotifier(backend))] if backend.capabilities().invite else []
    return [(instance.label, notifier) for instance, notifier in notifiers if Purpose.INVITE in instance.on]
