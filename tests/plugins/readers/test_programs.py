"""What LibreOffice and Gnumeric write is read as they show it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from musterroll import (
    BoolCell,
    Cell,
    Confidence,
    DateCell,
    ErrorCell,
    FormulaCell,
    NumberCell,
    Options,
    Reader,
    Source,
    SourceError,
)
from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader
from musterroll_plugins.readers.ods.reader import OdsReader
from musterroll_plugins.readers.xlsx.reader import XlsxReader
from support.office import gnumeric, libreoffice, needs_gnumeric, needs_libreoffice
from support.rows import context

Convert = Callable[[Path, str, Path], Path]
PROGRAMS = [
    pytest.param(libreoffice, marks=needs_libreoffice, id="LibreOffice"),
    pytest.param(gnumeric, marks=needs_gnumeric, id="Gnumeric"),
]


def read(reader: Reader, path: Path) -> dict[int, tuple[Cell, ...]]:
    source = Source(path)
    assert reader.sniff(source) is not Confidence.NO
    with reader.open(source) as sheet:
        return {row.number: row.cells for row in sheet.rows()}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A workbook of openpyxl, with formulas that have no result yet."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Username", "Note", "Phone", "Joined", "Active", "Sum", "Text", "Empty", "Error"])
    sheet.append(["jürgen", "two\nlines", 7712345678, dt.date(2024, 2, 29), True, "=1+2", '="a"&"b"', '=""', "=NA()"])
    for column, formula in enumerate(["=1/0", "=NOSUCH()", '=1+"x"'], 10):
        sheet.cell(2, column, formula)
    sheet.append([])
    sheet.append(["  bo  ", '"quoted"; and, more', 0.25, dt.time(8, 15), False])
    sheet["C2"].number_format = "000000000000"
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["E"].hidden = True
    sheet.title = "Users"
    book.create_sheet("Lists").sheet_state = "hidden"
    path = tmp_path / "users.xlsx"
    book.save(path)
    assert read(XlsxReader(Options(), context()), path)[2][5] == FormulaCell("=1+2")
    return path


def of(form: str) -> Reader:
    return XlsxReader(Options(), context()) if form == "xlsx" else OdsReader(Options(), context())


@pytest.mark.parametrize("form", ["xlsx", "ods"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_workbook_that_the_program_saved(program: Convert, form: str, made: Path, tmp_path: Path) -> None:
    saved = program(made, form, tmp_path / "out")
    # Gnumeric forgets that a sheet is hidden when it saves as xlsx.
    with of(form).open(Source(saved), "Users" if (program, form) == (gnumeric, "xlsx") else None) as sheet:
        rows = {row.number: row.cells for row in sheet.rows()}
        assert sheet.info.worksheet == "Users"
        assert sheet.info.notes == (
            "hidden rows are read like the others",
            "hidden columns (E) are read like the others",
        )
    assert rows.keys() == {1, 2, 4}
    number = rows[2][2]
    assert isinstance(number, NumberCell)
    assert (number.value, number.number_format) == (7712345678, "000000000000")
    assert rows[2][:2] == ("jürgen", "two\nlines")
    assert rows[2][3] in {DateCell(dt.datetime.fromisoformat("2024-02-29")), DateCell(dt.date(2024, 2, 29))}
    assert rows[2][4] == BoolCell(True)
    assert isinstance(rows[2][5], NumberCell)
    assert rows[2][5].value == 3
    assert rows[2][6] == "ab"
    assert not rows[2][7]  # an empty text, not a formula without a result
    assert rows[2][8:] == tuple(map(ErrorCell, ("#N/A", "#DIV/0!", "#NAME?", "#VALUE!")))
    assert rows[4][:2] == ("  bo  ", '"quoted"; and, more')
    assert rows[4][3:5] == (DateCell(dt.time(8, 15)), BoolCell(False))


def test_a_spreadsheet_of_odfpy(tmp_path: Path) -> None:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document, table, row = OpenDocumentSpreadsheet(), Table(name="Users"), TableRow()
    text = TableCell(valuetype="string")
    text.addElement(P(text="ana"))
    for cell in (text, TableCell(valuetype="float", value="44"), TableCell(formula="of:=1+2")):
        row.addElement(cell)
    table.addElement(row)
    document.spreadsheet.addElement(table)
    document.save(tmp_path / "users.ods")
    assert read(of("ods"), tmp_path / "users.ods") == {1: ("ana", NumberCell(44, "General"), FormulaCell("=1+2"))}


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_excel_97_workbook_is_explained(program: Convert, made: Path, tmp_path: Path) -> None:
    reader = XlsxReader(Options(), context())
    source = Source(program(made, "xls", tmp_path / "out"))
    assert reader.sniff(source) is Confidence.CERTAIN
    with pytest.raises(SourceError, match="Excel 97-2003"), reader.open(source):
        pass


@needs_libreoffice
@pytest.mark.parametrize("form", ["csv:44,34,76", "csv:59,34,76", "csv:9,34,76", "csv:59,34,1", "csv:44,34,65535"])
def test_a_csv_file_that_libreoffice_exported(form: str, made: Path, tmp_path: Path) -> None:
    rows = read(CsvReader(CsvOptions(), context()), libreoffice(made, form, tmp_path / "out"))
    assert rows[2][:2] == ("jürgen", "two\nlines")
    assert rows[3] == ("",) * 12
    assert rows[4][:2] == ("  bo  ", '"quoted"; and, more')


@needs_gnumeric
def test_a_csv_file_that_gnumeric_exported(made: Path, tmp_path: Path) -> None:
    rows = read(CsvReader(CsvOptions(), context()), gnumeric(made, "csv", tmp_path / "out"))
    assert rows[2][:2] == ("jürgen", "two\nlines")
    assert rows[4][:2] == ("  bo  ", '"quoted"; and, more')
