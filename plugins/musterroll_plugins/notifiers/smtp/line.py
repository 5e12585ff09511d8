"""smtplib's connection with an end to everything: a reply has a time by which it must be there, and a size."""

from __future__ import annotations

import smtplib
import ssl
import time
from typing import Any

_AT_ONCE = 4096


class EndlessReplyError(smtplib.SMTPException):
    """The server's reply is larger than any is."""


class Line(smtplib.SMTP):
    """A connection to a mail server.

    smtplib itself waits anew for each byte, and keeps all of them.

    Args:
        host: the server.
        port: its port.
        own_name: what to greet it with.
        timeout: so many seconds one step may take.
        most: the longest reply, in bytes.
        tls: encrypts the line from the beginning.
    """

    def __init__(
        self, host: str, port: int, own_name: str, *, timeout: float, most: int, tls: ssl.SSLContext | None = None
    ) -> None:
        self.patience = timeout
        """So many seconds the next reply may take."""
        self._most, self._tls, self._received = most, tls, b""
        super().__init__(host, port, own_name, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        # As smtplib.SMTP_SSL does it, which differs in nothing else.
        opened = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        if self._tls is None:
            return opened
        try:
            return self._tls.wrap_socket(opened, server_hostname=host)
        except BaseException:
            opened.close()
            raise

    def starttls(self, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        """Encrypts the line. What came before that, and was not asked for, is not part of it."""
        reply = super().starttls(*arguments, **options)
        self._received = b""
        return reply

    def getreply(self) -> tuple[int, bytes]:
        """Reads one reply, of one line or several.

        Raises:
            TimeoutError: it did not come in time.
            OSError: the line broke.
            SMTPServerDisconnected: the server has hung up.
            EndlessReplyError: it is too large.
        """
        try:
            return self._reply(time.monotonic() + self.patience)
        except BaseException:
            self.close()  # it is of no use any more
            raise

    def _reply(self, deadline: float) -> tuple[int, bytes]:
        lines: list[bytes] = []
        left = self._most
        while True:
            line = self._read_line(deadline, left)
            left -= len(line)
            lines.append(line[4:].strip())
            code = int(line[:3]) if line[:3].isdigit() else -1
            if code < 0 or line[3:4] != b"-":
                break
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        return code, b"\n".join(lines)

    def _read_line(self, deadline: float, most: int) -> bytes:
        looked_at = 0
        while (end := self._received.find(b"\n", looked_at)) < 0:
            looked_at = len(self._received)
            if looked_at > most:
                raise EndlessReplyError
            self._receive(deadline)
        if end >= most:
            raise EndlessReplyError
        line, self._received = self._received[: end + 1], self._received[end + 1 :]
        return line

    def _receive(self, deadline: float) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("there is no connection")
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        self.sock.settimeout(seconds)
        part = self.sock.recv(_AT_ONCE)
        if not part:
            raise smtplib.SMTPServerDisconnected("the server has hung up")
        self._received += part
