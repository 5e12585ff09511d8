"""A real mail server for tests, aiosmtpd, with faults where a test asks for them."""

from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from musterroll_http import Pump

Reply = str | None


@dataclass(frozen=True)
class Mail:
    """A mail that the server took, whether or not it could still say so."""

    sender: str
    to: tuple[str, ...]
    content: bytes
    utf8: bool

    @property
    def message(self) -> EmailMessage:
        read = email.message_from_bytes(self.content, policy=default)
        assert type(read) is EmailMessage
        return read


@dataclass
class Faults:
    """What the server says to a command, by what is in it; None lets it through, `drop` breaks the line.

    Attributes:
        ehlo: to EHLO and HELO.
        mail: to MAIL, by the sender.
        rcpt: to RCPT, by the recipient.
        data: to a whole message, before it is taken.
        taken: to a whole message, when it has been taken.
    """

    ehlo: Callable[[str], Reply] = lambda name: None
    mail: Callable[[str], Reply] = lambda sender: None
    rcpt: Callable[[str], Reply] = lambda recipient: None
    data: Callable[[Mail], Reply] = lambda mail: None
    taken: Callable[[Mail], Reply] = lambda mail: None


DROP = "drop"


@dataclass
class MailServer:
    """A server on this machine."""

    user: str = "robot"
    password: str = ""
    faults: Faults = field(default_factory=Faults)
    mails: list[Mail] = field(default_factory=list)
    connections: int = 0
    signed_in: list[str] = field(default_factory=list)
    port: int = 0
    pump: Pump = field(default_factory=lambda: Pump("mail-server"))
    _listening: asyncio.Server | None = None

    @property
    def recipients(self) -> list[str]:
        """Who got a mail, in order."""
        return [address for mail in self.mails for address in mail.to]

    async def listen(self, tls: ssl.SSLContext | None = None, **options: Any) -> None:
        """Begins, on any port, and later on the same one again."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(
            lambda: SMTP(self, loop=loop, **options), "127.0.0.1", self.port, ssl=tls
        )
        self.port = self._listening.sockets[0].getsockname()[1]

    def stop_listening(self) -> None:
        """Takes no further connections. To be called by a fault, or in the loop."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    async def end(self) -> None:
        """Stops listening."""
        self.stop_listening()

    # -- aiosmtpd's hooks -----------------------------------------------------------------------------------

    async def handle_EHLO(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        reply = self.faults.ehlo(hostname)
        return responses if reply is None else [_said(server, reply)]

    async def handle_HELO(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str
    ) -> str:
        session.host_name = hostname
        reply = self.faults.ehlo(hostname)
        return "250 mail.test" if reply is None else _said(server, reply)

    async def handle_MAIL(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.faults.mail(address)
        if reply is not None:
            return _said(server, reply)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.faults.rcpt(address)
        if reply is not None:
            return _said(server, reply)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- likewise
        content = envelope.content
        assert isinstance(content, bytes)
        mail = Mail(str(envelope.mail_from), tuple(envelope.rcpt_tos), content, envelope.smtp_utf8)
        reply = self.faults.data(mail)
        if reply is not None:
            return _said(server, reply)
        self.mails.append(mail)
        reply = self.faults.taken(mail)
        return "250 OK" if reply is None else _said(server, reply)

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        good = (data.login.decode(), data.password.decode()) == (self.user, self.password)
        if good:
            self.signed_in.append(mechanism)
        return AuthResult(success=good, handled=False)


def _said(server: SMTP, reply: str) -> str:
    if reply == DROP:
        assert isinstance(server.transport, asyncio.WriteTransport)
        server.transport.abort()
        return "421 gone"
    return reply


@contextmanager
def mail_server(*, password: str = "", tls: ssl.SSLContext | None = None, **options: Any) -> Iterator[MailServer]:
    """Runs a server.

    Args:
        password: with one, mail is taken from those only who sign in, on an encrypted line.
        tls: encrypts the line from the beginning.
        options: of aiosmtpd's SMTP, e.g. `tls_context` for STARTTLS.
    """
    server = MailServer(password=password)
    if password:
        options = {"authenticator": server.authenticate, "auth_required": True, **options}
    options = {"enable_SMTPUTF8": True, "hostname": "mail.test", **options}
    server.pump.call(lambda: server.listen(tls, **options))
    try:
        yield server
    finally:
        server.pump.call(server.end)
        server.pump.close()


def script(*replies: Reply) -> Callable[[object], Reply]:
    """Says these one after the other, and then lets everything through."""
    left = list(replies)
    return lambda what: left.pop(0) if left else None
