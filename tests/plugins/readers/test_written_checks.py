"""Notes and checks of written workbooks: they are there, they are right, and they are no data."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from odf import office, opendocument, table
from odf import text as paragraphs
from odf.element import Element
from openpyxl.worksheet.datavalidation import DataValidation

from musterroll import Draft, DraftColumn, Guidance, Options, ReaderType, SheetRow, Source
from musterroll_plugins.readers.ods.reader import musterroll_readers as ods_readers
from musterroll_plugins.readers.xlsx.reader import musterroll_readers as xlsx_readers
from support.office import libreoffice, needs_libreoffice
from support.rows import context

AT_MOST = Guidance(text="At most 5 characters.", max_length=5)
COLUMNS = (
    DraftColumn(heading="Name", note="Who it is.\n<Example> & more", checks=(AT_MOST,)),
    DraftColumn(heading="Login", checks=(AT_MOST, Guidance(text="Never in two rows.", unique=True, stops=False))),
    DraftColumn(heading="Mail", checks=(Guidance(text='One address, with an "@".', contains="@"),)),
    DraftColumn(heading="Code", checks=(Guidance(text="Digits only.", digits=True),)),
    DraftColumn(heading="Secret", checks=(Guidance(text="3 to 5 characters.", min_length=3, max_length=5),)),
    DraftColumn(heading="Quotation", checks=(Guidance(text="With a quotation mark.", contains='"'),)),
    DraftColumn(heading="Site", choices=("North", "South"), checks=(AT_MOST,)),
    DraftColumn(heading="Free"),
)
ROWS = (
    SheetRow(1, tuple(column.heading for column in COLUMNS)),
    SheetRow(2, ("Guidance", "", "", "", "", "", "", "")),
    SheetRow(3, ("Ana", "ana", "a@b.example", "44", "abcde", 'a"b', "North", "x")),
)


def cells(path: Path) -> list[Element]:
    """The cells of the headings and of the user of a spreadsheet."""
    rows = opendocument.load(path).getElementsByType(table.TableRow)
    return [cell for row in (rows[0], rows[2]) for cell in row.getElementsByType(table.TableCell)]


def lines(element: Element) -> list[str]:
    """The texts of the paragraphs right in an element."""
    return [str(child) for child in element.childNodes if child.qname == paragraphs.P().qname]


def kind(name: str) -> ReaderType[Any]:
    (found,) = {"xlsx": xlsx_readers, "ods": ods_readers}[name]()
    assert isinstance(found, ReaderType)
    return found


def write(path: Path, columns: tuple[DraftColumn, ...] = COLUMNS, rows: tuple[SheetRow, ...] = ROWS) -> Path:
    writer = kind(path.suffix[1:]).writer
    assert writer is not None
    with path.open("wb") as file:
        writer(Options(), context()).write(Draft(columns=columns, heading_row=1, first_row=3, rows=rows), file)
    return path


def read(path: Path) -> list[SheetRow]:
    with kind(path.suffix[1:]).build(Options(), context()).open(Source(path)) as sheet:
        return [SheetRow(row.number, tuple(cell or "" for cell in row.cells)) for row in sheet.rows() if any(row.cells)]


def checks(path: Path) -> dict[str, DataValidation]:
    """The checks of a workbook by the column's letter."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return {str(rule.sqref)[0]: rule for rule in sheet.data_validations.dataValidation}


def formula(rule: DataValidation) -> str:
    assert rule.formula1 is not None
    return rule.formula1


def as_xlsx(path: Path, folder: Path) -> dict[str, DataValidation]:
    return checks(libreoffice(path, "xlsx", folder))


def test_a_workbook_checks_what_is_typed(tmp_path: Path) -> None:
    found = checks(write(tmp_path / "users.xlsx"))
    assert sorted(found) == list("ABCDEFG")
    assert {str(rule.sqref) for rule in found.values()} == {f"{letter}3:{letter}1048576" for letter in "ABCDEFG"}
    assert {letter for letter, rule in found.items() if rule.errorStyle == "warning"} == {"B"}
    assert found["A"].formula1 == "AND(LEN(TRIM(A3))<=5)"
    assert found["G"].type == "list"
    for letter, rule in found.items():
        assert rule.showErrorMessage, letter
        assert rule.showInputMessage, letter
        assert rule.allowBlank, letter
    assert found["B"].promptTitle == found["B"].errorTitle == "Login"
    assert found["B"].prompt == "At most 5 characters. Never in two rows."
    assert found["B"].error == "This breaks a rule: At most 5 characters. Never in two rows. Please correct it."


def test_a_spreadsheet_checks_what_is_typed(tmp_path: Path) -> None:
    path = write(tmp_path / "users.ods")
    rules = {
        rule.getAttribute("name"): rule for rule in opendocument.load(path).getElementsByType(table.ContentValidation)
    }
    names = [cell.getAttribute("contentvalidationname") for cell in cells(path)]
    assert [name is not None for name in names] == [False] * 8 + [True] * 7 + [False]
    login = rules[names[9]]
    assert login.getAttribute("basecelladdress") == "'Users'.B3"
    assert login.getAttribute("condition") == (
        "of:is-true-formula(AND(LEN(TRIM([.B3]))<=5;SUMPRODUCT(--([.B$3:.B$1048576]=[.B3]))<2))"
    )
    (error,) = login.getElementsByType(table.ErrorMessage)
    (prompt,) = login.getElementsByType(table.HelpMessage)
    assert (error.getAttribute("messagetype"), error.getAttribute("title")) == ("warning", "Login")
    assert lines(prompt) == ["At most 5 characters. Never in two rows."]


@pytest.mark.parametrize("name", ["xlsx", "ods"])
def test_notes_and_checks_are_no_data(name: str, tmp_path: Path) -> None:
    plain = tuple(DraftColumn(heading=column.heading) for column in COLUMNS)
    assert read(write(tmp_path / f"users.{name}")) == read(write(tmp_path / f"plain.{name}", plain))


def test_a_note_stands_at_its_heading(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(tmp_path / "users.xlsx")).worksheets[0]
    notes = {cell.coordinate: cell.comment.text for cell in sheet[1] if cell.comment is not None}
    assert notes == {"A1": "Who it is.\n<Example> & more"}
    annotated = [cell for cell in cells(write(tmp_path / "users.ods")) if cell.getElementsByType(office.Annotation)]
    (cell,) = annotated
    (note,) = cell.getElementsByType(office.Annotation)
    assert lines(note) == ["Who it is.", "<Example> & more"]
    assert lines(cell) == ["Name"]
    assert note.getAttribute("display") == "false"


def test_excel_opens_what_long_texts_are_in(tmp_path: Path) -> None:
    long = (
        Guidance(text="x" * 300, contains="@" * 200),
        Guidance(text="y", contains="-" * 100),
        Guidance(text="z", max_length=7),
    )
    (rule,) = checks(write(tmp_path / "users.xlsx", (DraftColumn(heading="H" * 50, checks=long),), ROWS[2:])).values()
    assert len(formula(rule)) <= 255
    assert formula(rule).endswith(",LEN(TRIM(A3))<=7)"), "what fits is kept"
    said = (rule.prompt, rule.error, rule.promptTitle, rule.errorTitle)
    assert [len(text or "") for text in said] == [255, 255, 32, 32]


@needs_libreoffice
@pytest.mark.parametrize("name", ["xlsx", "ods"])
def test_libreoffice_knows_the_checks_and_keeps_them(name: str, tmp_path: Path) -> None:
    expected = checks(write(tmp_path / "expected.xlsx"))
    path = write(tmp_path / f"users.{name}")
    saved = libreoffice(path, name, tmp_path / "saved")
    assert read(saved) == read(path)
    found = as_xlsx(saved, tmp_path / "out")
    for letter, rule in expected.items():
        assert (found[letter].type, found[letter].errorStyle or "stop") == (rule.type, rule.errorStyle)
        assert (found[letter].prompt, found[letter].error) == (rule.prompt, rule.error)
        if rule.type == "custom":
            assert found[letter].formula1 == rule.formula1
    sheet = openpyxl.load_workbook(tmp_path / "out" / "users.xlsx").worksheets[0]
    assert sheet["A1"].comment is not None
    assert sheet["A1"].comment.text == "Who it is.\n<Example> & more"


VERDICTS = [
    *[("A", "abcde", True), ("A", "  abcde ", True), ("A", "abcdef", False)],
    *[("C", "a@b", True), ("C", "a.b", False)],
    *[("D", "44", True), ("D", "0044", True), ("D", " 44 ", True)],
    *[("D", "+44", False), ("D", "4 4", False), ("D", "44.0", False), ("D", "1e2", False)],
    *[("E", "abc", True), ("E", "ab", False), ("E", "abcdef", False)],
    *[("F", 'a"b', True), ("F", "ab", False)],
]


@needs_libreoffice
def test_the_formulas_judge_rightly(tmp_path: Path) -> None:
    rules = checks(write(tmp_path / "users.xlsx"))
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row, (letter, text, _) in enumerate(VERDICTS, 3):
        put(sheet[f"{letter}{row}"], text)
        sheet[f"J{row}"] = "=" + formula(rules[letter]).replace(f"{letter}3", f"{letter}{row}")
    for row, text in enumerate(["007", "7", "a*", "abc", "ana", "ana"], 3):
        put(sheet[f"B{row}"], text)
        sheet[f"K{row}"] = "=" + formula(rules["B"]).replace("B3", f"B{row}")
    book.save(tmp_path / "judged.xlsx")
    judged = list(values(libreoffice(tmp_path / "judged.xlsx", "csv:44,34,76", tmp_path / "out")))[2:]
    said = {case: row[9] == "TRUE" for case, row in zip(VERDICTS, judged, strict=True)}
    assert said == {case: case[2] for case in VERDICTS}
    # COUNTIF would take the first two for one, and the third for the fourth.
    assert [row[10] for row in judged[:6]] == ["TRUE"] * 4 + ["FALSE"] * 2


def put(cell: Any, text: str) -> None:
    cell.value, cell.number_format, cell.data_type = text, "@", "s"


def values(path: Path) -> Iterator[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.reader(file)
