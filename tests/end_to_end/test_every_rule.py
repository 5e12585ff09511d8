"""Every rule, broken one at a time and all at once: its code, at its cell, in one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from musterroll.testing import PipelineTrial
from support.rosters import HEADINGS, roster, write_csv
from support.workplace import Inside, Workplace

_COLUMN = {heading: place for place, heading in enumerate(HEADINGS)}

# (what to write into a good row, the code, the column of the cell)
BROKEN: tuple[tuple[dict[str, str], str, str], ...] = (
    ({"Email": "not an address"}, "email.invalid", "A"),
    ({"Email": "a" * 250 + "@example.com"}, "email.too_long", "A"),
    ({"Username": ""}, "username.required", "B"),
    ({"Username": "u" * 101}, "username.too_long", "B"),
    ({"Forename": ""}, "forename.required", "C"),
    ({"Forename": "f" * 51}, "forename.too_long", "C"),
    ({"Surname": "s" * 51}, "surname.too_long", "D"),
    ({"Surname": "Lo\u200bpez"}, "surname.control_characters", "D"),
    ({"Forename": "Ana\nMaria"}, "forename.control_characters", "C"),
    ({"Email": "ana\u200b@example.com"}, "email.control_characters", "A"),
    ({"Calling Code": "44", "Phone": "77123\u202d45678"}, "phone.control_characters", "G"),
    ({"Groups": "Region\x07|North"}, "groups.control_characters", "H"),
    ({"Password": ""}, "password.required", "E"),
    ({"Password": "short"}, "password.policy", "E"),
    ({"Password": "Sesame-\n-Meadow-7"}, "password.control_characters", "E"),
    ({"Calling Code": "", "Phone": "7712345678"}, "calling_code.required", "F"),
    ({"Calling Code": "999", "Phone": "7712345678"}, "calling_code.invalid", "F"),
    ({"Calling Code": "44", "Phone": ""}, "calling_code.unexpected", "F"),
    ({"Calling Code": "44", "Phone": "12"}, "phone.invalid", "G"),
    ({"Calling Code": "44", "Phone": "447712345678"}, "phone.includes_calling_code", "G"),
    ({"Calling Code": "44", "Phone": "7" * 51}, "phone.too_long", "G"),
    ({"Calling Code": "44", "Phone": "4.41E+11"}, "cell.precision_lost", "G"),
    ({"Surname": "#N/A"}, "cell.error", "D"),
    ({"Groups": "Region||North"}, "groups.invalid", "H"),
    ({"Groups": "A;;B"}, "groups.invalid", "H"),
    ({"Groups": r"A\x"}, "groups.invalid", "H"),
    ({"Groups": "|".join("abc" * 11)}, "groups.too_deep", "H"),
    ({"Calling Code": "49", "Phone": "301234567.0"}, "phone.invalid", "G"),
)
# Those that keep no row out: what to write, the code, the column, and the suggestion.
WARNED: tuple[tuple[dict[str, str], str, str, str], ...] = (
    ({"Calling Code": "44", "Phone": "07712345678"}, "phone.trunk_prefix", "G", "7712345678"),
    ({"Email": "ana@gmial.com"}, "email.misspelt_domain", "A", "ana@gmail.com"),
    ({"Surname": "MÃ¼ller"}, "surname.mojibake", "D", "Müller"),
    ({"Groups": "Role A, Region|North"}, "groups.near_match", "H", "Role A;Region|North"),
    ({"Groups": "Regoin|North"}, "groups.near_match", "H", "Region|North"),
)


def broken(rows: Sequence[Sequence[str]], place: int, cells: dict[str, str]) -> list[list[str]]:
    """The rows with one of them broken."""
    copy = [list(row) for row in rows]
    for heading, text in cells.items():
        copy[place][_COLUMN[heading]] = text
    return copy


@pytest.mark.parametrize(("cells", "code", "column"), BROKEN, ids=[code for _, code, _ in BROKEN])
def test_one_at_a_time(place: Workplace, cells: dict[str, str], code: str, column: str) -> None:
    sheet = write_csv(place.folder / "staff.csv", broken(roster(5), 2, cells))
    done = place.json("validate", sheet)
    assert done.codes == [(code, f"{column}5")]
    assert done.status == 1
    assert done.document["counts"] == {"rows": 5, "valid": 4, "invalid": 1, "errors": 1, "warnings": 0, "not_read": 0}


@pytest.mark.parametrize(("cells", "code", "column", "suggestion"), WARNED, ids=[code for _, code, _, _ in WARNED])
def test_one_warning_at_a_time(
    place: Workplace, cells: dict[str, str], code: str, column: str, suggestion: str
) -> None:
    rows = roster(7)
    for groups, row in zip(("Role A", "Region|North", "Region|North"), rows, strict=False):
        row[_COLUMN["Groups"]] = groups
    sheet = write_csv(place.folder / "staff.csv", broken(rows, 3, cells))
    for command in ("validate", "plan"):
        done = place.json(command, sheet)
        assert [(*found, done.document["problems"][0]["suggestion"]) for found in done.codes] == [
            (code, f"{column}6", suggestion)
        ]
        assert done.status == 0


def test_all_at_once(place: Workplace) -> None:
    rows: list[list[str]] = roster(len(BROKEN) + 1)
    for number, (cells, _, _) in enumerate(BROKEN):
        rows = broken(rows, number, cells)
    # The last row is the same user as the first good one before it.
    rows.append([*roster(1)[0][:1], roster(len(BROKEN) + 1)[-1][1].upper(), *roster(1)[0][2:]])
    sheet = write_csv(place.folder / "staff.csv", rows)
    expected = [(code, f"{column}{number + 3}") for number, (_, code, column) in enumerate(BROKEN)]
    expected.append(("username.duplicate", f"B{len(rows) + 2}"))

    done = place.json("run", sheet)
    assert done.codes == expected
    assert done.status == 1
    assert not place.directory.exists()
    assert done.document["job"]["counts"] == {
        "rows": len(rows),
        **dict.fromkeys(("created", "updated", "unchanged", "deactivated", "failed", "unknown"), 0),
        "rejected": len(rows) - 1,
        "not_attempted": 1,
    }

    # With skip the first of two rows with one username goes out as well: nobody knows which one is meant.
    skipped = place.json("run", sheet, "--set", "on_error=skip")
    assert skipped.codes == expected
    assert skipped.document["job"]["counts"]["rejected"] == len(rows)


# The rules that a pipeline can add.
_RULES = """
[sheet]
[[sheet.fields]]
name = "site"
heading = "Site"
choices = ["York", "Leeds", "Guest"]

[[sheet.fields]]
name = "again"
heading = "Email again"

[[sheet.fields]]
name = "number"
heading = "Number"

[[validators]]
name = "domain"
use = "email-domain"
options = { domains = ["example.com"], forbidden = ["old.example.com"], subdomains = true }

[[validators]]
name = "twice"
use = "compare"
options = { field = "again", other = "email", rule = "equal" }

[[validators]]
name = "no-name"
use = "compare"
options = { field = "surname", other = "forename", rule = "different" }

[[validators]]
name = "number"
use = "pattern"
options = { field = "number", pattern = 'A\\d{5}' }

[[validators]]
name = "guests"
use = "condition"
options = { when = { site = "Guest" }, must = { number = { blank = true } }, message = "Guests have no {heading}" }

[[groups]]
name = "sites"
use = "mapping"
options = { field = "site", groups = { "York" = "Region|North" }, file = "sites.csv" }
"""
_ADDED = {"Site": "York", "Email again": "ana@mail.example.com", "Number": "A10015"}
_GOOD = {**dict(zip(HEADINGS, roster(1)[0], strict=True)), "Email": "ana@mail.example.com", **_ADDED}


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"Email": "a@x.org", "Email again": "a@x.org"}, "email.domain", "A"),
        ({"Email": "a@old.example.com", "Email again": "a@old.example.com"}, "email.domain", "A"),
        ({"Email again": "other@example.com"}, "again.not_equal", "J"),
        ({"Surname": "Same", "Forename": "same"}, "surname.not_different", "D"),
        ({"Site": "Yrok"}, "site.not_a_choice", "I"),
        ({"Site": "Leeds"}, "groups.unknown", "I"),
        ({"Number": "10015"}, "number.pattern", "K"),
        ({"Site": "Guest"}, "number.condition", "K"),
    ],
)
def test_rules_that_a_pipeline_adds(tmp_path: Path, cells: dict[str, str], code: str, column: str) -> None:
    (tmp_path / "sites.csv").write_text("Site,Groups\nGuest,\n", encoding="utf-8")
    trial = PipelineTrial(tmp_path, _RULES)
    other = {**_GOOD, "Username": "other", "Email": "b@example.com", "Email again": "b@example.com"}
    result = trial.validate([{**_GOOD, **cells}, {**other, "Site": "Guest", "Number": ""}])
    assert result.found == [(code, f"{column}3")]
    assert result.counts["errors"] == 1
    assert result.outcome == "problems"


def test_groups_of_another_column_are_added_to_those_of_the_row(place: Workplace) -> None:
    place.pipeline(_RULES)
    place.write("sites.csv", "Site;Groups\nGuest;\nLeeds;Region|North;Staff\n")
    broken_table = place.json("validate", write_csv(place.folder / "staff.csv", [], headings=tuple(_GOOD)))
    assert broken_table.status == 2
    assert "sites.csv, row 3: there are more than two cells" in broken_table.document["error"]["message"]

    place.write("sites.csv", 'Site;Groups\nGuest;\nLeeds;"Region|North;Staff"\n')
    rows = [{**_GOOD, "Groups": "Role A"}, {**_GOOD, "Username": "other", "Site": "leeds", "Groups": ""}]
    sheet = write_csv(place.folder / "staff.csv", [list(one.values()) for one in rows], headings=tuple(_GOOD))
    done = place.json("run", sheet, "--invites", "none")
    assert ("site.not_a_choice", "I4") in done.codes
    assert done.status == 0
    assert place.users()[_GOOD["Username"]]["groups"] == {"Role A", "Region|North"}
    assert place.users()["other"]["groups"] == {"Region|North", "Staff"}
    assert place.users()["other"]["attributes"]["site"] == "leeds"  # as it was typed


@pytest.mark.parametrize(
    ("headings", "codes"),
    [
        (("Email", "User name", *HEADINGS[2:]), [("column.missing", None), ("column.unknown", "B1")]),
        (("Email", *HEADINGS[2:4], *HEADINGS[4:]), [("column.missing", None)]),
        ((*HEADINGS, "email"), [("column.duplicate", "I1")]),
    ],
)
def test_headings(place: Workplace, headings: tuple[str, ...], codes: list[tuple[str, str | None]]) -> None:
    sheet = write_csv(place.folder / "staff.csv", [["x"] * len(headings)], headings=headings)
    done = place.json("validate", sheet)
    assert [found for found in done.codes if found[0].startswith("column")] == codes
    assert done.status == 1


def test_missing_columns_are_one_error_that_suggests_the_near_heading(place: Workplace) -> None:
    sheet = write_csv(place.folder / "staff.csv", roster(2), headings=("E-mail", "Usernam", *HEADINGS[2:]))
    done = place.json("validate", sheet)
    (missing,) = [problem for problem in done.document["problems"] if problem["code"] == "column.missing"]
    assert "Email" in missing["message"]
    assert "Username" in missing["message"]
    assert "Usernam" in missing["message"].replace("Username", "")
    assert done.document["problems"][0] is missing or done.codes[0][0] == "column.missing"
    assert (missing["row"], missing["cell"]) == (None, None)


def test_a_user_in_the_place_of_the_guidance_draws_a_warning(place: Workplace) -> None:
    sheet = write_csv(place.folder / "staff.csv", roster(4)[1:])
    lines = sheet.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    place.write("staff.csv", "".join([lines[0], *lines[2:]]))
    done = place.json("run", sheet)
    assert [problem["code"] for problem in done.document["problems"]] == ["row.guidance_is_data"]
    assert done.document["problems"][0]["row"] == 2
    assert done.document["counts"]["rows"] == 2


def test_a_sheet_without_users(place: Workplace) -> None:
    sheet = write_csv(place.folder / "staff.csv", [])
    done = place.json("validate", sheet)
    assert done.codes == [("sheet.empty", None)]
    assert done.status == 1


def test_a_username_that_is_made_of_a_blank_cell_is_missing_there(place: Workplace) -> None:
    place.pipeline('[sheet]\nomit = ["username"]\ncompose.username = "{email}"')
    rows = [[email, "Ana", "", "Sesame-Meadow-7", "", "", ""] for email in ("ana@example.com", "")]
    sheet = write_csv(place.folder / "staff.csv", rows, headings=(HEADINGS[0], *HEADINGS[2:]))
    for command in ("validate", "plan"):
        done = place.json(command, sheet)
        assert done.codes == [("username.required", "A4")]
        assert "it is made of Email" in done.document["problems"][0]["message"]


def test_a_sheet_with_whole_numbers_takes_no_others(place: Workplace) -> None:
    place.pipeline('[sheet]\nomit = ["calling_code"]')
    phones = ("+44 7712 345678", "7712345678", "+1 425 555 0100 x12")
    rows = [[*one[:5], phone, one[7]] for one, phone in zip(roster(3), phones, strict=True)]
    sheet = write_csv(place.folder / "staff.csv", rows, headings=(*HEADINGS[:5], *HEADINGS[6:]))
    done = place.json("plan", sheet, "--set", "on_error=skip")
    assert done.codes == [("phone.invalid", "F4"), ("phone.invalid", "F5")]
    assert "+44 7712345678" in done.document["problems"][0]["message"]
    fields = done.document["changes"][0]["fields"]
    assert {name: fields[name]["after"] for name in ("calling_code", "phone")} == {
        "calling_code": "44",
        "phone": "7712345678",
    }


def test_in_another_language_only_what_people_read_is_other(inside: Inside) -> None:
    rows: list[list[str]] = roster(len(BROKEN) + len(WARNED))
    for number, cells in enumerate((*(one[0] for one in BROKEN), *(one[0] for one in WARNED))):
        rows = broken(rows, number, cells)
    sheet = write_csv(inside.folder / "staff.csv", rows)
    english = inside.json("validate", sheet).document
    german = inside.json("validate", sheet, "--set", "language=de").document
    assert len(english["problems"]) >= len(BROKEN) + len(WARNED)
    same = [one["message"] for one, two in zip(english["problems"], german["problems"], strict=True) if one == two]
    assert same == []
    for document in (english, german):
        for one in (*document["problems"], *document["problem_groups"]):
            del one["message"]
            one.pop("cells", None)  # "row 7" is a word, too
        for group in document["problem_groups"]:
            del group["suggestion"]  # "e.g."
    assert german == english
