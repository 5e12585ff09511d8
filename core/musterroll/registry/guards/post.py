"""The notifiers as the engine calls them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from musterroll.contract.fields import USERNAME
from musterroll.contract.messages import Message, Purpose, Recipient, Sent, SentStatus
from musterroll.contract.roles import KeepsMessages, Notifier
from musterroll.registry.guards.guard import ClosingGuard, a, is_text, status_of
from musterroll.registry.guards.open_calls import Waiting
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Watch

if TYPE_CHECKING:
    from musterroll.contract.conditions import Conditions

_SENT = ("message sent", "messages sent")


class Post(ClosingGuard):
    """A notifier whose every call is named and watched, and whose answers are looked at.

    Args:
        inner: the notifier.
        label: the instance as the person knows it.
        watch: notes every call.
        when: the users that it is for; None for all.
    """

    inner: Notifier

    def __init__(self, inner: Notifier, label: str, watch: Watch, when: Conditions | None = None) -> None:
        super().__init__(inner, label, watch)
        self._when = when

    @property
    def channel(self) -> str:
        """See `Notifier`."""
        return self.call("saying what it sends by", lambda: self.inner.channel, _channel)

    def can_reach(self, user: Recipient) -> bool:
        """See `Notifier`."""
        if self._when is not None and not self._when.holds({**user.fields, USERNAME: user.username}):
            return False
        return self.call("saying whom it can reach", self.inner.can_reach, _reach, user)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """See `Notifier`."""
        waiting = Waiting(messages, _sending, self.watch)

        def look(answer: object) -> Sent:
            if not isinstance(answer, Sent):
                raise AnswerError(f"send() must yield what became of messages (Sent), not {a(answer)}")
            what = _sending(waiting.answered(answer.message))
            if type(answer.status) is not SentStatus:
                answer = replace(answer, status=status_of(SentStatus, answer.status, what))
            if answer.detail is not None and not isinstance(answer.detail, str):
                raise AnswerError(f"the detail of the answer to {what} must be a text or None, not {a(answer.detail)}")
            return answer

        return self.stream("sending", self.inner.send, look, iter(waiting), name="send", unit=_SENT)

    def forget(self, jobs: Collection[str]) -> None:
        """See `KeepsMessages`; does nothing where the notifier keeps nothing."""
        if isinstance(self.inner, KeepsMessages):
            self.call("forgetting messages", self.inner.forget, lambda answer: None, jobs)


def _channel(answer: object) -> str:
    if not is_text(answer):
        raise AnswerError(f"channel must be a text, e.g. email, not {'an empty one' if answer == '' else a(answer)}")
    return str(answer)


def _reach(answer: object) -> bool:
    if not isinstance(answer, bool):
        raise AnswerError(f"can_reach() must return True or False, not {a(answer)}")
    return answer


def _sending(message: Message) -> str:
    if message.purpose is Purpose.INVITE and message.recipient is not None:
        return f'inviting the user "{message.recipient.username}"'
    return "the message about the job"
