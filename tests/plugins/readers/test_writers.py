"""What is written is read again as it was, and looks and behaves as a person expects."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from musterroll import (
    BoolCell,
    Cell,
    DateCell,
    Draft,
    DraftColumn,
    ErrorCell,
    FormulaCell,
    MusterrollError,
    NumberCell,
    Options,
    Reader,
    ReaderType,
    SheetRow,
    SheetWriter,
    Source,
    SourceError,
    TextCell,
)
from musterroll.sheet.plain_text import without_text_marks
from musterroll.sheet.values import CellFault, cell_value
from musterroll_plugins.readers.csv.reader import CsvOptions
from musterroll_plugins.readers.csv.reader import musterroll_readers as csv_readers
from musterroll_plugins.readers.number_formats import number_cell, show_number, text_cell
from musterroll_plugins.readers.ods.reader import musterroll_readers as ods_readers
from musterroll_plugins.readers.xlsx.reader import musterroll_readers as xlsx_readers
from support.office import gnumeric, libreoffice, needs_gnumeric, needs_libreoffice
from support.rows import context

COLUMNS = (
    DraftColumn(heading="Username", required=True, width=20),
    DraftColumn(heading="Phone"),
    DraftColumn(heading="Site", choices=("North", "South")),
    DraftColumn(heading="Team", choices=('Sales, "West"', "=IT", " x ", "a;b")),
)
TOP = (
    SheetRow(1, tuple(column.heading for column in COLUMNS)),
    SheetRow(2, ("Needed: whatever identifies the user in the portal", None, "One of the list")),
)
FORMATS = ["csv", "xlsx", "ods"]


def made(name: str, **options: str) -> tuple[Reader, SheetWriter]:
    if name == "csv":
        (csv_type,) = csv_readers()
        assert isinstance(csv_type, ReaderType)
        assert csv_type.writer is not None
        csv_options = CsvOptions.model_validate(options)
        return csv_type.build(csv_options, context()), csv_type.writer(csv_options, context())
    (kind,) = {"xlsx": xlsx_readers, "ods": ods_readers}[name]()
    assert isinstance(kind, ReaderType)
    assert kind.writer is not None
    return kind.build(Options(), context()), kind.writer(Options(), context())


def draft(*rows: SheetRow, top: Sequence[SheetRow] = TOP, like: Source | None = None, **changes: Any) -> Draft:
    return Draft(columns=COLUMNS, heading_row=1, first_row=3, rows=iter([*top, *rows]), like=like, **changes)


def write(path: Path, sheet: Draft, **options: str) -> Path:
    with path.open("wb") as file:
        made(path.suffix[1:], **options)[1].write(sheet, file)
    return path


def read(path: Path, worksheet: str | None = None, **options: str) -> dict[int, tuple[Cell, ...]]:
    """The rows that hold anything, without the empty cells at their ends."""
    with made(path.suffix[1:], **options)[0].open(Source(path), worksheet) as sheet:
        return {row.number: cells for row in sheet.rows() if (cells := trimmed(row.cells))}


def trimmed(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    kept = [cell or None if isinstance(cell, str) else cell for cell in cells]
    while kept and kept[-1] is None:
        kept.pop()
    return tuple(kept)


def written(name: str, sheet: Draft, **options: str) -> dict[int, tuple[Cell, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        return read(write(Path(folder) / f"users.{name}", sheet, **options), **options)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "=1+1",
        "+44",
        "-1",
        "@x",
        "#N/A",
        "TRUE",
        "07712",
        "_x000D_",
        "_x0041\r",
        "'a",
        '"',
        "a\r\nb\rc\n",
        "  ",
        "\t",
        "sep=;",
    ]
)
NUMBERS = st.builds(
    number_cell,
    st.integers(-(10**14), 10**14) | st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["General", "00000", "0.00", "#,##0", '"+44 "0']),
)
MOMENTS = st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(9999, 1, 1)).map(lambda d: d.replace(microsecond=0))  # noqa: DTZ001
OTHERS = st.one_of(
    NUMBERS,
    st.builds(BoolCell, st.booleans()),
    st.builds(ErrorCell, st.sampled_from(["#N/A", "#REF!", "#DIV/0!", "#NAME?"])),
    st.builds(DateCell, MOMENTS),
)


def sheets(cells: st.SearchStrategy[Cell]) -> st.SearchStrategy[dict[int, tuple[Cell, ...]]]:
    filled = st.lists(cells, min_size=1, max_size=5).map(trimmed).filter(bool)
    return st.dictionaries(st.integers(3, 40), filled, max_size=5)


def rows_of(sheet: dict[int, tuple[Cell, ...]]) -> Iterator[SheetRow]:
    return (SheetRow(number, sheet[number]) for number in sorted(sheet))


def as_midnight(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """A date and its midnight are one to the formats."""
    return tuple(
        DateCell(dt.datetime.combine(cell.value, dt.time()))
        if isinstance(cell, DateCell) and type(cell.value) is dt.date
        else cell
        for cell in cells
    )


@given(sheets(TEXTS | st.none()), st.sampled_from([",", ";", "\t", "|"]))
def test_a_csv_file_is_read_as_it_was_written(sheet: dict[int, tuple[Cell, ...]], delimiter: str) -> None:
    assert (
        written("csv", draft(*rows_of(sheet)), delimiter=delimiter)
        == {row.number: trimmed(row.cells) for row in TOP} | sheet
    )


@settings(max_examples=25)  # making a workbook takes longer than the rows in it
@given(sheets(TEXTS | OTHERS | st.none()))
def test_a_workbook_is_read_as_it_was_written(sheet: dict[int, tuple[Cell, ...]]) -> None:
    expected = {row.number: row.cells for row in TOP} | sheet
    found = written("xlsx", draft(*rows_of(sheet)))
    assert {number: as_midnight(cells) for number, cells in found.items()} == expected


HOLDABLE = TEXTS.map(lambda text: "".join(c for c in text if (c >= " " and c not in "\ufffe\uffff") or c in "\n\t"))


@settings(max_examples=25)
@given(sheets(HOLDABLE | OTHERS | st.none()))
def test_a_spreadsheet_is_read_as_it_was_written(sheet: dict[int, tuple[Cell, ...]]) -> None:
    expected = {row.number: row.cells for row in TOP} | sheet
    found = written("ods", draft(*rows_of(sheet)))
    assert {number: as_midnight(cells) for number, cells in found.items()} == expected


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_cannot_hold_breaks_no_file(name: str) -> None:
    cells: tuple[Cell, ...] = (
        "a\0\x0b\ufffe\ud800",
        NumberCell(float("inf")),
        NumberCell(float("nan")),
        NumberCell(10**400),
        ErrorCell("Err:502"),
        DateCell(dt.time(8, 15)),
        DateCell(dt.timedelta(hours=30)),
        DateCell(dt.datetime(2024, 2, 29, tzinfo=dt.UTC)),
        "x" * 40_000,
        "end",
    )
    found = written(name, draft(SheetRow(3, cells)))[3]
    assert str(found[0]).startswith("a")
    assert len(found) == len(cells)
    assert found[-1] == "end"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *[(100000, "0.00E+00"), (0.5, "0%"), (0.5, "# ?/?"), (-7712, "0;(0)"), (3, '"Smith"'), (5, ";;;")],
        *[(1234, '"EMP-"0'), (12345678, "#,##0"), (7, 'General" km"'), (123, "00000")],
        *[(5551234567, "[<=9999999]###-####;(###) ###-####"), (-5, "[Red]0.00;[Blue]\"<a & 'b'>\"0")],
    ],
)
def test_a_number_that_shows_something_else_still_does(tmp_path: Path, value: float, code: str) -> None:
    expected = cell_value(number_cell(value, code))
    assert isinstance(expected, CellFault)
    for name in ("xlsx", "ods"):
        (cell,) = written(name, draft(SheetRow(3, (number_cell(value, code),))))[3]
        assert isinstance(cell, NumberCell)
        assert (cell.value, cell_value(cell)) == (value, expected)
    shown = show_number(value, code)
    assert written("csv", draft(SheetRow(3, (number_cell(value, code), "x"))))[3] == (shown or None, "x")


def test_a_text_that_shows_something_else_still_does() -> None:
    cell = text_cell("1234\n<5>", '"EMP-"@')
    for name in ("xlsx", "ods"):
        (found,) = written(name, draft(SheetRow(3, (cell,))))[3]
        assert isinstance(found, TextCell)
        assert (found.text, cell_value(found)) == (cell.text, cell_value(cell))
    assert written("csv", draft(SheetRow(3, (cell,))))[3] == ("EMP-1234\n<5>",)


@needs_libreoffice
def test_libreoffice_shows_it_as_it_was_shown(tmp_path: Path) -> None:
    codes = {"0.00E+00": 100000, "0%": 0.5, "0;(0)": -7712, '"Smith"': 3, '"EMP-"0': 1234, '0" <&>"': 5, "00000": 7}
    cells = tuple(number_cell(value, code) for code, value in codes.items())
    for name in ("xlsx", "ods"):
        file = write(tmp_path / f"users.{name}", draft(SheetRow(3, cells)))
        saved = libreoffice(file, "csv:44,34,76,1,,0,false,true", tmp_path / name)
        assert read(saved)[3] == tuple(show_number(value, code) for code, value in codes.items())


@pytest.mark.parametrize("name", FORMATS)
def test_a_formula_without_a_result_becomes_an_error_and_no_text(name: str) -> None:
    (cell,) = written(name, draft(SheetRow(3, (FormulaCell('=HYPERLINK("http://x")'),))))[3]
    assert cell in {"#REF!", ErrorCell("#REF!")}


def sheet_of(path: Path) -> Worksheet:
    return openpyxl.load_workbook(path).worksheets[0]


def test_what_is_typed_into_a_new_workbook_keeps_its_digits(tmp_path: Path) -> None:
    sheet = sheet_of(write(tmp_path / "users.xlsx", draft(SheetRow(3, ("ana", "07712")))))
    assert [sheet.column_dimensions[letter].number_format for letter in "ABCD"] == ["@"] * 4
    assert sheet["B3"].number_format == "@"
    assert sheet.freeze_panes == "A3"
    assert sheet.title == "Users"
    assert sheet["A1"].font.bold
    assert sheet["A1"].fill.fgColor.rgb != sheet["B1"].fill.fgColor.rgb, "a needed column looks like the others"
    assert sheet["A2"].font.italic
    assert (sheet.row_dimensions[2].height or 0) > 30
    assert sheet.page_setup.orientation == "landscape"


def test_choices_are_offered_however_they_are_written(tmp_path: Path) -> None:
    path = write(tmp_path / "users.xlsx", draft(worksheet="Choices"))
    book = openpyxl.load_workbook(path)
    rules = {str(rule.sqref): rule.formula1 for rule in book.worksheets[0].data_validations.dataValidation}
    assert rules == {"C3:C1048576": '"North,South"', "D3:D1048576": "'Choices1'!$D$1:$D$4"}
    lists = book["Choices1"]
    assert lists.sheet_state == "hidden"
    assert [cell.value for cell in lists["D"]] == list(COLUMNS[3].choices)
    assert {cell.data_type for cell in lists["D"]} == {"s"}
    with made("xlsx")[0].open(Source(path)) as opened:
        assert opened.info.worksheet == "Choices"


def test_a_worksheet_has_a_name_that_excel_takes(tmp_path: Path) -> None:
    path = write(tmp_path / "users.xlsx", draft(worksheet="Staff: [North/South] and all the others"))
    assert sheet_of(path).title == "Staff   North South  and all th"


@pytest.mark.parametrize("name", ["xlsx", "ods"])
def test_no_row_is_lost_below_the_last(name: str) -> None:
    with pytest.raises(MusterrollError, match=r"write a \.csv file instead") as caught:
        written(name, draft(SheetRow(1_048_577, ("ana",))))
    assert caught.value.code == "output.unwritable"


@pytest.mark.parametrize("name", ["xlsx", "ods"])
def test_rows_stream_into_the_file_and_nowhere_else(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = io.BytesIO()
    seen: list[int] = []

    def rows() -> Iterator[SheetRow]:
        last = 0
        yield from TOP
        for number in range(3, 3000):
            seen.append(len(list(tmp_path.iterdir())))
            yield SheetRow(number, ("ana", hashlib.sha256(b"%d" % number).hexdigest()))
            last = len(file.getvalue())
        sizes.append(last)

    sizes: list[int] = []
    made(name)[1].write(Draft(columns=COLUMNS, heading_row=1, first_row=3, rows=rows()), file)
    assert set(seen) == {0}, "a file of its own"
    assert sizes[0] > 50_000, "everything waits for the end"


@pytest.mark.parametrize("name", ["xlsx", "ods"])
def test_a_writer_that_is_cut_off_says_why(name: str) -> None:
    def rows() -> Iterator[SheetRow]:
        yield TOP[0]
        raise SourceError("the sheet is gone")

    with pytest.raises(SourceError, match="gone"):
        made(name)[1].write(Draft(columns=COLUMNS, heading_row=1, first_row=3, rows=rows()), io.BytesIO())


def test_a_csv_file_is_one_that_excel_reads(tmp_path: Path) -> None:
    sheet = draft(SheetRow(3, ("jürgen", "+44", None, 'say "hi"')), SheetRow(5, (" a,b", "c\nd")), top=TOP[:1])
    assert write(tmp_path / "users.csv", sheet).read_bytes().decode("utf-8") == (
        '\ufeffUsername,Phone,Site,Team\r\n\r\njürgen,+44,,"say ""hi"""\r\n\r\n" a,b","c\nd"\r\n'
    )


@pytest.mark.parametrize(
    ("like", "delimiter"), [("a;b\r\n1;2\r\n", ";"), ("a\tb\n", "\t"), ("sep=|\na|b\n", "|"), ("", ",")]
)
def test_a_csv_file_is_separated_like_the_one_it_comes_from(tmp_path: Path, like: str, delimiter: str) -> None:
    source = tmp_path / "sent.csv"
    source.write_text(like, newline="")
    path = write(tmp_path / "users.csv", draft(like=Source(source)))
    assert path.read_bytes().splitlines()[0].decode("utf-8-sig") == delimiter.join(c.heading for c in COLUMNS)


def test_a_csv_file_after_a_workbook_has_commas(tmp_path: Path) -> None:
    book = Source(write(tmp_path / "sent.xlsx", draft()))
    assert write(tmp_path / "users.csv", draft(like=book)).read_bytes().splitlines()[0].count(b",") == 3


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16", "utf-16-le"])
def test_a_csv_file_has_the_encoding_that_it_is_read_with(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "users.csv", draft(SheetRow(3, ("jürgen",))), encoding=encoding)
    assert read(path, encoding=encoding)[3] == ("jürgen",)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") == (encoding == "utf-8"), "Excel needs the mark"


def test_a_character_that_the_encoding_lacks_is_no_question_mark(tmp_path: Path) -> None:
    with pytest.raises(MusterrollError, match=r'row 4 holds the character "Ł", which Windows-1252') as caught:
        write(tmp_path / "users.csv", draft(SheetRow(4, ("Łukasz",))), encoding="cp1252")
    assert caught.value.code == "output.unwritable"


def test_numbers_in_a_csv_file_are_their_digits() -> None:
    cells = (NumberCell(7712345678.0), NumberCell(-7), NumberCell(0.1 + 0.2), NumberCell(1234567890123456))
    assert written("csv", draft(SheetRow(3, cells)))[3] == ("7712345678", "-7", "0.3", "1.23456789012346E+15")


ROWS = (
    SheetRow(3, ("=cmd()", "07712", "North", "  two  words ")),
    SheetRow(
        7, ("two\nlines", number_cell(7, "000"), BoolCell(True), ErrorCell("#N/A"), "+44", NumberCell(44, "General"))
    ),
)


@needs_libreoffice
@pytest.mark.parametrize("name", ["xlsx", "ods"])
def test_libreoffice_reads_and_saves_what_was_written(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"users.{name}", draft(*ROWS))
    expected = read(path)
    assert expected[7] == ROWS[1].cells
    assert read(libreoffice(path, name, tmp_path / "out")) == expected
    if name == "ods":
        sheet = sheet_of(libreoffice(path, "xlsx", tmp_path / "out"))
        assert sheet.column_dimensions["B"].number_format == "@"
        assert len(sheet.data_validations.dataValidation) == 2


@needs_gnumeric
@pytest.mark.parametrize("name", ["xlsx", "ods"])
def test_gnumeric_reads_and_saves_what_was_written(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"users.{name}", draft(*ROWS, worksheet="Staff"))
    expected = read(path)
    saved = gnumeric(path, name, tmp_path / "out")
    # It forgets that the sheet with the choices is hidden.
    assert read(saved, "Staff") == expected


def test_white_space_is_written_for_programs_that_fold_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path / "users.ods", draft(SheetRow(3, (" a  b\tc ",))))) as archive:
        content = archive.read("content.xml").decode()
    assert '<text:p><text:s text:c="1"/>a<text:s text:c="2"/>b<text:tab/>c<text:s text:c="1"/></text:p>' in content


def test_the_type_of_a_spreadsheet_comes_first_and_in_the_clear(tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path / "users.ods", draft())) as archive:
        first = archive.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)


@pytest.mark.parametrize(
    "text", ["00123", "+44", "=1+1", '="x"', "1E5", "MAR1", "1/2", "TRUE", "1" * 16, "10 pm", "'0042"]
)
def test_a_text_that_programs_would_change_is_marked_where_it_must_outlive_them(tmp_path: Path, text: str) -> None:
    row = SheetRow(3, (text, "b"))
    as_it_is = write(tmp_path / "a.csv", draft(row)).read_text(encoding="utf-8-sig")
    marked = write(tmp_path / "b.csv", draft(row, outlives_programs=True)).read_text(encoding="utf-8-sig")
    (typed, _), (cell, _) = (list(csv.reader(one.splitlines()))[2] for one in (as_it_is, marked))
    assert typed == text
    assert cell == f'="{text.replace(chr(34), chr(34) * 2)}"'
    assert without_text_marks(cell) == text


@pytest.mark.parametrize("text", ["Ana", "May", "Mario", "7712345678", "A1", "12 Main Street", "Region|North", "a=b"])
def test_other_texts_stay_as_they_are(tmp_path: Path, text: str) -> None:
    sheet = draft(SheetRow(3, (text, "b")), outlives_programs=True)
    written = write(tmp_path / "b.csv", sheet).read_text(encoding="utf-8-sig")
    assert list(csv.reader(written.splitlines()))[2] == [text, "b"]


@pytest.mark.parametrize("text", [" " * 20_000 + "1" + " " * 20_000 + "x", "1 " * 20_000 + "jan" + " 1" * 20_000 + "x"])
def test_a_long_text_is_looked_at_once(tmp_path: Path, text: str) -> None:
    began = time.process_time()
    write(tmp_path / "b.csv", draft(SheetRow(3, (text, "b")), outlives_programs=True))
    assert time.process_time() - began < 2
