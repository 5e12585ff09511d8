"""A damaged sheet goes to a colleague and comes back: fixed, annotated, opened in a program, corrected, imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from support.office import libreoffice, needs_libreoffice
from support.rosters import HEADINGS, person, write_xlsx
from support.workplace import Inside

USERS = 60
EMAIL, USERNAME, FORENAME, SURNAME, PASSWORD, CODE, PHONE, GROUPS = range(len(HEADINGS))
FIRST = 3


def damaged(path: Path) -> Path:
    """Sixty users: forty mistakes with which one thing can be meant, and a dozen that only a person can put right."""
    rows: list[list[Any]] = [person(n) for n in range(USERS)]
    for n in range(30):
        rows[n][PHONE] = f"0{rows[n][PHONE]}" if n % 2 else f"{rows[n][PHONE][:4]} {rows[n][PHONE][4:]}"
    for n in range(20, 28):
        rows[n][CODE] = "+44"
    rows[30][EMAIL], rows[31][EMAIL] = "user30@example,com", "Una Silva <user31@example.com>"
    rows[32][USERNAME], rows[33][GROUPS] = "user\u200b32", "Region|North;Staff;"
    rows[40][EMAIL], rows[41][FORENAME], rows[42][PASSWORD] = "user40", "", "password1"
    rows[43][CODE], rows[44][PHONE], rows[45][SURNAME] = "UK", "n/a", "#N/A"
    rows[46][USERNAME], rows[47][GROUPS] = "user45", "Region||North"
    rows[48] = ["", *rows[48][:-1]]
    rows[49][FORENAME] = "Una\nMaria"
    rows.insert(50, [""] * len(HEADINGS))
    return write_xlsx(path, rows, numbers=False)


def corrected_by_hand(sheet: Any) -> int:
    """What a person does who goes through the marked cells; returns how many edits that takes."""
    typed = {
        (40, EMAIL): "user40@example.com",
        (41, FORENAME): "Una",
        (42, PASSWORD): "Sesame-open-42",
        (43, CODE): "44",
        (44, PHONE): "7712345644",
        (45, SURNAME): "Silva",
        (46, USERNAME): "user46",
        (47, GROUPS): "Region|North",
        (49, FORENAME): "Una Maria",
    }
    for (n, column), text in typed.items():
        sheet.cell(FIRST + n, column + 1).value = text
    row = FIRST + 48
    for column in range(1, len(HEADINGS)):  # cut, and pasted one column to the left
        sheet.cell(row, column).value = sheet.cell(row, column + 1).value
    sheet.cell(row, len(HEADINGS)).value = "Region|North;Staff"
    sheet.delete_rows(FIRST + 50)
    return len(typed) + 3


@pytest.mark.slow
@needs_libreoffice
@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_a_damaged_sheet_comes_back_and_goes_in(form: str, inside: Inside) -> None:
    path = damaged(inside.folder / "staff.xlsx")
    if form == "ods":
        path = libreoffice(path, "ods", inside.folder / "theirs")
    fixed, colleague = (inside.folder / f"{name}.{form}" for name in ("fixed", "colleague"))
    document = inside.json("validate", path, "--fix", "-o", fixed).document
    assert document["fixed"]["problems"] >= 40
    left = [one for one in document["problems"] if one["severity"] == "error"]
    assert len(left) <= 12
    inside.json("validate", fixed, "--annotate", colleague, "--keep-passwords")
    opened = libreoffice(colleague, "xlsx", inside.folder / "opened")
    book: Any = openpyxl.load_workbook(opened)
    assert book.sheetnames == ["Problems", "Users"]
    marked = {cell.coordinate for row in book["Users"].iter_rows() for cell in row if cell.comment}
    assert {one["cell"] for one in left if one["cell"]} <= marked
    assert corrected_by_hand(book["Users"]) <= 30
    book.save(opened)
    done = inside.json("run", opened, "--yes", "--invites", "none").document
    assert (done["status"], done["counts"]["not_read"]) == ("ok", 0)
    users = inside.users()
    assert len(users) == USERS
    for n in range(USERS):
        wanted = person(n)
        found = users[wanted[USERNAME]]
        assert (found["email"], found["calling_code"], found["phone"]) == (wanted[EMAIL], "44", wanted[PHONE])
        assert found["attributes"] == {}
    told = inside.directory.read_bytes()
    assert b"musterroll: " not in told  # of the notes
    assert b"is missing" not in told
