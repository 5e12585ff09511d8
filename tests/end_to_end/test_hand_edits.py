"""What somebody has changed in the portal by hand, behind the pipeline's back."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

import pytest

from support.rosters import write_csv
from support.workplace import Inside

_PASSWORD = "Meadow-Kite-41"


@pytest.fixture
def office(inside: Inside) -> Inside:
    inside.pipeline('invites.send_to = "none"')
    return inside


def _settings(office: Inside, hand_edits: str = '{ default = "keep" }', more: str = "") -> None:
    office.pipeline(f'invites.send_to = "none"\nhand_edits = {hand_edits}\n{more}')


def _sheet(office: Inside, surname: str = "Silva", groups: str = "A;B", phone: str = "", username: str = "ana") -> None:
    code = "44" if phone else ""
    row = [f"{username}@example.com", username, "Ana", surname, _PASSWORD, code, phone, groups]
    write_csv(office.folder / "staff.csv", [row])


def _marry(office: Inside, surname: str = "Souza") -> None:
    office.by_hand("UPDATE users SET surname = ?", surname)


def _leave(office: Inside, group: str) -> None:
    office.by_hand("DELETE FROM memberships WHERE group_id IN (SELECT group_id FROM group_paths WHERE path = ?)", group)


def _join(office: Inside, group: str) -> None:
    office.by_hand("INSERT INTO groups SELECT 'x', NULL, ?, lower(?), NULL, '2026-01-01'", group, group)
    office.by_hand("INSERT INTO memberships SELECT id, 'x' FROM users")


def _plan(office: Inside) -> dict[str, Any]:
    (change,) = office.json("plan", "staff.csv").document["changes"]
    found: dict[str, Any] = change
    return found


def test_without_a_choice_the_sheet_wins_and_nothing_is_kept(office: Inside) -> None:
    _sheet(office)
    office.run("run", "staff.csv")
    _marry(office)
    assert "hand_edit" not in _plan(office)
    office.run("run", "staff.csv")
    assert office.users()["ana"]["surname"] == "Silva"
    assert _last_values(office) == []


def test_what_is_overwritten_is_said(office: Inside) -> None:
    _settings(office, '{ default = "overwrite" }')
    _sheet(office)
    office.run("run", "staff.csv")
    _marry(office)
    change = _plan(office)
    assert change["fields"] == {"surname": {"before": "Souza", "after": "Silva"}}
    assert change["hand_edit"] is True
    assert change["hand_edits"] == [
        {"field": "surname", "written": "Silva", "portal": "Souza", "sheet": "Silva", "kept": False}
    ]
    done = office.json("run", "staff.csv").document
    assert done["changes"][0]["hand_edits"] == change["hand_edits"]
    assert office.users()["ana"]["surname"] == "Silva"
    assert "hand_edit" not in _plan(office)


def test_what_is_kept_stays_for_as_long_as_the_sheet_does_not_say_the_same(office: Inside) -> None:
    _settings(office)
    _sheet(office)
    office.run("run", "staff.csv")
    _marry(office)
    for surname in ("Silva", "Silva", "Santos"):
        _sheet(office, surname)
        done = office.json("run", "staff.csv").document
        (change,) = done["changes"]
        assert (change["action"], change["fields"], done["job"]["counts"]["unchanged"]) == ("unchanged", {}, 1)
        assert change["hand_edits"] == [
            {"field": "surname", "written": "Silva", "portal": "Souza", "sheet": surname, "kept": True}
        ]
        assert office.users()["ana"]["surname"] == "Souza"
        assert office.json("jobs", "show", done["job"]["id"]).document["job"]["counts"]["unchanged"] == 1
    _sheet(office, "Souza")  # the sheet has come round to it; from now on it decides again
    assert "hand_edit" not in office.json("run", "staff.csv").document["changes"][0]
    _sheet(office, "Santos")
    office.run("run", "staff.csv")
    assert office.users()["ana"]["surname"] == "Santos"


def test_what_nobody_has_touched_is_updated_as_ever(office: Inside) -> None:
    _settings(office)
    _sheet(office)
    office.run("run", "staff.csv")
    _sheet(office, "Santos", phone="7700900123")
    assert "hand_edit" not in _plan(office)
    office.run("run", "staff.csv")
    assert (office.users()["ana"]["surname"], office.users()["ana"]["phone"]) == ("Santos", "7700900123")


def test_each_field_has_its_choice(office: Inside) -> None:
    _settings(office, '{ surname = "keep" }')
    _sheet(office)
    office.run("run", "staff.csv")
    office.by_hand("UPDATE users SET surname = 'Souza', forename = 'Anna'")
    edits = {edit["field"]: edit["kept"] for edit in _plan(office)["hand_edits"]}
    assert edits == {"surname": True, "forename": False}
    office.run("run", "staff.csv")
    assert (office.users()["ana"]["forename"], office.users()["ana"]["surname"]) == ("Ana", "Souza")


def test_an_error_names_the_cell_and_what_the_portal_has(office: Inside) -> None:
    _settings(office, '{ default = "error" }')
    _sheet(office)
    office.run("run", "staff.csv")
    _marry(office)
    _leave(office, "B")
    done = office.json("run", "staff.csv")
    assert (done.status, done.codes) == (1, [("surname.hand_edit", "D3"), ("groups.hand_edit", "H3")])
    assert all(word in done.document["problems"][0]["message"] for word in ("Souza", "Silva"))
    assert done.document["problems"][0]["suggestion"] == "Souza"
    assert '"B"' in done.document["problems"][1]["message"]
    assert office.users()["ana"]["surname"] == "Souza"
    assert office.run("explain", "surname.hand_edit").status == 0


def test_a_membership_that_was_taken_away_is_not_given_back(office: Inside) -> None:
    _settings(office)
    _sheet(office)
    office.run("run", "staff.csv")
    _leave(office, "B")
    for _ in range(2):
        change = _plan(office)
        assert change["groups"] == {"add": [], "remove": []}
        assert change["hand_edits"] == [
            {"field": "groups", "written": True, "portal": False, "sheet": True, "kept": True, "group": ["B"]}
        ]
        office.run("run", "staff.csv")
        assert office.users()["ana"]["groups"] == {"A"}
    _settings(office, '{ default = "keep", groups = "overwrite" }')
    assert _plan(office)["groups"]["add"] == [["B"]]
    office.run("run", "staff.csv")
    assert office.users()["ana"]["groups"] == {"A", "B"}


def test_a_membership_that_was_added_is_not_taken_away(office: Inside) -> None:
    _settings(office, more='membership.mode = "replace"')
    _sheet(office)
    office.run("run", "staff.csv")
    _join(office, "Choir")
    _sheet(office, groups="B")  # out of A, as the sheet had it
    change = _plan(office)
    assert change["groups"] == {"add": [], "remove": [["A"]]}
    assert [edit["group"] for edit in change["hand_edits"]] == [["Choir"]]
    office.run("run", "staff.csv")
    assert office.users()["ana"]["groups"] == {"B", "Choir"}
    _sheet(office, groups="B;Choir")  # the sheet has come round to it
    office.run("run", "staff.csv")
    _sheet(office, groups="B")
    office.run("run", "staff.csv")
    assert office.users()["ana"]["groups"] == {"B"}


def test_whoever_was_there_before_is_known_after_one_run(office: Inside) -> None:
    _sheet(office)
    office.run("run", "staff.csv")
    _settings(office)
    assert "hand_edit" not in _plan(office)
    assert office.json("run", "staff.csv").document["job"]["counts"]["unchanged"] == 1
    _marry(office)
    assert _plan(office)["hand_edits"][0]["kept"]


def test_a_renamed_user_keeps_hand_edits(office: Inside) -> None:
    _settings(office, more='match = ["email", "username"]')
    _sheet(office)
    office.run("run", "staff.csv")
    write_csv(office.folder / "staff.csv", [["ana@example.com", "anna", "Ana", "Silva", _PASSWORD, "", "", "A;B"]])
    office.run("run", "staff.csv")
    _marry(office)
    change = _plan(office)
    assert (change["username"], [edit["field"] for edit in change["hand_edits"]]) == ("anna", ["surname"])
    office.by_hand("UPDATE users SET username = 'hannah', username_key = 'hannah'")
    assert [edit["field"] for edit in _plan(office)["hand_edits"]] == ["username", "surname"]
    office.run("run", "staff.csv")
    assert set(office.users()) == {"hannah"}


def test_an_undo_gives_back_what_then_counts_as_given(office: Inside) -> None:
    _settings(office)
    _sheet(office)
    office.run("run", "staff.csv")
    _sheet(office, "Santos", groups="A;B;C")
    office.run("run", "staff.csv")
    assert office.run("jobs", "undo", "last", "--yes").status == 0
    ((fields, groups),) = _last_values(office)
    assert json.loads(fields)["surname"] == "Silva"
    assert len(json.loads(groups)) == 2
    assert "hand_edit" not in _plan(office)
    assert _plan(office)["fields"]["surname"] == {"before": "Silva", "after": "Santos"}


def test_an_undo_leaves_hand_edits_alone(office: Inside) -> None:
    _settings(office)
    _sheet(office)
    office.run("run", "staff.csv")
    _sheet(office, "Santos")
    office.run("run", "staff.csv")
    _marry(office)
    assert [code for code, _ in office.json("jobs", "undo", "last", "--yes").codes] == ["undo.kept"]
    assert _plan(office)["hand_edits"][0]["written"] == "Santos"


def test_pruned_jobs_leave_it_and_who_is_forgotten_does_not(office: Inside) -> None:
    _settings(office)
    _sheet(office, "Silvestre")
    office.run("run", "staff.csv")
    _marry(office)
    for _ in range(2):
        office.run("run", "staff.csv")
    office.run("jobs", "prune", "--older-than", "0d", "--yes")
    assert _plan(office)["hand_edits"][0]["written"] == "Silvestre"
    assert office.run("forget", "ana", "--yes").status == 0
    assert _last_values(office) == []
    for file in (office.folder / ".musterroll").iterdir():
        assert b"Silvestre" not in file.read_bytes()
        assert b"Souza" not in file.read_bytes()


def test_whoever_leaves_the_roster_leaves_nothing(office: Inside) -> None:
    _settings(office, more='undo.created = "delete"')
    _sheet(office)
    office.run("run", "staff.csv")
    office.run("jobs", "undo", "last", "--yes")
    assert _last_values(office) == []


def test_each_portal_has_values_of_its_own(office: Inside) -> None:
    other = '[profiles.other.backend]\nuse = "directory"\noptions = { path = "other.db", passwords = "none" }'
    _settings(office, more=other)
    _sheet(office)
    office.run("run", "staff.csv")
    _sheet(office, "Souza")
    office.run("run", "staff.csv", "--profile", "other")
    assert _plan(office)["fields"] == {"surname": {"before": "Silva", "after": "Souza"}}
    assert "hand_edit" not in _plan(office)
    assert len(_last_values(office)) == 2


def test_a_saved_plan_does_what_it_says_or_is_stale(office: Inside) -> None:
    _settings(office, '{ surname = "keep", groups = "overwrite" }')
    _sheet(office)
    office.run("run", "staff.csv")
    _marry(office)
    _leave(office, "B")
    office.run("plan", "staff.csv", "-o", "saved.json")
    done = office.json("apply", "saved.json")
    assert done.status == 0, done.out
    assert [edit["kept"] for edit in done.document["changes"][0]["hand_edits"]] == [True, False]
    assert (office.users()["ana"]["surname"], office.users()["ana"]["groups"]) == ("Souza", {"A", "B"})
    _leave(office, "B")
    office.run("plan", "staff.csv", "-o", "later.json")
    _marry(office, "Silva")
    assert office.json("apply", "later.json").status == 3


def test_what_is_said_names_the_hand_edit_everywhere(office: Inside) -> None:
    _settings(office, '{ surname = "keep" }')
    _sheet(office)
    office.run("run", "staff.csv")
    _marry(office)
    told = "surname stays Souza: changed by hand, was Silva"
    assert told in office.run("plan", "staff.csv").out
    done = office.run("run", "staff.csv", "--report", "report.html").out
    assert re.search("by hand +1 kept, 0 overwritten", done)
    assert office.json("jobs", "show", "last").document["hand_edits"] == {"kept": 1, "overwritten": 0}
    assert told in (office.folder / "report.html").read_text(encoding="utf-8")
    office.run("plan", "staff.csv", "--report", "report.csv")
    assert told in (office.folder / "report.csv").read_text(encoding="utf-8")
    assert told in office.run("jobs", "show", "last", "--row", "3").out


def test_mistakes_in_the_table_are_named(office: Inside) -> None:
    for text, path in (
        ('{ surnme = "keep" }', "hand_edits.surnme"),
        ('{ password = "keep" }', "hand_edits.password"),
        ('{ default = "kept" }', "hand_edits.default"),
    ):
        _settings(office, text)
        ended = office.run("pipeline", "check")
        assert (ended.status, path in ended.err) == (2, True), ended.err


def _last_values(office: Inside) -> list[Any]:
    with sqlite3.connect(office.folder / ".musterroll" / "test.journal") as journal:
        found = journal.execute("SELECT fields, groups FROM last_values").fetchall()
    journal.close()
    return found
