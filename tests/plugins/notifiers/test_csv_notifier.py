"""The notifier `csv`."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import Context, Field, FieldSet, Message, NotifierError, Purpose, Recipient, Sent, SentStatus
from musterroll_plugins.notifiers.csv import Csv, CsvOptions

FIELDS = FieldSet(Field(name=name, heading=name) for name in ("username", "forename", "surname", "email"))


def notifier(path: Path, *, read_only: bool = False, **options: Any) -> Csv:
    context = Context(instance="notifiers[list]", fields=FIELDS, read_only=read_only)
    return Csv(CsvOptions.model_validate({"path": path, **options}), context)


def invite(name: str = "ana", job: str = "j1", **fields: str) -> Message:
    recipient = Recipient(username=name, fields={"email": f"{name}@example.com", **fields})
    values = {"job": job, "expires": "2030-01-16"}
    return Message(id=f"{job}-invite-{name}", purpose=Purpose.INVITE, recipient=recipient, values=values)


def send(csv_notifier: Csv, *messages: Message) -> list[SentStatus]:
    return [sent.status for sent in csv_notifier.send(iter(messages))]


def rows(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter, strict=True))


SENT, FAILED = SentStatus.SENT, SentStatus.FAILED
HEADINGS = ["username", "email", "phone_number", "forename", "surname", "expires", "message"]


def test_a_file_for_each_job(tmp_path: Path) -> None:
    made = notifier(tmp_path / "lists" / "{job}.csv")
    ana = invite("ana", forename='Zoë; "Z"', calling_code="44", phone="7712345678")
    assert send(made, ana, invite("bo"), invite("cy", job="j2")) == [SENT] * 3
    assert rows(tmp_path / "lists" / "j1.csv") == [
        HEADINGS,
        ["ana", "ana@example.com", "447712345678", 'Zoë; "Z"', "", "2030-01-16", "j1-invite-ana"],
        ["bo", "bo@example.com", "", "", "", "2030-01-16", "j1-invite-bo"],
    ]
    assert [row[0] for row in rows(tmp_path / "lists" / "j2.csv")] == ["username", "cy"]
    assert (tmp_path / "lists" / "j1.csv").read_bytes().startswith(b"\xef\xbb\xbf")  # so that Excel reads UTF-8


def test_nobody_is_listed_twice(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    for job in ("j1", "j1", "j2"):
        assert send(notifier(path), invite("ana", job), invite("bo", job)) == [SENT, SENT]
    assert [row[-1] for row in rows(path)[1:]] == ["j1-invite-ana", "j1-invite-bo", "j2-invite-ana", "j2-invite-bo"]


def test_a_file_that_is_moved_away_is_begun_again(tmp_path: Path) -> None:
    path, made = tmp_path / "all.csv", notifier(tmp_path / "all.csv")
    send(made, invite("ana"))
    path.rename(tmp_path / "done.csv")
    send(made, invite("ana"), invite("bo"))
    assert [row[0] for row in rows(path)] == ["username", "bo"]


@pytest.mark.parametrize("torn", [1, 2, *range(3, 60, 7)])
def test_half_a_row_of_a_power_cut_is_taken_out(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "all.csv"
    send(notifier(path), invite("ana"), invite("bo", forename="a\nb, c"))
    whole = rows(path)
    path.write_bytes(path.read_bytes()[:-torn])
    assert send(notifier(path), invite("cy"), invite("bo", forename="a\nb, c")) == [SENT, SENT]
    again = rows(path)
    assert again[:2] == whole[:2]
    assert {len(row) for row in again} == {len(HEADINGS)}
    assert sorted(row[0] for row in again[1:]) == ["ana", "bo", "cy"]


def test_a_last_line_without_an_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    send(notifier(path), invite("ana"))
    path.write_bytes(path.read_bytes().rstrip())
    send(notifier(path), invite("ana"), invite("bo"))
    assert [row[0] for row in rows(path)] == ["username", "ana", "bo"]


@pytest.mark.parametrize("content", ["Name,Telephone\r\n", "\r\n", "caf\xe9"])
def test_another_file_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "all.csv"
    path.write_bytes(content.encode("latin-1"))
    asked = iter([invite("ana"), invite("bo")])
    sent = notifier(path).send(asked)
    assert next(sent).status is FAILED
    with pytest.raises(NotifierError, match="has other columns than username,email"):
        next(sent)
    assert len(list(asked)) == 1
    assert path.read_bytes() == content.encode("latin-1")


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "all.csv").mkdir()
    sent = notifier(tmp_path / "all.csv").send(iter([invite()]))
    assert next(sent).status is FAILED
    with pytest.raises(NotifierError, match="cannot be written: "):
        next(sent)


@pytest.mark.skipif(os.name != "posix", reason="such limits are POSIX")
def test_a_full_disk_leaves_no_half_row(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "all.csv"
    send(notifier(path), invite("ana"))
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    sent = notifier(path).send(iter([invite("bo")]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        assert next(sent).status is FAILED
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    send(notifier(tmp_path / "lists" / "all.csv"), invite())
    assert (tmp_path / "lists").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "lists" / "all.csv").stat().st_mode & 0o777 == 0o600


def test_what_a_spreadsheet_program_would_calculate(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    formula = '=HYPERLINK("https://evil.example";"Bo")'
    sent = list(
        notifier(path).send(iter([invite("ana", forename=formula, surname="＋1"), invite("bo", email="=1@x.example")]))
    )
    assert [one.status for one in sent] == [SENT, FAILED]
    assert 'begins with "="' in str(sent[1].detail)
    (row,) = rows(path)[1:]
    assert row[3:5] == [f"'{formula}", "'＋1"]
    kept = notifier(tmp_path / "kept.csv", formulas="keep", columns=["email", "forename"], delimiter="tab")
    assert send(kept, invite("bo", email="-bo@x.example", forename="-")) == [SENT]
    assert rows(tmp_path / "kept.csv", "\t")[1] == ["-bo@x.example", "-", "j1-invite-bo"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_every_value_is_one_cell_of_one_row(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    path = tmp_path_factory.mktemp("lists") / "all.csv"
    messages = [invite(f"u{n}", forename=name, surname=name) for n, name in enumerate(names)]
    assert set(send(notifier(path, delimiter=";"), *messages)) == {SENT}
    read = rows(path, ";")
    assert [row[0] for row in read[1:]] == [f"u{n}" for n in range(len(names))]
    assert {len(row) for row in read} == {len(HEADINGS)}
    assert not [cell for row in read for cell in row if cell[:1] in tuple("=+-@\t\r\n")]


def test_it_lists_invites_only(tmp_path: Path) -> None:
    finished = Message(id="f", purpose=Purpose.FINISHED, recipient=None)
    assert list(notifier(tmp_path / "a.csv").send(iter([finished]))) == [
        Sent("f", FAILED, "this notifier lists invites only")
    ]
    with pytest.raises(NotifierError):
        notifier(tmp_path / "a.csv", read_only=True).send(iter([invite()]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "{forename}.csv"}, "unknown placeholder {forename}"),
        ({"columns": ["username", "message"]}, "added as the last"),
        ({"columns": ["email", "email"]}, "there twice"),
        ({"delimiter": ";;"}, "one character"),
    ],
)
def test_mistakes(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        CsvOptions.model_validate(options)
