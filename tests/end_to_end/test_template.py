"""The blank sheet: it fits its pipeline, and what a person types into it arrives."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import load_workbook

from support.office import libreoffice, needs_libreoffice
from support.workplace import Workplace

OWN_FIELDS = """
[[sheet.fields]]
name = "staff_number"
heading = "Staff number"
required = true
[[sheet.fields]]
name = "site"
heading = "Site"
choices = ["North", "South, old"]
"""
USERS = [
    ("ana@example.com", "ana", "Ana", "Silva", " Meadow Kite 41 ", "44", "7712345678", "A|B", "00417", "North"),
    ("", "bo", "Bö", "", "Harbour-Lamp-77", "", "", "A;B", "0", "South, old"),
]


def fill_in_csv(sheet: Path, users: Sequence[Sequence[str]]) -> Path:
    with sheet.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(users)
    return sheet


def fill_in_xlsx(sheet: Path, users: Sequence[Sequence[str]]) -> Path:
    workbook = load_workbook(sheet)
    (worksheet,) = (found for found in workbook.worksheets if found.sheet_state == "visible")
    for number, user in enumerate(users, 3):
        for column, text in enumerate(user, 1):
            worksheet.cell(number, column).value = text or None
    workbook.save(sheet)
    return sheet


def resaved(sheet: Path, form: str) -> Path:
    return libreoffice(sheet, form, sheet.parent / f"as-{form}")


@needs_libreoffice
@pytest.mark.parametrize("form", ["xlsx", pytest.param("ods", marks=pytest.mark.slow), "csv"])
def test_a_template_that_is_filled_in_runs(form: str, place: Workplace) -> None:
    place.pipeline(OWN_FIELDS)
    assert place.run("template", "-o", f"blank.{form}").status == 0
    blank = place.folder / f"blank.{form}"
    match form:
        case "csv":
            sheet = fill_in_csv(blank, USERS)
        case "xlsx":
            sheet = resaved(fill_in_xlsx(blank, USERS), "xlsx")
        case _:
            sheet = resaved(fill_in_xlsx(resaved(blank, "xlsx"), USERS), "ods")
    done = place.json("run", sheet)
    assert done.status == 0, done.out
    assert done.document["problems"] == []
    users = place.users()
    assert users["ana"]["phone"] == "7712345678"
    assert users["ana"]["attributes"] == {"staff_number": "00417", "site": "North"}
    assert users["bo"]["attributes"] == {"staff_number": "0", "site": "South, old"}
    assert users["bo"]["groups"] == {"A", "B"}


def test_the_command_says_what_it_wrote_and_never_writes_over_it(place: Workplace) -> None:
    written = place.json("template", "--as", "csv")
    assert written.document["template"] == {"path": "test.csv", "format": "csv"}
    refused = place.run("template", "-o", "test.csv")
    assert refused.status == 2
    assert refused.err == "error: there is a file test.csv already; --force writes over it, -o names another\n"
    assert place.run("template", "-o", "test.csv", "--force").status == 0
