from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Cell, ErrorCell, NumberCell, Severity, SheetInfo, SheetRow, SourceError
from musterroll.errors import PluginError
from musterroll.sheet.reader import RowReader
from support.rows import changed, fields
from support.sheets import GUIDANCE, HEADINGS, MemorySheet, Read, read, settings, sheet, user

GAP: tuple[Cell, ...] = ()
# All that a person takes for a blank row.
BLANKS: list[tuple[Cell, ...]] = [
    GAP,
    (None,) * 8,
    ("",) * 8,
    (" ", "\u00a0", "\t", "\u200b", "  ", "\n"),
    (None, "", " "),
]


def test_a_standard_sheet() -> None:
    found = read(sheet(user("ana", email=" ana@example.com "), user("bo", phone=NumberCell(7712345678.0))))
    assert (found.usernames, found.file_problems, found.cell_problems) == (["ana", "bo"], [], [])
    assert [row.number for row in found.rows] == [3, 4]
    assert (found.rows[0]["email"], found.rows[0].value("email").raw) == ("ana@example.com", " ana@example.com ")
    assert found.rows[1]["phone"] == "7712345678"


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_row_ends_the_import_and_says_so(blank: tuple[Cell, ...]) -> None:
    found = read(sheet(user("ana"), blank, user("bo"), blank, user("cy")))
    assert found.usernames == ["ana"]
    (problem,) = found.file_problems
    assert (problem.code, problem.severity, problem.row, problem.cell) == ("row.after_blank", Severity.WARNING, 4, None)
    assert "Row 4 is blank" in problem.message
    assert "2 filled rows" in problem.message


@pytest.mark.parametrize("blank", BLANKS)
def test_blank_rows_can_be_skipped(blank: tuple[Cell, ...]) -> None:
    found = read(sheet(user("ana"), blank, blank, user("bo"), blank), on_blank_row="skip")
    assert ([row.number for row in found.rows], found.file_problems) == ([3, 6], [])


@pytest.mark.parametrize("blank", BLANKS)
def test_blank_rows_can_be_errors(blank: tuple[Cell, ...]) -> None:
    found = read(sheet(user("ana"), blank, user("bo"), blank, blank, user("cy"), blank), on_blank_row="error")
    assert found.usernames == ["ana", "bo", "cy"]
    assert [(one.code, one.severity, one.row, one.message) for one in found.file_problems] == [
        ("row.blank", Severity.ERROR, 4, "Row 4 is blank; delete it or fill it in"),
        ("row.blank", Severity.ERROR, 6, "Rows 6 to 7 are blank; delete them or fill them in"),
    ]


@pytest.mark.parametrize("mode", ["stop", "skip", "error"])
@pytest.mark.parametrize("blank", BLANKS)
def test_blank_rows_at_the_end_are_no_problem(mode: str, blank: tuple[Cell, ...]) -> None:
    found = read(sheet(user("ana"), *[blank] * 5), on_blank_row=mode)
    assert (found.usernames, found.file_problems) == (["ana"], [])


def test_a_blank_row_before_the_first_user() -> None:
    rows = sheet(GAP, user("ana"))
    stopped = read(rows)
    assert (stopped.usernames, stopped.codes) == ([], ["row.after_blank", "sheet.empty"])
    assert "1 filled row that follows is not imported" in stopped.file_problems[0].message
    assert (read(rows, on_blank_row="skip").usernames, read(rows, on_blank_row="error").codes) == (
        ["ana"],
        ["row.blank"],
    )


def test_what_is_not_read_is_counted() -> None:
    assert read(sheet(user("ana"), user("bo"))).not_read == 0
    assert read(sheet(user("ana"), GAP, user("bo"), GAP, user("cy"))).not_read == 2
    assert read(sheet(user("ana"), GAP, user("bo")), on_blank_row="skip").not_read == 0
    at_the_top = read(sheet(user("ana"), guidance=user("bo", email="bo@example.com")))
    assert (at_the_top.codes, at_the_top.not_read) == (["row.guidance_is_data"], 1)


def test_cells_without_a_heading_are_one_warning_at_the_first_that_does_not_show_them() -> None:
    beyond = sheet(
        user("ana"), (*user("bo"), *[None] * (len(HEADINGS) - len(user("bo"))), "Secret-1", "x"), (*[None] * 12, "y")
    )
    found = read(beyond)
    (problem,) = found.file_problems
    assert (problem.code, problem.severity, problem.cell, problem.value) == (
        "cell.without_heading",
        Severity.WARNING,
        "I4",
        None,
    )
    assert "3 cells" in problem.message
    assert "Secret-1" not in problem.message
    assert len(found.rows) == 3


def test_a_cell_under_a_blank_heading() -> None:
    headings = (*HEADINGS[:4], "", *HEADINGS[4:])
    rows = [(*user("ana")[:4], "Jr", *user("ana")[4:]), (*user("bo")[:4], " ", *user("bo")[4:])]
    (problem,) = read(sheet(*rows, headings=headings, guidance=())).file_problems
    assert (problem.code, problem.cell) == ("cell.without_heading", "E3")
    assert problem.message.startswith("This cell is filled in")


def test_neither_a_known_nor_an_unknown_column_is_without_heading_nor_are_reasons() -> None:
    found = read(
        sheet((*user("ana"), *[None] * (8 - len(user("ana"))), "x", "why"), headings=(*HEADINGS, "Note", "Reasons"))
    )
    assert found.codes == ["column.unknown"]


@given(st.lists(st.sampled_from([user("ana"), *BLANKS])))
def test_no_row_is_lost_silently(rows: list[tuple[Cell, ...]]) -> None:
    filled = [number for number, cells in enumerate(rows, 3) if cells == user("ana")]
    skipped, strict, stopped = (read(sheet(*rows), on_blank_row=mode) for mode in ("skip", "error", "stop"))
    assert [row.number for row in skipped.rows] == [row.number for row in strict.rows] == filled
    assert len(stopped.rows) + stopped.not_read == len(filled)
    assert stopped.not_read == 0 or "row.after_blank" in stopped.codes
    assert (
        ("row.blank" in strict.codes)
        == ("row.after_blank" in stopped.codes)
        == (filled != list(range(3, 3 + len(filled))))
    )
    assert ("sheet.empty" in skipped.codes) == (not filled)


@pytest.mark.parametrize("cell", ["x", NumberCell(0), ErrorCell("#N/A")])
def test_a_row_with_anything_at_all_in_it_is_not_blank(cell: Cell) -> None:
    found = read(sheet(user("ana"), (*[None] * 11, cell), user("bo")))
    assert found.usernames == ["ana", "", "bo"]
    assert found.rows[1].value("username").is_blank


def test_a_row_of_defaults_only_is_blank() -> None:
    found = read(sheet(user("ana"), GAP, user("bo")), changed("surname", default="Unknown"))
    assert found.codes == ["row.after_blank"]


@pytest.mark.parametrize(
    "rows",
    [
        MemorySheet({}),
        MemorySheet({1: HEADINGS}),
        MemorySheet({1: HEADINGS, 2: GUIDANCE}),
        sheet(*BLANKS),
    ],
)
def test_a_sheet_without_users_is_empty(rows: MemorySheet) -> None:
    (problem,) = read(rows).file_problems
    assert (problem.code, problem.severity, problem.row) == ("sheet.empty", Severity.ERROR, None)
    assert "from row 3 on" in problem.message


@pytest.mark.parametrize(
    "rows",
    [
        MemorySheet({3: user("ana")}),
        MemorySheet({1: ("", " "), 3: user("ana")}),
        MemorySheet({2: GUIDANCE, 3: user("ana")}),
        MemorySheet({1: user("bo"), 2: GUIDANCE, 3: user("ana")}),
    ],
)
def test_a_sheet_without_headings_misses_all_columns_and_nothing_else(rows: MemorySheet) -> None:
    found = read(rows)
    assert found.codes == ["column.missing"]
    assert "Secret99" not in repr(found.file_problems)
    assert [value for row in found.rows for value in row.values.values() if value.is_filled or value.is_blank] == []


def test_a_title_alone_is_no_sheet() -> None:
    assert read(MemorySheet({1: ("Users",)}), heading_row=3, first_row=4).codes == ["column.missing", "sheet.empty"]


def test_headings_further_down() -> None:
    rows = MemorySheet({1: ("Acme Ltd",), 2: user("x"), 4: HEADINGS, 5: user("ana"), 6: user("bo")})
    found = read(rows, heading_row=4, first_row=5)
    assert (found.usernames, found.file_problems) == (["ana", "bo"], [])


def test_a_user_in_the_place_of_the_guidance() -> None:
    found = read(sheet(user("bo"), guidance=user("ana")))
    assert found.usernames == ["bo"]
    (problem,) = found.file_problems
    assert (problem.code, problem.severity, problem.row) == ("row.guidance_is_data", Severity.WARNING, 2)
    assert "move it to row 3" in problem.message


def test_every_row_before_the_data_is_looked_at() -> None:
    rows = MemorySheet({1: HEADINGS, 2: GUIDANCE, 3: user("ana"), 4: user("bo"), 5: user("cy")})
    found = read(rows, first_row=5)
    assert [(one.code, one.row) for one in found.file_problems] == [
        ("row.guidance_is_data", 3),
        ("row.guidance_is_data", 4),
    ]


def test_what_is_wrong_in_the_guidance_does_not_matter() -> None:
    found = read(sheet(user("bo"), guidance=(ErrorCell("#N/A"), *GUIDANCE[1:])))
    assert (found.file_problems, found.cell_problems) == ([], [])


def test_data_right_below_the_headings() -> None:
    rows = MemorySheet({1: HEADINGS, 2: user("ana"), 3: user("bo")})
    assert (read(rows, first_row=2).usernames, read(rows, first_row=2).file_problems) == (["ana", "bo"], [])


def test_rows_stream() -> None:
    class Endless(MemorySheet):
        def rows(self) -> Iterator[SheetRow]:
            yield SheetRow(1, HEADINGS)
            number = 2
            while True:
                number += 1
                yield SheetRow(number, user("ana"))

    rows = RowReader(settings(), fields(), lambda problem: None).rows(Endless({}), "memory")
    assert [next(rows).row.number for _ in range(3)] == [3, 4, 5]


class BrokenReader:
    """A sheet whose reader breaks after its first user."""

    info = SheetInfo("memory")

    def __init__(self, error: Exception, *, at_once: bool = False) -> None:
        self.error, self.at_once = error, at_once

    def rows(self) -> Iterator[SheetRow]:
        if self.at_once:
            raise self.error
        return self._rows()

    def _rows(self) -> Iterator[SheetRow]:
        yield from sheet(user("ana")).rows()
        raise self.error


@pytest.mark.parametrize("at_once", [False, True])
def test_a_reader_that_breaks_is_named(at_once: bool) -> None:
    rows = RowReader(settings(), fields(), lambda problem: None).rows(
        BrokenReader(IndexError("out of range"), at_once=at_once), "odd"
    )
    with pytest.raises(PluginError, match=r"readers\[odd\] broke while reading.*: IndexError: out of range"):
        list(rows)


def test_damage_comes_through_as_the_reader_says_it() -> None:
    rows = RowReader(settings(), fields(), lambda problem: None).rows(BrokenReader(SourceError("cut off")), "odd")
    with pytest.raises(SourceError, match=r"^cut off$"):
        list(rows)


def test_all_is_read_although_columns_are_missing() -> None:
    """So that one run shows all problems."""
    found: Read = read(sheet(("ana", "x"), ("", ErrorCell("#N/A")), headings=("Username", "Email"), guidance=GAP))
    assert found.codes == ["column.missing"]
    assert [row["username"] for row in found.rows] == ["ana", ""]
    assert [(one.code, one.cell) for one in found.cell_problems] == [("cell.error", "B4")]


def test_what_is_left_of_a_rejected_row_does_not_end_the_import() -> None:
    emptied = (*[None] * 8, "Forename is missing")
    rows = [
        (*user("ana"), *[None] * (8 - len(user("ana"))), "why"),
        emptied,
        emptied,
        user("bo"),
        GAP,
        user("cy"),
        emptied,
    ]
    found = read(sheet(*rows, headings=(*HEADINGS, "Reasons")))
    assert (found.usernames, found.codes, found.not_read) == (["ana", "bo"], ["row.after_blank"], 1)
