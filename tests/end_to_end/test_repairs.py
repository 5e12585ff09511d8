"""`repairs` in a pipeline: suggestions that are taken on the way in."""

from __future__ import annotations

from typing import Any

import pytest

from support.workplace import Inside, Workplace

HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\n,,,,,,,\n"
ROWS = (
    '"ana@acme,com",ana,Ana,Silva,Meadow-Kite-41,+44,07712345678,Sales;\n'
    "bo@gmial.com,bo,Bo,Berg,Harbour-Lamp-77,1809,5551234,Sales\n"
)

_PLUGIN = """
from musterroll import Options, ValidatorType, hookimpl

class Upper:
    def __init__(self, options, context):
        pass

    def check(self, row):
        if row["surname"] != row["surname"].upper():
            yield row.problem("surname", "acme.upper", "{heading} must be in capitals",
                              suggestion=row["surname"].upper(), safe=True, also={"password": "Known-To-All-1"})
        if row["forename"] != row["forename"].upper():
            yield row.problem("forename", "acme.upper", "{heading} must be in capitals",
                              suggestion=row["forename"].upper(), safe=True)

@hookimpl
def musterroll_validators():
    yield ValidatorType(name="acme-upper", summary="Capitals", options=Options, build=Upper)
"""


@pytest.fixture
def place(scratch: Inside) -> Inside:
    scratch.write("staff.csv", HEADINGS + ROWS)
    return scratch


def pipeline(place: Workplace, text: str) -> None:
    (place.folder / "musterroll.toml").write_text(f'name = "acme"\n{text}')


def repaired(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {p["cell"]: (p["value"], p["suggestion"]) for p in document["problems"] if p.get("repaired")}


def test_safe_suggestions_are_taken_on_the_way_in(place: Workplace) -> None:
    pipeline(place, 'repairs = "safe"\n')
    done = place.json("validate", "staff.csv")
    assert done.status == 0
    assert repaired(done.document) == {
        "A3": ("ana@acme,com", "ana@acme.com"),
        "F3": ("+44", "44"),
        "G3": ("07712345678", "7712345678"),  # which shows only once the code is one
        "H3": ("Sales;", "Sales"),
        "F4": ("1809", "1"),
    }
    assert {p["severity"] for p in done.document["problems"]} == {"warning"}
    assert [p["code"] for p in done.document["problems"] if not p.get("repaired")] == ["email.misspelt_domain"]


def test_what_is_repaired_goes_to_the_portal_and_is_told(place: Workplace) -> None:
    pipeline(place, 'repairs = "safe"\n')
    planned = place.json("plan", "staff.csv").document
    fields = {change["username"]: change["fields"] for change in planned["changes"]}
    assert fields["ana"]["phone"]["after"] == "7712345678"
    assert fields["bo"]["phone"]["after"] == "8095551234"
    assert fields["bo"]["email"]["after"] == "bo@gmial.com"  # a guess is nobody's to take
    assert repaired(planned)["G3"] == ("07712345678", "7712345678")
    assert place.run("run", "staff.csv", "--yes").status == 0
    shown = place.json("jobs", "show", "last").document
    assert {p["cell"] for p in shown["problems"] if p.get("repaired")} == {"A3", "F3", "G3", "H3", "F4"}
    story = place.json("jobs", "show", "last", "--row", "4").document["row"]
    told = [problem for rule in story["rules"] for problem in rule["problems"] if problem.get("repaired")]
    assert [(problem["cell"], problem["suggestion"]) for problem in told] == [("F4", "1")]
    assert place.json("run", "staff.csv", "--yes").document["job"]["counts"]["unchanged"] == 2


def test_only_named_repairs_are_taken(place: Workplace) -> None:
    pipeline(place, 'repairs = ["email.invalid"]\n')
    assert repaired(place.json("validate", "staff.csv").document) == {"A3": ("ana@acme,com", "ana@acme.com")}
    pipeline(place, 'repairs = ["email.misspelt_domain"]\n')
    assert repaired(place.json("validate", "staff.csv").document) == {}  # a guess, named or not


def test_what_was_repaired_stays_a_warning_and_what_is_ignored_is_left_alone(place: Workplace) -> None:
    pipeline(place, 'repairs = "safe"\nstrict = true\n[severity]\n"email.misspelt_domain" = "ignore"\n')
    assert place.json("validate", "staff.csv").status == 0
    pipeline(place, 'repairs = "safe"\n[severity]\n"phone.trunk_prefix" = "ignore"\n')
    assert "G3" not in repaired(place.json("validate", "staff.csv").document)


def test_a_rule_of_a_plugin_marks_its_own_and_no_password_is_touched(place: Workplace) -> None:
    (place.folder / "upper.py").write_text(_PLUGIN)
    rules = '[[validators]]\nname = "u"\nuse = "acme-upper"\n'
    pipeline(place, f'repairs = ["acme.upper"]\nplugins = ["upper.py"]\n{rules}')
    document = place.json("validate", "staff.csv").document
    assert repaired(document) == {"C3": ("Ana", "ANA"), "C4": ("Bo", "BO")}
    left = [p["cell"] for p in document["problems"] if p["code"] == "acme.upper" and not p.get("repaired")]
    assert left == ["D3", "D4"]  # the whole suggestion, or nothing of it


def test_a_code_that_does_not_exist_is_a_mistake(place: Workplace) -> None:
    pipeline(place, 'repairs = ["phone.trunk_prefx"]\n')
    done = place.run("validate", "staff.csv")
    assert done.status == 2
    assert 'repairs[0]: there is no such code, did you mean "phone.trunk_prefix"?' in done.err
