from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Cell, Problem, Severity, SheetInfo
from musterroll.sheet.plain_text import meant_value
from musterroll.sheet.values import CellFault
from support.sheets import HEADINGS, MemorySheet, Read, read, sheet, user

PLAIN = SheetInfo("csv", encoding="cp1252", is_plain_text=True)
GUESSED = SheetInfo("csv", encoding="cp1252", guess="Windows-1252", is_plain_text=True)


def read_as(info: SheetInfo, *rows: tuple[Cell, ...]) -> Read:
    return read(MemorySheet(sheet(*rows).cells, info))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="00123"', "00123"),
        (' = "00123" ', "00123"),
        ('="a""b"', 'a"b'),
        ('=""', ""),
        ("'00124", "00124"),
        ("'+447712345678", "+447712345678"),
        ("'t Hooft", "'t Hooft"),
        ("'Sample", "'Sample"),
        ("'00124'", "'00124'"),
        ("=", "="),
        ("=)", "=)"),
        ("=_=", "=_="),
        ("==>", "==>"),
        ("=-)", "=-)"),
        ("a=1+1", "a=1+1"),
        ("+44", "+44"),
    ],
)
def test_what_is_meant(cell: str, text: str) -> None:
    value = meant_value(cell)
    assert not isinstance(value, CellFault)
    assert value.text == text


def test_a_workbook_means_what_it_says() -> None:
    found = read(sheet(user('="00123"', forename="=1+1")))
    assert (found.usernames, found.rows[0]["forename"], found.cell_problems) == (['="00123"'], "=1+1", [])


@pytest.mark.parametrize("password", ['="00123456"', "'00123456", "=1+Qx7-river", " =x "])
def test_passwords_are_left_as_they_are(password: str) -> None:
    secret = read_as(PLAIN, user("ana", password=password)).rows[0].value("password").secret
    assert secret is not None
    assert secret.reveal() == password


@given(st.text(alphabet="=\"'+1aA( )&_-", max_size=12))
def test_any_text_can_be_marked_as_text(text: str) -> None:
    value = meant_value('="' + text.replace('"', '""') + '"')
    assert not isinstance(value, CellFault)
    assert value.text == text.strip()


def test_a_row_with_too_many_cells_shows_nothing() -> None:
    found = read_as(PLAIN, (*user("ana", groups="Staff"), "Managers"), user("bo"))
    (problem,) = found.cell_problems
    assert (problem.code, problem.row, problem.value) == ("row.too_many_cells", 3, None)
    assert "9 cells" in problem.message
    assert not any(found.rows[0].value(name).is_filled for name in ("username", "password", "groups"))
    assert found.usernames == ["", "bo"]


@pytest.mark.parametrize("behind", [(), (None,), ("", "  ", "\u200b")])
def test_blank_cells_behind_the_headings_are_none(behind: tuple[Cell, ...]) -> None:
    assert read_as(PLAIN, (*user("ana"), *behind)).cell_problems == []


def test_in_a_workbook_cells_behind_the_headings_move_nothing() -> None:
    assert "row.too_many_cells" not in [one.code for one in read(sheet((*user("ana"), *HEADINGS))).cell_problems]


def test_a_guess_is_told_once() -> None:
    found = read_as(GUESSED, user("ana"), user("bo", forename="Zoë", surname="Ö"), user("cy", forename="René"))
    (problem,) = found.file_problems
    assert (problem.code, problem.severity) == ("source.encoding_guessed", Severity.WARNING)
    assert (problem.cell, problem.field, problem.value) == ("C4", "forename", "Zoë")


@pytest.mark.parametrize("info", [PLAIN, GUESSED])
def test_ascii_depends_on_no_guess(info: SheetInfo) -> None:
    assert read_as(info, user("ana")).file_problems == []


def test_a_guess_below_the_last_row_that_is_read_is_told() -> None:
    found = read_as(GUESSED, user("ana"), (), user("cy", forename="René"))
    assert [(one.code, one.cell, one.value) for one in found.file_problems][1:] == [
        ("source.encoding_guessed", "C5", None)
    ]


def test_a_guess_shows_nothing_of_a_shifted_row() -> None:
    found = read_as(GUESSED, (*user("ana", forename="Sécret"), "x"))
    (problem,) = found.file_problems
    assert (problem.code, problem.cell, problem.value) == ("source.encoding_guessed", "C3", None)


def test_after_an_error_of_the_file_its_rows_are_not_read() -> None:
    wrong = Problem(code="source.mixed_encoding", message="Line 4 is not UTF-8")
    found = read_as(SheetInfo("csv", problems=(wrong,)), user("ana"))
    assert (found.rows, found.file_problems) == ([], [wrong])
