"""Copies with other cells: what was to change has changed, and nothing else."""

from __future__ import annotations

import io
import re
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

from musterroll import (
    Cell,
    CellEdit,
    CellLink,
    Draft,
    DraftColumn,
    FrontRow,
    FrontSheet,
    MusterrollError,
    Severity,
    SheetEdits,
    SheetRow,
    Source,
)
from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader
from musterroll_plugins.readers.csv.reader import musterroll_readers as csv_readers
from musterroll_plugins.readers.ods.reader import musterroll_readers as ods_readers
from musterroll_plugins.readers.xlsx.reader import musterroll_readers as xlsx_readers
from support.cost import most_bytes_held, python_calls
from support.office import gnumeric, libreoffice, needs_gnumeric, needs_libreoffice, saved_again
from support.rows import context

FORMATS = {"xlsx": xlsx_readers, "ods": ods_readers, "csv": csv_readers}
FRONT = FrontSheet(
    name="Problems",
    title="1 problem",
    headings=("What", "Cells"),
    rows=(FrontRow(("Error", CellLink("B3")), Severity.ERROR),),
    widths=(10, 8),
)
SECRET = "Harbour-Lamp-77"


def component(form: str) -> Any:
    return next(FORMATS[form]())


def edited(path: Path, *cells: CellEdit, to: Path | None = None, **more: Any) -> Path:
    """Writes the copy beside the file."""
    form = path.suffix[1:]
    one = component(form)
    out = to or path.with_name(f"edited.{form}")
    with out.open("wb") as target:
        edits = SheetEdits(cells=lambda: iter(cells), **more)
        one.editor(one.options(), context()).edit(Source(path), edits, target)
    return out


def rows(path: Path, worksheet: str | None = None) -> dict[int, list[Cell]]:
    one = component(path.suffix[1:])
    with one.build(one.options(), context()).open(Source(path), worksheet) as sheet:
        found = {row.number: list(row.cells) for row in sheet.rows()}
    return {number: cells for number, cells in found.items() if any(cell not in (None, "") for cell in cells)}


def at(found: dict[int, list[Cell]], row: int, column: int) -> Cell:
    cells = found.get(row, [])
    return (cells[column] if column < len(cells) else None) or None


def made(path: Path, cells: dict[int, tuple[Cell, ...]]) -> Path:
    """A workbook of our own writers."""
    one = component(path.suffix[1:])
    draft = Draft(
        columns=tuple(DraftColumn(heading="H") for _ in range(4)),
        heading_row=1,
        first_row=2,
        rows=[SheetRow(number, row) for number, row in sorted(cells.items())],
    )
    with path.open("wb") as target:
        one.writer(one.options(), context()).write(draft, target)
    return path


TEXTS = st.sampled_from(
    ["+447712345678", "=1+1", "0771", "a\nb", " edge ", "é €", "<&>\"'", "_x0041_", "TRUE", "1.0", "x;y,z", "😀"]
)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sheet=st.dictionaries(
        st.integers(2, 9), st.lists(st.one_of(st.none(), TEXTS), min_size=1, max_size=4).map(tuple), min_size=1
    ),
    edits=st.dictionaries(st.tuples(st.integers(2, 12), st.integers(0, 5)), st.one_of(st.just(""), TEXTS), max_size=8),
)
def test_only_the_edited_cells_are_others(
    form: str, sheet: dict[int, tuple[Cell, ...]], edits: dict[tuple[int, int], str], tmp_path: Path
) -> None:
    path = made(tmp_path / f"sheet.{form}", {**sheet, 1: ("A", "B", "C", "D")})
    before = rows(path)
    if form == "csv":  # blank lines stay blank
        edits = {place: text for place, text in edits.items() if place[0] in before}
    after = rows(edited(path, *(CellEdit(*place, edits[place]) for place in sorted(edits))))
    for number in range(1, 14):
        for column in range(7):
            wanted = edits.get((number, column), at(before, number, column)) or None
            assert at(after, number, column) == wanted


# Each of them is something else to a program that guesses.
LOOKALIKES = [
    "+447712345678", "+44", "=1+1", "=cmd|'/c calc'!A1", "@SUM(A1)", "-1+2", "0771", "007", "1.0", "1e5", "1/2",
    "3-4", "TRUE", "#N/A", "2026-11-28", "12:30", "50 %", "'quoted", '"both"', "a;b,c|d", "<b>&amp;", "_x0041_",
    "  edge", "😀",
]  # fmt: skip


@pytest.mark.parametrize(
    "form", ["xlsx", pytest.param("ods", marks=pytest.mark.slow), pytest.param("csv", marks=pytest.mark.slow)]
)
@needs_libreoffice
def test_what_is_put_into_cells_is_still_that_text_when_a_program_has_saved_it(form: str, tmp_path: Path) -> None:
    filled: dict[int, tuple[Cell, ...]] = dict.fromkeys(range(2, len(LOOKALIKES) + 2), ("was", "stays", "", "x"))
    path = made(tmp_path / f"sheet.{form}", {1: ("A", "B", "C", "D"), **filled})
    if form == "csv":
        path.write_bytes(path.read_bytes().replace(b",", b";"))
    edits = [CellEdit(n, column, text) for n, text in enumerate(LOOKALIKES, 2) for column in (0, 2)]
    notes = [edit._replace(mark=Severity.ERROR, note=edit.text) if edit.column else edit for edit in edits]
    copy = edited(path, *notes, front=FRONT)
    for one in (copy, saved_again(copy)):
        found = rows(one)
        assert [at(found, number, 0) for number in range(2, len(LOOKALIKES) + 2)] == LOOKALIKES
        assert [at(found, number, 2) for number in range(2, len(LOOKALIKES) + 2)] == LOOKALIKES
        assert {at(found, number, 1) for number in range(2, len(LOOKALIKES) + 2)} == {"stays"}


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_marks_notes_and_the_worksheet_in_front_change_no_row(form: str, tmp_path: Path) -> None:
    path = made(tmp_path / f"sheet.{form}", {1: ("A", "B"), 2: ("x", "y"), 3: ("z", None)})
    notes = [
        CellEdit(2, 0, None, Severity.WARNING, "look\nhere"),
        CellEdit(3, 1, None, Severity.ERROR, "missing"),
        CellEdit(7, 0, None, Severity.ERROR, "a blank row"),
    ]
    copy = edited(path, *notes, front=FRONT, drops_earlier_notes=True)
    assert rows(copy) == rows(path)
    again = edited(copy, notes[0], to=tmp_path / f"again.{form}", front=FRONT, drops_earlier_notes=True)
    assert rows(again) == rows(path)
    told = b"".join(zipfile.ZipFile(again).read(name) for name in zipfile.ZipFile(again).namelist())
    assert b"missing" not in told  # what an earlier copy said is gone
    assert told.count(b"here") == 1


@needs_libreoffice
@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_earlier_notes_are_known_again_after_a_program_has_saved_them(form: str, tmp_path: Path) -> None:
    path = designed(tmp_path / "sheet.xlsx")
    path = path if form == "xlsx" else libreoffice(path, form, tmp_path / "lo")
    notes = [CellEdit(3, 0, None, Severity.ERROR, "stale one\nof two lines"), CellEdit(5, 2, None, None, "stale two")]
    copy = edited(path, *notes, worksheet="Users", drops_earlier_notes=True)
    saved = libreoffice(copy, form, tmp_path / "saved")
    again = edited(
        saved,
        CellEdit(4, 0, None, None, "new"),
        to=tmp_path / f"again.{form}",
        worksheet="Users",
        drops_earlier_notes=True,
    )
    package = zipfile.ZipFile(again)
    told = b"".join(map(package.read, package.namelist()))
    assert (told.count(b"stale"), told.count(b"two lines"), told.count(b"musterroll: new")) == (0, 0, 1)
    assert told.count(b"call first") == 1  # a person's own stays


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_blanked_cells_are_nowhere_in_the_file(form: str, tmp_path: Path) -> None:
    path = tmp_path / "sheet.xlsx"
    book: Any = openpyxl.Workbook()
    for row in (["Name", "Password", "Again"], ["ana", SECRET, "ana"], ["bo", SECRET, "shared"], ["cy", "shared", "x"]):
        book.active.append(row)
    book.save(path)
    if form == "ods":
        path = libreoffice(path, "ods", tmp_path / "lo")
    copy = edited(path, blanked=frozenset({1}), blanked_from=2)
    package = zipfile.ZipFile(copy)
    assert not any(SECRET.encode() in package.read(name) for name in package.namelist())
    assert not any(name.startswith("Thumbnails/") for name in package.namelist())
    found = rows(copy)
    assert [at(found, number, 1) for number in (1, 2, 3, 4)] == ["Password", None, None, None]
    assert at(found, 3, 2) == "shared"


def designed(path: Path) -> Path:
    """A workbook with everything that people put into one."""
    book: Any = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Users"
    sheet.append(["Staff of 2026", None, None])
    sheet.merge_cells("A1:C1")
    sheet.append(["Name", "Phone", "Kind"])
    for number in range(3, 8):
        sheet.append([f"user{number}", f"0771234567{number}", "North"])
    sheet["A1"].font = Font(name="Georgia", size=18, bold=True)
    sheet["B4"].fill = PatternFill("solid", fgColor="FF00FF00")
    sheet["D3"] = "=COUNTA(A3:A7)"
    sheet["C5"].comment = Comment("call first", "Bo")
    sheet.column_dimensions["B"].width = 33
    sheet.auto_filter.ref = "A2:C7"
    rule = DataValidation(type="list", formula1='"North,South"', allow_blank=True)
    rule.add("C3:C7")
    sheet.add_data_validation(rule)
    other = book.create_sheet("Prices")
    other["A1"] = "=Users!A3"
    other.sheet_state = "hidden"
    other.add_table(Table(displayName="T1", ref="A3:B5"))
    other["A3"], other["B3"] = "p", "q"
    sheet.print_title_rows = "2:2"
    sheet.freeze_panes = "A3"
    book.save(path)
    return path


def designed_with_xlsxwriter(path: Path) -> Path:
    """The same, by a program that writes what Excel writes: shared texts, a calculation chain, its own notes."""
    book = xlsxwriter.Workbook(str(path))
    sheet, other = book.add_worksheet("Users"), book.add_worksheet("Prices")
    title = book.add_format({"font_name": "Georgia", "font_size": 18, "bold": True})
    sheet.merge_range("A1:C1", "Staff of 2026", title)
    sheet.write_row("A2", ["Name", "Phone", "Kind"])
    for number in range(3, 8):
        sheet.write_row(f"A{number}", [f"user{number}", f"0771234567{number}", "North"])
    sheet.write("B4", "07712345674", book.add_format({"bg_color": "#00FF00"}))
    sheet.write_formula("D3", "=COUNTA(A3:A7)", None, 5)
    sheet.write_rich_string("A6", "us", book.add_format({"bold": True}), "er6")
    sheet.write_comment("C5", "call first", {"author": "Bo"})
    sheet.set_column("B:B", 33)
    sheet.autofilter("A2:C7")
    sheet.data_validation("C3:C7", {"validate": "list", "source": ["North", "South"]})
    sheet.conditional_format("B3:B7", {"type": "no_blanks", "format": book.add_format({"italic": True})})
    sheet.repeat_rows(1)
    sheet.freeze_panes(2, 0)
    other.write_formula("A1", "=Users!A3", None, "user3")
    other.write_row("A3", ["p", "q"])
    other.add_table("A3:B5", {"name": "Fees", "columns": [{"header": "p"}, {"header": "q"}]})
    other.hide()
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=Users!$D$3:$D$7"})
    other.insert_chart("E5", chart)
    book.close()
    return path


def look(path: Path) -> dict[str, Any]:
    book: Any = openpyxl.load_workbook(path)
    sheet = book["Users"]
    return {
        "sheets": [one.title for one in book if one.title != "Problems"],
        "hidden": [one.title for one in book if one.sheet_state != "visible"],
        "font": (sheet["A1"].font.name, sheet["A1"].font.size, sheet["A1"].font.bold),
        "fill": sheet["B4"].fill.fgColor.rgb,
        "width": round(sheet.column_dimensions["B"].width),
        "merged": [str(one) for one in sheet.merged_cells.ranges],
        "filter": sheet.auto_filter.ref,
        "choices": [(str(one.sqref), one.formula1) for one in sheet.data_validations.dataValidation],
        "formula": sheet["D3"].value,
        "other": book["Prices"]["A1"].value,
        "note": re.sub(r"^Bo:\s*", "", sheet["C5"].comment.text),
        "titles": sheet.print_title_rows,
        "frozen": sheet.freeze_panes,
        "by its values": [(str(one.sqref), [rule.type for rule in one.rules]) for one in sheet.conditional_formatting],
        "tables": list(book["Prices"].tables),
    }


def written_by(program: str, folder: Path) -> Path:
    if program == "XlsxWriter":
        return designed_with_xlsxwriter(folder / "xlsxwriter.xlsx")
    path = designed(folder / "openpyxl.xlsx")
    if program == "LibreOffice":
        return libreoffice(path, "xlsx", folder / "lo")
    if program == "Gnumeric":
        return gnumeric(path, "xlsx", folder / "gnumeric")
    return path


@pytest.mark.parametrize(
    "program",
    [
        "openpyxl",
        "XlsxWriter",
        pytest.param("LibreOffice", marks=needs_libreoffice),
        pytest.param("Gnumeric", marks=needs_gnumeric),
    ],
)
@pytest.mark.filterwarnings("ignore:Workbook contains no default style")  # Gnumeric's have none
def test_everything_else_stays_as_it_was(program: str, tmp_path: Path) -> None:
    path = written_by(program, tmp_path)
    fixed = edited(path, CellEdit(3, 1, "+447712345673"), CellEdit(4, 1, "7712345674"), worksheet="Users")
    assert look(fixed) == look(path)
    noted = edited(
        path,
        CellEdit(3, 1, None, Severity.ERROR, "wrong"),
        CellEdit(5, 2, None, Severity.WARNING, "look"),
        to=tmp_path / "noted.xlsx",
        worksheet="Users",
        front=FRONT,
    )
    before, after = look(path), look(noted)
    assert after.pop("note").splitlines() == [
        *before.pop("note").splitlines(),
        "musterroll: look",
    ]  # a person's own comes first
    assert after == before
    book: Any = openpyxl.load_workbook(noted)
    assert book.sheetnames[0] == "Problems"
    assert [one.title for one in book if one.sheet_view.tabSelected] == ["Problems"]
    assert book["Users"]["B3"].fill.fgColor.rgb == "FFFFB3AD"
    assert book["Users"]["B3"].comment.text == "musterroll: wrong"
    told = zipfile.ZipFile(noted)
    assert sorted({*zipfile.ZipFile(path).namelist()} - {*told.namelist()}) in ([], ["xl/calcChain.xml"])
    assert len(told.namelist()) == len({*told.namelist()})


@pytest.mark.slow
@pytest.mark.parametrize(
    "program", [pytest.param("LibreOffice", marks=needs_libreoffice), pytest.param("Gnumeric", marks=needs_gnumeric)]
)
@needs_libreoffice
@pytest.mark.filterwarnings("ignore:Workbook contains no default style")
def test_everything_else_of_a_document_stays_as_it_was(program: str, tmp_path: Path) -> None:
    made_by = libreoffice if program == "LibreOffice" else gnumeric
    path = made_by(designed(tmp_path / "staff.xlsx"), "ods", tmp_path / "made")
    noted = edited(
        path,
        CellEdit(3, 1, "+447712345673", Severity.ERROR, "wrong"),
        CellEdit(5, 2, None, Severity.WARNING, "look"),
        to=tmp_path / "noted.ods",
        worksheet="Users",
        front=FRONT,
    )
    before, after = (look(libreoffice(one, "xlsx", tmp_path / "seen")) for one in (path, noted))
    assert after.pop("note").splitlines() == [*before.pop("note").splitlines(), "musterroll: look"]
    assert after == before
    book: Any = openpyxl.load_workbook(tmp_path / "seen" / "noted.xlsx")
    front, users = book["Problems"], book["Users"]
    assert (front.page_setup.orientation, front.sheet_properties.pageSetUpPr.fitToPage) == ("landscape", True)
    assert front.print_title_rows == "$3:$3"
    assert (users["B3"].value, users["B3"].data_type, users["B3"].fill.fgColor.rgb) == (
        "+447712345673",
        "s",
        "FFFFB3AD",
    )


@pytest.mark.parametrize("program", ["openpyxl", "XlsxWriter", "bare"])
def test_the_worksheet_in_front_is_printed_on_landscape_pages_with_its_headings(program: str, tmp_path: Path) -> None:
    """Whether the workbook has names of its own, and so a list of them, or has none."""
    path = made(tmp_path / "bare.xlsx", {1: ("A", "B"), 2: ("x", "y")}) if program == "bare" else None
    copy = edited(path or written_by(program, tmp_path), worksheet=None if path else "Users", front=FRONT)
    again = edited(copy, to=tmp_path / "again.xlsx", worksheet=None if path else "Users", front=FRONT)
    for one in (copy, again):
        front = openpyxl.load_workbook(one)["Problems"]
        assert (front.page_setup.orientation, front.page_setup.fitToHeight) == ("landscape", 0)
        assert front.print_title_rows == "$3:$3"


@pytest.mark.parametrize("styles", ["whole", "empty", "none"])
def test_the_pages_of_the_worksheet_in_front_are_added_once(styles: str, tmp_path: Path) -> None:
    path = made(tmp_path / "sheet.ods", {1: ("A", "B"), 2: ("x", "y")})
    package = zipfile.ZipFile(path)
    lists = re.compile(r"<office:(automatic|master)-styles>.*?</office:\1-styles>", re.DOTALL)
    with zipfile.ZipFile(tmp_path / "other.ods", "w") as other:
        for name in package.namelist():
            data = package.read(name).decode("utf-8")
            if name == "styles.xml" and styles != "whole":
                data = lists.sub(r"<office:\1-styles/>" if styles == "empty" else "", data)
            other.writestr(name, data)
    copy = edited(tmp_path / "other.ods", front=FRONT)
    again = edited(copy, to=tmp_path / "again.ods", front=FRONT)
    for one in (copy, again):
        told = zipfile.ZipFile(one).read("styles.xml").decode("utf-8")
        ours = re.findall(r'<office:([\w-]+styles)\b|<style:([\w-]+) [^>]*style:name="musterroll-problems"', told)
        assert ["".join(name) for name in ours][-4:] == [
            "automatic-styles",
            "page-layout",
            "master-styles",
            "master-page",
        ]
        assert told.count('style:name="musterroll-problems"') == 2


def test_formulas_that_shared_the_one_of_an_edited_cell_keep_their_results(tmp_path: Path) -> None:
    path = designed(tmp_path / "sheet.xlsx")
    shared = (
        '<c r="D3"><f t="shared" ref="D3:D4" si="0">A3</f><v>1</v></c></row>',
        '<c r="D4"><f t="shared" si="0"/><v>2</v></c></row>',
    )
    package = zipfile.ZipFile(path)
    with zipfile.ZipFile(tmp_path / "shared.xlsx", "w") as made_new:
        for name in package.namelist():
            data = package.read(name).decode("utf-8")
            if name.endswith("sheet1.xml"):
                data = re.sub(r'<c r="D3".*?</row>', shared[0], data, count=1, flags=re.DOTALL)
                data = re.sub(
                    r'(<row r="4".*?)</row>', lambda found: found[1] + shared[1], data, count=1, flags=re.DOTALL
                )
            made_new.writestr(name, data)
    copy = edited(tmp_path / "shared.xlsx", CellEdit(3, 3, "text"), worksheet="Users")
    found = rows(copy, "Users")
    assert (at(found, 3, 3), getattr(at(found, 4, 3), "value", None)) == ("text", 2)
    loaded: Any = openpyxl.load_workbook(copy)
    assert loaded["Users"]["D4"].value == 2


def test_repeated_cells_and_rows_of_a_document_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "sheet.xlsx"
    book: Any = openpyxl.Workbook()
    for _ in range(4):
        book.active.append(["same", "same", "same", None, "end"])
    book.save(path)
    document = libreoffice(path, "ods", tmp_path / "lo")
    copy = edited(document, CellEdit(2, 1, "other"), CellEdit(3, 3, "new"), CellEdit(4, 0, None, Severity.ERROR, "n"))
    found = rows(copy)
    assert [[cell or None for cell in found[number]] for number in (1, 2, 3, 4)] == [
        ["same", "same", "same", None, "end"],
        ["same", "other", "same", None, "end"],
        ["same", "same", "same", "new", "end"],
        ["same", "same", "same", None, "end"],
    ]


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_a_copy_costs_as_much_as_it_has_rows_and_is_never_held(form: str, tmp_path: Path) -> None:
    calls, held = {}, {}
    for count in (250, 1000):
        row: tuple[Cell, ...] = ("ana@example.com", "07712345678", SECRET, "North;" * 300)
        path = made(tmp_path / f"of-{count}.{form}", {1: ("A", "B", "C", "D")} | dict.fromkeys(range(2, count), row))
        marked = [CellEdit(number, 1, "7712345678", Severity.ERROR, "look") for number in range(2, count, 10)]
        copy = partial(edited, path, *marked, blanked=frozenset({2}), blanked_from=2, front=FRONT)
        copy()  # what is imported and made once is no matter
        calls[count], held[count] = python_calls(copy), most_bytes_held(copy)
    assert calls[1000] < 4.2 * calls[250]
    assert held[1000] < 2 * held[250]


def csv_copy(data: bytes, *cells: CellEdit, **options: str) -> bytes:
    path = Path("sheet.csv")
    path.write_bytes(data)
    out = io.BytesIO()
    one = component("csv")
    one.editor(CsvOptions(**options), context()).edit(Source(path), SheetEdits(cells=lambda: iter(cells)), out)
    return out.getvalue()


@pytest.fixture
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_in_a_folder")
def test_a_csv_file_keeps_its_ways() -> None:
    mark = b"\xef\xbb\xbf"
    assert csv_copy(
        mark + b'a;b;c\r\n"x";"1;2";"q""q"\r\n\r\n1;"a\nb";3', CellEdit(2, 1, "z"), CellEdit(4, 2, "p;q")
    ) == (mark + b'a;b;c\r\n"x";"z";"q""q"\r\n\r\n1;"a\nb";"p;q"')
    assert csv_copy("a,b\nü,7\n".encode("cp1252"), CellEdit(2, 1, "é")) == "a,b\nü,é\n".encode("cp1252")
    assert csv_copy("sep=|\na|b\n1|2\n".encode("utf-16"), CellEdit(2, 0, "é")) == "sep=|\na|b\né|2\n".encode("utf-16")
    with pytest.raises(MusterrollError, match='row 2 is to hold the character "ł"'):
        csv_copy("a,b\nü,7\n".encode("cp1252"), CellEdit(2, 1, "ł"))


@pytest.mark.usefixtures("_in_a_folder")
@given(
    st.lists(st.lists(st.text("ab;,\"'\n\r é", max_size=5), min_size=2, max_size=4), min_size=2, max_size=5),
    st.integers(1, 4),
    st.integers(0, 3),
    st.text('ab;,"\n', max_size=4),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_record_is_read_as_it_was_but_for_its_edited_cell(
    records: list[list[str]], row: int, column: int, text: str
) -> None:
    quoted = "".join(";".join('"' + cell.replace('"', '""') + '"' for cell in record) + "\n" for record in records)
    done = csv_copy(quoted.encode(), CellEdit(row, column, text), delimiter=";", encoding="utf-8")
    Path("done.csv").write_bytes(done)
    with CsvReader(CsvOptions(delimiter=";", encoding="utf-8"), context()).open(Source(Path("done.csv"))) as sheet:
        read = [list(one.cells) for one in sheet.rows()]
    wanted = [list(record) for record in records]
    if row <= len(wanted) and any(wanted[row - 1]) and (text or column < len(wanted[row - 1])):
        record = wanted[row - 1]
        record.extend([""] * (column + 1 - len(record)))
        record[column] = text
    assert read == wanted
