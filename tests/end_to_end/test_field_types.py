"""Fields with a type, from the sheet to the portal and back into a sheet."""

from __future__ import annotations

import csv
import datetime as dt
import tomllib

import openpyxl
import pytest

from support.workplace import Inside, asks_for_nothing

FIELDS = """
invites.send_to = "none"
sheet.omit = ["calling_code", "phone", "groups"]
sheet.defaults = { permanent = "oui" }
[[sheet.fields]]
name = "starts"
heading = "Starts"
type = "date"
formats = ["DD.MM.YYYY"]
[[sheet.fields]]
name = "beds"
heading = "Beds"
type = "integer"
required_when = { permanent = "false" }
[[sheet.fields]]
name = "permanent"
heading = "Permanent"
type = "boolean"
true = ["oui"]
false = ["non"]
[[sheet.fields]]
name = "pager"
heading = "Pager"
type = "phone"
[[sheet.fields]]
name = "private"
heading = "Private address"
type = "email"
"""
HEAD = "Email,Username,Forename,Surname,Password,Starts,Beds,Permanent,Pager,Private address\n,,,,,,,,,\n"
SHEET = (
    HEAD
    + "ana@example.com,ana,Ana,Silva,Meadow-Kite-41,1.3.2026,+007,non,+44 7712 345678,ana@home.example\n"
    + "bo@example.com,bo,Bo,Berg,Meadow-Kite-42,,,,,\n"
)
ANA = {
    "starts": "2026-03-01",
    "beds": "7",
    "permanent": "false",
    "pager": "+447712345678",
    "private": "ana@home.example",
}


@pytest.fixture
def place(inside: Inside) -> Inside:
    inside.pipeline(FIELDS)
    inside.write("staff.csv", SHEET)
    return inside


@pytest.mark.parametrize("plain", ["", "1"])
def test_a_value_has_one_spelling_in_the_portal_and_the_sheets_own_in_a_sheet(place: Inside, plain: str) -> None:
    assert place.json("run", "staff.csv", MUSTERROLL_PLAIN=plain).codes == []
    users = place.users()
    assert users["ana"]["attributes"] == ANA
    assert users["bo"]["attributes"] == {"permanent": "true"}
    # However else it is written, it is the same.
    place.write("staff.csv", SHEET.replace("1.3.2026", "2026-03-01").replace("+007", "7").replace("+44 ", "0044 "))
    assert place.json("run", "staff.csv", MUSTERROLL_PLAIN=plain).document["job"]["counts"]["unchanged"] == 2

    place.run("export", "-o", "again.csv")
    rows = list(csv.DictReader((place.folder / "again.csv").read_text(encoding="utf-8-sig").splitlines()))
    ana = next(row for row in rows if row["Username"] == "ana")
    shown = ana["Starts"].strip('="'), ana["Beds"], ana["Permanent"], ana["Pager"].strip('="')
    assert shown == ("01.03.2026", "7", "non", "+447712345678")
    for name in ("again.csv", "again.xlsx"):
        place.run("export", "-o", name, "--force")
        planned = place.json("plan", name, MUSTERROLL_PLAIN=plain).document
        assert {change["action"] for change in planned["changes"]} == {"unchanged"}


def test_what_is_none_is_said_at_its_cell(place: Inside) -> None:
    place.write(
        "staff.csv",
        HEAD + "a@example.com,ana,Ana,Silva,Meadow-Kite-41,03/04/2026,1 000,yes,0771,ana\n"
        "b@example.com,bo,Bo,Berg,Meadow-Kite-42,,,non,,\n",
    )
    found = place.json("validate", "staff.csv")
    assert found.codes == [
        ("starts.type", "F3"),
        ("beds.type", "G3"),
        ("permanent.type", "H3"),
        ("phone.invalid", "I3"),
        ("email.invalid", "J3"),
        ("beds.required", "G4"),
    ]
    assert found.document["problems"][1]["suggestion"] == "1000"
    assert found.document["problems"][0]["value"] == "03/04/2026"
    plain = place.json("validate", "staff.csv", MUSTERROLL_PLAIN="1")
    assert plain.document["problems"] == found.document["problems"]


def test_cells_that_have_a_kind_are_taken_as_such(place: Inside) -> None:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.append(HEAD.split("\n", maxsplit=1)[0].split(","))
    page.append(["guidance"])
    page.append(["a@example.com", "ana", "Ana", "Silva", "Meadow-Kite-41", dt.date(2026, 3, 1), 1234, False])
    page["G3"].number_format = "#,##0"
    book.save(place.folder / "staff.xlsx")
    assert place.json("run", "staff.xlsx").codes == []
    attributes = place.users()["ana"]["attributes"]
    assert attributes == {"starts": "2026-03-01", "beds": "1234", "permanent": "false"}


def test_a_blank_sheet_says_and_checks_what_belongs_there(place: Inside) -> None:
    place.run("template", "-o", "blank.xlsx")
    page = openpyxl.load_workbook(place.folder / "blank.xlsx").worksheets[0]
    guidance = {heading.value: below.value for heading, below in zip(page[1], page[2], strict=True)}
    assert guidance["Starts"] == "A date, e.g. 31.12.2026."
    assert str(guidance["Beds"]).startswith("A whole number. Needed where Permanent is")
    assert guidance["Permanent"] == 'One of: "oui", "non".'
    assert guidance["Pager"] == "The whole number with its calling code, e.g. +44 7712 345678."
    assert guidance["Private address"] == "One address, with an @ in it."
    checks = {str(one.sqref)[0]: (one.type, one.formula1) for one in page.data_validations.dataValidation}
    assert checks["H"] == ("list", '"oui,non"')
    assert "ISNUMBER(F3)" in str(checks["F"][1])
    assert "INT(VALUE(G3))" in str(checks["G"][1])


def test_a_first_sheet_has_the_types_that_its_values_prove(place: Inside) -> None:
    columns = {
        "Eintritt": ["01.02.2026", "31.12.2025", "1.3.2026"],
        "Austritt": ["2026-02-01", "2026-02-02", "2026-02-03"],
        "Joined": ["01/02/2026", "02/03/2026", "03/04/2026"],
        "Left": ["13/02/2026", "02/03/2026", "03/04/2026"],
        "Since": ["1 Feb 2026", "31 Dez. 2025", "1 MAR 2026"],
        "Until": ["February 1, 2026", "May 31, 2025", "March 1, 2026"],
        "Born": ["3.10.71", "29.02.00", "1.3.26"],
        "Seen": ["3 Oct 71", "29 Feb 00", "1 Mar 26"],
        "Ends": ["24/12/26", "25/12/26", "26/12/26"],
        "Fest": ["ja", "nein", "Ja"],
        "Piepser": ["+44 7712 345678", "+44 7712 345679", "0049 151 23456789"],
        "Privat": ["a@example.com", "b@example.com", "c@example.com"],
        "Badge": ["00123", "00124", "00125"],
        "Beds": ["7", "12", "3"],
    }
    rows = [["Username", "Forename", "E-Mail", "Phone", "Calling Code", *columns]]
    for i, name in enumerate(("ana", "bo", "cy")):
        rows.append([name, name.title(), f"{name}@example.org", "7712345678", "44", *(v[i] for v in columns.values())])
    with (place.folder / "first.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    made = place.json("init", "new", "--from", "first.csv")
    assert made.status == 0
    text = (place.folder / "new" / "musterroll.toml").read_text(encoding="utf-8")
    types = {one["heading"]: (one.get("type"), one.get("formats")) for one in tomllib.loads(text)["sheet"]["fields"]}
    assert types == {
        "Eintritt": ("date", ["DD.MM.YYYY"]),
        "Austritt": ("date", None),
        "Joined": (None, None),
        "Left": ("date", ["DD/MM/YYYY"]),
        "Since": ("date", ["DD MMM YYYY"]),
        "Until": ("date", ["MMMM DD, YYYY"]),
        **dict.fromkeys(("Born", "Seen", "Ends"), (None, None)),  # nobody knows the century
        "Fest": ("boolean", None),
        "Piepser": ("phone", None),
        "Privat": ("email", None),
        "Badge": (None, None),  # zeros in front are part of who somebody is
        "Beds": (None, None),
    }
    (doubt,) = [one for one in made.document["doubts"] if "Joined" in one]
    assert "DD/MM/YYYY or MM/DD/YYYY" in doubt
    centuries = {text.split('"')[1]: text for text in made.document["doubts"] if "first_year = 1930" in text}
    assert centuries.keys() == {"Born", "Seen", "Ends"}
    for heading, forms in {"Born": "(3.10.71)", "Seen": '"DD MMM YY"', "Ends": '"DD/MM/YY" or "YY/MM/DD"'}.items():
        assert forms in centuries[heading]
    assert place.run("validate", "first.csv", "-p", "new/musterroll.toml").status == 0


BORN = """
invites.send_to = "none"
password.required = "never"
sheet.omit = ["email", "surname", "password", "calling_code", "phone", "groups"]
[[sheet.fields]]
name = "born"
heading = "Born"
type = "date"
formats = ["DD MMM YY", "MM/DD/YY"]
first_year = 1930
"""


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_names_of_months_and_years_of_two_digits_there_and_back(inside: Inside, form: str, language: str) -> None:
    inside.pipeline(f'language = "{language}"\n{BORN}')
    rows = ["ana,Ana,3 Okt. 71", "bo,Bo,29 FEB 28", "cy,Cy,12/31/29", "dee,Dee,1929-12-31", "eve,Eve,1 März 30"]
    heading = "Benutzername,Vorname,Born" if language == "de" else "Username,Forename,Born"
    inside.write("staff.csv", "\n".join([heading, ",,", *rows]))
    assert inside.json("run", "staff.csv").status == 0
    born = {name: user["attributes"]["born"] for name, user in inside.users().items()}
    assert born == {
        "ana": "1971-10-03",
        "bo": "2028-02-29",
        "cy": "2029-12-31",
        "dee": "1929-12-31",
        "eve": "1930-03-01",
    }
    assert inside.run("export", "-o", f"out.{form}").status == 0
    asks_for_nothing(inside, f"out.{form}", 5)
    shown = inside.run("export").out
    assert ("03 Okt 71" if language == "de" else "03 Oct 71") in shown
    assert "1929-12-31" in shown  # 29 would be 2029


def test_a_date_that_may_be_two_days_and_one_that_is_none(inside: Inside) -> None:
    inside.pipeline(BORN.replace('"MM/DD/YY"', '"MM/DD/YY", "DD/MM/YY"'))
    inside.write("staff.csv", "Username,Forename,Born\n,,\nana,Ana,3/4/71\nbo,Bo,3 Oktember 71\ncy,Cy,13/4/71\n")
    first, second = inside.json("validate", "staff.csv").document["problems"]
    assert (first["cell"], first["code"]) == ("C3", "born.type")
    assert first["message"].startswith("This may be 1971-03-04 or 1971-04-03")
    assert (second["cell"], second["code"]) == ("C4", "born.type")
    assert "DD MMM YY, MM/DD/YY, DD/MM/YY, YYYY-MM-DD" in second["message"]
