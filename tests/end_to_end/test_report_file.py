"""`--report`: what was found or done as a file, for who was not at the terminal."""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from musterroll.written.new_file import NewFile
from support.workplace import Inside, Workplace

PASSWORDS = ("Meadow-Kite-41", "Harbour-Lamp-77")
HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\n,,,,,,,\n"
SHEET = (
    f"{HEADINGS}ana@example.com,ana,<b>Ana</b>,Silva,{PASSWORDS[0]},44,07712345678,Region|North\n"
    f"bo@example,bo,Bo,=1+1,{PASSWORDS[1]},,,Sales\n"
)
BEGINNINGS = {
    ".html": b"<!DOCTYPE html>",
    ".csv": b'\xef\xbb\xbf"What"',
    ".md": b"<!-- musterroll report -->",
    ".junit.xml": b"<?xml",
}
SKIP = ("--set", "on_error=skip")


@pytest.fixture(autouse=True)
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "staff.csv"
    path.write_text(SHEET, encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", BEGINNINGS)
@pytest.mark.parametrize("words", [("validate", "staff.csv"), ("plan", "staff.csv", *SKIP)], ids=lambda words: words[0])
def test_it_is_kept_in_the_form_that_the_ending_says(words: tuple[str, ...], ending: str, inside: Inside) -> None:
    ended = inside.run(*words, "--report", f"out{ending}")
    assert ended.status == 1, ended.err
    assert f"The report is in out{ending}." in ended.err
    content = (inside.folder / f"out{ending}").read_bytes()
    assert content.startswith(BEGINNINGS[ending])
    assert b"email.invalid" in content.replace(b"\\", b"")
    assert not [password for password in PASSWORDS if password.encode() in content]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_it_is_for_the_owner_only(inside: Inside) -> None:
    inside.run("validate", "staff.csv", "--report", "out.html")
    assert stat.S_IMODE((inside.folder / "out.html").stat().st_mode) == 0o600


def test_what_a_job_did_can_be_kept_at_once_and_later(inside: Inside) -> None:
    assert inside.run("run", "staff.csv", "-y", *SKIP, "--report", "run.csv").status == 1
    assert inside.run("jobs", "show", "last", "--report", "later.csv").status == 0
    now, later = (
        list(csv.DictReader((inside.folder / name).read_text(encoding="utf-8-sig").splitlines()))
        for name in ("run.csv", "later.csv")
    )
    changed = {(line["Field"], line["After"]) for line in later if line["What"] == "change" and line["User"]}
    assert {("email", "ana@example.com"), ("forename", "<b>Ana</b>"), ("groups", "Region|North")} <= changed
    assert {line["User"] for line in later} == {"", "ana"}
    # The journal keeps no cells; but for them it is the same.
    assert [{**line, "Before": "", "After": ""} for line in now] == [
        {**line, "Before": "", "After": ""} for line in later
    ]
    assert [line["Before"] for line in now if line["Kind"] == "email.invalid"] == ["bo@example"]
    assert [line["Before"] for line in later if line["Kind"] == "email.invalid"] == [""]


def test_nothing_but_an_older_report_is_written_over(inside: Inside, sheet: Path) -> None:
    refused = inside.json("run", "staff.csv", "-y", "--report", "staff.csv", "--force")
    assert refused.status == 2
    assert refused.document["error"]["code"] == "output.exists"
    assert sheet.read_text(encoding="utf-8") == SHEET
    assert not inside.directory.exists(), "looked at before any work"

    assert inside.run("validate", "staff.csv", "--report", "out.html").status == 1
    first = (inside.folder / "out.html").read_bytes()
    assert inside.run("validate", "staff.csv", "--report", "out.html").status == 2
    assert inside.run("plan", "staff.csv", "--report", "out.html", "--force").status == 1
    assert (inside.folder / "out.html").read_bytes() != first
    (inside.folder / "out.html").rename(inside.folder / "out.md")
    assert inside.run("plan", "staff.csv", "--report", "out.md", "--force").status == 2


@pytest.mark.parametrize(
    ("name", "code"),
    [("out.pdf", "output.unsupported"), ("nowhere/out.html", "output.unwritable"), ("folder.html", "output.exists")],
)
def test_a_place_where_it_cannot_be_is_refused_before_any_work(name: str, code: str, inside: Inside) -> None:
    (inside.folder / "folder.html").mkdir()
    refused = inside.json("run", "staff.csv", "-y", *SKIP, "--report", name)
    assert (refused.status, refused.document["error"]["code"]) == (2, code)
    assert not inside.directory.exists()


def test_a_row_has_no_report_of_its_own(inside: Inside) -> None:
    assert inside.run("jobs", "show", "last", "--row", "3", "--report", "out.html").status == 2


def test_what_was_done_is_told_although_the_report_cannot_be_written(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(NewFile):
        def fill(self, write: Callable[[BinaryIO], None]) -> None:
            super().fill(write)
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("musterroll.commands.report_file.NewFile", Full)
    ended = inside.run("run", "staff.csv", "-y", *SKIP, "--report", "out.html")
    assert ended.status == 4, "it was written to the portal, and then something failed"
    assert "1 created" in ended.out
    assert "out.html cannot be written: No space left on device" in ended.err
    assert not list(inside.folder.glob("*.html")) + list(inside.folder.glob(".musterroll-*"))

    ended = inside.json("validate", "staff.csv", "--report", "out.html")
    assert (ended.status, ended.document["error"]["code"]) == (2, "output.unwritable")
    assert ended.document["counts"]["errors"] == 2

    ended = inside.run("validate", "staff.csv", "--report", "out.html", "--annotate", "marked.csv")
    assert "out.html cannot be written" in ended.err
    assert (inside.folder / "marked.csv").exists(), "the other file that was asked for"


def test_a_pipe_that_is_closed_takes_no_report_away(place: Workplace) -> None:
    process = place.start("validate", "staff.csv", "--report", "out.html", "--verbose")
    assert process.stdout is not None
    process.stdout.close()
    process.wait(60)
    assert (place.folder / "out.html").read_bytes().endswith(b"</html>\n")
    if process.stderr is not None:
        process.stderr.close()
