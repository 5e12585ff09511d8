"""What a problem is to one customer: `[severity]`, `strict`, `--strict`."""

from __future__ import annotations

import pytest

from support.workplace import Inside, Workplace

HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\n,,,,,,,\n"
TRUNK = "ana@example.com,ana,Ana,Silva,Meadow-Kite-41,44,07712345678,Sales\n"
LONG = f"bo@example.com,bo,Bo,{'x' * 51},Harbour-Lamp-77,,,Sales\n"


@pytest.fixture
def place(scratch: Inside) -> Inside:
    scratch.write("staff.csv", HEADINGS + TRUNK + LONG)
    return scratch


def pipeline(place: Workplace, text: str) -> None:
    (place.folder / "musterroll.toml").write_text(f'name = "acme"\n{text}')


def problems(place: Workplace, *words: str) -> tuple[int, dict[str, str], dict[str, int]]:
    done = place.json(*words)
    document = done.document
    found = {one["code"]: one["severity"] for one in document["problems"]}
    return done.status, found, {name: document["counts"][name] for name in ("valid", "errors", "warnings")}


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_customer_says_what_a_problem_is(command: str, place: Workplace) -> None:
    assert problems(place, command, "staff.csv") == (
        1,
        {"phone.trunk_prefix": "warning", "surname.too_long": "error"},
        {"valid": 1, "errors": 1, "warnings": 1},
    )
    pipeline(place, '[severity]\n"phone.trunk_prefix" = "ignore"\n"surname.too_long" = "warning"\n')
    assert problems(place, command, "staff.csv") == (
        0,
        {"surname.too_long": "warning"},
        {"valid": 2, "errors": 0, "warnings": 1},
    )
    pipeline(place, '[severity]\n"phone.trunk_prefix" = "error"\n')
    assert problems(place, command, "staff.csv")[2] == {"valid": 0, "errors": 2, "warnings": 0}


@pytest.mark.parametrize(
    "words", [("validate", "--strict"), ("plan", "--strict"), ("validate", "--set", "strict=true")]
)
def test_strict_makes_errors_of_warnings(words: tuple[str, ...], place: Workplace) -> None:
    command, *options = words
    assert problems(place, command, "staff.csv", *options)[2] == {"valid": 0, "errors": 2, "warnings": 0}
    pipeline(place, 'strict = true\n[severity]\n"phone.trunk_prefix" = "ignore"\n"surname.too_long" = "ignore"\n')
    assert problems(place, command, "staff.csv", *options) == (0, {}, {"valid": 2, "errors": 0, "warnings": 0})


def test_a_strict_run_writes_nothing_where_there_is_a_warning(place: Workplace) -> None:
    (place.folder / "staff.csv").write_text(HEADINGS + TRUNK)
    assert place.run("run", "staff.csv", "--yes", "--strict").status == 1
    assert place.run("plan", "staff.csv").status == 0
    assert not place.directory.exists() or place.users() == {}
    assert place.run("run", "staff.csv", "--yes").status == 0
    assert set(place.users()) == {"ana"}


def test_the_story_of_a_row_says_what_counted(place: Workplace) -> None:
    pipeline(place, 'on_error = "skip"\n[severity]\n"phone.trunk_prefix" = "error"\n"surname.too_long" = "warning"\n')
    assert place.run("run", "staff.csv", "--yes").status == 1
    assert set(place.users()) == {"bo"}
    rules = place.json("jobs", "show", "last", "--row", "3").document["row"]["rules"]
    assert next(rule["verdict"] for rule in rules if rule["name"] == "validators[phone]") == "error"


def test_a_blank_row_in_the_middle_can_keep_the_sheet_out(place: Workplace) -> None:
    (place.folder / "staff.csv").write_text(HEADINGS + TRUNK + ",,,,,,,\n" + TRUNK.replace("ana", "cem"))
    pipeline(place, '[severity]\n"row.after_blank" = "error"\n')
    assert problems(place, "validate", "staff.csv")[:2] == (
        1,
        {"row.after_blank": "error", "phone.trunk_prefix": "warning"},
    )
    assert place.run("run", "staff.csv", "--yes").status == 1


def test_an_unknown_column_as_an_error_does_not_hide_other_problems(place: Workplace) -> None:
    (place.folder / "staff.csv").write_text(HEADINGS.replace("Groups\n", "Groups,Remarks\n") + LONG)
    pipeline(place, '[severity]\n"column.unknown" = "error"\n')
    assert problems(place, "validate", "staff.csv") == (
        1,
        {"column.unknown": "error", "surname.too_long": "error"},
        {"valid": 0, "errors": 2, "warnings": 0},
    )
