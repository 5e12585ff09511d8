"""What we say that a cell shows is what LibreOffice shows, value by value and format by format."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from musterroll import Cell, Options, Reader, Source
from musterroll.sheet.values import CellFault, cell_value
from musterroll_plugins.readers.number_formats import show_number
from musterroll_plugins.readers.ods.reader import OdsReader
from musterroll_plugins.readers.xlsx.reader import XlsxReader
from support.office import libreoffice, needs_libreoffice
from support.rows import context

VALUES = (
    *(0, 1, 5, -5, 44, 100, 1234, -1234, 100000, 1234567, -1234567, 7712345678, 612345678, 447712345678),
    *(0.5, -0.5, 0.25, 0.125, 1.5, 2.5, 12.5, -12.345, 0.05, 0.005, 9.996, 999.5, 1234.5678, 12345678.5, 99999.995),
    *(0.000123, 1e-7, 1.0049999, 99999999999999),
)
# Without those that programs show in different ways: see the module that shows them.
FORMATS = (
    *("0", "0.0", "0.00", "0.000", "#", "#,##0", "#,##0.00", "0%", "0.00%", '0.00" "%'),
    *(
        "0.00E+00",
        "0.0E+0",
        "##0.0E+0",
        "0E+0",
        "00000",
        "0000000000",
        "00.00",
        "0,000",
        ".00",
        "#.00",
        "0.???",
        "???0",
    ),
    *("000-000", "000-00-0000", "(000) 000-0000", "000-0000", "###-####", "00\\.000\\.000", "#\\ ##0"),
    *('"EMP-"0', '0000" X"', '0"st"', '"a"0"b"0"c"', '"+"0', "\\+0", '0"%"', 'General" km"', '"No. "General'),
    *(";;;", "0;(0)", "0;-0", '0;-0;"zero"', '0;"neg "0;"zero"', "0.00;[Red]-0.00", "[Red]0", "[Blue]#,##0.00"),
    *("[$€-407] #,##0.00", "#,##0.00 [$€-407]", '#,##0.00\\ "€"', '"$"#,##0.00', '"$"#,##0_);\\("$"#,##0\\)'),
    *('_(* #,##0.00_);_(* \\(#,##0.00\\);_(* "-"??_);_(@_)', "[$-409]0.00", "0_-", "0.0_ ;-0.0\\ "),
    *("[<=9999999]###-####;(###) ###-####", "[>100]0.0;0.00", "[>=1000]#,##0;[>=100]0.0;0.00", '[=1]"one";[=2]"two";0'),
)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook with a value a row and a format a column; wide, so that nothing is shortened."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row, value in enumerate(VALUES, 1):
        for column, code in enumerate(FORMATS, 1):
            sheet.cell(row, column, value).number_format = code
    for column in range(1, len(FORMATS) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = 60
    path = tmp_path_factory.mktemp("grid") / "grid.xlsx"
    book.save(path)
    return path


def judged(cell: Cell) -> tuple[str, str | None]:
    """The text of a cell, or the code of what is wrong and the suggestion."""
    found = cell_value(cell)
    return (found.code, found.suggestion) if isinstance(found, CellFault) else ("", found.text)


@pytest.mark.slow
@needs_libreoffice
def test_a_number_is_shown_as_libreoffice_shows_it(grid: Path, tmp_path: Path) -> None:
    saved = libreoffice(grid, "csv:44,34,76,1,,0,false,true", tmp_path)
    with saved.open(encoding="utf-8", newline="") as file:
        seen = list(csv.reader(file))
    different = [
        (value, code, seen[row][column], ours)
        for row, value in enumerate(VALUES)
        for column, code in enumerate(FORMATS)
        if (ours := show_number(value, code)) is not None and ours.strip() != seen[row][column].strip()
    ]
    assert different == []
    known = sum(show_number(value, code) is not None for value in VALUES for code in FORMATS)
    assert known > 0.95 * len(VALUES) * len(FORMATS)


@pytest.mark.slow
@needs_libreoffice
def test_a_sheet_means_the_same_whether_it_is_saved_as_xlsx_or_ods(grid: Path, tmp_path: Path) -> None:
    def cells(reader: Reader, path: Path) -> list[list[tuple[str, str | None]]]:
        with reader.open(Source(path)) as sheet:
            return [[judged(cell) for cell in row.cells] for row in sheet.rows()]

    xlsx = cells(XlsxReader(Options(), context()), grid)
    ods = cells(OdsReader(Options(), context()), libreoffice(grid, "ods", tmp_path))
    # Where only the file of LibreOffice says what is shown there is no suggestion in the other.
    different = [
        (value, code, xlsx[row][column], ods[row][column])
        for row, value in enumerate(VALUES)
        for column, code in enumerate(FORMATS)
        if xlsx[row][column] != ods[row][column] and xlsx[row][column] != ("cell.shown_otherwise", None)
    ]
    assert different == []
