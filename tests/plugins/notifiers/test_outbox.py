from __future__ import annotations

import datetime as dt
import email
import os
from email.headerregistry import AddressHeader, DateHeader
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import Context, Field, FieldSet, Message, NotifierError, Purpose, Recipient, Sent, SentStatus
from musterroll_plugins.notifiers.outbox import Outbox, OutboxOptions

NOW = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
VALUES = {"pipeline": "acme", "job": "j1", "expires": "2030-01-16"}
FIELDS = FieldSet([Field(name=name, heading=name) for name in ("username", "forename", "surname", "email")])


def outbox(folder: Path, *, read_only: bool = False, **options: Any) -> Outbox:
    context = Context(instance="notifiers[mail]", fields=FIELDS, read_only=read_only, clock=lambda: NOW)
    return Outbox(OutboxOptions.model_validate({"folder": folder, **options}), context)


def invite(address: str = "ana@example.com", message_id: str = "m1", **fields: str) -> Message:
    recipient = Recipient(username="ana", fields={"email": address, **fields})
    return Message(id=message_id, purpose=Purpose.INVITE, recipient=recipient, values=VALUES)


FINISHED = Message(id="f1", purpose=Purpose.FINISHED, recipient=None, values={"state": "completed", "sheet": "s.csv"})


def send(box: Outbox, *messages: Message) -> list[Sent]:
    return list(box.send(iter(messages)))


def mails(folder: Path) -> list[EmailMessage]:
    assert all(path.suffix == ".eml" for path in folder.iterdir())
    read = [email.message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.iterdir())]
    return [mail for mail in read if type(mail) is EmailMessage]


def to(mail: EmailMessage) -> tuple[str, str]:
    header = mail["To"]
    assert isinstance(header, AddressHeader)
    (address,) = header.addresses
    # The standard library's parser leaves UTF-8 in headers as undecoded bytes.
    found = f"{address.display_name}\n{address.username}@{address.domain}".encode("utf-8", "surrogateescape").decode()
    display_name, _, spec = found.partition("\n")
    return display_name, spec


def test_an_invite(tmp_path: Path) -> None:
    box = outbox(tmp_path / "out", sender="IT <it@acme.example>")
    assert send(box, invite(forename="Ana", surname="Ångström")) == [Sent("m1", SentStatus.SENT)]
    (mail,) = mails(tmp_path / "out")
    assert mail["From"] == "IT <it@acme.example>"
    assert to(mail) == ("Ana Ångström", "ana@example.com")
    assert mail["Subject"] == "Your account"
    date = mail["Date"]
    assert isinstance(date, DateHeader)
    assert date.datetime == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@musterroll.local>")
    text = mail.get_content().replace("\r\n", "\n")
    assert text.startswith("Hello Ana,\n")
    assert "Your username is ana." in text
    assert VALUES["expires"] in text
    (path,) = (tmp_path / "out").iterdir()
    assert path.read_bytes().isascii()


def test_the_same_message_again_replaces_its_file(tmp_path: Path) -> None:
    for box in (outbox(tmp_path), outbox(tmp_path)):
        send(box, invite(message_id="a"), invite("bo@example.com", message_id="A"))
    first, second = mails(tmp_path)
    assert first["Message-ID"] != second["Message-ID"]
    names = {path.name.casefold() for path in tmp_path.iterdir()}
    assert len(names) == 2


def test_rubble_of_a_killed_run_is_no_obstacle(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    send(box, invite())
    (path,) = tmp_path.iterdir()
    path.rename(path.with_suffix(".tmp"))
    assert send(box, invite()) == [Sent("m1", SentStatus.SENT)]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    send(outbox(tmp_path / "out"), invite())
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}


def test_reports_go_to_report_to(tmp_path: Path) -> None:
    (sent,) = send(outbox(tmp_path), FINISHED)
    assert (sent.status, list(tmp_path.iterdir())) == (SentStatus.FAILED, [])
    assert "report_to" in str(sent.detail)
    assert send(outbox(tmp_path, report_to=["boss@example.com"]), FINISHED)[0].status is SentStatus.SENT
    (mail,) = mails(tmp_path)
    assert (to(mail), mail["Subject"]) == (("", "boss@example.com"), "Import completed: s.csv")


def test_no_message_no_folder(tmp_path: Path) -> None:
    send(outbox(tmp_path / "out"))
    with pytest.raises(NotifierError):
        send(outbox(tmp_path / "out", read_only=True), invite())
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_fails_the_message(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    (sent,) = send(outbox(tmp_path / "out"), invite())
    assert sent.status is SentStatus.FAILED
    assert str(tmp_path / "out") in str(sent.detail)


@pytest.mark.parametrize(
    "address", ["jörg@example.com", "ana@exämple.de", "用户@例子.公司", "o'neil+x@sub.example.com"]
)
def test_addresses_beyond_ascii(tmp_path: Path, address: str) -> None:
    box = outbox(tmp_path)
    assert box.can_reach(Recipient(username="ana", fields={"email": address}))
    send(box, invite(address, forename="Jörg"))
    (mail,) = mails(tmp_path)
    assert to(mail) == ("Jörg", address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "a@b\r\nBcc: x@example.com",
        "a@b, c@d",
        "<a@b>",
        "a b@c",
        "a@b@c",
        "@b",
        "a@",
        'x"@b',
        "a@b\x00",
        "a@\u202eb",
    ],
)
def test_unusable_addresses(tmp_path: Path, address: str) -> None:
    box = outbox(tmp_path)
    assert not box.can_reach(Recipient(username="ana", fields={"email": address}))
    (sent,) = send(box, invite(address))
    assert (sent.status, bool(sent.detail)) == (SentStatus.FAILED, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "option", [{"sender": "IT"}, {"sender": "a@b\nBcc: c@d"}, {"sender": "a\nb <a@b>"}, {"report_to": [""]}]
)
def test_unusable_options_are_told(tmp_path: Path, option: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(option))):
        outbox(tmp_path, **option)


_NASTY = st.text(alphabet='abé ,;<>@"\\():=?_日.\r\n\x00\u202e', max_size=80) | st.sampled_from(
    ["=?utf-8?q?x=0D=0ABcc:_evil=40x.y?=", "=?utf-8?b?DQpCY2M6IGVAeC55?=", "x <evil@x.example>, " * 9]
)


@settings(max_examples=40, deadline=None)
@given(forename=_NASTY | st.text(max_size=60), surname=_NASTY, message_id=st.text(max_size=80))
@example(forename="=?utf-8?q?x=0D=0ABcc:_evil=40x.y?=", surname="", message_id="")
@example(forename="x <evil@x.example>, " * 9, surname="", message_id="")
def test_no_value_becomes_a_header_or_a_recipient(
    tmp_path_factory: pytest.TempPathFactory, forename: str, surname: str, message_id: str
) -> None:
    folder = tmp_path_factory.mktemp("out")
    (folder / "template.txt").write_text("Subject: Hi {forename} {surname}\n\n{forename}\n")
    box = outbox(folder / "out", text={"file": str(folder / "template.txt")})
    (sent,) = send(box, invite(message_id=message_id, forename=forename, surname=surname))
    assert sent.status is SentStatus.SENT
    (mail,) = mails(folder / "out")
    expected = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
    assert sorted(mail.keys()) == sorted([*expected, "Content-Type", "Content-Transfer-Encoding", "MIME-Version"])
    assert to(mail)[1] == "ana@example.com"


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    send(outbox(tmp_path), invite(message_id="m1"))
    (done,) = tmp_path.iterdir()
    done.rename(done.with_suffix(".tmp"))  # as if it had been killed just before the end
    others = tmp_path / "draft.tmp"
    others.write_text("of a person")
    assert send(outbox(tmp_path), invite(message_id="m2")) == [Sent("m2", SentStatus.SENT)]
    others.unlink()
    assert len(mails(tmp_path)) == 1


def test_a_half_file_that_somebody_else_removes_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another pipeline with the same folder may tidy up at the wrong moment."""
    removed: list[int] = []

    def meddle(descriptor: int) -> None:
        if not removed:
            removed.append(descriptor)
            for half in tmp_path.glob("*.tmp"):
                half.unlink()

    monkeypatch.setattr(os, "fsync", meddle)
    assert send(outbox(tmp_path), invite()) == [Sent("m1", SentStatus.SENT)]
    assert len(mails(tmp_path)) == 1
    assert removed
