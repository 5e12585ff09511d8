"""The main job, from the file to the directory and the outbox."""

from __future__ import annotations

import email
import email.policy
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.office import gnumeric, libreoffice, needs_gnumeric, needs_libreoffice
from support.rosters import HEADINGS, roster, write_csv, write_ods, write_xlsx
from support.workplace import Inside, Workplace


def in_libreoffice(file: Path, form: str, folder: Path) -> Path:
    """Opens and saves a file as a person does, who is asked about a csv file and sees that it is UTF-8."""
    if form == "csv":
        return libreoffice(file, "csv:44,34,76", folder, read_as="Text - txt - csv (StarCalc):44,34,76")
    return libreoffice(file, form, folder)


PROGRAMS = [
    pytest.param(in_libreoffice, marks=needs_libreoffice, id="LibreOffice"),
    pytest.param(gnumeric, marks=needs_gnumeric, id="Gnumeric"),
]
ANA = ["ana@example.com", "ana", "Ana", "Silva", "correct horse", "44", "7712345678", "Region|North;Role A"]
BO = ["", "bo", "Bo", "", "battery staple", "", "", ""]


def test_one_roster_gives_the_same_changes_and_the_same_directory_in_every_format(
    inside: Inside, tmp_path: Path
) -> None:
    rows = roster(200)
    seen = []
    for sheet in (
        write_csv(tmp_path / "staff.csv", rows),
        write_xlsx(tmp_path / "staff.xlsx", rows),
        write_ods(tmp_path / "staff.ods", rows),
    ):
        place = replace(inside, folder=tmp_path / f"place-{sheet.suffix[1:]}")
        place.folder.mkdir()
        place.pipeline()
        planned = place.json("plan", sheet)
        assert planned.status == 0
        assert not place.directory.exists(), "plan created the directory"
        done = place.json("run", sheet)
        assert done.status == 0
        assert done.document["changes"] == planned.document["changes"]
        assert done.document["groups_to_create"] == planned.document["groups_to_create"]
        seen.append((done.document["changes"], done.document["groups_to_create"], place.users(), len(place.invites())))
    assert seen[0] == seen[1] == seen[2]
    changes, _, users, invites = seen[0]
    assert len(changes) == len(users) == 200
    assert invites == sum(1 for row in rows if row[0])
    assert {change["row"] for change in changes} == set(range(3, 203))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_spreadsheet_program_that_saves_the_roster_changes_nothing(
    program: Callable[[Path, str, Path], Path], inside: Inside, tmp_path: Path
) -> None:
    rows = roster(30)
    sheets = [
        write_csv(tmp_path / "csv.csv", rows),
        write_xlsx(tmp_path / "xlsx.xlsx", rows),
        write_ods(tmp_path / "ods.ods", rows),
    ]
    expected = inside.json("plan", sheets[0]).document
    for sheet in sheets:
        form = sheet.suffix[1:]
        saved = program(sheet, form, tmp_path / "saved")
        planned = inside.json("plan", saved)
        assert planned.document["source"]["format"] == form
        assert planned.document["problems"] == []
        assert planned.document["changes"] == expected["changes"]
        assert planned.document["groups_to_create"] == expected["groups_to_create"]


def test_the_document_is_that_of_the_contract(place: Workplace) -> None:
    write_csv(place.folder / "staff.csv", [ANA])
    place.run("run", "staff.csv")
    write_csv(place.folder / "staff.csv", [[*ANA[:6], "07712345679", "Region|North;Role A;New"], BO])
    document = place.json("run", "staff.csv").document
    assert document.keys() == {
        *("schema", "command", "status", "pipeline", "source", "counts", "problems", "problem_groups"),
        *("changes", "groups_to_create", "job", "error"),
    }
    assert document["schema"] == "musterroll/1"
    assert document["command"] == "run"
    assert document["status"] == "ok"
    assert document["pipeline"] == {"name": "test", "profile": None}
    assert document["source"].keys() == {"path", "sha256", "format", "reader", "sheet", "encoding"}
    assert document["source"]["path"] == "staff.csv"
    assert document["counts"] == {"rows": 2, "valid": 2, "invalid": 0, "errors": 0, "warnings": 1, "not_read": 0}
    (problem,) = document["problems"]
    assert problem.pop("message")
    assert problem == {
        "code": "phone.trunk_prefix",
        "severity": "warning",
        "row": 3,
        "column": "G",
        "cell": "G3",
        "field": "phone",
        "value": "07712345679",
        "suggestion": "7712345679",
    }
    assert document["changes"] == [
        {
            "row": 3,
            "username": "ana",
            "action": "update",
            "password": "keep",
            "fields": {"phone": {"before": "7712345678", "after": "07712345679"}},
            "groups": {"add": [["New"]], "remove": []},
            "invite": {"send": False, "channel": None, "reason": "already invited"},
        },
        {
            "row": 4,
            "username": "bo",
            "action": "create",
            "password": "set",
            "fields": {"forename": {"before": None, "after": "Bo"}},
            "groups": {"add": [], "remove": []},
            "invite": {"send": False, "channel": None, "reason": "no address or number that a notifier can use"},
        },
    ]
    assert document["groups_to_create"] == [["New"]]
    assert document["job"]["state"] == "completed"
    assert document["job"]["counts"] == {
        "rows": 2,
        "created": 1,
        "updated": 1,
        "unchanged": 0,
        "deactivated": 0,
        "rejected": 0,
        "failed": 0,
        "unknown": 0,
        "not_attempted": 0,
    }
    assert document["job"]["invites"] == {"sent": 0, "skipped": 2, "held": 0, "failed": 0}
    assert document["error"] is None


def test_users_groups_hashes_and_invites_arrive(place: Workplace) -> None:
    place.pipeline(passwords="argon2id")
    write_csv(place.folder / "staff.csv", [ANA, BO])
    assert place.run("run", "staff.csv").status == 0
    assert place.users() == {
        "ana": {
            "email": "ana@example.com",
            "forename": "Ana",
            "surname": "Silva",
            "calling_code": "44",
            "phone": "7712345678",
            "attributes": {},
            "active": 1,
            "groups": {"Region|North", "Role A"},
        },
        "bo": {
            "email": None,
            "forename": "Bo",
            "surname": None,
            "calling_code": None,
            "phone": None,
            "attributes": {},
            "active": 1,
            "groups": set(),
        },
    }
    assert place.groups() == {"Region", "Region|North", "Role A"}
    with sqlite3.connect(place.directory) as db:
        hashes = [found for (found,) in db.execute("SELECT password_hash FROM users")]
    db.close()
    assert all(found.startswith("$argon2id$") for found in hashes)
    (invite,) = place.invites()
    message = email.message_from_bytes(invite.read_bytes(), policy=email.policy.default)
    assert "ana@example.com" in message["To"]
    assert "ana" in message.get_content()


def test_a_second_run_of_the_same_sheet_does_nothing(place: Workplace) -> None:
    sheet = write_csv(place.folder / "staff.csv", roster(50))
    assert place.run("run", sheet).status == 0
    before, invites = place.directory.read_bytes(), place.invites()
    again = place.json("run", sheet)
    assert again.status == 0
    assert again.document["job"]["counts"]["unchanged"] == 50
    assert {change["action"] for change in again.document["changes"]} == {"unchanged"}
    assert again.document["job"]["invites"]["sent"] == 0
    assert place.directory.read_bytes() == before
    assert place.invites() == invites


def test_an_update_changes_what_differs_and_keeps_the_rest(place: Workplace) -> None:
    place.pipeline(passwords="argon2id")
    write_csv(place.folder / "one.csv", [ANA])
    place.run("run", "one.csv")
    with sqlite3.connect(place.directory) as db:
        hash_before = db.execute("SELECT password_hash FROM users").fetchall()
    db.close()
    changed = ["", "ANA", "Anna", "", "another password", "", "", "Role B"]
    write_csv(place.folder / "two.csv", [changed])
    document = place.json("run", "two.csv").document
    (change,) = document["changes"]
    assert change["username"] == "ana"
    assert change["fields"] == {"forename": {"before": "Ana", "after": "Anna"}}
    assert change["password"] == "keep"
    assert change["groups"] == {"add": [["Role B"]], "remove": []}
    ana = place.users()["ana"]
    assert ana["forename"] == "Anna"
    assert (ana["email"], ana["surname"], ana["phone"]) == ("ana@example.com", "Silva", "7712345678")
    assert ana["groups"] == {"Region|North", "Role A", "Role B"}
    with sqlite3.connect(place.directory) as db:
        assert db.execute("SELECT password_hash FROM users").fetchall() == hash_before
    db.close()


def test_a_blank_row_ends_the_import_and_says_what_follows(place: Workplace) -> None:
    rows = roster(6)
    sheet = write_csv(place.folder / "staff.csv", [*rows[:2], [""] * 8, *rows[2:], [""] * 8])
    done = place.json("run", sheet)
    assert done.status == 0
    assert done.document["job"]["counts"]["created"] == 2
    (problem,) = done.document["problems"]
    assert (problem["code"], problem["severity"], problem["row"]) == ("row.after_blank", "warning", 5)
    assert "4 filled rows" in problem["message"]


@pytest.mark.parametrize(("on_error", "created"), [("abort", 0), ("skip", 19)])
def test_one_bad_row(place: Workplace, on_error: str, created: int) -> None:
    rows = roster(20)
    rows[7][2] = ""
    sheet = write_csv(place.folder / "staff.csv", rows)
    done = place.json("run", sheet, "--set", f"on_error={on_error}")
    assert done.status == 1
    assert done.document["status"] == "problems"
    assert done.codes == [("forename.required", "C10")]
    counts = done.document["job"]["counts"]
    assert (counts["created"], counts["rejected"], counts["not_attempted"]) == (created, 1, 19 - created)
    assert done.document["job"]["state"] == ("aborted" if on_error == "abort" else "completed_with_errors")
    if on_error == "abort":
        assert not place.directory.exists()
        assert place.invites() == []
    else:
        assert len(place.users()) == 19
        assert rows[7][1] not in place.users()


@pytest.mark.parametrize(("on_error", "said"), [("abort", True), ("skip", False)])
def test_a_plan_says_when_its_errors_keep_everything_out(place: Workplace, on_error: str, said: bool) -> None:
    sheet = write_csv(place.folder / "staff.csv", [ANA, [*BO[:2], "", *BO[3:]]])
    told = place.run("plan", sheet, "--set", f"on_error={on_error}")
    assert told.status == 1
    assert ("`run` writes nothing at all" in told.out) is said


def test_columns_in_any_order_with_others_heads_and_an_unknown_one(place: Workplace) -> None:
    headings = ["Note", *(f" {heading.upper()} " for heading in reversed(HEADINGS))]
    write_csv(place.folder / "staff.csv", [["hello", *reversed(ANA)]], headings=headings)
    done = place.json("run", "staff.csv")
    assert done.status == 0
    assert done.codes == [("column.unknown", "A1")]
    assert place.users()["ana"]["phone"] == "7712345678"


def test_the_history_tells_of_every_job(place: Workplace) -> None:
    sheet = write_csv(place.folder / "staff.csv", [ANA])
    first = place.json("run", sheet).document["job"]["id"]
    write_csv(sheet, [[*ANA[:2], "", *ANA[3:]]])
    second = place.json("run", sheet).document["job"]["id"]
    listed = place.json("jobs", "list").document["jobs"]
    assert [(job["id"], job["state"]) for job in listed] == [(second, "aborted"), (first, "completed")]
    assert listed[0].keys() == {"id", "state", "started", "finished", "sheet", "counts"}
    shown = place.json("jobs", "show", first).document
    assert shown["job"]["counts"]["created"] == 1
    assert [change["username"] for change in shown["changes"]] == ["ana"]
    assert [problem["code"] for problem in place.json("jobs", "show", second).document["problems"]] == [
        "forename.required"
    ]
    assert "correct horse" not in place.run("jobs", "show", first, "--verbose").out
