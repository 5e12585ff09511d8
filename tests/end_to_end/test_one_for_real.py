"""One for real: some rows of a sheet, what is expected of a plan, a lock that is waited for, a sheet that is piped."""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from support.rosters import write_csv
from support.workplace import Inside

NAMES = ["ana", "bo", "cy", "dee", "eve"]


def row(name: str, surname: str = "") -> list[str]:
    return ["", name, name.title(), surname, "Meadow-Kite-41", "", "", ""]


@pytest.fixture
def office(inside: Inside) -> Inside:
    inside.pipeline('invites.send_to = "none"')
    write_csv(inside.folder / "staff.csv", [row(name) for name in NAMES])
    return inside


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """What is sent to standard input."""
    sent = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(sent, encoding="utf-8"))
    return sent


def test_only_one_user_and_all_others_untouched(office: Inside) -> None:
    done = office.json("run", "staff.csv", "--only", "ANA")
    assert (done.status, list(office.users())) == (0, ["ana"])
    assert (done.document["counts"]["rows"], done.document["counts"]["not_read"]) == (1, 4)
    assert done.document["source"]["chosen"] == "--only ANA"
    rest = office.json("run", "staff.csv")
    assert (rest.document["job"]["counts"]["created"], rest.document["job"]["counts"]["unchanged"]) == (4, 1)


def test_rows_by_the_numbers_of_the_sheet(office: Inside) -> None:
    planned = office.json("plan", "staff.csv", "--rows", "4-5")
    assert [change["username"] for change in planned.document["changes"]] == ["bo", "cy"]
    assert "2 of 5 filled rows read, 3 not." in office.run("plan", "staff.csv", "--rows", "4-5", "--quiet").out
    office.run("run", "staff.csv", "--rows", "7")
    assert list(office.users()) == ["eve"]


def test_errors_of_the_others_stop_nobody(office: Inside) -> None:
    write_csv(office.folder / "staff.csv", [row("ana"), ["no address", "", *[""] * 6], row("bo")])
    assert office.run("run", "staff.csv", "--only", "bo").status == 0
    assert list(office.users()) == ["bo"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "nobody"], "as it is there, or the row with --rows"),
        (["--only", "ana", "--only", "nobody"], '"nobody"'),
        (["--rows", "90-99"], "has no user there"),
        (["--rows", "1-2"], "begin in row 3"),
        (["--rows", "5-4"], "the smaller number first"),
        (["--rows", "x"], "e.g. 3-10"),
        (["--rows", "3", "--only", "ana"], "leave one of them out"),
    ],
)
def test_who_is_not_there_is_said(office: Inside, arguments: list[str], words: str) -> None:
    done = office.json("run", "staff.csv", *arguments)
    assert done.status == 2
    assert words in done.document["error"]["message"]
    assert not office.directory.exists()


def test_nobody_is_absent_from_some_rows(office: Inside) -> None:
    office.pipeline('invites.send_to = "none"\nabsent = "deactivate"\n[limits]\ndeactivate = 20\nrows_changed = 2')
    assert office.run("run", "staff.csv").status == 0
    write_csv(office.folder / "next.csv", [row("ana", "Silva"), *map(row, NAMES[1:4])])
    tried = office.json("run", "next.csv", "--only", "ana")
    assert (tried.status, tried.document["job"]["counts"]["deactivated"]) == (0, 0)
    assert all(user["active"] for user in office.users().values())
    # The next whole sheet is compared with the last whole one, and takes care of who is missing.
    assert office.run("jobs", "prune", "--yes").status == 0
    whole = office.json("run", "next.csv")
    assert (whole.status, whole.document["job"]["counts"]["deactivated"]) == (0, 1), whole.err
    assert not office.users()["eve"]["active"]


def test_a_saved_plan_an_approval_and_a_stopped_job_keep_to_their_rows(office: Inside) -> None:
    office.run("plan", "staff.csv", "--only", "bo", "-o", "one.plan")
    assert office.run("apply", "one.plan").status == 0
    assert list(office.users()) == ["bo"]
    office.pipeline('invites.send_to = "none"\nlimits.create = 0')
    stopped = office.json("run", "staff.csv", "--rows", "5-6")
    assert stopped.status == 3
    assert office.run("jobs", "approve", "last").status == 0
    assert sorted(office.users()) == ["bo", "cy", "dee"]


@pytest.mark.parametrize(
    ("expected", "status"), [("5", 0), ("4..6", 0), ("5..", 0), ("..5", 0), ("6..", 3), ("..4", 3)]
)
def test_what_is_expected_or_nothing(office: Inside, expected: str, status: int) -> None:
    assert office.run("plan", "staff.csv", "--expect", f"create={expected}").status == status
    done = office.json("run", "staff.csv", "--expect", f"create={expected}", "--expect", "update=0")
    assert done.status == status
    if status:
        assert done.document["error"]["code"] == "expect.differs"
        assert (
            f"create={expected.replace('..4', '0..4')} was expected, and it is 5" in done.document["error"]["message"]
        )
        assert not office.directory.exists()
        assert office.json("jobs", "list").document["jobs"] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("create:30", 'write "create=30"'),
        ("create=30-60", 'write "create=30..60"'),
        ("create = 30, 60", 'write "create=30..60"'),
        ("create==3", 'write "create=3"'),
        ("create", '"create=30..60"'),
        ("create=x", '"create=30..60"'),
        ("create>=3", '"create=30.."'),
        ("create=..", '"create=..60"'),
        ("create=5..4", "5 is more than 4"),
        ("creat=3", 'did you mean "create"? These are create, update, '),
        ("creat:3", 'did you mean "create"? These are create, update, '),
        ("=3", "say first what is counted; these are create, update, "),
        ("", "say first what is counted; these are create, update, "),
    ],
)
def test_an_expectation_that_cannot_be_understood(office: Inside, text: str, says: str) -> None:
    done = office.json("plan", "staff.csv", "--expect", text)
    assert (done.status, done.document["error"]["code"]) == (2, "usage")
    assert says in done.document["error"]["message"]


def test_unchanged_users_are_counted_however_they_are_found(office: Inside) -> None:
    for _ in range(3):  # the third time they are packed
        office.run("run", "staff.csv")
    assert office.run("run", "staff.csv", "--expect", "unchanged=5", "--expect", "create=0").status == 0


def test_the_exit_status_tells_whether_anything_would_change(office: Inside) -> None:
    assert office.run("plan", "staff.csv", "--detailed-exitcode").status == 5
    assert office.json("plan", "staff.csv", "--detailed-exitcode").status == 5
    office.run("run", "staff.csv")
    assert office.run("plan", "staff.csv", "--detailed-exitcode").status == 0
    write_csv(office.folder / "bad.csv", [["", "", *[""] * 6], row("new"), ["x", "y", *[""] * 6]])
    assert office.run("plan", "bad.csv", "--detailed-exitcode").status == 1


def test_the_lock_is_waited_for(office: Inside) -> None:
    office.run("run", "staff.csv", "--only", "ana")
    lock = FileLock(office.folder / ".musterroll" / "test.lock", thread_local=False)
    lock.acquire()
    freed = threading.Timer(0.3, lock.release)
    freed.start()
    try:
        assert office.run("run", "staff.csv", "--wait", "20s").status == 0
    finally:
        freed.join()
    assert office.run("run", "staff.csv", "--wait", "soon").status == 2


def test_a_sheet_from_standard_input(office: Inside, pipe: io.BytesIO) -> None:
    pipe.write((office.folder / "staff.csv").read_bytes())
    pipe.seek(0)
    done = office.json("run", "-")
    assert (done.status, done.document["source"]["path"]) == (0, "standard input")
    assert sorted(office.users()) == NAMES
    assert office.json("jobs", "list").document["jobs"][0]["sheet"] == "standard input"


def test_what_is_wrong_with_it_is_said_of_standard_input(
    office: Inside, pipe: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe.write(b"%PDF-1.4\n" + bytes(range(256)))
    pipe.seek(0)
    done = office.run("plan", "-")
    assert done.status == 2
    assert done.err.startswith("error: standard input seems to be")
    assert "musterroll-" not in done.err
    pipe.seek(0)
    monkeypatch.setattr("musterroll_cli.session._LARGEST_INPUT", 100)
    assert office.json("plan", "-").document["error"]["code"] == "source.too_large"


def test_rejected_rows_of_standard_input_go_into_the_current_folder(office: Inside, pipe: io.BytesIO) -> None:
    office.pipeline('invites.send_to = "none"\non_error = "skip"')
    write_csv(Path(office.folder / "staff.csv"), [row("ana"), ["no address", *row("bo")[1:]]])
    pipe.write((office.folder / "staff.csv").read_bytes())
    pipe.seek(0)
    done = office.json("run", "-")
    assert done.status == 1
    assert Path(done.document["job"]["rejected_file"]) == office.folder / "standard-input.rejected.csv"
    assert Path(done.document["job"]["rejected_file"]).exists()
