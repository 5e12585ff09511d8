"""Standard sheets, as lists of rows, and written as files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

HEADINGS = ("Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups")
GUIDANCE = ("Where the invite goes", "Needed", "Needed", "", "Needed: at least 8 characters", "e.g. 44", "", "")
_FORENAMES = ("Ana", "Bo", "Chloé", "Dilys", "Émile", "Fatima", "Grace", "Håkon", "Ines", "Jörg", "Kaya", "Liam")
_SURNAMES = ("Silva", "Andersson", "O'Brien", "Price", "Laurent", "Rahman", "Kim", "Nilsen", "Costa", "Straße", "")
_GROUPS = ("Region|North;Role A", "Region|South", "Sales \\; Marketing", "", "Region|North|York;Role B", "a\\|b|c\\\\d")


def roster(count: int) -> list[list[str]]:
    """Makes valid users: with and without address, phone and groups, in several scripts."""
    rows = []
    for n in range(count):
        phone = ("44", f"77{12345678 + n:08d}") if n % 3 else ("", "")
        rows.append(
            [
                f"user{n}@example.com" if n % 5 else "",
                f"user{n}" if n % 7 else f"användare{n}",
                _FORENAMES[n % len(_FORENAMES)],
                _SURNAMES[n % len(_SURNAMES)],
                f" pass word {n:05d} ",
                *phone,
                _GROUPS[n % len(_GROUPS)],
            ]
        )
    return rows


def person(n: int, surname: str = "Silva", groups: str = "Region|North;Staff") -> list[str]:
    """Makes a valid user of a number below 100, who has everything."""
    name = f"user{n:02}"
    return [f"{name}@example.com", name, "Una", surname, f"Sesame-open-{n}", "44", f"77123456{n:02}", groups]


def write_csv(
    path: Path,
    rows: Sequence[Sequence[str]],
    *,
    headings: Sequence[str] = HEADINGS,
    guidance: Sequence[str] = GUIDANCE,
    delimiter: str = ",",
) -> Path:
    """Writes a csv sheet; as Excel does, with a BOM."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=delimiter).writerows([headings, guidance, *rows])
    return path


def write_xlsx(path: Path, rows: Sequence[Sequence[str]], *, numbers: bool = True) -> Path:
    """Writes an xlsx sheet; phones and calling codes as numbers, as people type them."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Users"
    sheet.append(list(HEADINGS))
    sheet.append(list(GUIDANCE))
    for row in rows:
        cells: list[str | int | None] = [cell or None for cell in row]
        if numbers:
            cells[5:7] = [int(cell) if cell.isdecimal() else None for cell in row[5:7]]
        sheet.append(cells)
    workbook.save(path)
    return path


def write_ods(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    """Writes an ods sheet as programs do that use odfpy; phones and calling codes as numbers."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document, table = OpenDocumentSpreadsheet(), Table(name="Users")
    for texts in (HEADINGS, GUIDANCE, *rows):
        row = TableRow()
        for index, text in enumerate(texts):
            number = index in {5, 6} and text.isdecimal()
            cell = TableCell(valuetype="float", value=text) if number else TableCell(valuetype="string")
            if text:
                cell.addElement(P(text=text))
            row.addElement(cell if text else TableCell())
        table.addElement(row)
    document.spreadsheet.addElement(table)
    document.save(path)
    return path
