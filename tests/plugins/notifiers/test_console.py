from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import Context, Field, FieldSet, Message, Purpose, Recipient, Sent, SentStatus, Surroundings
from musterroll_plugins.notifiers._texts import printable
from musterroll_plugins.notifiers.console import Console, ConsoleOptions

FIELDS = FieldSet(
    [
        Field(name="username", heading="Username"),
        Field(name="forename", heading="Forename"),
        Field(name="email", heading="Email"),
        Field(name="password", heading="Password", secret=True),
        Field(name="department", heading="Department"),
    ]
)
CONTEXT = Context(instance="notifiers[console]", fields=FIELDS, read_only=False)
VALUES = {"pipeline": "acme", "job": "j1", "valid_days": "14", "expires": "2030-01-02"}
COUNTS = ("rows", "created", "updated", "unchanged", "deactivated", "rejected", "failed", "unknown", "not_attempted")


def invite(username: str = "ana", **fields: str) -> Message:
    recipient = Recipient(username=username, fields={"email": "ana@example.com", **fields})
    return Message(id="m1", purpose=Purpose.INVITE, recipient=recipient, values=VALUES)


def finished() -> Message:
    values = {"pipeline": "acme", "job": "j1", "state": "completed", "sheet": "staff.xlsx"}
    counts = {name: str(number) for number, name in enumerate(COUNTS)}
    return Message(id="m2", purpose=Purpose.FINISHED, recipient=None, values={**values, **counts})


def checked(options: dict[str, Any]) -> ConsoleOptions:
    around = Surroundings(lambda name, path: Path(), FIELDS)
    return ConsoleOptions.model_validate(options, context=around)


def of(path: Path) -> dict[str, str]:
    return {"file": str(path)}


def shown(capsys: pytest.CaptureFixture[str], *messages: Message, **options: Any) -> str:
    console = Console(checked(options), CONTEXT)
    assert list(console.send(iter(messages))) == [Sent(message.id, SentStatus.SENT) for message in messages]
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_reaches_everybody() -> None:
    console = Console(ConsoleOptions(), CONTEXT)
    assert console.channel == "console"
    assert console.can_reach(Recipient(username="ana", fields={}))


def test_tidy_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, invite()) == "invite to ana <ana@example.com>: Your username is ana.\n"
    assert shown(capsys, finished()).startswith("finished: The import of staff.xlsx has ended (completed): 1 created,")


def test_pulls_a_message_when_it_is_about_to_show_it(capsys: pytest.CaptureFixture[str]) -> None:
    messages = iter([invite("ana"), invite("bo")])
    sent = Console(ConsoleOptions(), CONTEXT).send(messages)
    next(sent)
    assert "bo" not in capsys.readouterr().err
    assert next(messages).recipient is not None


def test_values_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("{forename} {department}")
    evil = invite("a\x1b]0;x\x07\u202eb\r\n", forename="\x1b[2J\x9b1m", department="x\nfinished: all well\ud800")
    text = shown(capsys, evil, text=of(tmp_path / "t.txt"))
    assert text.count("\n") == 1
    assert not set(text) & set("\x1b\x07\x9b\r\u202e\ud800")


@given(st.text())
def test_printable_values_are_kept_and_others_made_harmless(text: str) -> None:
    made = printable(text)
    assert printable(made) == made
    assert len(made.splitlines()) <= 1
    made.encode("utf-8")
    if text.isprintable() and "�" not in made:
        assert made == text


class TestTemplates:
    def test_own_text_with_subject_and_braces(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "invite.txt"
        path.write_bytes("\ufeffSUBJECT: Hi {username}\r\n\r\nDear {forename} of {department} {{x}}\r\n".encode())
        text = shown(capsys, invite(forename="Zoë", department="R&D"), text=of(path))
        assert text == "invite to ana <ana@example.com>: Dear Zoë of R&D {x}\n"

    def test_lines_without_their_values_are_left_out(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "invite.txt"
        path.write_text("Hello,\n\nDepartment {department}\n\nBye {username}{department}\n")
        assert shown(capsys, invite(), text=of(path)).splitlines()[1:] == ["    Hello,", "", "    Bye ana"]

    def test_for_finished_jobs(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "finished.txt"
        path.write_text("{sheet}: {created} of {rows}")
        assert shown(capsys, finished(), finished={"text": of(path)}) == "finished: staff.xlsx: 1 of 0\n"

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"\n{fornname}", r'line 2: unknown placeholder \{fornname\}, did you mean "forename"\?'),
            (b"{password}", "line 1: unknown placeholder"),
            (b"{invite_url}", "line 1: unknown placeholder"),
            (b"{created}", "line 1: unknown placeholder"),
            (b"a\nb\n{ x", 'line 3: a single "{"'),
            (b"caf\xe9", "not UTF-8"),
            (b"\x1b[2J", "control character"),
            (None, "cannot be read: "),
        ],
    )
    def test_mistakes_are_told_with_their_place(self, tmp_path: Path, content: bytes | None, says: str) -> None:
        path = tmp_path / "invite.txt"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValidationError, match=says) as caught:
            checked({"text": of(path)})
        (error,) = caught.value.errors()
        assert error["loc"] == ("text",)
        assert str(path) in error["msg"]

    def test_a_job_has_no_forename(self, tmp_path: Path) -> None:
        path = tmp_path / "finished.txt"
        path.write_text("{forename}")
        with pytest.raises(ValidationError, match="unknown placeholder"):
            checked({"finished": {"text": of(path)}})
