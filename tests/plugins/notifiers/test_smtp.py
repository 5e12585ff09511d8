"""The notifier `smtp` with a real mail server."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator
from email.headerregistry import AddressHeader, DateHeader
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musterroll import (
    Context,
    Field,
    FieldSet,
    Message,
    Notifier,
    NotifierError,
    Purpose,
    Recipient,
    Sent,
    SentStatus,
)
from musterroll_plugins.notifiers.smtp import SmtpOptions, build
from support.certificates import Certificate, make_certificate
from support.mail_servers import DROP, Mail, MailServer, mail_server, script

NOW = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
NAMES = ("username", "forename", "surname", "email", "language")
CONTEXT = Context(
    instance="notifiers[mail]",
    fields=FieldSet(Field(name=n, heading=n) for n in NAMES),
    read_only=False,
    clock=lambda: NOW,
)
CANARY = "Kanarienvogel-4711-ü"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def opened(port: int, context: Context = CONTEXT, **options: Any) -> Notifier:
    """A notifier that does not wait between attempts."""
    base = {"host": "127.0.0.1", "port": port, "sender": "Acme IT <it@acme.example>", "retry_wait": 0, "timeout": 5}
    return build(SmtpOptions.model_validate({**base, **options}), context)


def invite(name: str = "ana", address: str | None = None, **fields: str) -> Message:
    email = f"{name}@example.com" if address is None else address
    recipient = Recipient(username=name, fields={"email": email, **fields})
    values = {"pipeline": "acme", "job": "j1", "valid_days": "14", "expires": "2030-01-16"}
    return Message(id=f"j1-invite-{name}", purpose=Purpose.INVITE, recipient=recipient, values=values)


FINISHED = Message(
    id="j1-finished", purpose=Purpose.FINISHED, recipient=None, values={"state": "completed", "sheet": "s.csv"}
)


def send(notifier: Notifier, *messages: Message) -> list[Sent]:
    try:
        return list(notifier.send(iter(messages)))
    finally:
        notifier.close()


def outcomes(sent: list[Sent]) -> str:
    return " ".join(f"{one.message.rpartition('-')[2]}:{one.status}" for one in sent)


def body(mail: Mail, kind: str = "plain") -> str:
    part = mail.message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


# -- the mail ---------------------------------------------------------------------------------------------------


def test_an_invite(server: MailServer) -> None:
    assert send(opened(server.port), invite(forename="Zoë", surname="Ångström")) == [
        Sent("j1-invite-ana", SentStatus.SENT)
    ]
    (mail,) = server.mails
    assert (mail.sender, mail.to) == ("it@acme.example", ("ana@example.com",))
    assert mail.content.isascii()
    assert mail.message["From"] == "Acme IT <it@acme.example>"
    assert mail.message["To"] == "Zoë Ångström <ana@example.com>"
    assert mail.message["Subject"] == "Your account"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    date = mail.message["Date"]
    assert isinstance(date, DateHeader)
    assert date.datetime == NOW
    assert body(mail).startswith("Hello Zoë,\n")
    assert "valid until 2030-01-16" in body(mail)


def test_the_same_message_again_has_the_same_id(server: MailServer) -> None:
    send(opened(server.port), invite(), invite("bo"))
    send(opened(server.port), invite())
    ids = [mail.message["Message-ID"] for mail in server.mails]
    assert ids[0] == ids[2] != ids[1]
    assert all(one.endswith("@acme.example>") for one in ids)


def test_languages_and_html(server: MailServer, tmp_path: Path) -> None:
    (tmp_path / "de.txt").write_text("Subject: Willkommen {forename}\n\nGuten Tag\n.\n", encoding="utf-8")
    options: dict[str, Any] = {
        "subject": "Welcome",
        "text": "Hello {forename}\n{expires}",
        "html": '<a href="?until={expires}">{forename}</a>\n<p>{surname}</p>',
        "languages": {"de": {"text": {"file": str(tmp_path / "de.txt")}}, "pt-BR": {"subject": "Olá", "text": "Oi"}},
    }
    people = [
        invite("ana", forename='<script>"', surname="&"),
        invite("bo", forename="Bo", language="DE_at"),
        invite("cy", language="pt-br"),
        invite("di", language="pt"),
    ]
    send(opened(server.port, **options), *people)
    subjects = [mail.message["Subject"] for mail in server.mails]
    assert subjects == ["Welcome", "Willkommen Bo", "Olá", "Welcome"]
    english, german, *_ = server.mails
    assert body(english) == 'Hello <script>"\n2030-01-16\n'
    assert body(english, "html") == '<a href="?until=2030-01-16">&lt;script&gt;&quot;</a>\n<p>&amp;</p>\n'
    assert body(german) == "Guten Tag\n.\n"
    assert german.message.get_body(("html",)) is None


def test_reports(server: MailServer) -> None:
    to = ["Boss <boss@example.com>", "it@example.com"]
    assert outcomes(send(opened(server.port, report_to=to), FINISHED)) == "finished:sent"
    (mail,) = server.mails
    assert mail.to == ("boss@example.com", "it@example.com")
    assert mail.message["Subject"] == "Import completed: s.csv"
    server.faults.rcpt = lambda address: "550 5.1.1 who?" if address == "it@example.com" else None
    (sent,) = send(opened(server.port, report_to=to, finished={"text": "{rows} rows"}), FINISHED)
    assert (sent.status, "it@example.com: 550" in str(sent.detail)) == (SentStatus.FAILED, True)
    assert len(server.mails) == 2


# -- addresses --------------------------------------------------------------------------------------------------


def test_addresses_beyond_ascii(server: MailServer) -> None:
    idn, utf8 = invite("idn", "ana@exämple.de"), invite("utf8", "jörg@straße.de", forename="Jörg")
    assert outcomes(send(opened(server.port), idn, utf8)) == "idn:sent utf8:sent"
    assert server.recipients == ["ana@xn--exmple-cua.de", "jörg@xn--strae-oqa.de"]
    assert [mail.utf8 for mail in server.mails] == [False, True]
    to = server.mails[1].message["To"]
    assert isinstance(to, AddressHeader)
    with mail_server(enable_SMTPUTF8=False) as old:
        sent = send(opened(old.port), utf8, idn)
        assert outcomes(sent) == "utf8:failed idn:sent"
        assert "no address with such letters" in str(sent[0].detail)


@pytest.mark.parametrize("address", ["", "ana", "a@b\r\nBcc: x@example.com", "a@b, c@d", "a b@c", "a@b\x00", "a@-ä.de"])
def test_unusable_addresses(server: MailServer, address: str) -> None:
    sent = send(opened(server.port), invite("ana", address), invite("bo"))
    assert outcomes(sent) == "ana:failed bo:sent"
    assert sent[0].detail
    assert server.recipients == ["bo@example.com"]


_NASTY = st.text(alphabet='ab.é ,;<>@"\\():=?_日\r\n\x00\u202e\ud800', max_size=30) | st.text(max_size=30)


@pytest.fixture(scope="module")
def quiet() -> Iterator[tuple[MailServer, Notifier]]:
    with mail_server() as running:
        notifier = opened(running.port, subject="Hi {forename}", text=".{surname}\n.\n{forename}", html="{forename}")
        yield running, notifier
        notifier.close()


@settings(max_examples=60, deadline=None)
@given(forename=_NASTY, surname=_NASTY, local=_NASTY)
def test_no_value_becomes_a_header_or_a_recipient(
    quiet: tuple[MailServer, Notifier], forename: str, surname: str, local: str
) -> None:
    server, notifier = quiet
    server.mails.clear()
    address = f"{local}@example.com"
    (sent,) = notifier.send(iter([invite("x", address, forename=forename, surname=surname)]))
    if sent.status is SentStatus.SENT:
        (mail,) = server.mails
        assert mail.to == (address,)
        expected = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "MIME-Version"]
        assert sorted(mail.message.keys()) == sorted(expected)
    else:
        assert (sent.status, server.mails) == (SentStatus.FAILED, [])


# -- answers ----------------------------------------------------------------------------------------------------


def test_a_refused_recipient_is_nobody_elses_problem(server: MailServer) -> None:
    server.faults.rcpt = lambda address: "550 5.1.1 no such user" if address.startswith("bo") else None
    server.faults.data = lambda mail: "554 5.6.0 looks like spam" if mail.to[0].startswith("cy") else None
    sent = send(opened(server.port), *map(invite, ("ana", "bo", "cy", "di")))
    assert outcomes(sent) == "ana:sent bo:failed cy:failed di:sent"
    assert (str(sent[1].detail), str(sent[2].detail)) == (
        "the mail server refused it: 550 5.1.1 no such user",
        "the mail server refused it: 554 5.6.0 looks like spam",
    )
    assert server.connections == 1


@pytest.mark.parametrize("moment", ["mail", "rcpt", "data"])
def test_what_is_put_off_is_tried_again(server: MailServer, moment: str) -> None:
    setattr(server.faults, moment, script("450 4.2.0 greylisted", "451 4.3.0 later"))
    assert outcomes(send(opened(server.port), invite("ana"), invite("bo"))) == "ana:sent bo:sent"
    assert server.recipients == ["ana@example.com", "bo@example.com"]


def test_what_is_put_off_for_good_can_be_sent_later(server: MailServer) -> None:
    seen: list[str] = []

    def greylist(address: str) -> str:
        seen.append(address)
        return "450 4.2.0 greylisted"

    server.faults.rcpt = greylist
    (sent,) = send(opened(server.port, retries=2), invite())
    assert len(seen) == 3
    assert (sent.status, sent.detail) == (
        SentStatus.FAILED,
        "the mail server put it off: 450 4.2.0 greylisted; try again later",
    )


def test_waiting_has_an_end(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musterroll_plugins.notifiers.smtp.notifier._MOST_WAITING_SECONDS", 0.3)
    server.faults.rcpt = lambda address: "450 4.2.0 greylisted"
    began = time.monotonic()
    sent = send(opened(server.port, retry_wait=0.1), *(invite(f"u{n}") for n in range(50)))
    assert {one.status for one in sent} == {SentStatus.FAILED}
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("moment", ["mail", "rcpt", "data"])
def test_a_line_that_breaks_before_the_mail_was_taken(server: MailServer, moment: str) -> None:
    """`data` is after the last line: doubtful, though this server did not take it. Before, it is certain."""
    setattr(server.faults, moment, script(None, DROP))
    sent = send(opened(server.port), *map(invite, ("ana", "bo", "cy")))
    assert outcomes(sent) == ("ana:sent bo:unknown cy:sent" if moment == "data" else "ana:sent bo:sent cy:sent")
    assert server.connections == 2
    assert len(set(server.recipients)) == len(server.recipients)


def test_a_line_that_breaks_after_the_mail_was_taken_is_doubtful_and_not_repeated(server: MailServer) -> None:
    server.faults.taken = script(None, DROP)
    sent = send(opened(server.port), *map(invite, ("ana", "bo", "cy")))
    assert outcomes(sent) == "ana:sent bo:unknown cy:sent"
    assert "may or may not" in str(sent[1].detail)
    assert server.recipients == ["ana@example.com", "bo@example.com", "cy@example.com"]


def test_a_server_that_always_breaks_off_does_not_make_everything_doubtful(server: MailServer) -> None:
    server.faults.taken = lambda mail: DROP
    asked = iter([invite(f"u{n}") for n in range(9)])
    sent: list[Sent] = []
    with pytest.raises(NotifierError, match="3 times without an answer"):
        sent.extend(opened(server.port).send(asked))
    assert len(list(asked)) == 6
    assert len(server.mails) == 3


def test_an_answer_to_data_that_is_none_is_doubtful(server: MailServer) -> None:
    server.faults.taken = script("Hello?")
    assert outcomes(send(opened(server.port), invite("ana"), invite("bo"))) == "ana:unknown bo:sent"


def test_a_sender_that_is_refused_stops_everything(server: MailServer) -> None:
    server.faults.mail = lambda sender: "553 5.7.1 not yours"
    asked = iter([invite("ana"), invite("bo")])
    notifier = opened(server.port)
    sent = notifier.send(asked)
    assert next(sent).status is SentStatus.FAILED
    with pytest.raises(NotifierError, match=r"does not accept the sender: 553 5\.7\.1 not yours"):
        next(sent)
    notifier.close()
    assert len(list(asked)) == 1


def test_connections_are_renewed(server: MailServer) -> None:
    sent = send(opened(server.port, messages_per_connection=3), *(invite(f"u{n}") for n in range(7)))
    assert {one.status for one in sent} == {SentStatus.SENT}
    assert (len(server.mails), server.connections) == (7, 3)


def test_a_server_that_hangs_up_politely_is_called_again(server: MailServer) -> None:
    server.faults.mail = script(None, "421 4.4.2 idle for too long")
    assert outcomes(send(opened(server.port), invite("ana"), invite("bo"))) == "ana:sent bo:sent"
    assert server.connections == 2


# -- the server -------------------------------------------------------------------------------------------------


def complaint(notifier: Notifier) -> str:
    """What a notifier says that cannot send anything; nothing is pulled then, so nothing is held."""
    asked = iter([invite()])
    with pytest.raises(NotifierError) as caught:
        list(notifier.send(asked))
    notifier.close()
    assert len(list(asked)) == 1
    assert "\n" not in caught.value.message
    return caught.value.message


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert "does not answer as a mail server does" in complaint(opened(port, timeout=0.2))
    text = complaint(opened(port))
    assert text.startswith(f"the mail server 127.0.0.1, port {port}, cannot be reached: ")
    assert "check host and port" in text
    assert "cannot be reached" in complaint(opened(port, host="nowhere.invalid", security="none"))


def test_a_server_that_goes_away_leaves_the_rest_due(server: MailServer) -> None:
    def last_words(mail: Mail) -> str | None:
        if mail.to == ("bo@example.com",):
            server.stop_listening()
            return DROP
        return None

    server.faults.taken = last_words
    asked = iter([invite(name) for name in ("ana", "bo", "cy", "di")])
    notifier = opened(server.port)
    sending = notifier.send(asked)
    sent: list[Sent] = []
    with pytest.raises(NotifierError, match="cannot be reached"):
        sent.extend(sending)
    notifier.close()
    assert outcomes(sent) == "ana:sent bo:unknown"
    assert [message.id for message in asked] == ["j1-invite-cy", "j1-invite-di"]


def test_a_server_that_wants_nothing(server: MailServer) -> None:
    server.faults.ehlo = lambda name: "554 5.7.1 not from you"
    assert "takes no mail from here: 554 5.7.1 not from you" in complaint(opened(server.port))
    server.faults.ehlo = lambda name: "421 4.3.2 closed for today"
    assert "no mail at the moment: 421" in complaint(opened(server.port))


def test_an_interrupted_wait_ends_at_once(server: MailServer) -> None:
    cancelled = threading.Event()
    context = Context(instance="x", fields=FieldSet([]), read_only=False, cancelled=cancelled)

    def interrupt(address: str) -> str:
        cancelled.set()
        return "450 4.2.0 greylisted"

    server.faults.rcpt = interrupt
    began = time.monotonic()
    assert outcomes(send(opened(server.port, context, retry_wait=30), invite())) == "ana:failed"
    assert time.monotonic() - began < 3


def test_starttls(certificate: Certificate) -> None:
    context = certificate.server_context
    with mail_server(tls_context=context, require_starttls=True) as server:
        assert "is not trusted: self" in complaint(opened(server.port, security="starttls"))
        good = opened(server.port, security="starttls", ca=certificate.path)
        assert outcomes(send(good, invite())) == "ana:sent"
        wrong_name = opened(server.port, security="starttls", ca=certificate.path, host="127.0.0.2")
        assert "not trusted" in complaint(wrong_name) if _reaches("127.0.0.2", server.port) else True
        plain = opened(server.port, security="none")
        assert (next(plain.send(iter([invite()]))).status, len(server.mails)) == (SentStatus.FAILED, 1)
        plain.close()
    with mail_server() as server:
        assert "offers no STARTTLS" in complaint(opened(server.port, security="starttls"))
        assert server.mails == []


def _reaches(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def test_tls(certificate: Certificate) -> None:
    with mail_server(tls=certificate.server_context) as server:
        assert outcomes(send(opened(server.port, security="tls", ca=certificate.path), invite())) == "ana:sent"
        assert "is not trusted: self" in complaint(opened(server.port, security="tls"))
    with mail_server() as server:
        assert "no secure connection" in complaint(opened(server.port, security="tls", ca=certificate.path))


def test_certificates_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NotifierError, match="cannot be used"):
        opened(1, security="tls", ca=tmp_path / "none.pem")


@pytest.mark.parametrize(("way", "other"), [("PLAIN", "LOGIN"), ("LOGIN", "PLAIN")])
def test_signing_in(certificate: Certificate, monkeypatch: pytest.MonkeyPatch, way: str, other: str) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", CANARY)
    options: dict[str, Any] = {"user": "robot", "password": {"env": "MAIL_PASSWORD"}, "security": "starttls"}
    options["ca"] = certificate.path
    context = certificate.server_context
    with mail_server(password=CANARY, tls_context=context, auth_exclude_mechanism=[other]) as server:
        assert outcomes(send(opened(server.port, **options), invite())) == "ana:sent"
        assert server.signed_in == [way]
        monkeypatch.setenv("MAIL_PASSWORD", f"not {CANARY}")
        text = complaint(opened(server.port, **options))
        assert "does not accept user and password: 535" in text
        assert CANARY not in text
        assert CANARY not in repr(vars(opened(server.port, **options)))
    with mail_server(tls_context=context, auth_exclude_mechanism=["PLAIN", "LOGIN"]) as server:
        assert "leave out user and password" in complaint(opened(server.port, **options))
