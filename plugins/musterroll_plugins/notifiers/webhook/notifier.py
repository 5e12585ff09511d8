"""What the engine calls: messages go out several at once, through the event loop of a pump."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from musterroll import Context, Message, NotifierError, Recipient, Sent
from musterroll_http import Pump
from musterroll_plugins.notifiers._reach import reaches
from musterroll_plugins.notifiers.webhook.options import WebhookOptions
from musterroll_plugins.notifiers.webhook.sender import Sender


class Webhook:
    """A request for each message.

    Args:
        options: checked.
        context: of the instance.

    Raises:
        NotifierError: the certificate file cannot be read, or a secret is no address or header.
        PipelineError: a secret cannot be read.
    """

    def __init__(self, options: WebhookOptions, context: Context) -> None:
        self.channel = options.channel
        self._options, self._context = options, context
        self._sender = Sender(options, context)
        self._pump = Pump("musterroll-webhook")

    def examine(self) -> str:
        """Says which server would be called. It is not: every request would be a message."""
        return f"{self._sender.place}; it is called only when there is something to send"

    def can_reach(self, user: Recipient) -> bool:
        """As the option `needs` says."""
        return reaches(self._options.needs, user)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Sends messages, several at once; answers as they come.

        Raises:
            NotifierError: the receiver cannot be reached, or wants none of them.
        """
        if self._context.read_only:
            raise NotifierError("the notifier was opened for reading only")
        return self._send(messages)

    def close(self) -> None:
        """Closes all connections."""
        try:
            self._pump.call(self._sender.close)
        finally:
            self._pump.close()

    def _send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        self._sender.begin()
        # The first one goes alone: where something is wrong for all, not many are lost to it.
        for part, at_once in ((islice(messages, 1), 1), (messages, self._options.concurrency)):
            yield from self._pump.stream(self._until_stopped(part), self._sender.send, in_flight=at_once)
        if self._sender.stopped is not None:
            raise self._sender.stopped

    def _until_stopped(self, messages: Iterator[Message]) -> Iterator[Message]:
        while self._sender.stopped is None:
            message = next(messages, None)
            if message is None:
                return
            yield message
