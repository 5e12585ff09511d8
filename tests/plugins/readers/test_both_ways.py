"""The quick way of reading a workbook and the careful one find the same: rows, cells, notes, and what is wrong."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from xml.parsers.expat import ExpatError

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musterroll import AmbiguousWorksheetError, Options, Source, SourceError
from musterroll_plugins.readers.ods.reader import OdsReader
from musterroll_plugins.readers.ods.row_pattern import RowPattern
from musterroll_plugins.readers.package import skimming as _skimming
from musterroll_plugins.readers.package import xml as _xml
from musterroll_plugins.readers.package.columns import without_end
from musterroll_plugins.readers.package.known_tags import KnownTags
from musterroll_plugins.readers.xlsx.reader import XlsxReader
from support.office import gnumeric, libreoffice, needs_gnumeric, needs_libreoffice
from support.rows import context
from support.workbooks import parts, save, worksheet

# Bytes that are unpacked and parsed at once: as they are, and so few that every row is at some border.
AS_IT_IS, LONG, SMALL, TINY = (_xml.READ, _xml.PIECE), (_xml.READ, 1), (700, 1), (97, 1)


class Outcome(NamedTuple):
    """What came of reading: notes, rows by their numbers, and the error; and how many bytes were parsed."""

    info: str
    rows: list[tuple[int, str]]
    error: str
    parsed: int


def read(path: Path, *, plain: bool, sizes: tuple[int, int] = AS_IT_IS) -> Outcome:
    reader = (OdsReader if path.suffix == ".ods" else XlsxReader)(Options(), context())
    info, rows, error, parsed = "", [], "", [0]
    parse = _xml.XmlHandler.parse

    def counted(handler: _xml.XmlHandler, data: bytes):  # type: ignore[no-untyped-def]
        parsed[0] += len(data)
        return parse(handler, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSTERROLL_PLAIN", "1" if plain else "0")
        patch.setattr(_xml, "READ", sizes[0])
        patch.setattr(_xml, "PIECE", sizes[1])
        try:
            with reader.open(Source(path)) as sheet:
                patch.setattr(_xml.XmlHandler, "parse", counted)
                for block in sheet.blocks():
                    assert 0 < len(block.numbers) == len(block.rows) <= 1000
                    # How many empty cells stand behind the last one depends on the rows of the block.
                    filled = map(without_end, map(tuple, block.rows))
                    rows += [(number, repr(cells)) for number, cells in zip(block.numbers, filled, strict=True)]
                info = repr(sheet.info)
        except SourceError as raised:
            error = f"{raised.code}: {raised.message}"
        except AmbiguousWorksheetError as raised:
            error = str(raised)
    return Outcome(info, rows, error, parsed[0])


def compare(path: Path, sizes: tuple[int, int] = AS_IT_IS) -> tuple[Outcome, Outcome]:
    careful, quick = read(path, plain=True, sizes=sizes), read(path, plain=False, sizes=sizes)
    assert quick.error == careful.error
    assert quick.info == careful.info
    # How far a reader comes before it meets an error depends on how much it reads at once.
    common = min(len(quick.rows), len(careful.rows)) if careful.error else None
    assert quick.rows[:common] == careful.rows[:common]
    return careful, quick


# --- what programs write


def example() -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Username", "Given name", "Phone", "Joined", "Active", "Share", "Groups", "Sum", "At"])
    for number in range(2, 400):
        sheet.append(
            [
                f"user{number}",
                ["Ana", "Jürgen & Söhne", "<b>", " x ", "two\nlines", "\U0001f600"][number % 6],
                49301234500 + number if number % 3 else f"+49 30 {number}",
                dt.date(2024, 1, 1) + dt.timedelta(days=number),
                number % 2 == 0,
                number / 8,
                None if number % 4 else "Staff; Class 5A",
                "=1+2" if number % 50 == 0 else number % 5,
                dt.time(8, number % 60),
            ]
        )
        sheet.cell(number, 3).number_format = "000000000000" if number % 2 else "General"
        sheet.cell(number, 6).number_format = "0%" if number % 5 else "0.00"
    sheet["L7"] = "far right"
    sheet.row_dimensions[20].hidden = True
    return book


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "users.xlsx"
    example().save(path)
    return path


@pytest.mark.parametrize("sizes", [AS_IT_IS, SMALL, TINY])
def test_a_workbook_of_openpyxl(made: Path, sizes: tuple[int, int]) -> None:
    careful, _ = compare(made, sizes)
    assert len(careful.rows) == 399


@pytest.mark.parametrize("form", ["xlsx", "ods"])
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(libreoffice, marks=needs_libreoffice, id="LibreOffice"),
        pytest.param(gnumeric, marks=needs_gnumeric, id="Gnumeric"),
    ],
)
def test_a_workbook_of_an_office(
    program: Callable[[Path, str, Path], Path], form: str, made: Path, tmp_path: Path
) -> None:
    path = program(made, form, tmp_path)
    compare(path)
    careful, quick = compare(path, SMALL)
    assert len(careful.rows) == 399
    assert quick.parsed < careful.parsed


@pytest.fixture(scope="module")
def long_sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sheets of several thousand rows as plain as they come, in different writings."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    folder = tmp_path_factory.mktemp("long")
    written = openpyxl.Workbook(write_only=True)
    sheet = written.create_sheet("Users")
    document, table = OpenDocumentSpreadsheet(), Table(name="Users")
    shared, texts = [], []
    for number in range(1, 3001):
        cells = [f"user{number}", "Ana & Bo", None if number % 3 else "Staff", number]
        sheet.append(cells)
        row = TableRow()
        for cell in cells:
            made = TableCell() if cell is None else TableCell(valuetype="float" if cell == number else "string")
            if cell == number:
                made.setAttribute("value", str(cell))
            if cell is not None:
                made.addElement(P(text=str(cell)))
            row.addElement(made)
        table.addElement(row)
        texts.append(f"<si><t>user{number}</t></si>")
        shared.append(f'<row r="{number}" spans="1:2"><c r="A{number}" t="s"><v>{number - 1}</v></c></row>')
    written.save(folder / "inline.xlsx")
    document.spreadsheet.addElement(table)
    document.save(folder / "odfpy.ods")
    save(folder / "shared.xlsx", parts(worksheet("".join(shared)), texts="".join(texts)))
    prefixed = {
        name: re.sub(r"<(/?)(?=\w)", r"<\1x:", part).replace("xmlns=", "xmlns:x=", 1) if "/sh" in name else part
        for name, part in parts(worksheet("".join(shared)), texts="".join(texts)).items()
    }
    save(folder / "prefixed.xlsx", prefixed)
    spaced = worksheet("\n  ".join(row.replace("><", ">\n    <") for row in shared))
    save(folder / "spaced.xlsx", parts(spaced, texts="".join(texts)))
    return folder


@pytest.mark.parametrize("name", ["inline.xlsx", "odfpy.ods", "prefixed.xlsx", "shared.xlsx", "spaced.xlsx"])
def test_of_a_plain_sheet_hardly_anything_is_parsed(long_sheets: Path, name: str) -> None:
    careful, quick = compare(long_sheets / name)
    assert len(careful.rows) == 3000
    assert quick.parsed < careful.parsed / 5


def test_a_column_of_texts_is_soon_looked_at_for_nothing_else(
    long_sheets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    made = RowPattern.made

    def noted(pattern: RowPattern, width: int, space: str) -> re.Pattern[str]:
        groups.append((found := made(pattern, width, space)).groups)
        return found

    monkeypatch.setattr(RowPattern, "made", noted)
    compare(long_sheets / "odfpy.ods")
    assert groups[0] == 1 + 8 * 8
    # Three columns of texts and what stands around these, one of numbers, and none behind them.
    assert set(groups[1:]) == {1 + 3 + 2 + 8}


def test_of_a_sheet_that_is_never_alike_little_is_learnt() -> None:
    known, gap = KnownTags(), ["", "1", "not plain"]
    patterns = set()
    for number in range(200):
        known.learn([{f' s="{number}"'} if column == number % 64 else set() for column in range(64)], is_whole=True)
        patterns.add(tuple(known.of(64)))
        with suppress(_skimming.NotPlainError):
            known.refuse_others(gap, 2)
    assert len(patterns) < 30


def test_the_plain_way_parses_everything(long_sheets: Path) -> None:
    path = long_sheets / "shared.xlsx"
    with zipfile.ZipFile(path) as archive:
        names = ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml")
        assert read(path, plain=True).parsed == sum(archive.getinfo(name).file_size for name in names)


def test_what_is_skipped_at_once_is_too_short_to_exceed_a_bound() -> None:
    # Texts take at most four bytes of memory for each byte of their XML, tags included.
    longest = 2 * _xml.READ
    assert 4 * longest < _xml.ROW_LIMIT
    assert longest < _xml.TEXT_LIMIT


# --- one thing that is odd among rows that are plain

PLAIN = [
    f'<row r="{n}">'
    + (f'<c r="A{n}" t="s"><v>{n % 2}</v></c>' if n % 8 != 1 else f'<c r="A{n}"/>')
    + f'<c r="B{n}" s="0"><v>{n}</v></c><c r="C{n}" t="inlineStr"><is><t>x{n}</t></is></c></row>'
    for n in range(1, 60)
]
TEXTS = "<si><t>ana</t></si><si><t>bo</t></si>"
STYLES = (
    '<numFmts><numFmt numFmtId="170" formatCode="000-00"/>'
    '<numFmt numFmtId="171" formatCode="&quot;E-&quot;@"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="2"/></cellXfs>'
)


def cells_of(content: str) -> str:
    return f'<row r="40">{content}</row>'


@pytest.mark.parametrize("sizes", [SMALL, LONG])
@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("<!-- a comment -->", id="a comment between rows"),
        pytest.param(f"<!-- {PLAIN[39]} -->", id="a row in a comment"),
        pytest.param(f"<![CDATA[{PLAIN[39]}]]>", id="a row in a CDATA section"),
        pytest.param(f"<?pi {PLAIN[39]} ?>", id="a row in an instruction"),
        pytest.param(f"<x>{PLAIN[39]}</x>", id="a row in something else"),
        pytest.param(f'<row r="40"><v>7</v>{PLAIN[40]}</row>', id="a row in a row"),
        pytest.param(f"<c>{PLAIN[39]}</c>", id="a row in a cell"),
        pytest.param('<row r="40"><v>7</v></row>', id="a value outside of a cell"),
        pytest.param(f"<rPh>{PLAIN[39]}", id="an open pronunciation"),
        pytest.param('<rPh><row r="40"><c r="A40"><f>1</f></c></row>', id="an open pronunciation and a row"),
        pytest.param('<c><row r="40"><v>1</v></row>', id="an open cell and a row"),
        pytest.param(PLAIN[38], id="a row twice"),
        pytest.param('<row r="50"/>', id="a row ahead"),
        pytest.param('<row r="50"><c r="A50"><f>1</f></c></row>', id="a row ahead that is not plain"),
        pytest.param('<row r="0040"><c r="A0040" t="s"><v>1</v></c></row>', id="zeros in front of a number"),
        pytest.param('<row r="40" x="1" x="1"><c r="A40" t="s"><v>0</v></c></row>', id="a row's attribute twice"),
        pytest.param('<row r="40" x="<"/>', id="a < in a row's attribute"),
        pytest.param(cells_of('<c r="B40" t="s"><v>0</v></c><c r="A40" t="s"><v>0</v></c>'), id="out of order"),
        pytest.param(cells_of('<c r="B40"/><c r="A40" t="s"><v>0</v></c>'), id="an empty cell out of order"),
        pytest.param(cells_of('<c t="s"><v>0</v></c><c><v>4</v></c>'), id="no places"),
        pytest.param(cells_of('<c r="A40" t="s" t="s"><v>0</v></c>'), id="an attribute twice"),
        pytest.param(cells_of('<c r="A40" t="s" x:y="z"><v>0</v></c>'), id="a strange attribute"),
        pytest.param(cells_of('<c r="A40" t="s" x="&lol;"><v>0</v></c>'), id="an entity in an attribute"),
        pytest.param(cells_of('<c r="A40" t="s" x=">"><v>0</v></c>'), id="a > in an attribute"),
        pytest.param(cells_of('<c r="A40" t="s" x="<"><v>0</v></c>'), id="a < in an attribute"),
        pytest.param(cells_of('<c r="A40" t="s"><v>2</v></c>'), id="a text that there is not"),
        pytest.param(cells_of('<c r="A40" t="s"><v>-1</v></c>'), id="a text before the first"),
        pytest.param(cells_of('<c r="A40" t="s"><v> 1 </v></c>'), id="a number with spaces"),
        pytest.param(cells_of('<c r="A40" t="s"><v></v></c>'), id="a number that is empty"),
        pytest.param(cells_of('<c r="A40" t="s"><is><t>q</t></is></c>'), id="a text where a number belongs"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><v>q</v></c>'), id="a value where a text belongs"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><is><t></t></is></c>'), id="an empty text"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><is><t>a]]></t></is></c>'), id="]]> in a text"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><is><t>a\r\nb</t></is></c>'), id="a carriage return"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><is><t>a\x0bb</t></is></c>'), id="a control character"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><is><t>a\ufffeb</t></is></c>'), id="no character"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><is><t>a&#10;b</t></is></c>'), id="an entity by number"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><is><t>a&amp;lt;b</t></is></c>'), id="an entity of an entity"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><is><t>_x0041_&amp;_x000D_</t></is></c>'), id="escapes"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><is><t>a<!-- -->b</t></is></c>'), id="a comment in a text"),
        pytest.param(cells_of('<c r="A40"><f>1+1</f></c>'), id="a formula"),
        pytest.param(cells_of('<c r="A40" t="str"><v></v></c><c r="B40" t="b"><v>1</v></c>'), id="other kinds"),
        pytest.param(cells_of('<c r="A40" s="1"><v>45000</v></c><c r="B40" s="2"><v>7</v></c>'), id="formats"),
        pytest.param(
            cells_of('<c r="A40" s="3" t="s"><v>1</v></c><c r="B40" s="99"><v>7</v></c>'), id="strange styles"
        ),
        pytest.param(cells_of('<c r="A40"><v>1e400</v></c><c r="B40"><v>x</v></c>'), id="no numbers"),
        pytest.param(cells_of('<c r="A40" t="str"><f>A1</f><v>a_x0041_</v></c>'), id="a formula with a text"),
        pytest.param(cells_of('<c r="A40"><f t="a" t="a">A1</f><v>1</v></c>') * 2, id="a formula of damage"),
        pytest.param(cells_of('<c r="A40"><f>A1]]></f><v>1</v></c>'), id="]]> in a formula"),
        pytest.param(cells_of('<c r="A40"><v>1</v><f>A1</f></c>'), id="a formula behind its result"),
        pytest.param(cells_of('<c r="XFE40"><v>1</v></c>'), id="a column after the last"),
        pytest.param(cells_of('<c r="ZZ40"><v>1</v></c>'), id="a column far away"),
        pytest.param(cells_of('<c r="A40"></c><c r="B40" s="2"></c>'), id="empty cells with an end"),
        pytest.param(cells_of('<c r="A40" t="s"></c><c r="C40" t="inlineStr"></c>'), id="empty texts with an end"),
        pytest.param('<x:row r="40"><x:c r="A40"><x:v>1</x:v></x:c></x:row>', id="another prefix"),
        pytest.param('<row r="40"><c r="A40"><v>1</v></c>', id="an end that is missing"),
        pytest.param("</sheetData>" + PLAIN[39] + "<sheetData>", id="a row behind all rows"),
        pytest.param("\xa0", id="a space of another kind"),
        pytest.param("\x0b", id="a control character between rows"),
        pytest.param(cells_of('<c r="A40" t="s"><is><t>\x0b</t></is></c>'), id="one in a text that nobody wants"),
        pytest.param(cells_of('<c r="A40" t="inlineStr"><v>a]]></v></c>'), id="]]> in a value that nobody wants"),
    ],
)
def test_something_odd_among_plain_rows(tmp_path: Path, odd: str, sizes: tuple[int, int]) -> None:
    rows = "".join([*PLAIN[:39], odd, *PLAIN[40:]])
    path = save(tmp_path / "users.xlsx", parts(worksheet(rows), texts=TEXTS, styles=STYLES))
    careful, _ = compare(path, sizes)
    assert len(careful.rows) >= 39 or careful.error


@pytest.mark.parametrize("sizes", [SMALL, TINY])
@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(['s="2"><v>{}</v>', "><v>{}</v>", 's="4"><v>{}</v>'], id="numbers of several formats"),
        pytest.param(['t="str"><v>a{}</v>', 't="inlineStr"><is><t>b{}</t></is>'], id="texts here and there"),
        pytest.param(['t="str" s="3"><v>a{}</v>', 't="str"><v>a{}</v>', 't="str" s="1">'], id="texts of formats"),
        pytest.param(["><v>{}</v>", 't="str"><v>{}</v>', "", "><f>1+1</f><v>{}</v>"], id="one kind after the other"),
    ],
)
def test_what_was_learnt_of_some_rows_and_is_not_so_in_others(
    tmp_path: Path, cells: list[str], sizes: tuple[int, int]
) -> None:
    def content(number: int) -> str:
        cell = cells[number // 3 % len(cells)].format(number)
        return f'<c r="A{number}" {cell}</c>' if cell else ""

    rows = "".join(f'<row r="{number}">{content(number)}</row>' for number in range(1, 100))
    careful, _ = compare(save(tmp_path / "users.xlsx", parts(worksheet(rows), texts=TEXTS, styles=STYLES)), sizes)
    assert len(careful.rows) >= 60


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("<si><t/>x</si>", id="an empty text and a stray one"),
        pytest.param("<si><t/></t></si>", id="an end too many"),
        pytest.param("<si><r><t>ri</t></r><r><t>ch</t></r></si>", id="rich text"),
        pytest.param("<si><t>a</t><rPh><t>b</t></rPh></si>", id="how it is pronounced"),
        pytest.param('<si><t>a</t><rPh sb="0" eb="1"><t>b</t></rPh><phoneticPr fontId="1"/></si>', id="all of it"),
        pytest.param('<si><t>a</t><phoneticPr fontId="1" type="noConversion"/></si>', id="in which manner"),
        pytest.param('<si><t>a</t><phoneticPr fontId="1" fontId="1"/></si>', id="in which manner twice"),
        pytest.param('<si><t>a</t><rPh sb="0" eb="1"><t>\x0b</t></rPh></si>', id="a control character, pronounced"),
        pytest.param("<si><t>&#252;&#xFC;&#0;</t></si>", id="entities by number"),
        pytest.param("<si><si><t>inner</t></si></si>", id="a text in a text"),
        pytest.param("<si><si><r><t>a</t></r></si><si><t>b</t></si></si>", id="texts in a text"),
        pytest.param("<si><rPh></si>", id="what is not closed"),
        pytest.param("<!-- <si><t>no</t></si> -->", id="a text in a comment"),
        pytest.param('<si><t x="1" x="1">a</t></si>', id="an attribute twice"),
        pytest.param("<si><tx>a</t></si>", id="another name"),
        pytest.param("<si><t>a&b;</t></si>", id="a strange entity"),
        pytest.param("<si><t>_xD83D__xDE00_ &quot;</t></si>", id="escapes"),
    ],
)
def test_something_odd_among_shared_texts(tmp_path: Path, odd: str) -> None:
    texts = "".join([TEXTS * 30, odd, "<si><t>last</t></si>" * 30])
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>{n + 40}</v></c></row>' for n in range(1, 60))
    for sizes in (SMALL, TINY):
        compare(save(tmp_path / "users.xlsx", parts(worksheet(rows), texts=texts)), sizes)


def test_shared_texts_that_are_all_pronunciation(tmp_path: Path) -> None:
    contents = parts(worksheet("".join(PLAIN)), texts=TEXTS, styles=STYLES)
    contents["xl/sharedStrings.xml"] = f"<rPh>{TEXTS * 30}</rPh>"
    compare(save(tmp_path / "users.xlsx", contents), SMALL)


@pytest.mark.parametrize("declared", ["", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-8"?>'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "us-ascii", "windows-1252", "utf-16"])
@pytest.mark.parametrize("text", ["Jürgen", "JÃ¼rgen"])  # the second looks like UTF-8 in another encoding
def test_other_encodings(tmp_path: Path, encoding: str, declared: str, text: str) -> None:
    rows = "".join(PLAIN[:39]) + cells_of(f'<c r="A40" t="inlineStr"><is><t>{text}</t></is></c>') + "".join(PLAIN[40:])
    contents: dict[str, str | bytes] = dict(parts(worksheet(rows), texts=TEXTS, styles=STYLES))
    declared = declared.replace("UTF-8", encoding.removesuffix("-sig"))
    contents["xl/worksheets/sheet1.xml"] = (declared + worksheet(rows)).encode(encoding, errors="replace")
    path = tmp_path / "users.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    compare(path, SMALL)


FORMULAS = {
    "texts": ' t="str"><f aca="false">LOWER(B1&amp;"x")</f><v>a{n}</v>',
    "numbers": "><f>A{n}+1</f><v>{n}</v>",
    "shared": '><f t="shared" si="0"/><v>{n}</v>',
    "blank": ' t="str"><f>""</f><v></v>',
    "array": '><f t="array" ref="A{n}">B{n}</f><v>{n}</v>',
}


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("", id="none"),
        pytest.param("><f>A1</f>", id="no result"),
        pytest.param("><f>A1</f><v></v>", id="a blank result"),
        pytest.param("><f>A1]]></f><v>1</v>", id="]]> in the formula"),
        pytest.param("><f>A1\x0b</f><v>1</v>", id="a control character in the formula"),
        pytest.param('><f t="array" t="array">A1</f><v>1</v>', id="an attribute twice"),
        pytest.param("><f>A1</f><f>A1</f><v>1</v>", id="two formulas"),
        pytest.param(' t="inlineStr"><f>A1</f><is><t>a</t></is>', id="a text of its own"),
        pytest.param(' t="b"><f>A1</f><v>1</v>', id="a truth value"),
    ],
)
@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_results_of_formulas_are_plain(tmp_path: Path, formula: str, odd: str) -> None:
    made = [
        f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c><c r="B{n}"{formula.format(n=n)}</c></row>' for n in range(1, 1200)
    ]
    if odd:
        made[900] = f'<row r="901"><c r="A901" t="s"><v>0</v></c><c r="B901"{odd}</c></row>'
    path = save(tmp_path / "users.xlsx", parts(worksheet("".join(made)), texts=TEXTS, styles=STYLES))
    careful, quick = compare(path, (1 << 14, 1 << 10))
    assert len(careful.rows) > 600
    assert careful.error or quick.parsed < careful.parsed / (2 if odd else 5)


# --- the same for ods

ODS_HEAD = (
    '<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x" xmlns:style="s" xmlns:number="n">'
    '<office:automatic-styles><number:number-style style:name="N1"><number:number number:min-integer-digits="5"'
    ' number:decimal-places="0"/></number:number-style><style:style style:name="ce2" style:family="table-cell"'
    ' style:data-style-name="N1"/></office:automatic-styles><office:body><office:spreadsheet>'
    '<table:table table:name="A">'
    '<table:table-column table:number-columns-repeated="2"/>'
    '<table:table-column table:default-cell-style-name="ce2"/><table:table-column/>'
)
ODS_TAIL = "</table:table></office:spreadsheet></office:body></office:document-content>"


def text_cell(text: str, more: str = "") -> str:
    return f'<table:table-cell{more} office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def float_cell(value: str, shown: str, more: str = "") -> str:
    attributes = f'office:value-type="float" office:value="{value}"{more}'
    return f"<table:table-cell {attributes}><text:p>{shown}</text:p></table:table-cell>"


def held_cell(value: str, shown: str | None = None, more: str = "") -> str:
    attributes = f'{more} office:value-type="string" office:string-value="{value}"'
    return f"<table:table-cell{attributes}><text:p>{value if shown is None else shown}</text:p></table:table-cell>"


def money_cell(value: str, currency: str) -> str:
    attributes = f'office:value-type="currency" office:currency="{currency}" office:value="{value}"'
    return f"<table:table-cell {attributes}><text:p>{value},00 €</text:p></table:table-cell>"


def table_row(*cells: str, more: str = "") -> str:
    return f"<table:table-row{more}>{''.join(cells)}</table:table-row>"


LINK = '<text:a xlink:href="mailto:a@b.c" xlink:type="simple">'
FORMULA = ' table:formula="of:=LOWER([.B2]&amp;&quot;x&quot;)"'
TAGS = ["", ' table:style-name="ce1"', ' table:style-name="ce2"', ' table:style-name="ce3" x="[$](.*)"']
TWICE = ' table:number-columns-repeated="2"'
ODS_PLAIN = [table_row(text_cell(f"user{n}"), float_cell(f"{n}", f"{n}"), "<table:table-cell/>") for n in range(59)]


def save_ods(path: Path, content: str) -> Path:
    return save(path, {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content})


@pytest.mark.parametrize("sizes", [SMALL, LONG])
@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("<!-- a comment -->", id="a comment between rows"),
        pytest.param(f"<!-- {ODS_PLAIN[39]} -->", id="a row in a comment"),
        pytest.param(f"<table:table-row-group>{ODS_PLAIN[39]}</table:table-row-group>", id="rows in a group"),
        pytest.param(table_row(text_cell("a", TWICE), float_cell("7", "7")), id="a cell for two"),
        pytest.param(table_row(f"<table:table-cell{TWICE}/>", float_cell("7", "00007")), id="an empty cell for two"),
        pytest.param(table_row(text_cell("a"), text_cell("b", TWICE)), id="the last cell for two"),
        pytest.param(table_row(text_cell("a", TWICE.replace("2", "0"))), id="a cell for none"),
        pytest.param(table_row(text_cell("a", TWICE.replace("2", "20000"))), id="a cell for too many"),
        pytest.param(table_row(f"<table:table-cell{TWICE.replace('2', '300')}/>", text_cell("b")), id="a wide gap"),
        pytest.param(table_row(text_cell("a"), more=' table:number-rows-repeated="3"'), id="a row for three"),
        pytest.param(table_row(text_cell("a"), more=' table:number-rows-repeated="0"'), id="a row for none"),
        pytest.param(table_row(text_cell("a"), more=' table:number-rows-repeated="1048577"'), id="rows without end"),
        pytest.param(table_row(text_cell("a"), more=' table:number-rows-repeated="200000"'), id="rows filled down"),
        pytest.param(
            table_row(float_cell("7", "00007"), more=' table:default-cell-style-name="ce2"'), id="a style of the row"
        ),
        pytest.param(
            '<table:table-column table:default-cell-style-name="ce2"/>'
            + table_row(text_cell("a</text:p><text:p>b"))
            + table_row(*[text_cell("b")] * 4, float_cell("7", "7")),
            id="columns among rows",
        ),
        pytest.param(table_row(text_cell("a<text:s/>b"), text_cell('<text:s text:c="3"/>b&amp;')), id="spaces"),
        pytest.param(table_row(text_cell('a<text:s text:c="0"/>b')), id="no spaces"),
        pytest.param(table_row(text_cell('a<text:s text:c="12"/>b')), id="a dozen spaces"),
        pytest.param(table_row(text_cell("a<text:tab/><text:line-break/>b"), text_cell("<text:tab/>")), id="tabs"),
        pytest.param(table_row(text_cell("a</text:p><text:p>b"), text_cell("c")), id="two paragraphs"),
        pytest.param(table_row(text_cell("a</text:p>\n <text:p/><text:p>b"), text_cell("c")), id="a blank paragraph"),
        pytest.param(table_row(text_cell("</text:p><text:p>b</text:p><text:p>"), text_cell("")), id="blank ends"),
        pytest.param(table_row(text_cell("b</text:p><text:p/><text:p>")), id="paragraphs of nothing"),
        pytest.param(table_row(text_cell('a<text:span text:style-name="T1">b<text:s/></text:span>c')), id="a span"),
        pytest.param(table_row(text_cell("<text:span>a</text:span></text:p><text:p>b")), id="a span and a paragraph"),
        pytest.param(table_row(text_cell("<text:span>a<text:span>b</text:span></text:span>")), id="a span in a span"),
        pytest.param(table_row(text_cell("<text:span>a</text:p><text:p>b</text:span>")), id="a span across lines"),
        pytest.param(table_row(text_cell("<text:span>a"), text_cell("b</text:span>")), id="a span without end"),
        pytest.param(table_row(text_cell("a\x0b<text:s/>b")), id="a control character and a space"),
        pytest.param(table_row(text_cell("a]<text:s/>]>b]<text:span>]</text:span>>c")), id="]]> over tags"),
        pytest.param(table_row(float_cell("5", "5<text:s/>€"), held_cell("a  b", "a<text:s/><text:s/>b")), id="values"),
        pytest.param(table_row(text_cell("a&#10;&amp;b")), id="an entity by number"),
        pytest.param(table_row(text_cell("a]]>b")), id="]]> in a text"),
        pytest.param(table_row(text_cell("a\x0bb")), id="a control character"),
        pytest.param(table_row(float_cell("5&amp;", "5")), id="an entity in a value"),
        pytest.param(table_row(float_cell("5\x0b", "5")), id="a control character in a value"),
        pytest.param(table_row(float_cell("5", "5", ' office:value="5"')), id="a value twice"),
        pytest.param(table_row(float_cell("5", "00005"), float_cell("2.50", "2,5")), id="shown otherwise"),
        pytest.param(table_row(float_cell("1e400", "inf"), float_cell("x", "x")), id="no numbers"),
        pytest.param(
            table_row('<table:table-cell x=" office:value-type=" office:value="5"/>'), id="quotation marks astray"
        ),
        pytest.param("<table:table-row/><table:table-cell/></table:table-row>", id="a row that ends twice"),
        pytest.param(table_row("<table:covered-table-cell/>", text_cell("b")), id="a merged cell"),
        pytest.param(table_row('<table:table-cell office:value-type="string"/>', text_cell("")), id="empty texts"),
        pytest.param(table_row('<table:table-cell table:formula="of:=1"/>', text_cell("b")), id="a formula"),
        pytest.param(table_row(text_cell(f"{LINK}a@b.c</text:a>"), text_cell("b")), id="a link"),
        pytest.param(table_row(text_cell(f"{LINK}a@b.c"), text_cell("b")), id="a link without end"),
        pytest.param(table_row(text_cell("a@b.c</text:a>"), text_cell("b")), id="a link without beginning"),
        pytest.param(table_row(text_cell(f"{LINK}a</text:a>b{LINK}c</text:a>")), id="links in a text"),
        pytest.param(table_row(text_cell(f"{LINK.replace('>', LINK[7:])}a</text:a>")), id="a link twice"),
        pytest.param(table_row(text_cell(f"{LINK}</text:a>"), text_cell("b")), id="a link to nothing"),
        pytest.param(table_row(held_cell("a &amp; b"), held_cell("")), id="texts in tags"),
        pytest.param(table_row(held_cell("a", "b"), held_cell("a  b", "a b"), held_cell("x", "")), id="others in tags"),
        pytest.param(table_row(held_cell("#N/A", more=FORMULA), held_cell("#N/A")), id="a formula with an error"),
        pytest.param(table_row(held_cell("a", more=FORMULA), float_cell("1", "TRUE", FORMULA)), id="formulas"),
        pytest.param(table_row(held_cell("a", more=FORMULA + FORMULA)), id="a formula twice"),
        pytest.param(
            table_row(held_cell("a", more=FORMULA.replace("of", "\x0b"))), id="a control character in a formula"
        ),
        pytest.param(
            table_row("<table:table-cell><text:p/></table:table-cell>", text_cell("b")), id="a blank paragraph"
        ),
        pytest.param(
            table_row(float_cell("5", "").replace("<text:p></text:p>", "<text:p/>"), float_cell("5", "")),
            id="numbers that show nothing",
        ),
        pytest.param(table_row(text_cell("a").replace("</text:p>", "<text:p/>")), id="a paragraph that does not end"),
        pytest.param(table_row(text_cell("a").replace("<text:p>", "<text:p/>")), id="a paragraph that does not begin"),
        pytest.param(table_row(money_cell("5", "EUR"), money_cell("5", "€")), id="money"),
        pytest.param(table_row("<table:table-cell/>", text_cell("a"), text_cell("b")), id="texts where none were"),
        pytest.param(table_row(text_cell("a"), text_cell("b")), id="a text where numbers were"),
        pytest.param(table_row(text_cell("a", ' table:style-name="ce2"')), id="a text of another style, and no more"),
        pytest.param(table_row(float_cell("7", "7"), text_cell("b")), id="a number where texts were"),
        pytest.param(table_row(), id="a row without cells"),
        pytest.param("</table:table>" + ODS_PLAIN[39], id="rows behind all rows"),
        pytest.param(
            table_row(text_cell("b") * 8, '<table:table-cell table:style-name="\x0b"/>'), id="a strange name of a style"
        ),
    ],
)
def test_something_odd_among_plain_rows_of_ods(tmp_path: Path, odd: str, sizes: tuple[int, int]) -> None:
    content = "".join([ODS_HEAD, *ODS_PLAIN[:39], odd, *ODS_PLAIN[40:], ODS_TAIL])
    careful, _ = compare(save_ods(tmp_path / "users.ods", content), sizes)
    assert len(careful.rows) >= 39 or careful.error


def test_texts_of_another_style_are_looked_for_as_soon_as_there_are_some(tmp_path: Path) -> None:
    styles = (TAGS[number // 400] for number in range(1600))
    rows = (table_row(text_cell(f"user{n}", style), text_cell("Ana", style)) for n, style in enumerate(styles))
    careful, quick = compare(save_ods(tmp_path / "users.ods", "".join([ODS_HEAD, *rows, ODS_TAIL])))
    assert len(careful.rows) == 1600
    assert quick.parsed < careful.parsed / 5


# --- damage of any kind

FRAGMENTS = st.sampled_from(
    [
        fragment.encode()
        for fragment in (
            "<!--", "-->", "<![CDATA[", "]]>", "<?x", "?>", "&amp;", "&#10;", "&lol;", "<", ">", "/", '"', "'", " ",
            "\n", "\r", "<v>1</v>", "<f>A1</f>", "<t>y</t>", "<row>", "</row>", "<row/>", "</sheetData>", "<c>", "</c>",
            ' s="1"', ' s="3"', ' t="str"', ' t="n"', ' r="A1"', '<c r="Z9"><v>1</v></c>', "<rPh>", "<si>", "</si>",
            "_x000D_", "\ufffe", "\xe9", "-", "e5", "</table:table-row>", "<table:table-row>", "<table:table-cell/>",
            TWICE, ' table:number-rows-repeated="2"', ' table:style-name="ce2"', "</table:table>", "<text:p>",
            ' table:visibility="filter"', ' hidden="1"',
        )
    ]
    + [b"\xff", b"\xed\xa0\x80", b"\x00"]
)  # fmt: skip
CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 12), FRAGMENTS | st.just(b"")), max_size=3
)


def changed(content: str, changes: list[tuple[float, int, bytes]]) -> bytes:
    data = content.encode()
    for where, gone, come in changes:
        at = int(where * len(data))
        data = data[:at] + come + data[at + gone :]
    return data


def compare_changed(
    name: str, contents: dict[str, str], part: str, changes: list[tuple[float, int, bytes]], sizes: tuple[int, int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        with zipfile.ZipFile(path, "w") as archive:
            for other, content in contents.items():
                archive.writestr(other, changed(content, changes) if other == part else content)
        compare(path, sizes)


CELLS = [
    't="s"><v>0</v></c>',
    't="str"><f>LOWER(A1&amp;"x")</f><v>a &amp; b</v></c>',
    't="str" s="3"><f aca="false">B1</f><v></v></c>',
    's="2"><f t="shared" si="0"/><v>7</v></c>',
    't="s"><f>A1</f><v>1</v></c>',
    "><f>A1</f><v></v></c>",
    "><f>A1</f></c>",
    't="e"><f t="array" ref="A1">A1]</f><v>#N/A</v></c>',
    't="s" s="1"><v>1</v></c>',
    's="1"><v>45000</v></c>',
    's="2"><v>7</v></c>',
    "><v>2.5</v></c>",
    't="n"><v>1e400</v></c>',
    't="inlineStr"><is><t>J&amp;J _x0041_</t></is></c>',
    't="inlineStr" s="3"><is><t xml:space="preserve"> ü </t></is></c>',
    't="b"><v>1</v></c>',
    't="e"><v>#N/A</v></c>',
    't="str"><v></v></c>',
    's="4"/>',
    "",
]


HEIGHTS = ["", "", ' ht="15"', ' hidden="1"', ' ht="15" hidden="0"']


@st.composite
def worksheets(draw: st.DrawFn) -> str:
    rows, number = [], 0
    for cells in draw(st.lists(st.lists(st.sampled_from(CELLS), max_size=5), min_size=5, max_size=12)):
        number += draw(st.sampled_from([1, 1, 1, 3]))
        written = "".join(
            f'<c r="{letter}{number}" {cell}' for letter, cell in zip("ABCDE", cells, strict=False) if cell
        )
        rows.append(f'<row r="{number}"{draw(st.sampled_from(HEIGHTS))}>{written}</row>')
    return worksheet(draw(st.sampled_from(["", "\n  "])).join(rows))


@given(worksheets(), CHANGES, st.sampled_from(["xl/worksheets/sheet1.xml"] * 3 + ["xl/sharedStrings.xml"]))
@settings(max_examples=150)
def test_any_damage_to_an_xlsx_workbook(sheet: str, changes: list[tuple[float, int, bytes]], part: str) -> None:
    contents = parts(sheet, texts=TEXTS, styles=STYLES)
    for sizes in (SMALL, LONG):
        compare_changed("users.xlsx", contents, part, changes, sizes)


ODS_CELLS = [
    text_cell("ana"),
    text_cell("J&amp;J"),
    text_cell("a<text:s/>b</text:p><text:p>c"),
    text_cell("<text:span>&#252;</text:span>b"),
    text_cell("b", TWICE),
    text_cell(" ü\n", ' table:style-name="ce2"'),
    float_cell("7", "7"),
    float_cell("2.50", "2.5"),
    float_cell("7", "00007", TWICE),
    "<table:table-cell/>",
    f"<table:table-cell{TWICE}/>",
    '<table:table-cell office:value-type="date" office:date-value="2024-02-29"><text:p>x</text:p></table:table-cell>',
    '<table:table-cell office:value-type="boolean" office:boolean-value="true"><text:p>yes</text:p></table:table-cell>',
    '<table:table-cell office:value-type="string"/>',
]


ROW_TAGS = [
    "",
    "",
    ' table:style-name="ro1"',
    ' table:number-rows-repeated="2"',
    ' table:style-name="ro1" table:visibility="filter"',
    ' table:visibility="collapse"',
    ' table:visibility="visible"',
]


@st.composite
def tables(draw: st.DrawFn) -> str:
    rows = [
        table_row(*cells, more=draw(st.sampled_from(ROW_TAGS)))
        for cells in draw(st.lists(st.lists(st.sampled_from(ODS_CELLS), max_size=5), min_size=5, max_size=12))
    ]
    return ODS_HEAD + draw(st.sampled_from(["", "\n  "])).join(rows) + ODS_TAIL


@given(tables(), CHANGES)
@settings(max_examples=150)
def test_any_damage_to_an_ods_document(content: str, changes: list[tuple[float, int, bytes]]) -> None:
    contents = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content}
    for sizes in (SMALL, LONG):
        compare_changed("users.ods", contents, "content.xml", changes, sizes)


@st.composite
def tables_of_texts(draw: st.DrawFn) -> str:
    """Tables whose columns hold texts behind few start tags, and sometimes something else."""
    columns = draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=10))
    cells = st.sampled_from(
        ["text"] * 8 + ["empty", "empty", "bare", "other", "number", "two", "twice", "blank", "held", "link"]
    )
    rows = []
    for _ in range(draw(st.integers(10, 25))):
        row = []
        for number, more in enumerate(columns[: draw(st.integers(0, 12)) or None]):
            kind = draw(cells)
            tag = more if kind != "other" else draw(st.sampled_from(TAGS))
            match kind:
                case "empty":
                    row.append(f"<table:table-cell{tag}/>")
                case "bare":
                    row.append(f'<table:table-cell{tag} office:value-type="string"/>')
                case "number":
                    row.append(float_cell("7", "7", tag))
                case "two":
                    row.append(text_cell("a</text:p><text:p>b", tag))
                case "twice":
                    row.append(f"<table:table-cell{TWICE}/>")
                case "blank":
                    row.append(text_cell("", tag).replace("<text:p></text:p>", "<text:p/>"))
                case "held":
                    row.append(held_cell(f"a{number}", more=draw(st.sampled_from(["", tag, FORMULA]))))
                case "link":
                    row.append(text_cell(f"{LINK}a{number}</text:a>", tag))
                case _:
                    row.append(text_cell(f"column {number}", tag))
        rows.append(table_row(*row))
    return ODS_HEAD + draw(st.sampled_from(["", "\n  "])).join(rows) + ODS_TAIL


@given(tables_of_texts(), CHANGES)
@settings(max_examples=60)
def test_texts_among_others_in_an_ods_document(content: str, changes: list[tuple[float, int, bytes]]) -> None:
    contents = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content}
    for sizes in (SMALL, LONG):
        compare_changed("users.ods", contents, "content.xml", changes, sizes)


@given(st.text(max_size=30), st.sampled_from(["", "&amp;", "&lt;"]))
def test_a_text_is_refused_or_read_as_the_parser_reads_it(text: str, entity: str) -> None:
    raw = (text + entity).encode("utf-8", errors="ignore").decode().replace("<", "").replace("&", "")
    raw += entity
    seen: list[str] = []
    handler = _xml.ElementHandler(lambda name, attributes: None)
    try:
        list(handler.parse(f"<t>{raw}</t>".encode()))
        seen = [handler.text()]
    except (_xml.DamagedError, ExpatError):
        pass
    for read_text in (_skimming.text_of, lambda raw: _skimming.texts_of([raw])[0]):
        try:
            assert [read_text(raw)] == seen
        except _skimming.NotPlainError:
            assert not seen or "\r" in raw or any(ord(character) < 32 for character in raw) or "]]>" in raw
