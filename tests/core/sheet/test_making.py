from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Cell, DateCell, ErrorCell, Field, FormulaCell, NumberCell, Origin, Row, Secret, Template, Value
from musterroll.contract.rows import ABSENT, BLANK
from support.rows import COLUMNS, changed
from support.sheets import HEADINGS, read, sheet, user


def one(cells: tuple[Cell, ...], *others: Field, without: tuple[str, ...] = ()) -> Row:
    """Reads one user; `without` leaves out headings, and the cells below them."""
    kept = [n for n, heading in enumerate(HEADINGS) if heading not in without]
    cells = (*cells, *[None] * (8 - len(cells)))
    rows = sheet([cells[n] for n in kept], headings=[HEADINGS[n] for n in kept], guidance=())
    found = read(rows, *others)
    assert found.codes == []
    return found.rows[0]


def test_every_field_has_a_value_and_knows_where_it_came_from() -> None:
    row = one(user("ana", email="", surname=DateCell(dt.date(2024, 5, 1))))
    assert list(row.values) == list(COLUMNS)
    assert {name: value.origin for name, value in row.values.items()} == {
        "email": Origin.BLANK,
        "username": Origin.CELL,
        "forename": Origin.CELL,
        "surname": Origin.ABSENT,
        "password": Origin.CELL,
        "calling_code": Origin.BLANK,
        "phone": Origin.BLANK,
        "groups": Origin.BLANK,
    }


def test_short_rows_are_blank_at_the_end() -> None:
    row = one((None, "ana"))
    assert row.value("groups") == BLANK
    assert row.secret("password") is None


def test_one_problem_for_each_cell_that_cannot_be_used() -> None:
    cells = user(
        "ana", email=ErrorCell("#N/A"), surname=FormulaCell("=A1"), phone=NumberCell(77123, "0000000000", "0000077123")
    )
    found = read(sheet(user("bo"), cells))
    assert [(p.code, p.cell, p.field, p.value, p.suggestion) for p in found.cell_problems] == [
        ("cell.error", "A4", "email", "#N/A", None),
        ("cell.formula", "D4", "surname", "=A1", None),
        ("cell.leading_zeros", "G4", "phone", "77123", "0000077123"),
    ]
    assert found.rows[1].value("phone") == ABSENT


@pytest.mark.parametrize(
    "password",
    [
        NumberCell(10**15 + 777),
        NumberCell(777, "0000000777", "0000000777"),
        DateCell(dt.date(1777, 7, 7)),
        FormulaCell("=777"),
        "7.77E+17",
        "777\ud800",
        ErrorCell("#777"),
    ],
)
def test_a_password_is_not_shown_where_its_cell_cannot_be_used(password: Cell) -> None:
    (problem,) = read(sheet(user("ana", password=password))).cell_problems
    assert (problem.cell, problem.value, problem.suggestion) == ("E3", None, None)
    assert "777" not in repr(problem)


def test_a_password_is_nowhere_but_in_its_secret() -> None:
    row = one(user("ana", password="  hunter2 "))
    assert row.secret("password") == Secret("  hunter2 ")
    assert "hunter2" not in repr(row)
    assert row.problem("password", "password.policy", "Too short").value is None


def test_defaults_fill_blank_cells_only() -> None:
    surname = changed("surname", default=" Unknown ")
    assert one(user("ana"), surname).value("surname") == Value("Unknown", Origin.DEFAULT)
    assert one(user("ana", surname="Silva"), surname).value("surname").origin is Origin.CELL
    assert (
        one(user("ana"), changed("surname", default="Unknown", omitted=True), without=("Surname",))["surname"]
        == "Unknown"
    )


def test_a_default_does_not_hide_a_cell_that_cannot_be_used() -> None:
    assert one(user("ana", surname=ErrorCell("#N/A")), changed("surname", default="Unknown")).value("surname") == ABSENT


@pytest.mark.parametrize("default", ["", "  ", "\u200b"])
def test_a_default_of_nothing_is_none(default: str) -> None:
    assert one(user("ana"), changed("surname", default=default)).value("surname") == BLANK


def test_a_default_password() -> None:
    row = one(user("ana", password=""), changed("password", default=Secret(" Start1 ")))
    assert row.value("password") == Value("", Origin.DEFAULT, None, Secret(" Start1 "))


@pytest.mark.parametrize("omitted", [False, True])
@pytest.mark.parametrize(
    ("phone", "filled"),
    [("7712345678", True), (NumberCell(7712345678), True), ("", False), (" ", False), (ErrorCell("#N/A"), False)],
)
def test_a_default_calling_code_needs_a_phone(phone: Cell, filled: bool, omitted: bool) -> None:
    calling_code = changed("calling_code", default="44", omitted=omitted)
    row = one(user("ana", phone=phone), calling_code, without=("Calling Code",) if omitted else ())
    assert row["calling_code"] == ("44" if filled else "")


def test_a_default_calling_code_with_a_phone_that_is_composed_or_a_default() -> None:
    calling_code = changed("calling_code", default="44")
    composed = changed("phone", compose=Template("{surname}"))
    assert one(user("ana", surname="7712345678"), calling_code, composed, without=("Phone",))["calling_code"] == "44"
    assert one(user("ana"), calling_code, composed, without=("Phone",))["calling_code"] == ""
    assert one(user("ana"), calling_code, changed("phone", default="7712345678"))["calling_code"] == "44"


FROM_NAMES = changed("username", compose=Template("{forename}.{surname}"))


def test_a_composed_field() -> None:
    row = one(user("", forename=" Ana ", surname="Silva"), FROM_NAMES, without=("Username",))
    assert row.value("username") == Value("Ana.Silva", Origin.COMPOSED)
    problem = row.problem("username", "username.duplicate", "Choose another")
    assert (problem.cell, problem.value) == ("B3", "Ana.Silva")


def test_a_composed_field_is_normalised_as_a_whole() -> None:
    row = one(
        user("", forename="Ana e", surname="\u0301 "),
        changed("username", compose=Template(" {forename}{surname}")),
        without=("Username",),
    )
    assert row["username"] == "Ana é"


def test_a_composed_field_with_some_sources_blank() -> None:
    assert one(user("", forename="Ana"), FROM_NAMES, without=("Username",))["username"] == "Ana."


def test_a_composed_field_with_all_sources_blank_is_blank() -> None:
    row = one(user("", forename="", email="x"), FROM_NAMES, without=("Username",))
    assert row.value("username") == BLANK


def test_a_composed_field_with_a_source_that_cannot_be_used_is_absent() -> None:
    """One fault gives one code: the username is not missing besides."""
    found = read(sheet(("ana@example.com", "", ErrorCell("#N/A"), "Silva")), FROM_NAMES)
    assert found.rows[0].value("username") == ABSENT
    assert [problem.cell for problem in found.cell_problems] == ["C3"]


def test_a_cell_of_its_own_wins_over_composing_and_has_its_own_position() -> None:
    typed, made, broken = (
        one(user(cell, surname="Silva") if isinstance(cell, str) else (None, cell, "Ana", "Silva"), FROM_NAMES)
        for cell in ("ana", "", ErrorCell("#N/A"))
    )
    assert (typed["username"], typed.problem("username", "x", "").cell) == ("ana", "B3")
    assert (made["username"], made.problem("username", "x", "").cell) == ("Ana.Silva", "C3")
    assert made.problem("forename", "x", "").cell == "C3"
    assert broken.value("username") == ABSENT


def test_composing_of_fields_that_are_only_defaults() -> None:
    """The pipeline file allows to omit a source that has a default."""
    site = Field(name="site", heading="Site", default="York", omitted=True)
    username = changed("username", compose=Template("{site}-{forename}"))
    assert one(user(""), username, site, without=("Username",)).value("username") == Value("York-Ana", Origin.COMPOSED)
    # Made of nothing that anybody typed it is a default like its source: an existing user keeps what is stored.
    label = changed("surname", compose=Template("at {site}"))
    assert one(user("ana"), label, site, without=("Surname",)).value("surname") == Value("at York", Origin.DEFAULT)


def test_composing_of_a_calling_code_that_has_no_phone() -> None:
    calling_code = changed("calling_code", default="44", omitted=True)
    surname = changed("surname", compose=Template("{calling_code}{phone}"))
    omit = ("Calling Code", "Surname")
    assert one(user("ana", phone="7712345678"), calling_code, surname, without=omit)["surname"] == "447712345678"
    assert one(user("ana"), calling_code, surname, without=omit).value("surname") == BLANK


def test_a_default_for_what_could_not_be_composed() -> None:
    surname = changed("surname", compose=Template("{groups}"), default="Unknown", omitted=True)
    assert one(user("ana"), surname, without=("Surname",)).value("surname") == Value("Unknown", Origin.DEFAULT)
    assert one(user("ana", groups="Sales"), surname, without=("Surname",)).value("surname").text == "Sales"


def test_a_template_without_placeholders_is_the_value_of_every_row() -> None:
    surname = changed("surname", compose=Template("Staff"))
    assert one(user("ana"), surname, without=("Surname",)).value("surname") == Value("Staff", Origin.COMPOSED)


def test_fields_of_the_customer() -> None:
    department = Field(name="department", heading="Department")
    rows = sheet(("IT", "ana"), headings=("department", "Username", *(h for h in HEADINGS if h != "Username")))
    row = read(rows, department).rows[0]
    assert (row["department"], row.problem("department", "x", "").cell) == ("IT", "A3")


@given(st.lists(st.sampled_from(["", " ", "ana", "44", None, NumberCell(5), ErrorCell("#N/A")]), max_size=10))
def test_values_and_problems_are_of_the_same_cells(cells: list[Cell]) -> None:
    found = read(sheet(cells), on_blank_row="skip")
    for row in found.rows:
        absent = {name for name, value in row.values.items() if value.origin is Origin.ABSENT}
        assert absent == {problem.field for problem in found.cell_problems}


OMITTED = changed("calling_code", omitted=True)
_NO_CODE = ("Calling Code",)


def _parts(row: Row) -> list[tuple[str, Origin]]:
    return [(row[name], row.value(name).origin) for name in ("calling_code", "phone")]


@pytest.mark.parametrize(
    "phone", ["+44 7712 345678", "00447712345678", "+44 (7712) 345-678", "\u202a+447712345678\u202c"]
)
def test_a_whole_number_is_taken_apart_where_the_sheet_has_no_calling_code(phone: str) -> None:
    row = one(user("ana", phone=phone), OMITTED, without=_NO_CODE)
    assert _parts(row) == [("44", Origin.COMPOSED), ("7712345678", Origin.CELL)]
    assert (row.columns["calling_code"], row.columns["phone"]) == ("F", "F")
    assert row.problem("calling_code", "acme.code", "…").cell == "F3"
    assert row.problem("phone", "acme.phone", "…").value is not None


def test_what_is_no_whole_number_stays_as_it_is() -> None:
    for phone in ("7712345678", "447712345678", "+44 7712345678 x9", "+44", "+", "00", "+44 7712\n345678"):
        row = one(user("ana", phone=phone), OMITTED, without=_NO_CODE)
        assert _parts(row) == [("", Origin.ABSENT), (phone, Origin.CELL)]
    assert _parts(one(user("ana"), OMITTED, without=_NO_CODE)) == [("", Origin.BLANK), ("", Origin.BLANK)]
    assert _parts(one(user("ana", phone="+447712345678"))) == [("", Origin.BLANK), ("+447712345678", Origin.CELL)]


def test_a_default_calling_code_is_for_numbers_that_have_none() -> None:
    default = changed("calling_code", omitted=True, default="44")
    phones = {
        phone: one(user("ana", phone=phone), default, without=_NO_CODE) for phone in ("+49 30 1234567", "7712", "")
    }
    assert [row["calling_code"] for row in phones.values()] == ["49", "44", ""]


def test_what_is_made_of_a_whole_number_is_made_of_the_whole() -> None:
    surname = changed("surname", compose=Template("{phone}"))
    row = one(user("ana", phone="+44 7712345678"), OMITTED, surname, without=("Calling Code", "Surname"))
    assert (row["surname"], row["phone"]) == ("+44 7712345678", "7712345678")
    phone = changed("phone", compose=Template("+{email}"))
    row = one(user("ana", email="447712345678"), OMITTED, phone, without=("Calling Code", "Phone"))
    assert (row["calling_code"], row["phone"]) == ("44", "7712345678")
