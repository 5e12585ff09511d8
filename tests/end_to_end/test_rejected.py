"""Bad rows go to a file of their own; corrected there, they go in as well."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from support.office import libreoffice, needs_libreoffice
from support.rosters import roster, write_csv, write_xlsx
from support.workplace import Workplace

ROWS, BAD = 1000, range(5, 1000, 27)  # 37 of them
EMAIL, USERNAME, FORENAME, PASSWORD, PHONE = 0, 1, 2, 4, 6


def spoilt_roster() -> list[list[str]]:
    rows = roster(ROWS)
    for n in BAD:
        rows[n][EMAIL if n % 2 else FORENAME] = "nobody@example" if n % 2 else ""
    return rows


def corrected(row: list[Any]) -> list[Any]:
    """What a person would do: look at the reasons, and nowhere else."""
    for line in str(row[-1]).splitlines():
        match line.split(" (")[0]:
            case "Email":
                row[EMAIL] = f"corrected{''.join(filter(str.isdecimal, row[USERNAME]))}@example.com"
            case "Forename":
                row[FORENAME] = "Somebody"
            case "Password":
                row[PASSWORD] = "Harbour-Lamp-77"
    return row


def correct_csv(file: Path) -> Path:
    with file.open(newline="", encoding="utf-8-sig") as text:
        rows = list(csv.reader(text, delimiter=";"))
    with file.open("w", newline="", encoding="utf-8") as text:
        csv.writer(text, delimiter=";").writerows([*rows[:2], *map(corrected, rows[2:])])
    return file


def correct_xlsx(file: Path) -> Path:
    workbook = load_workbook(file)
    (worksheet,) = workbook.worksheets
    for row in worksheet.iter_rows(min_row=3):
        for cell, value in zip(row, corrected([cell.value for cell in row]), strict=True):
            cell.value = value
    workbook.save(file)
    return file


def everything_in(file: Path) -> bytes:
    content = file.read_bytes()
    if not zipfile.is_zipfile(file):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def written(rows: list[list[str]], form: str, folder: Path) -> Path:
    if form == "csv":
        return write_csv(folder / "staff.csv", rows, delimiter=";")
    sheet = write_xlsx(folder / "staff.xlsx", rows)
    return sheet if form == "xlsx" else libreoffice(sheet, form, folder / "made")


@pytest.mark.parametrize(
    "form",
    [
        "csv",
        pytest.param("xlsx", marks=pytest.mark.slow),
        pytest.param("ods", marks=[pytest.mark.slow, needs_libreoffice]),
    ],
)
def test_bad_rows_are_corrected_in_their_file_and_go_in(form: str, place: Workplace) -> None:
    place.pipeline('on_error = "skip"')
    rows = spoilt_roster()
    sheet = written(rows, form, place.folder)
    done = place.json("run", sheet)
    assert done.status == 1
    counts = done.document["job"]["counts"]
    assert (counts["created"], counts["rejected"]) == (ROWS - 37, 37)
    rejected = Path(done.document["job"]["rejected_file"])
    assert rejected == sheet.with_name(f"staff.rejected.{form}")
    assert place.json("jobs", "show", "last").document["job"]["rejected_file"] == str(rejected)
    content = everything_in(rejected)
    assert not [n for n in BAD if rows[n][PASSWORD].encode() in content]
    match form:
        case "csv":
            correct_csv(rejected)
        case "xlsx":
            correct_xlsx(rejected)
        case _:  # a spreadsheet program opens it as well
            rejected = correct_xlsx(libreoffice(rejected, "xlsx", place.folder / "opened"))
    again = place.json("run", rejected)
    assert (again.status, again.document["problems"]) == (0, [])
    assert again.document["job"]["counts"]["created"] == 37
    assert again.document["job"]["rejected_file"] is None
    users = place.users()
    assert len(users) == ROWS
    assert all(user["attributes"] == {} for user in users.values())
    for n in range(ROWS):
        assert users[rows[n][USERNAME]]["phone"] == (rows[n][PHONE] or None)
    assert b"(row " not in place.directory.read_bytes()


def test_the_last_line_says_where_they_are_and_what_to_do(place: Workplace) -> None:
    place.pipeline('on_error = "skip"')
    rows = roster(3)
    rows[1][EMAIL] = "x"
    write_csv(place.folder / "staff.csv", rows)
    last = place.run("run", "staff.csv").out.splitlines()[-1]
    assert last == "1 row left out: correct what staff.rejected.csv says is wrong, and run that file."


def test_a_saved_plan_has_its_rejected_rows_too(place: Workplace) -> None:
    place.pipeline('on_error = "skip"')
    rows = roster(3)
    rows[1][EMAIL] = "x"
    write_csv(place.folder / "staff.csv", rows)
    place.run("plan", "staff.csv", "-o", "may.plan")
    assert not list(place.folder.glob("*.rejected*"))
    done = place.json("apply", "may.plan", "--rejected", "bad.ods")
    assert done.status == 1
    assert done.document["job"]["rejected_file"] == str(place.folder / "bad.ods")
    assert (place.folder / "bad.ods").exists()
