"""Sends e-mails through a mail server: one connection, tried again where that is certainly no second time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.policy import SMTP, SMTPUTF8

import idna

from musterroll import Context, Message, NotifierError, Purpose, Recipient, Sent, SentStatus
from musterroll_http import tls_context
from musterroll_plugins.notifiers._mail import address_of, compose, is_address, name_of, parse_address
from musterroll_plugins.notifiers._text_options import Texts
from musterroll_plugins.notifiers.smtp.connection import Connection, Delivery, Fate, Server, UnreachableError
from musterroll_plugins.notifiers.smtp.options import SmtpOptions

# A server that puts everything off must not make a thousand messages wait for it one after the other.
_MOST_WAITING_SECONDS = 60.0
# A server that breaks off at every message would make every one of them doubtful.
_MOST_DOUBTFUL = 3
# One that is silent, or breaks off, would make each of them wait for nothing.
_MOST_FAILED_IN_A_ROW = 3
_GLANCE_SECONDS = 0.2
# Every mail server takes these: not all take 8 bits.
_PLAIN, _UTF8 = SMTP.clone(cte_type="7bit"), SMTPUTF8.clone(cte_type="7bit")


class Smtp:
    """Sends e-mails one by one.

    Args:
        options: checked.
        context: of the instance.

    Raises:
        NotifierError: the certificate file cannot be read.
        PipelineError: the password cannot be read.
    """

    channel = "email"

    def __init__(self, options: SmtpOptions, context: Context) -> None:
        self._options, self._context = options, context
        self._texts = Texts(options)
        self._sender = _in_ascii(parse_address(options.sender))
        self._report_to = tuple(_in_ascii(parse_address(text)) for text in options.report_to)
        password = None if options.password is None else context.secret(options.password)
        self._server = Server(
            host=options.host,
            port=options.service_port,
            tls=None if options.encryption == "none" else tls_context(options.ca, NotifierError),
            at_once=options.encryption == "tls",
            user=options.user,
            password=password,
            timeout=options.timeout,
            max_reply=options.max_reply,
        )
        self._connection: Connection | None = None
        self._waited = 0.0
        self._doubtful = self._failed_in_a_row = 0
        self._stopped: str | None = None

    def examine(self) -> str:
        """Connects, encrypts and signs in as for a message, and sends none.

        Raises:
            NotifierError: the mail server cannot be reached, or does not let us in.
        """
        try:
            connection = self._connected()
        except UnreachableError as error:
            raise NotifierError(str(error)) from None
        line = "encrypted" if self._options.encryption != "none" else "in the clear"
        signed_in = f", signed in as {self._options.user}" if self._options.user else ""
        return f"{self._options.host}, port {self._options.service_port}: {connection.greeting} ({line}{signed_in})"

    def can_reach(self, user: Recipient) -> bool:
        """Whether the user has an address that can stand in an e-mail."""
        return is_address(user.email)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Sends messages one by one. There is a connection before one is pulled: what is not pulled stays due.

        Raises:
            NotifierError: the server cannot be reached, or wants none of them.
        """
        if self._context.read_only:
            raise NotifierError("the notifier was opened for reading only")
        return self._send(messages)

    def close(self) -> None:
        """Takes leave of the server."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        self._waited, self._doubtful, self._failed_in_a_row, self._stopped = 0.0, 0, 0, None
        while self._stopped is None:
            self._get_ready()
            message = next(messages, None)
            if message is None:
                return
            yield self._sent(message)
        raise NotifierError(self._stopped)

    def _get_ready(self) -> None:
        """Connects before anything is pulled; again and again only where the server was there before."""
        known, attempt = self._connection is not None, 0
        while True:
            try:
                self._connected()
            except UnreachableError as error:
                attempt += 1
                if not known or attempt > self._options.retries or not self._pause(attempt):
                    self._connection = None  # so that a report, which comes next, does not wait as long again
                    raise NotifierError(str(error)) from None
            else:
                return

    def _connected(self) -> Connection:
        connection = self._connection
        if connection is not None and connection.deliveries >= self._options.messages_per_connection:
            connection.close()
        if connection is None or not connection.is_open:
            self._connection = connection = self._server.connect()
        return connection

    # -- one message ----------------------------------------------------------------------------------------

    def _sent(self, message: Message) -> Sent:
        to = self._recipients(message)
        if not to:
            return Sent(message.id, SentStatus.FAILED, "the user has no usable e-mail address")
        try:
            delivery = self._deliver(message, to)
        except NotifierError as error:  # the server was there, and now it is another one
            self._stopped = error.message
            return Sent(message.id, SentStatus.FAILED, error.message)
        except (ValueError, MessageError):
            return Sent(message.id, SentStatus.FAILED, "no e-mail can be made of the user's address and name")
        status, words = _verdict(delivery.discreet(self._server.secrets))
        self._failed_in_a_row = self._failed_in_a_row + 1 if delivery.fate is Fate.NOT_SENT else 0
        if self._failed_in_a_row == _MOST_FAILED_IN_A_ROW:
            self._stopped = f"{delivery.words}, {_MOST_FAILED_IN_A_ROW} messages in a row; see whether it is well"
        self._doubtful = self._doubtful + 1 if status is SentStatus.UNKNOWN else 0
        if self._doubtful == _MOST_DOUBTFUL:
            self._stopped = (
                f"the mail server broke off {_MOST_DOUBTFUL} times without an answer; see whether it is well"
            )
        if delivery.fate is Fate.SENDER_REFUSED:
            self._stopped = words
        return Sent(message.id, status, words)

    def _recipients(self, message: Message) -> tuple[Address, ...]:
        if message.purpose is Purpose.FINISHED:
            return self._report_to
        address = address_of(message.recipient)
        try:
            return () if address is None else (_in_ascii(address),)
        except ValueError:
            return ()

    def _deliver(self, message: Message, to: Sequence[Address]) -> Delivery:
        utf8 = not all(address.username.isascii() for address in to)
        content = compose(
            self._texts.letter(message),
            message_id=f"<{name_of(message.id)}@{self._sender.domain}>",
            sender=self._sender,
            to=tuple(to),
            date=self._context.clock(),
            policy=_UTF8 if utf8 else _PLAIN,
        )
        addresses = [f"{address.username}@{address.domain}" for address in to]
        delivery = Delivery(Fate.NOT_SENT)
        for attempt in range(self._options.retries + 1):
            # That a connection that was quiet for a while turns out dead is no reason to wait.
            if (attempt > 1 or delivery.fate is Fate.PUT_OFF) and not self._pause(attempt):
                break
            try:
                connection = self._connected()
            except UnreachableError as error:
                delivery = Delivery(Fate.NOT_SENT, str(error))
                continue
            if utf8 and not connection.takes_utf8:
                return Delivery(Fate.REFUSED, "the mail server takes no address with such letters before the @")
            delivery = connection.deliver(self._sender.addr_spec, addresses, content, utf8=utf8)
            if delivery.hangs or delivery.fate not in (Fate.NOT_SENT, Fate.PUT_OFF):
                break
        return delivery

    def _pause(self, attempt: int) -> bool:
        """Waits; returns whether it is worth another attempt."""
        seconds = self._options.retry_wait * 2.0 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311 -- no secret
        if self._waited + seconds > _MOST_WAITING_SECONDS:
            return False
        self._waited += seconds
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._context.cancelled.wait(min(left, _GLANCE_SECONDS)):
                return False
        return True


def _verdict(delivery: Delivery) -> tuple[SentStatus, str | None]:
    words = delivery.words
    match delivery.fate:
        case Fate.ACCEPTED if not delivery.refused:
            return SentStatus.SENT, None
        case Fate.ACCEPTED:
            return SentStatus.FAILED, f"the mail server refused {'; '.join(delivery.refused)} (the others got it)"
        case Fate.REFUSED:
            return SentStatus.FAILED, f"the mail server refused it: {words}"
        case Fate.SENDER_REFUSED:
            return SentStatus.FAILED, f"the mail server does not accept the sender: {words}; check sender and user"
        case Fate.PUT_OFF:
            return SentStatus.FAILED, f"the mail server put it off: {words}; try again later"
        case Fate.NOT_SENT:
            return SentStatus.FAILED, f"{words}; it was not sent"
        case Fate.DOUBTFUL:
            return SentStatus.UNKNOWN, f"{words}: it may or may not have gone out"


def _in_ascii(address: Address) -> Address:
    """Writes the domain as mail servers know it.

    Raises:
        ValueError: it is none.
    """
    if address.domain.isascii():
        return address
    domain = idna.encode(address.domain, uts46=True).decode()
    return Address(address.display_name, address.username, domain)
