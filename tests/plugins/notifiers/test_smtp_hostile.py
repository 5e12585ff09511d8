"""Mail servers that are silent, slow, or talk without end: one clear line, and soon."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from musterroll import Context, FieldSet, Message, Notifier, NotifierError, Purpose, Recipient, Sent
from musterroll_plugins.notifiers.smtp import SmtpOptions, build
from support.certificates import make_certificate
from support.hostile_servers import Talk, hostile, wants_a_certificate
from support.mail_servers import mail_server

CONTEXT = Context(instance="notifiers[mail]", fields=FieldSet([]), read_only=False)
PASSWORD = "Kanarienvogel-4711"
Say = Callable[[asyncio.StreamWriter], Any]


def opened(port: int, **options: Any) -> Notifier:
    base = {"host": "127.0.0.1", "port": port, "sender": "it@acme.example", "retry_wait": 0, "timeout": 0.4}
    return build(SmtpOptions.model_validate({**base, **options}), CONTEXT)


def invites(count: int) -> list[Message]:
    return [
        Message(
            id=f"j1-invite-u{n}",
            purpose=Purpose.INVITE,
            recipient=Recipient(username=f"u{n}", fields={"email": f"u{n}@example.com"}),
        )
        for n in range(count)
    ]


def stopped(notifier: Notifier, count: int = 20) -> tuple[list[Sent], str]:
    """What became of messages until the notifier stopped, and what it said; it must not take long."""
    sent: list[Sent] = []
    began = time.monotonic()
    try:
        with pytest.raises(NotifierError) as caught:
            sent.extend(notifier.send(iter(invites(count))))
    finally:
        notifier.close()
    assert time.monotonic() - began < 8
    assert "\n" not in caught.value.message
    return sent, caught.value.message


async def nothing(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def slowly(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.1)


async def lines(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"250-more\r\n" * 1000)
        await writer.drain()


async def one_line(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"2" * 65536)
        await writer.drain()


def server(command: str, say: Say, *, at: str = "") -> Talk:
    """A mail server that behaves until a command comes (`greeting`, `EHLO`, …, `.` for the whole message)."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if command == "greeting":
            await say(writer)
        writer.write(b"220 mail.test ESMTP\r\n")
        while line := await reader.readline():
            verb = line.decode("latin-1").split()[0].upper()
            if verb == command:
                await say(writer)
            writer.write(b"354 go on\r\n" if verb == "DATA" else b"250 OK\r\n")
            if verb == "DATA":
                await reader.readuntil(b"\r\n.\r\n")
                if command == ".":
                    await say(writer)
                writer.write(b"250 OK\r\n")

    return talk


@pytest.mark.parametrize("command", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("say", [nothing, slowly, lines, one_line], ids=lambda say: say.__name__)
def test_no_reply_takes_for_ever(command: str, say: Say) -> None:
    with hostile(server(command, say)) as running:
        timeout = 0.1 if command == "." else 0.4  # five times as long for a whole message
        sent, message = stopped(opened(running.port, timeout=timeout))
        assert running.calls <= 4
    if command in ("greeting", "EHLO"):
        assert sent == []
        ends = ("does not answer as a mail server does", "answers without end")
        assert any(end in message for end in ends), message
    else:
        wanted = "unknown" if command == "." else "failed"
        assert [str(one.status) for one in sent] == [wanted] * 3
        assert "see whether it is well" in message


def test_a_flood_costs_no_memory() -> None:
    with hostile(server("MAIL", one_line)) as running:
        notifier = opened(running.port, timeout=5)
        tracemalloc.start()
        try:
            stopped(notifier)
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
        finally:
            tracemalloc.stop()


def test_a_longer_reply_can_be_allowed() -> None:
    async def long(writer: asyncio.StreamWriter) -> None:
        writer.write(b"250-" + b"x" * 4990 + b"\r\n")

    with hostile(server("MAIL", long)) as running:
        with pytest.raises(NotifierError):
            list(opened(running.port, max_reply=4096).send(iter(invites(3))))
        notifier = opened(running.port, max_reply=16384)
        assert [str(one.status) for one in notifier.send(iter(invites(2)))] == ["sent", "sent"]
        notifier.close()


def test_whatever_of_the_sign_in_it_repeats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    certificate = make_certificate(tmp_path)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = b""
        writer.write(b"220 mail.test\r\n")
        while line := await reader.readline():
            heard += line
            if line.upper().startswith(b"EHLO"):
                writer.write(b"250-mail.test\r\n250 AUTH PLAIN\r\n")
            elif line.startswith(b"AUTH"):
                encoded = line.split()[2]
                said = [encoded, base64.b64decode(encoded).replace(b"\0", b" "), base64.b64encode(PASSWORD.encode())]
                filler = b"x" * 150  # what is cut off in the middle is one all the same
                writer.write(b"535-" + b" ".join(said) + b"\r\n535 " + filler + b" " + encoded + b"\r\n")

    options: dict[str, Any] = {"user": "robot", "password": {"env": "MAIL_PASSWORD"}, "security": "tls"}
    with hostile(talk, certificate.server_context) as running:
        _, message = stopped(opened(running.port, ca=certificate.path, timeout=5, **options))
    assert "does not accept user and password: 535" in message
    spelt = base64.b64encode(f"\0robot\0{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, spelt, spelt[:12], base64.b64encode(PASSWORD.encode()).decode()[:12]):
        assert secret not in message


def test_only_the_address_that_needs_utf8_is_refused() -> None:
    with mail_server(enable_SMTPUTF8=False) as running:
        notifier = opened(running.port, timeout=5)
        strange = Recipient(username="jürgen", fields={"email": "jürgen@example.com"})
        odd = Message(id="j1-odd", purpose=Purpose.INVITE, recipient=strange, values={})
        first, second, third = invites(2)[0], odd, invites(2)[1]
        sent = list(notifier.send(iter([first, second, third])))
        notifier.close()
        assert [str(one.status) for one in sent] == ["sent", "failed", "sent"]
        assert (
            sent[1].detail
            == "the mail server refused it: the mail server takes no address with such letters before the @"
        )
        assert running.recipients == ["u0@example.com", "u1@example.com"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_wanted(tmp_path: Path, version: ssl.TLSVersion) -> None:
    certificate = make_certificate(tmp_path)
    with wants_a_certificate(certificate, version) as running:
        _, message = stopped(opened(running.port, security="tls", ca=certificate.path, timeout=5))
    assert "client certificate, which musterroll does not bring" in message


def test_tls_where_there_is_none_and_the_other_way_round(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with hostile(server("never", nothing)) as running:
        _, message = stopped(opened(running.port, security="tls", timeout=5))
        assert "no secure connection to the mail server 127.0.0.1" in message
        assert "check https, security and port" in message
    with hostile(server("never", nothing), certificate.server_context) as running:
        _, message = stopped(opened(running.port))
        assert "does not answer as a mail server does" in message
