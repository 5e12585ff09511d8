from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import BoolCell, Cell, DateCell, ErrorCell, Field, FormulaCell, NumberCell, Severity, Template
from musterroll.sheet.headings import Columns, find_columns
from support.rows import COLUMNS, changed, fields
from support.sheets import HEADINGS


def found(headings: Sequence[Cell], *others: Field, row: int = 1) -> Columns:
    return find_columns(headings, row, fields(*others))


def codes(columns: Columns) -> list[str]:
    return [problem.code for problem in columns.problems]


def without(*names: str) -> list[Cell]:
    return [heading for heading in HEADINGS if heading not in names]


def test_the_standard_headings() -> None:
    columns = found(HEADINGS)
    assert (columns.letters, columns.problems) == (COLUMNS, ())
    assert columns.indexes == {name: index for index, name in enumerate(COLUMNS)}


@given(st.permutations([*HEADINGS, None, "", "  "]))
def test_any_order_and_gaps(headings: list[Cell]) -> None:
    columns = found(headings)
    assert columns.problems == ()
    assert {headings[index] for index in columns.indexes.values()} == set(HEADINGS)


@pytest.mark.parametrize(
    "heading",
    [
        "calling code",
        "CALLING CODE",
        "  Calling Code\t",
        "Calling  Code",
        "Calling\nCode",
        "Calling\u00a0Code",
        "\ufeffCalling Code",
        "Ｃalling Ｃode",
        "Calling\u200b Code",
    ],
)
def test_spellings_of_one_heading(heading: str) -> None:
    columns = found([*without("Calling Code"), heading])
    assert (columns.letters["calling_code"], columns.problems) == ("H", ())


def test_aliases() -> None:
    username = changed("username", aliases=("User ID", "Login"))
    for heading in ("user id", "LOGIN", "Username"):
        assert found([*without("Username"), heading], username).letters["username"] == "H"


def test_one_error_names_all_that_are_missing_with_what_is_near() -> None:
    columns = found(["E-Mail", "Usrname", *without("Email", "Username", "Phone")])
    missing, *unknown = columns.problems
    assert (missing.code, missing.row, missing.cell, missing.severity) == ("column.missing", None, None, Severity.ERROR)
    assert missing.message == (
        'The columns "Email", "Username", "Phone" are missing; add them to the heading row '
        '("E-Mail" looks like "Email"; "Usrname" looks like "Username"). Or write under [sheet.aliases] what this '
        'sheet calls them, as `musterroll pipeline map` does: email = ["E-Mail"], username = ["Usrname"]'
    )
    assert missing.suggestion == "Email, Username"
    assert [(one.code, one.cell, one.value, one.suggestion) for one in unknown] == [
        ("column.unknown", "A1", "E-Mail", "Email"),
        ("column.unknown", "B1", "Usrname", "Username"),
    ]


def test_one_missing_column_is_named_as_its_field() -> None:
    (missing,) = found(without("Phone")).problems
    assert (missing.field, missing.suggestion) == ("phone", None)
    assert missing.message == 'The column "Phone" is missing; add it to the heading row'


def test_a_heading_near_an_alias_is_suggested() -> None:
    columns = found([*without("Username"), "Logn"], changed("username", aliases=("Login",)))
    assert columns.problems[0].suggestion == "Username"


def test_unknown_columns_draw_a_warning_and_nothing_else() -> None:
    columns = found(
        [
            *HEADINGS,
            "Shoe Size",
            NumberCell(2024.0),
            DateCell(dt.date(2024, 5, 1)),
            ErrorCell("#REF!"),
            BoolCell(value=True),
            FormulaCell("=A1"),
        ],
        row=4,
    )
    assert [(one.code, one.severity, one.cell, one.value, one.suggestion) for one in columns.problems] == [
        ("column.unknown", Severity.WARNING, cell, value, None)
        for cell, value in (
            ("I4", "Shoe Size"),
            ("J4", "2024"),
            ("K4", "2024-05-01"),
            ("L4", "#REF!"),
            ("M4", "True"),
            ("N4", "=A1"),
        )
    ]


def test_a_heading_that_is_a_number() -> None:
    assert found([*HEADINGS, NumberCell(2024.0)], Field(name="year", heading="2024")).letters["year"] == "I"


def test_one_column_twice() -> None:
    columns = found([*HEADINGS, "EMAIL", "Login"], changed("username", aliases=("Login",)))
    assert [(one.code, one.cell, one.field, one.message) for one in columns.problems] == [
        ("column.duplicate", "I1", "email", 'Columns A and I are both "Email"; remove one'),
        ("column.duplicate", "J1", "username", 'Columns B and J are both "Username"; remove one'),
    ]
    assert columns.letters["email"] == "A"


def test_omitted_columns_are_not_missed_and_not_read() -> None:
    surname = changed("surname", omitted=True)
    assert found(without("Surname"), surname).problems == ()
    columns = found(HEADINGS, surname)
    assert codes(columns) == ["column.unknown"]
    assert "surname" not in columns.indexes


def test_a_composed_field_is_where_its_first_source_is() -> None:
    username = changed("username", compose=Template("{forename}.{surname}"))
    columns = found(without("Username"), username)
    assert (columns.letters["username"], columns.problems) == ("B", ())
    assert "username" not in columns.indexes
    assert found(HEADINGS, username).letters["username"] == "B"

    first_omitted = changed("username", compose=Template("{surname}{phone}"))
    columns = found(without("Username", "Surname"), first_omitted, changed("surname", omitted=True))
    assert columns.letters["username"] == "E"


@pytest.mark.parametrize(
    "cells",
    [
        (),
        (None, ""),
        ("ana@example.com", "ana", "Ana", "Silva", "Secret99", "44", "7712345678", "Sales"),
        ("", "ana", "Ana", "Silva", "Passw0rd", None, NumberCell(7712345678), "Sales"),
    ],
)
def test_a_row_of_data_in_place_of_the_headings_is_not_shown(cells: tuple[Cell, ...]) -> None:
    (problem,) = found(cells, row=5).problems
    assert problem.code == "column.missing"
    assert "row 5 holds no heading of this sheet" in problem.message
    for text in ("ana", "Secret99", "Passw0rd", "7712345678"):
        assert text not in repr(problem)


@pytest.mark.parametrize("headings", [("Emial", "Usrname", "Foo"), ("Login name", "Emai", "Usernam")])
def test_headings_that_are_all_misspelt_are_still_headings(headings: tuple[str, ...]) -> None:
    columns = found(headings)
    assert codes(columns) == ["column.missing", *["column.unknown"] * 3]
    assert set((columns.problems[0].suggestion or "").split(", ")) == {"Email", "Username"}


def test_headings_of_other_languages_are_offered_as_aliases_to_paste() -> None:
    columns = found(["Vorname", "Příjmení", "Hasło", *without("Forename", "Surname", "Password")], changed("surname"))
    assert columns.problems[0].message.endswith(
        'does: forename = ["Vorname"], surname = ["Příjmení"], password = ["Hasło"]'
    )


def test_an_alias_to_paste_keeps_those_that_there_are() -> None:
    columns = found(["Kennung", *without("Username")], changed("username", aliases=("Login",)))
    assert columns.problems[0].message.endswith('username = ["Login", "Kennung"]')


def test_a_file_with_twenty_thousand_columns() -> None:
    columns = found(["Email", *["x" * 5000] * 20_000])
    missing, *unknown, more = columns.problems
    assert (missing.code, len(unknown)) == ("column.missing", 100)
    assert (more.cell, more.message) == (
        "CX1",
        "19900 more headings from CX on are not known; the columns are ignored",
    )
    assert all(len(one.message) < 200 for one in unknown)


def test_a_broken_heading_can_be_shown() -> None:
    (problem,) = found([*HEADINGS, "broken \ud800"]).problems
    assert problem.value == "broken \N{REPLACEMENT CHARACTER}"
