from __future__ import annotations

import datetime as dt
import itertools
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import (
    AmbiguousWorksheetError,
    BoolCell,
    Cell,
    Confidence,
    DateCell,
    ErrorCell,
    FormulaCell,
    NumberCell,
    Options,
    SheetInfo,
    Source,
    SourceError,
    Value,
)
from musterroll.sheet.values import CellFault, cell_value
from musterroll_plugins.readers.number_formats import number_cell, show_number, text_cell
from musterroll_plugins.readers.ods import formats as _ods_formats
from musterroll_plugins.readers.ods.reader import OdsReader
from musterroll_plugins.readers.xlsx.reader import XlsxReader
from support import workbooks
from support.documents import empty, number, parts, row, save, table, text
from support.rows import context

HIDDEN = (
    '<style:style style:name="hidden" style:family="table"><style:table-properties table:display="false"/>'
    "</style:style>"
)
CELL = "<table:table-cell {}>{}</table:table-cell>"


def reader() -> OdsReader:
    return OdsReader(Options(), context())


def read(path: Path, worksheet: str | None = None) -> dict[int, tuple[Cell, ...]]:
    with reader().open(Source(path), worksheet) as sheet:
        return {found.number: found.cells for found in sheet.rows()}


def info(path: Path, worksheet: str | None = None) -> SheetInfo:
    with reader().open(Source(path), worksheet) as sheet:
        assert all(sheet.rows())  # which show what is hidden
        return sheet.info


def cells(folder: Path, *made: str, styles: str = "", common: str = "", columns: str = "") -> tuple[Cell, ...]:
    contents = parts(table(row(*made), columns=columns), styles=styles, common=common)
    return read(save(folder / "users.ods", contents)).get(1, ())


def test_cells_keep_their_kind(tmp_path: Path) -> None:
    found = cells(
        tmp_path,
        text("ana"),
        number(44),
        number("0.5"),
        number("0.5", kind="percentage"),
        number("9", kind="currency"),
        CELL.format('office:value-type="boolean" office:boolean-value="true"', "<text:p>WAHR</text:p>"),
        '<table:table-cell office:value-type="date" office:date-value="2024-02-29"/>',
        '<table:table-cell office:value-type="date" office:date-value="2024-02-29T13:30:00.123456789"/>',
        '<table:table-cell office:value-type="time" office:time-value="PT08H15M00S"/>',
        '<table:table-cell office:value-type="time" office:time-value="PT30H00M00.5S"/>',
        '<table:table-cell office:value-type="time" office:time-value="-PT01H"/>',
    )
    assert found == (
        "ana",
        NumberCell(44, "General"),
        NumberCell(0.5, "General"),
        number_cell(0.5, "0%"),
        NumberCell(9, "General"),
        BoolCell(True),
        DateCell(dt.date(2024, 2, 29)),
        DateCell(dt.datetime.fromisoformat("2024-02-29T13:30:00.123456")),
        DateCell(dt.time(8, 15)),
        DateCell(dt.timedelta(hours=30, seconds=0.5)),
        DateCell(dt.timedelta(hours=-1)),
    )


def test_results_of_formulas(tmp_path: Path) -> None:
    formula = 'table:formula="of:=[.A1]"'
    found = cells(
        tmp_path,
        text("ax", attributes=formula),
        number(2, formula),
        CELL.format(f'{formula} office:value-type="float" office:value="1"', "<text:p>VRAI</text:p>"),
        text("#N/A", attributes=f'{formula} office:string-value="" calcext:value-type="error"'),
        text("Err:502", attributes=f'{formula} office:string-value="" calcext:value-type="error"'),
        text("#VALUE!", attributes=f'{formula} office:string-value="#VALUE!"'),  # Gnumeric
        f"<table:table-cell {formula}><text:p/></table:table-cell>",  # LibreOffice: an empty text
        f'<table:table-cell {formula} office:value-type="string" office:string-value=""/>',
        f"<table:table-cell {formula}/>",
        text("#N/A"),
        text("#5", attributes='office:string-value="five"'),  # a format shows more than the text
    )
    assert found == (
        "ax",
        NumberCell(2, "General"),
        BoolCell(True),
        ErrorCell("#N/A"),
        ErrorCell("Err:502"),
        ErrorCell("#VALUE!"),
        None,
        None,
        FormulaCell("=[.A1]"),
        "#N/A",
        text_cell("five", ';;;"#5"'),
    )


def test_what_belongs_to_a_text_and_what_does_not(tmp_path: Path) -> None:
    comment = "<office:annotation><dc:creator>me</dc:creator><text:p>a comment</text:p></office:annotation>"
    picture = "<draw:frame><draw:text-box><text:p>a box</text:p></draw:text-box></draw:frame>"
    found = cells(
        tmp_path,
        text("two", "", "lines"),
        text('a<text:s/>b<text:s text:c="3"/><text:tab/>c<text:line-break/>d'),
        text("<text:span>An</text:span>a <text:a>Ló<text:span>p</text:span>ez</text:a>"),
        text("  as it  stands "),
        text(f"b{comment}o<text:note><text:p>n</text:p></text:note>"),
        text("東京<text:ruby><text:ruby-base>都</text:ruby-base><text:ruby-text>と</text:ruby-text></text:ruby>"),
        CELL.format('office:value-type="string"', f"{comment}{picture}<text:p>ana</text:p>{picture}"),
        f"<table:table-cell>{comment}</table:table-cell>",
        "<table:table-cell><text:p>no kind</text:p></table:table-cell>",
    )
    assert found == (
        "two\n\nlines",
        "a b   \tc\nd",
        "Ana López",
        "  as it  stands ",
        "bo",
        "東京都",
        "ana",
        None,
        "no kind",
    )


def data_style(name: str, inner: str, kind: str = "number") -> str:
    return f'<number:{kind}-style style:name="{name}">{inner}</number:{kind}-style>'


def cell_style(name: str, data: str = "", parent: str = "") -> str:
    data = f' style:data-style-name="{data}"' if data else ""
    parent = f' style:parent-style-name="{parent}"' if parent else ""
    return f'<style:style style:name="{name}" style:family="table-cell"{data}{parent}/>'


PLACES = '<number:number number:decimal-places="0" number:min-integer-digits="{}"/>'


@pytest.mark.parametrize(
    ("inner", "kind", "code"),
    [
        ('<number:number number:min-integer-digits="1"/>', "number", "General"),
        ('<number:number number:min-integer-digits="5" number:decimal-places="0"/>', "number", "00000"),
        ('<number:number number:decimal-places="2" number:min-integer-digits="1"/>', "number", "0.00"),
        (
            '<number:number number:decimal-places="0" number:min-integer-digits="1" number:grouping="true"/>',
            "number",
            "#,##0",
        ),
        (
            PLACES.format(7)[:-2]
            + '><number:embedded-text number:position="4">-</number:embedded-text></number:number>',
            "number",
            '000"-"0000',
        ),
        (
            '<number:text>+44 </number:text><number:number number:decimal-places="0" number:min-integer-digits="1"/>',
            "number",
            '"+44 "0',
        ),
        (
            '<number:number number:decimal-places="0" number:min-integer-digits="3"/><number:text>%</number:text>',
            "percentage",
            "000%",
        ),
        (
            f"{PLACES.format(1)}<number:text> </number:text><number:currency-symbol>€</number:currency-symbol>",
            "currency",
            '0" €"',
        ),
        ("<number:scientific-number/>", "number", "0.00E+00"),
        ("<number:fraction/>", "number", "# ?/?"),
        ("<number:text-content/>", "text", "@"),
    ],
)
def test_a_number_says_how_it_is_shown(tmp_path: Path, inner: str, kind: str, code: str) -> None:
    styles = data_style("N1", inner, kind) + cell_style("ce1", "N1")
    assert cells(tmp_path, number(7712, 'table:style-name="ce1"'), styles=styles) == (number_cell(7712, code),)


def test_where_the_style_of_a_cell_comes_from(tmp_path: Path) -> None:
    zeros = '<number:number number:min-integer-digits="{}" number:decimal-places="0"/>'
    positive = '<style:map style:condition="value()&gt;=0" style:apply-style-name="N4"/>'
    found = cells(
        tmp_path,
        number(1),
        number(1),
        number(1, 'table:style-name="child"'),
        number(1, 'table:style-name="signed"'),
        number(1, 'table:style-name="nothing"'),
        number(1, 'table:style-name="circle"'),
        columns='<table:table-column table:default-cell-style-name="two"/><table:table-column/>'
        '<table:table-column table:number-columns-repeated="9" table:default-cell-style-name="two"/>',
        styles=data_style("N1", zeros.format(5))  # not the N1 of the common styles
        + data_style("N3", zeros.format(1) + positive)
        + data_style("N4", zeros.format(4))
        + cell_style("child", parent="three")
        + cell_style("signed", "N3")
        + cell_style("circle", parent="circle"),
        common=data_style("N1", zeros.format(2))
        + data_style("N2", zeros.format(3))
        + cell_style("two", "N1")
        + cell_style("three", "N2"),
    )
    codes = [cell.number_format if isinstance(cell, NumberCell) else cell for cell in found]
    assert codes == ["00", "General", "000", "0000", "General", "General"]


SHOWN = '<table:table-cell office:value-type="{}" office:value="{}"{}><text:p>{}</text:p></table:table-cell>'


@pytest.mark.parametrize(
    ("value", "as_shown", "code", "suggestion"),
    [
        ("612345678", "06 12 34 56 78", "cell.leading_zeros", "0612345678"),
        ("123", "00123", "cell.leading_zeros", "00123"),
        ("612345678", "+33 6 12345678", "cell.shown_otherwise", "+33 6 12345678"),
        ("612345678", "612 345 678", "cell.shown_otherwise", "612 345 678"),
        ("1234", "1,234", "cell.shown_otherwise", "1,234"),
        ("1234", "EMP-1234", "cell.shown_otherwise", "EMP-1234"),
        ("100000", "1.00E+05", "cell.shown_otherwise", "1.00E+05"),
        ("12.5", "12,50 €", "cell.shown_otherwise", "12,50 €"),
        ("3", 'a "quoted" name', "cell.shown_otherwise", 'a "quoted" name'),
        ("5", "", "cell.shown_otherwise", None),
    ],
)
def test_what_is_shown_counts_whatever_the_style_says(
    tmp_path: Path, value: str, as_shown: str, code: str, suggestion: str | None
) -> None:
    for style in ("", ' table:style-name="plain"'):
        styles = data_style("N1", PLACES.format(1)) + cell_style("plain", "N1")
        (cell,) = cells(tmp_path, SHOWN.format("float", value, style, as_shown), styles=styles)
        fault = cell_value(cell)
        assert isinstance(fault, CellFault)
        assert (fault.code, fault.suggestion) == (code, suggestion)


@pytest.mark.parametrize(
    ("value", "as_shown"),
    [
        ("251167076377", "2.5E+11"),
        ("447712345678", "4,47712345678E+11"),
        ("12.5", "12,5"),
        ("0.3", "0.3"),
        ("7712345678", "8E+09"),
        ("-5", "-5"),
        ("7712345678", "7712345678.0"),  # pandas
    ],
)
def test_a_number_without_a_format_is_its_digits_however_it_fits(tmp_path: Path, value: str, as_shown: str) -> None:
    (cell,) = cells(tmp_path, SHOWN.format("float", value, "", as_shown))
    assert cell == NumberCell(float(value), "General")
    found = cell_value(cell)
    assert isinstance(found, Value)
    assert found.text == value


@pytest.mark.parametrize(
    ("inner", "kind", "value", "as_shown", "code"),
    [
        ("<number:text>Smith</number:text>", "number", "3", "Smith", '"Smith"'),
        ("<number:text/>", "number", "5", "", ";;;"),
        (
            '<number:number number:min-integer-digits="1"/><number:text> km</number:text>',
            "number",
            "7",
            "7 km",
            'General" km"',
        ),
        (f"{PLACES.format(1)}<number:text>%</number:text>", "percentage", "0.5", "50%", "0%"),
        (
            '<number:number number:min-integer-digits="1" number:decimal-places="2"/>',
            "number",
            "12.5",
            "12,50",
            "0.00",
        ),
        ("<number:scientific-number/>", "number", "100000", "1E+05", '"1E+05"'),
        (PLACES.format(1), "number", "-5", "(5)", '"(5)";"(5)"'),
    ],
)
def test_a_format_code_shows_what_the_file_shows(
    tmp_path: Path, inner: str, kind: str, value: str, as_shown: str, code: str
) -> None:
    styles = data_style("N1", inner, kind) + cell_style("ce1", "N1")
    (found,) = cells(tmp_path, SHOWN.format("float", value, ' table:style-name="ce1"', as_shown), styles=styles)
    assert found == number_cell(float(value), code)


def test_a_percentage_of_which_nothing_else_is_known(tmp_path: Path) -> None:
    found = cells(
        tmp_path,
        '<table:table-cell office:value-type="percentage" office:value="0.5"/>',
        SHOWN.format("percentage", "0.5", "", "50%"),
    )
    assert [show_number(0.5, cell.number_format) for cell in found if isinstance(cell, NumberCell)] == ["50%", "50%"]


@pytest.mark.parametrize(
    ("attributes", "as_shown", "held"),
    [
        ('"float" office:value="one"', "1", "one"),
        ('"float" office:value="1_0"', "10", "1_0"),
        ('"float"', "twelve", "twelve"),
        ('"boolean"', "yes", "yes"),
        ('"boolean" office:boolean-value="perhaps"', "yes", "yes"),
        ('"date"', "today", "today"),
        ('"date" office:date-value="today"', "1.1.", "today"),
        ('"time" office:time-value="noon"', "12:00", "noon"),
        ('"void"', "nothing", "nothing"),
    ],
)
def test_a_cell_that_cannot_be_read_leaves_the_rest(tmp_path: Path, attributes: str, as_shown: str, held: str) -> None:
    broken = CELL.format(f"office:value-type={attributes}", f"<text:p>{as_shown}</text:p>")
    before, found, after = cells(tmp_path, number(1), broken, text("bo"))
    assert (before, after) == (NumberCell(1, "General"), "bo")
    assert isinstance(found, ErrorCell)
    assert found.code == held
    fault = cell_value(found)
    assert isinstance(fault, CellFault)
    assert fault.code == "cell.error"
    assert "cannot be read" in fault.message


@given(st.text('0#?,.%- +()"\\ ab;E/@é', max_size=14))
def test_any_format_code_keeps_its_meaning(code: str) -> None:
    style = _ods_formats.parse(code)
    if style is not None:
        assert _ods_formats.parse(_ods_formats.code(style)) == style


def test_long_numbers_and_dates_that_no_program_shows(tmp_path: Path) -> None:
    found = cells(
        tmp_path,
        number("12345678901234567890"),
        number("1e999"),
        number("-7"),
        '<table:table-cell office:value-type="date" office:date-value="99999-01-01"/>',
        '<table:table-cell office:value-type="time" office:time-value="PT99999999999999H"/>',
    )
    assert found == (
        NumberCell(12345678901234567890.0, "General"),
        ErrorCell("#NUM!"),
        NumberCell(-7, "General"),
        ErrorCell("#NUM!"),
        ErrorCell("#NUM!"),
    )


def test_positions_of_what_is_repeated_grouped_and_merged(tmp_path: Path) -> None:
    rows = (
        "<table:table-header-rows>"
        + row(text("a"))
        + "</table:table-header-rows>"
        + row(empty(9), attributes='table:number-rows-repeated="3"')
        + "<table:table-row-group><table:table-rows>"
        + row(
            empty(2),
            text("b", attributes='table:number-columns-repeated="2"'),
            empty(16380),
            attributes='table:number-rows-repeated="2"',
        )
        + "</table:table-rows></table:table-row-group>"
        + row(
            text("c"),
            '<table:covered-table-cell office:value-type="string"><text:p>d</text:p></table:covered-table-cell>',
        )
        + row(empty(), attributes='table:number-rows-repeated="9999999"')
    )
    nested = row(f"<table:table-cell>{table(row(text('inner')))}</table:table-cell>")
    found = read(save(tmp_path / "users.ods", parts(table(nested + rows, columns="<table:table-column/>"))))
    assert found == {2: ("a",), 6: (None, None, "b", "b"), 7: (None, None, "b", "b"), 8: ("c", "d")}


def test_what_is_empty_costs_nothing_and_what_is_repeated_streams(tmp_path: Path) -> None:
    blank = row(empty(16384), attributes='table:number-rows-repeated="500000"')
    filled = row(
        text("x", attributes='table:number-columns-repeated="200"'), attributes='table:number-rows-repeated="100000"'
    )
    path = save(tmp_path / "users.ods", parts(table(blank + filled)))
    started = time.perf_counter()
    tracemalloc.start()
    try:
        with reader().open(Source(path)) as sheet:
            first = list(itertools.islice(sheet.rows(), 100_000))
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    assert (first[0].number, first[-1].number) == (500_001, 600_000)
    assert first[0].cells == ("x",) * 200
    assert time.perf_counter() - started < 30  # about a second; a hang is what this is about


def test_the_only_visible_worksheet_is_taken(tmp_path: Path) -> None:
    tables = [
        table(row(number(n)), name=name, style=style)
        for n, name, style in ((1, "Old", "hidden"), (2, "Users", ""), (3, "Lists", "hidden"))
    ]
    file = save(tmp_path / "users.ods", parts(*tables, styles=HIDDEN))
    assert info(file) == SheetInfo("ods", "Users")
    assert read(file) == {1: (NumberCell(2, "General"),)}
    assert info(file, "LISTS").worksheet == "Lists"
    assert read(file, "old") == {1: (NumberCell(1, "General"),)}
    with pytest.raises(SourceError, match='"Old", "Users", "Lists"') as caught:
        info(file, "Chart")
    assert caught.value.code == "source.no_worksheet"
    visible = save(tmp_path / "visible.ods", parts(*tables))
    with pytest.raises(AmbiguousWorksheetError) as ambiguous:
        info(visible)
    assert ambiguous.value.names == ("Old", "Users", "Lists")
    with pytest.raises(SourceError, match="hidden"):
        info(save(tmp_path / "hidden.ods", parts(tables[0], styles=HIDDEN)))
    with pytest.raises(SourceError, match="no worksheet"):
        info(save(tmp_path / "none.ods", parts()))


def test_a_second_worksheet_is_seen_however_it_is_written(tmp_path: Path) -> None:
    long = row(number(1)) * 1000  # what follows is not seen in passing
    odd = "<table:table\n table:name='{}'>{}</table:table>"
    for first, second in ((table(long), table("")), (odd.format("First", long), odd.format("Second", ""))):
        with pytest.raises(AmbiguousWorksheetError):
            info(save(tmp_path / "users.ods", parts(first, second)))
    # No program writes one worksheet so and the next one so; it is not read as if it was not there.
    for second in (odd.format("Second", ""), "<table:table/>"):
        with pytest.raises(SourceError, match="cannot be told apart"):
            read(save(tmp_path / "users.ods", parts(table(long), second)))


def test_hidden_rows_and_columns_are_read_and_mentioned(tmp_path: Path) -> None:
    columns = (
        '<table:table-column/><table:table-column table:visibility="collapse"/><table:table-column/>'
        '<table:table-column table:number-columns-repeated="2" table:visibility="collapse"/>'
        '<table:table-column table:number-columns-repeated="16379" table:visibility="collapse"/>'
    )
    rows = row(text("a"), text("b")) * 1000 + row(text("c"), attributes='table:visibility="{}"')
    blank = row(empty(), attributes='table:visibility="collapse"')

    def file(made: str, columns: str = "") -> Path:
        return save(tmp_path / "users.ods", parts(table(made, columns=columns)))

    path = file(rows.format("filter") + blank, columns)
    assert len(read(path)) == 1001
    filtered, hidden = info(path).notes
    assert "filter" in filtered
    assert "(B, D-E)" in hidden
    assert info(file(rows.format("collapse"))).notes == ("hidden rows are read like the others",)
    assert info(file(rows.format("visible") + blank)).notes == ()


def test_deleted_cells_of_recorded_changes_are_no_cells(tmp_path: Path) -> None:
    changes = (
        "<table:tracked-changes><table:deletion><table:change-track-table-cell office:value-type='string'>"
        "<text:p>gone</text:p></table:change-track-table-cell></table:deletion></table:tracked-changes>"
    )
    assert read(save(tmp_path / "users.ods", parts(table(row(text("a"))), before=changes))) == {1: ("a",)}


def test_rows_can_be_streamed_again(tmp_path: Path) -> None:
    file = save(tmp_path / "users.ods", parts(table(row(text("a")))))
    with reader().open(Source(file)) as sheet:
        assert [*sheet.rows()] == [*sheet.rows()] == [(1, ("a",))]


def test_a_spreadsheet_is_told_by_its_type(tmp_path: Path) -> None:
    table_file = save(tmp_path / "users.csv", parts(table(row(text("a")))))
    template = save(
        tmp_path / "users.ots", parts(table(""), kind="application/vnd.oasis.opendocument.spreadsheet-template")
    )
    untyped = parts(table(""))
    del untyped["mimetype"]
    letter = save(tmp_path / "letter.ods", parts(kind="application/vnd.oasis.opendocument.text"))
    book = workbooks.save(tmp_path / "book.ods", workbooks.parts(workbooks.worksheet("")))
    for file in (table_file, template, save(tmp_path / "untyped.ods", untyped)):
        assert reader().sniff(Source(file)) is Confidence.CERTAIN
        assert XlsxReader(Options(), context()).sniff(Source(file)) is Confidence.NO
    for file in (letter, book):
        assert reader().sniff(Source(file)) is Confidence.NO
        with pytest.raises(SourceError, match="no OpenDocument spreadsheet") as caught:
            info(file)
        assert caught.value.code == "source.unsupported"
