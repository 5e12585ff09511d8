"""What sends messages to people."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from musterroll.contract.messages import Message, Recipient, Sent


class Notifier(Protocol):
    """Sends messages to people."""

    @property
    def channel(self) -> str:
        """What it sends by, e.g. `email`."""
        ...

    def can_reach(self, user: Recipient) -> bool:
        """Whether the user has an address or number that it can use."""
        ...

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Sends messages: pulls one when it is about to send it, answers once for each.

        Raises:
            NotifierError: it cannot go on; messages without an answer are held.
        """
        ...

    def close(self) -> None:
        """Closes connections and files."""
        ...


@runtime_checkable
class KeepsMessages(Protocol):
    """What a notifier can do besides, that keeps what it has sent."""

    def forget(self, jobs: Collection[str]) -> None:
        """Takes away the messages of jobs that are forgotten, whose ids begin with the job's.

        A person is forgotten by the ids of single messages: they are given in the place of a job's.

        Raises:
            NotifierError: they cannot be taken away.
        """
        ...
