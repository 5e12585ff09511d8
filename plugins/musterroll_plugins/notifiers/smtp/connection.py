"""One connection to a mail server, and what became of a message on it.

The one moment that matters: until the last line of a message has left, the server cannot have accepted it; from
then on, only its answer says whether it has.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache

from musterroll import NotifierError, Secret
from musterroll_http import masked, refused_handshake, untrusted
from musterroll_plugins.notifiers._texts import printable
from musterroll_plugins.notifiers.smtp.line import EndlessReplyError, Line

# Many a server looks for viruses before it answers to a whole message; RFC 5321 grants ten minutes.
_PATIENCE_AT_THE_END = 5
_FAREWELL_SECONDS = 5.0
_MOST_WORDS = 200
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class Fate(Enum):
    """What became of a message."""

    ACCEPTED = "accepted"
    REFUSED = "refused for good"
    PUT_OFF = "refused for now"
    NOT_SENT = "the line broke before"
    DOUBTFUL = "the line broke between the message and the answer"
    SENDER_REFUSED = "the sender is refused, whoever it is for"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message.

    Attributes:
        fate: of those recipients that were accepted, if there were any.
        words: what the server said, or what happened.
        refused: recipients that were refused, with the server's words, where others were accepted.
        hangs: the server did not answer in time, or without end: asking again would take as long.
    """

    fate: Fate
    words: str = ""
    refused: tuple[str, ...] = ()
    hangs: bool = False

    def discreet(self, secrets: Sequence[str]) -> Delivery:
        """Returns the same for somebody who may not see these; and in few words."""
        refused = tuple(_short(masked(one, secrets)) for one in self.refused)
        return replace(self, words=_short(masked(self.words, secrets)), refused=refused)


class UnreachableError(Exception):
    """There is no connection; another time there may be."""


@dataclass(frozen=True)
class Server:
    """Where the mail goes, and how.

    Attributes:
        host: its name.
        port: its port.
        tls: what its certificate is checked with; None for a line in the clear.
        at_once: the line is encrypted from the beginning; else after STARTTLS.
        user: whom to sign in as; None for nobody.
        password: that user's.
        timeout: in seconds.
        max_reply: the longest reply, in bytes.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None
    at_once: bool
    user: str | None
    password: Secret | None = field(repr=False)
    timeout: float
    max_reply: int

    @property
    def secrets(self) -> tuple[str, ...]:
        """What a server might repeat and nobody may see: the password, and what signing in makes of it."""
        if self.password is None:
            return ()
        password = self.password.reveal()
        return password, f"\0{self.user}\0{password}"

    def connect(self) -> Connection:
        """Connects, encrypts and signs in.

        Raises:
            UnreachableError: it cannot be reached, or wants no mail at the moment.
            NotifierError: it never will, with these options.
        """
        place = f"the mail server {self.host}, port {self.port},"
        try:
            line = self._call()
            try:
                self._begin(line)
            except BaseException:
                line.close()
                raise
        except ssl.SSLCertVerificationError as error:
            raise NotifierError(untrusted(self.host, error)) from None
        except ssl.SSLError as error:
            raise NotifierError(refused_handshake(place, str(error.reason or ""))) from None
        except smtplib.SMTPServerDisconnected:
            raise UnreachableError(f"{place} does not answer as a mail server does; check port and security") from None
        except smtplib.SMTPResponseException as error:
            words = _short(masked(_said(error.smtp_code, error.smtp_error), self.secrets))
            if error.smtp_code // 100 == 5:
                raise NotifierError(f"{place} takes no mail from here: {words}") from None
            raise UnreachableError(f"{place} takes no mail at the moment: {words}") from None
        except EndlessReplyError:
            raise NotifierError(f"{place} answers without end; check host and port, or raise max_reply") from None
        except TimeoutError:
            what = f"does not answer as a mail server does, {self.timeout:g} seconds long"
            raise UnreachableError(f"{place} {what}; check port and security, and whether it is up") from None
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "no such host"
            raise UnreachableError(
                f"{place} cannot be reached: {why}; check host and port, and whether it is up"
            ) from None
        return Connection(line, self)

    def _call(self) -> Line:
        tls = self.tls if self.at_once else None
        return Line(self.host, self.port, _own_name(), timeout=self.timeout, most=self.max_reply, tls=tls)

    def _begin(self, line: Line) -> None:
        if line.sock is not None:
            line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.ehlo_or_helo_if_needed()
        if self.tls is not None and not self.at_once:
            if not line.has_extn("starttls"):
                raise NotifierError(
                    f"the mail server {self.host} offers no STARTTLS; "
                    'set security = "none" if the mails may go in the clear, or "tls" if its port is for that'
                )
            line.starttls(context=self.tls)
            line.ehlo_or_helo_if_needed()
        if self.user is not None and self.password is not None:
            self._sign_in(line, self.user, self.password)

    def _sign_in(self, line: Line, user: str, password: Secret) -> None:
        # Not smtplib's own: that takes ASCII only, and says the password when it complains.
        ways = line.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in ways:
            code, words = line.docmd("AUTH PLAIN " + _encoded(f"\0{user}\0{password.reveal()}"))
        elif "LOGIN" in ways:
            code, words = line.docmd("AUTH LOGIN")
            for text in (user, password.reveal()):
                if code == 334:
                    code, words = line.docmd(_encoded(text))
        else:
            offers = f"only {', '.join(ways)}" if ways else "no signing in"
            raise NotifierError(f"the mail server {self.host} offers {offers}; leave out user and password, or ask it")
        if code != 235:
            if code // 100 == 4:
                raise smtplib.SMTPResponseException(code, words)
            said = _short(masked(_said(code, words), self.secrets))
            raise NotifierError(f"the mail server {self.host} does not accept user and password: {said}; check them")


class Connection:
    """An open connection.

    Args:
        line: signed in.
        server: what it leads to.
    """

    def __init__(self, line: Line, server: Server) -> None:
        self._line, self._server = line, server
        self.deliveries = 0
        self.is_open = True

    @property
    def greeting(self) -> str:
        """What the server says of itself."""
        said = self._line.ehlo_resp or self._line.helo_resp or b""
        return (
            printable(b"".join(said.splitlines()[:1]).decode("utf-8", "replace"))[:_MOST_WORDS]
            or "it does not say its name"
        )

    @property
    def takes_utf8(self) -> bool:
        """Whether addresses may have letters beyond ASCII (RFC 6531)."""
        return self._line.has_extn("smtputf8")

    def deliver(self, sender: str, to: Sequence[str], content: bytes, *, utf8: bool) -> Delivery:
        """Delivers one message.

        Args:
            sender: an address.
            to: addresses.
            content: the message.
            utf8: an address has letters beyond ASCII.
        """
        self.deliveries += 1
        self._line.command_encoding = "utf-8" if utf8 else "ascii"
        try:
            ended = self._hand_over(sender, to, utf8=utf8)
            if isinstance(ended, Delivery):
                return self._ready_again(ended)
            self._line.send(_quoted(content))
        except (TimeoutError, EndlessReplyError) as error:
            self._hang_up()
            took = f"did not answer within {self._server.timeout:g} seconds"
            how = took if isinstance(error, TimeoutError) else "answers without end"
            return Delivery(Fate.NOT_SENT, f"the mail server {how}", hangs=True)
        except (OSError, smtplib.SMTPException):
            self.close()
            return Delivery(Fate.NOT_SENT, "the connection to the mail server broke off")
        return self._answer(ended)

    def close(self) -> None:
        """Ends it politely, if it still stands."""
        if self.is_open:
            self.is_open = False
            with suppress(OSError, smtplib.SMTPException):
                self._line.patience = _FAREWELL_SECONDS
                self._line.quit()
        self._line.close()

    def _hang_up(self) -> None:
        """Ends it without saying so: nobody would hear it."""
        self.is_open = False
        self._line.close()

    def _hand_over(self, sender: str, to: Sequence[str], *, utf8: bool) -> Delivery | tuple[str, ...]:
        """Goes up to where the message itself is sent; returns who was refused, or how it ended before."""
        reply = self._line.docmd("MAIL", f"FROM:<{sender}>{' SMTPUTF8' if utf8 else ''}")
        if (end := _unless(2, reply)) is not None:
            return Delivery(Fate.SENDER_REFUSED, end.words) if end.fate is Fate.REFUSED else end
        refused, last = [], None
        for address in to:
            if (end := _unless(2, self._line.docmd("RCPT", f"TO:<{address}>"))) is not None:
                refused.append(f"{address}: {end.words}")
                last = end
        if last is not None and len(refused) == len(to):
            return last
        end = _unless(3, self._line.docmd("DATA"))
        return tuple(refused) if end is None else end

    def _answer(self, refused: tuple[str, ...]) -> Delivery:
        try:
            self._line.patience = self._server.timeout * _PATIENCE_AT_THE_END
            reply = self._line.getreply()
            self._line.patience = self._server.timeout
        except (TimeoutError, EndlessReplyError):
            self._hang_up()
            return Delivery(Fate.DOUBTFUL, "the mail server took the message and did not come to an answer")
        except (OSError, smtplib.SMTPException):
            reply = (0, b"")
        match reply[0] // 100:
            case 2:
                return Delivery(Fate.ACCEPTED, _said(*reply), refused)
            case 4 | 5:
                end = _unless(2, reply)
                assert end is not None
                return self._ready_again(end)
        self.close()
        return Delivery(Fate.DOUBTFUL, "the connection broke off before the mail server had answered")

    def _ready_again(self, end: Delivery) -> Delivery:
        try:
            if end.words.startswith("421") or self._line.docmd("RSET")[0] != 250:  # 421: it hangs up
                self.close()
        except (TimeoutError, EndlessReplyError):
            self._hang_up()
        except (OSError, smtplib.SMTPException):
            self.close()
        return end


@cache
def _own_name() -> str:
    """What to greet with. smtplib asks for it each time, and where names are badly set up that takes seconds."""
    name = socket.getfqdn()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _unless(wanted: int, reply: tuple[int, bytes]) -> Delivery | None:
    code, words = reply
    if code // 100 == wanted:
        return None
    # An answer that is none of SMTP is taken for a moment's confusion.
    return Delivery(Fate.REFUSED if code // 100 == 5 else Fate.PUT_OFF, _said(code, words))


def _said(code: int, words: bytes | str) -> str:
    text = words if isinstance(words, str) else words.decode("utf-8", "replace")
    text = printable(" ".join(text.split()))
    return f"{code} {text}".strip() if code > 0 else text or "no answer of a mail server"


def _short(text: str) -> str:
    return text if len(text) <= _MOST_WORDS else text[: _MOST_WORDS - 1] + "…"


def _quoted(content: bytes) -> bytes:
    """As RFC 5321 (4.5.2) wants it: each line ends with CR LF, a leading dot is doubled, a dot alone ends it."""
    text = _LINE_END.sub(b"\r\n", content)
    text = _LEADING_DOT.sub(b"..", text)
    return text + (b"" if text.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
