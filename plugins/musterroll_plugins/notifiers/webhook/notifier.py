"""What the engine calls: messages go out several at once, through the event loop of a pump."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from musterroll import Context, Message, NotifierError, Pump, Recipient, Secret, SecretRef, Sent
from musterroll_http.secrets import parts_of_address
from musterroll_http.tls import tls_context
from musterroll_plugins.notifiers._reach import reaches
from musterroll_plugins.notifiers.webhook.bodies import CONTENT_TYPES
from musterroll_plugins.notifiers.webhook.line import Line
from musterroll_plugins.notifiers.webhook.options import WebhookOptions, check_header, check_url
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
        self._secrets: list[Secret] = []
        secret = None if options.secret is None else self._secret(options.secret)
        headers = self._headers()
        url = options.url if isinstance(options.url, str) else self._secret(options.url).reveal().strip()
        try:
            check_url(url)
        except ValueError as error:
            raise NotifierError(f"url: {error}") from None
        address = urlsplit(url)
        self._place = f"{address.scheme}://{address.hostname}" + (f":{address.port}" if address.port else "")
        if not isinstance(options.url, str):
            self._secrets += map(Secret, parts_of_address(url))
        line = Line(url, tls_context(options.ca, NotifierError), timeout=options.timeout, secrets=self._secrets)
        self._sender = Sender(options, context, line, headers, secret)
        self._pump = Pump("musterroll-webhook")

    def examine(self) -> str:
        """Says which server would be called. It is not: every request would be a message."""
        return f"{self._place}; it is called only when there is something to send"

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
        """Lets go of all connections."""
        try:
            self._pump.call(self._sender.close)
        finally:
            self._pump.close()

    def _send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        self._sender.stopped = None
        # The first one goes alone: where something is wrong for all, not many are lost to it.
        for part, at_once in ((islice(messages, 1), 1), (messages, self._options.concurrency)):
            yield from self._pump.stream(self._until_stopped(part), self._sender.send, in_flight=at_once)
        if self._sender.stopped is not None:
            raise NotifierError(self._sender.stopped)

    def _until_stopped(self, messages: Iterator[Message]) -> Iterator[Message]:
        while self._sender.stopped is None:
            message = next(messages, None)
            if message is None:
                return
            yield message

    def _headers(self) -> dict[str, str]:
        options = self._options
        headers = {"User-Agent": "musterroll", "Content-Type": CONTENT_TYPES[options.encoding]}
        if options.token is not None:
            headers["Authorization"] = f"Bearer {self._header('token', options.token)}"
        if options.username is not None and options.password is not None:
            pair = f"{options.username}:{self._secret(options.password).reveal()}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            self._secrets.append(Secret(pair))
        for name, value in options.headers.items():
            for same in [known for known in headers if known.lower() == name.lower()]:
                del headers[same]
            if isinstance(value, str) and name.lower() == "authorization":
                self._secrets.append(Secret(value.rpartition(" ")[2]))
            headers[name] = value if isinstance(value, str) else self._header(f"headers.{name}", value)
        return headers

    def _header(self, name: str, ref: SecretRef) -> str:
        text = self._secret(ref).reveal().strip()
        try:
            check_header(text)
        except ValueError as error:
            raise NotifierError(f"{name}: {error}") from None
        return text

    def _secret(self, ref: SecretRef) -> Secret:
        secret = self._context.secret(ref)
        self._secrets.append(secret)
        return secret
