from __future__ import annotations

import datetime as dt
import time
import tracemalloc
from html import escape
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

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
)
from musterroll.sheet.values import CellFault, cell_value, secret_value
from musterroll_plugins.readers.number_formats import number_cell, text_cell
from musterroll_plugins.readers.xlsx.reader import XlsxReader
from support.rows import context
from support.workbooks import parts, save, worksheet


def reader() -> XlsxReader:
    return XlsxReader(Options(), context())


def read(path: Path, worksheet: str | None = None) -> dict[int, tuple[Cell, ...]]:
    with reader().open(Source(path), worksheet) as sheet:
        return {row.number: row.cells for row in sheet.rows()}


def info(path: Path, worksheet: str | None = None) -> SheetInfo:
    with reader().open(Source(path), worksheet) as sheet:
        assert all(sheet.rows())  # which show what is hidden
        return sheet.info


def test_cells_keep_their_kind(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(
        ["text", " two\nlines ", 44, 0.5, True, dt.datetime.fromisoformat("2024-02-29T13:30"), dt.date(2024, 1, 2)]
    )
    sheet.append(["#N/A", dt.time(8, 15), "=A1", dt.timedelta(hours=30), -7])
    sheet["A2"].data_type = "e"
    sheet["C1"].number_format = "00000"
    book.save(tmp_path / "users.xlsx")
    assert read(tmp_path / "users.xlsx") == {
        1: (
            "text",
            " two\nlines ",
            number_cell(44, "00000"),
            NumberCell(0.5, "General"),
            BoolCell(True),
            DateCell(dt.datetime.fromisoformat("2024-02-29T13:30")),
            DateCell(dt.datetime.fromisoformat("2024-01-02T00:00")),
        ),
        2: (
            ErrorCell("#N/A"),
            DateCell(dt.time(8, 15)),
            FormulaCell("=A1"),
            DateCell(dt.timedelta(hours=30)),
            NumberCell(-7, "General"),
        ),
    }


def test_days_that_count_from_1904(tmp_path: Path) -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    rows = '<row r="1"><c r="A1" s="1"><v>1.5</v></c><c r="B1" s="1"><v>-5</v></c></row>'
    old = save(tmp_path / "old.xlsx", parts(worksheet(rows), styles=styles, date1904=True))
    new = save(tmp_path / "new.xlsx", parts(worksheet(rows), styles=styles))
    assert read(old)[1][0] == DateCell(dt.datetime.fromisoformat("1904-01-02T12:00"))
    assert read(new)[1] == (
        DateCell(dt.datetime.fromisoformat("1900-01-01T12:00")),
        DateCell(dt.datetime.fromisoformat("1899-12-25T00:00")),
    )


def test_dates_that_no_program_shows_are_errors(tmp_path: Path) -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    rows = '<row r="1"><c s="1"><v>99999999</v></c><c s="1"><v>1e300</v></c><c><v>1e999</v></c></row>'
    file = save(tmp_path / "users.xlsx", parts(worksheet(rows), styles=styles))
    assert read(file)[1] == (ErrorCell("#NUM!"),) * 3


def test_what_makes_a_number_a_date(tmp_path: Path) -> None:
    styles = (
        '<numFmts><numFmt numFmtId="164" formatCode="00000"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        '<cellXfs><xf numFmtId="164"/><xf numFmtId="31"/><xf numFmtId="0"/></cellXfs>'
        '<dxfs><dxf><numFmt numFmtId="164" formatCode="yyyy"/></dxf></dxfs>'
    )
    rows = '<row r="1"><c s="0"><v>45000</v></c><c s="1"><v>45000</v></c><c s="2"><v>45000</v></c></row>'
    assert read(save(tmp_path / "users.xlsx", parts(worksheet(rows), styles=styles)))[1] == (
        number_cell(45000, "00000"),
        DateCell(dt.datetime.fromisoformat("2023-03-15")),
        NumberCell(45000, "General"),
    )


def test_dates_written_out(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c t="d"><v>2024-02-29</v></c><c t="d"><v>2024-02-29T13:30:00Z</v></c>'
        '<c t="d"><v>08:15:00</v></c></row>'
    )
    assert read(save(tmp_path / "users.xlsx", parts(worksheet(rows))))[1] == (
        DateCell(dt.date(2024, 2, 29)),
        DateCell(dt.datetime.fromisoformat("2024-02-29T13:30")),
        DateCell(dt.time(8, 15)),
    )


def test_results_of_formulas(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1" t="str"><f>B1&amp;"x"</f><v>ax</v></c><c r="B1"><f>1+1</f><v>2</v></c>'
        '<c r="C1" t="b"><f>TRUE()</f><v>1</v></c><c r="D1" t="e"><f>NA()</f><v>#N/A</v></c>'
        '<c r="E1" t="str"><f>""</f><v></v></c><c r="F1"><f>NOW()</f></c><c r="G1"><f>A1</f><v/></c></row>'
    )
    assert read(save(tmp_path / "users.xlsx", parts(worksheet(rows))))[1] == (
        "ax",
        NumberCell(2, "General"),
        BoolCell(True),
        ErrorCell("#N/A"),
        "",
        FormulaCell("=NOW()"),
        FormulaCell("=A1"),
    )


def test_rich_text_is_plain_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = CellRichText("Ana ", TextBlock(InlineFont(b=True), "López"), "\nLi")
    book.save(tmp_path / "users.xlsx")
    assert read(tmp_path / "users.xlsx")[1] == ("Ana López\nLi",)


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("A_xD83D__xDE00_B", "A\U0001f600B"),
        ("ana_xd842__xdfb7_", "ana\U00020bb7"),
        ("_xD83D__xDE00__xD83D__xDE01_", "\U0001f600\U0001f601"),
        ("_xDE00__xD83D_", "\ude00\ud83d"),  # halves in the wrong order are none; the engine refuses them
        ("a_x005F_xD83D_", "a_xD83D_"),
        ("a_x000A_b_x0009_c", "a\nb\tc"),
        ("_x00E9_", "é"),
        ("_X0041_ _x41_ _x00041_ _x004G_", "_X0041_ _x41_ _x00041_ _x004G_"),
    ],
)
def test_characters_that_are_escaped(tmp_path: Path, escaped: str, text: str) -> None:
    rows = f'<row r="1"><c t="inlineStr"><is><t>{escaped}</t></is></c><c t="s"><v>0</v></c></row>'
    file = save(tmp_path / "users.xlsx", parts(worksheet(rows), texts=f"<si><t>{escaped}</t></si>"))
    assert read(file)[1] == (text, text)


@pytest.mark.parametrize(
    ("cell", "held"),
    [
        ('<c t="d"><v>n/a</v></c>', "n/a"),
        ("<c><v>Sample</v></c>", "Sample"),
        ("<c><v>1,5</v></c>", "1,5"),
        ("<c><v>1_0</v></c>", "1_0"),
        ("<c><v>NaN</v></c>", "NaN"),
        ('<c t="s"><v>5</v></c>', "5"),
        ('<c t="s"><v>-1</v></c>', "-1"),
        ('<c t="s"><v>ana</v></c>', "ana"),
        ('<c t="b"><v>maybe</v></c>', "maybe"),
        ('<c t="x"><v>7</v></c>', "7"),
    ],
)
def test_a_cell_that_cannot_be_read_leaves_the_rest(tmp_path: Path, cell: str, held: str) -> None:
    rows = f'<row r="1"><c><v>1</v></c>{cell}<c t="s"><v>0</v></c></row>'
    file = save(tmp_path / "users.xlsx", parts(worksheet(rows), texts="<si><t>bo</t></si>"))
    before, found, after = read(file)[1]
    assert (before, after) == (NumberCell(1, "General"), "bo")
    assert isinstance(found, ErrorCell)
    assert found.code == held
    for made in (cell_value(found), secret_value(found)):
        assert isinstance(made, CellFault)
        assert made.code == "cell.error"
        assert "cannot be read" in made.message
        assert held not in made.message.split()


@pytest.mark.parametrize(
    ("code", "suggestion"),
    [
        *[('"EMP-"@', "EMP-1234"), ('0;0;0;"No. "@" x"', "No. 1234 x"), (";;;", None), ("0;0;0;", None)],
        *[('0;0;0;"hidden"', "hidden"), ('[Red]@" (old)"', "1234 (old)"), ("*x@", None)],
    ],
)
def test_a_text_whose_format_shows_something_else(tmp_path: Path, code: str, suggestion: str | None) -> None:
    rows = (
        '<row r="1"><c s="1" t="s"><v>0</v></c><c s="1" t="inlineStr"><is><t>1234</t></is></c>'
        '<c s="1" t="str"><v>1234</v></c></row>'
    )
    styles = (
        f'<numFmts><numFmt numFmtId="170" formatCode="{escape(code)}"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs>'
    )
    file = save(tmp_path / "users.xlsx", parts(worksheet(rows), texts="<si><t>1234</t></si>", styles=styles))
    for cell in read(file)[1]:
        assert cell == text_cell("1234", code)
        fault = cell_value(cell)
        assert isinstance(fault, CellFault)
        assert (fault.code, fault.suggestion) == ("cell.shown_otherwise", suggestion)
        hidden = secret_value(cell)
        assert isinstance(hidden, CellFault)
        assert (hidden.code, hidden.suggestion) == ("cell.shown_otherwise", None)
        assert "1234" not in hidden.message


@pytest.mark.parametrize("code", ["@", "General", "0.00", "_(@_)", '0;0;0;"" @', "0;-0;0", "[Red]@", "* @"])
def test_a_text_whose_format_shows_it(tmp_path: Path, code: str) -> None:
    rows = '<row r="1"><c s="1" t="s"><v>0</v></c></row>'
    styles = (
        f'<numFmts><numFmt numFmtId="170" formatCode="{escape(code)}"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs>'
    )
    file = save(tmp_path / "users.xlsx", parts(worksheet(rows), texts="<si><t>1234</t></si>", styles=styles))
    assert read(file)[1] == ("1234",)


def test_a_style_that_is_missing_is_that_of_cells_without_any(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c s=""><v>7</v></c><c s="99"><v>7</v></c><c s="x" t=""><v>7</v></c><c><v>7</v></c>'
        '<c s="1"><v>7</v></c></row>'
    )
    styles = '<cellXfs><xf numFmtId="9"/><xf numFmtId="0"/></cellXfs>'
    found = read(save(tmp_path / "users.xlsx", parts(worksheet(rows), styles=styles)))[1]
    assert found == (*[number_cell(7, "0%")] * 4, NumberCell(7, "General"))
    found = read(save(tmp_path / "users.xlsx", parts(worksheet(rows))))[1]
    assert found == (NumberCell(7, "General"),) * 5


@pytest.mark.parametrize(
    ("workbook", "sheet", "texts"),
    [
        ("xl/workbook.xml", "worksheets/sheet1.xml", "sharedStrings.xml"),
        ("/xl/workbook.xml", "/xl/worksheets/sheet1.xml", "/xl/sharedStrings.xml"),
        ("./xl/workbook.xml", "./worksheets/sheet1.xml", "./sharedStrings.xml"),
        ("xl/workbook.xml", "../xl/worksheets/sheet1.xml", "../xl/sharedStrings.xml"),
        ("xl\\workbook.xml", "worksheets\\sheet1.xml", "..\\xl\\sharedStrings.xml"),
        ("\\xl\\workbook.xml", "\\xl\\worksheets\\sheet1.xml", "\\xl\\.\\sharedStrings.xml"),
        ("/xl/../xl/workbook.xml", "/xl/worksheets/../worksheets/sheet1.xml", "../../xl/sharedStrings.xml"),
        ("XL/Workbook.xml", "Worksheets/Sheet1.xml", "sharedstrings.XML"),
        ("xl/workbook.xml", "worksheets/sheet%31.xml", "shared%53trings.xml"),
    ],
)
@pytest.mark.parametrize("entry", ["{}", "/{}", "\\"])
def test_paths_inside_of_the_package(tmp_path: Path, workbook: str, sheet: str, texts: str, entry: str) -> None:
    contents = parts(worksheet('<row r="1"><c t="s"><v>0</v></c></row>'), texts="<si><t>ana</t></si>")
    for part, old, new in (
        ("_rels/.rels", "xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", sheet),
        ("xl/_rels/workbook.xml.rels", "sharedStrings.xml", texts),
    ):
        contents[part] = contents[part].replace(f'Target="{old}"', f'Target="{new}"')
    if entry == "\\":
        renamed = {name.replace("/", "\\"): text for name, text in contents.items()}
    else:
        renamed = {entry.format(name): text for name, text in contents.items()}
    assert read(save(tmp_path / "users.xlsx", renamed))[1] == ("ana",)


def test_texts_by_number_inline_and_with_escapes(tmp_path: Path) -> None:
    texts = (
        "<si><t>ana</t></si><si><r><t>An</t></r><r><rPr><b/></rPr><t>a</t></r></si>"
        '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></si>'
        "<si><t>a_x000D_\nb_x005F_x0041__xD83D_</t></si><si/>"
    )
    rows = (
        '<row r="1"><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="s"><v>3</v></c>'
        '<c t="s"><v>4</v></c><c t="inlineStr"><is><t> pw </t></is></c>'
        '<c t="inlineStr"><is><r><t>b</t></r><r><t>o</t></r><rPh><t>O</t></rPh></is></c></row>'
    )
    file = save(tmp_path / "users.xlsx", parts(worksheet(rows), texts=texts))
    assert read(file)[1] == ("ana", "Ana", "東京", "a\r\nb_x0041_\ud83d", "", " pw ", "bo")


def test_prefixes_and_the_strict_namespaces(tmp_path: Path) -> None:
    contents = parts(worksheet('<row r="2"><c r="B2"><v>1</v></c></row>'))
    sheet = contents["xl/worksheets/sheet1.xml"]
    for tag in ("worksheet", "sheetData", "row"):
        sheet = sheet.replace(f"<{tag}", f"<x:{tag}").replace(f"</{tag}", f"</x:{tag}")
    contents["xl/worksheets/sheet1.xml"] = sheet.replace("xmlns=", 'xmlns="urn:cells" xmlns:x=').replace(
        "<c ", '<c xmlns="urn:cells" '
    )
    strict = {
        name: text.replace(
            "http://schemas.openxmlformats.org/officeDocument/2006", "http://purl.oclc.org/ooxml/officeDocument"
        )
        for name, text in contents.items()
    }
    assert read(save(tmp_path / "users.xlsx", strict)) == {2: (None, NumberCell(1, "General"))}


def test_positions_where_rows_and_cells_are_left_out(tmp_path: Path) -> None:
    rows = (
        '<row r="3"><c r="B3"><v>1</v></c><c><v>2</v></c><c r="E3"><v>3</v></c></row>'
        '<row><c><v>4</v></c></row><row r="7"/><row r="9"><c r="AA9"><v>5</v></c></row>'
    )
    found = read(save(tmp_path / "users.xlsx", parts(worksheet(rows))))
    values = {
        number: [cell.value if isinstance(cell, NumberCell) else cell for cell in cells]
        for number, cells in found.items()
    }
    assert values == {3: [None, 1, 2, None, 3], 4: [4], 9: [None] * 26 + [5]}


@pytest.mark.parametrize(
    "dimension", ['<dimension ref="A1:XFD1048576"/>', '<dimension ref="A1"/>', "", '<dimension ref="?"/>']
)
def test_what_a_sheet_says_of_its_extent_does_not_matter(tmp_path: Path, dimension: str) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="5"><c r="C5"><v>2</v></c></row>'
    found = read(save(tmp_path / "users.xlsx", parts(worksheet(rows, before=dimension))))
    assert {number: len(cells) for number, cells in found.items()} == {1: 1, 5: 3}


def test_phantom_rows_and_far_away_formats_cost_little(tmp_path: Path) -> None:
    rows = ['<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="1"/></row>']
    rows += [f'<row r="{n}" ht="15" customHeight="1"><c r="XFD{n}" s="1"/></row>' for n in range(2, 100_001)]
    rows.append('<row r="1048576"><c r="A1048576" s="1"/></row>')
    file = save(tmp_path / "users.xlsx", parts(worksheet("".join(rows))))
    del rows
    read(
        save(tmp_path / "first.xlsx", parts(worksheet("<row><c><v>1</v></c></row>")))
    )  # what is loaded for the first one
    started = time.perf_counter()
    tracemalloc.start()
    try:
        assert read(file) == {1: (NumberCell(1, "General"),)}
        assert tracemalloc.get_traced_memory()[1] < 4_200_000
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - started < 60  # about 5 s on a slow machine; a hang is what this is about


NAMES = (
    '<sheet name="Users" sheetId="1" r:id="rId1"/><sheet name="Chart" sheetId="2" r:id="rIdC"/>'
    '<sheet name="Old" sheetId="3" state="{old}" r:id="rId2"/>'
    '<sheet name="Lists" sheetId="4" state="veryHidden" r:id="rId3"/>'
)


def several(path: Path, old: str = "hidden") -> Path:
    sheets = [worksheet(f"<row><c><v>{n}</v></c></row>") for n in (1, 2, 3)]
    contents = parts(*sheets, names=NAMES.format(old=old))
    chart = contents["xl/_rels/workbook.xml.rels"].partition("<Relationship ")[2].partition("/>")[0]
    chart = chart.replace("rId1", "rIdC").replace("/worksheet", "/chartsheet")
    contents["xl/_rels/workbook.xml.rels"] = contents["xl/_rels/workbook.xml.rels"].replace(
        "</Relationships>", f"<Relationship {chart}/></Relationships>"
    )
    return save(path / "users.xlsx", contents)


def test_the_only_visible_worksheet_is_taken(tmp_path: Path) -> None:
    file = several(tmp_path)
    assert info(file) == SheetInfo("xlsx", "Users")
    assert read(file) == {1: (NumberCell(1, "General"),)}


def test_several_visible_worksheets_are_ambiguous(tmp_path: Path) -> None:
    with pytest.raises(AmbiguousWorksheetError) as caught:
        info(several(tmp_path, old="visible"))
    assert caught.value.names == ("Users", "Old")


def test_a_worksheet_can_be_named_even_a_hidden_one(tmp_path: Path) -> None:
    file = several(tmp_path)
    assert info(file, "LISTS").worksheet == "Lists"
    assert read(file, "old") == {1: (NumberCell(2, "General"),)}
    with pytest.raises(SourceError, match='"Users", "Old", "Lists"') as caught:
        info(file, "Chart")
    assert caught.value.code == "source.no_worksheet"


def test_a_workbook_without_a_visible_worksheet(tmp_path: Path) -> None:
    names = '<sheet name="Users" sheetId="1" state="hidden" r:id="rId1"/>'
    file = save(tmp_path / "users.xlsx", parts(worksheet(""), names=names))
    with pytest.raises(SourceError, match="hidden"):
        info(file)
    assert read(file, "Users") == {}


def test_hidden_rows_and_columns_are_read_and_mentioned(tmp_path: Path) -> None:
    before = (
        '<sheetPr filterMode="1"/><cols><col min="2" max="2" hidden="1"/><col min="4" max="5" hidden="true"/>'
        '<col min="9" max="16384" hidden="1"/></cols>'
    )
    rows = '<row><c><v>1</v></c><c><v>2</v></c></row><row hidden="1"><c><v>3</v></c></row>'
    file = save(tmp_path / "users.xlsx", parts(worksheet(rows, before=before)))
    assert [len(cells) for cells in read(file).values()] == [2, 1]
    filtered, columns = info(file).notes
    assert "filter" in filtered
    assert "(B, D-E)" in columns


def test_hidden_rows_are_mentioned_where_they_hold_anything(tmp_path: Path) -> None:
    rows = "<row><c><v>1</v></c></row>" * 2000 + '<row hidden="{}">{}</row>'

    def notes(hidden: str, cells: str) -> tuple[str, ...]:
        return info(save(tmp_path / "users.xlsx", parts(worksheet(rows.format(hidden, cells))))).notes

    assert notes("1", '<c t="inlineStr"><is><t>a</t></is></c>') == ("hidden rows are read like the others",)
    assert notes("true", "<c><v>1</v></c>") == ("hidden rows are read like the others",)
    assert notes("1", '<c s="1"/>') == ()
    assert notes("false", "<c><v>1</v></c>") == ()


def test_rows_can_be_streamed_again(tmp_path: Path) -> None:
    file = save(
        tmp_path / "users.xlsx", parts(worksheet('<row><c t="s"><v>0</v></c></row>'), texts="<si><t>a</t></si>")
    )
    with reader().open(Source(file)) as sheet:
        assert [*sheet.rows()] == [*sheet.rows()] == [(1, ("a",))]


def test_a_workbook_is_told_by_its_members(tmp_path: Path) -> None:
    book = save(tmp_path / "users.csv", parts(worksheet("")))
    odd = parts(worksheet(""))
    odd["XL\\Workbook.xml"] = odd.pop("xl/workbook.xml")
    letter = save(tmp_path / "letter.xlsx", {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"})
    table = save(tmp_path / "table.xlsx", {"mimetype": "application/vnd.oasis.opendocument.spreadsheet"})
    assert reader().sniff(Source(book)) is Confidence.CERTAIN
    assert reader().sniff(Source(save(tmp_path / "odd.zip", odd))) is Confidence.CERTAIN
    assert reader().sniff(Source(letter)) is Confidence.NO
    assert reader().sniff(Source(table)) is Confidence.NO
    with pytest.raises(SourceError, match="no Excel workbook") as caught:
        info(letter)
    assert caught.value.code == "source.unsupported"
