"""Rows whose cells slipped by one column."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from musterroll import Cell, Problem, Row, SheetRow
from musterroll.sheet.headings import find_columns
from musterroll.sheet.rows import RowMaker
from musterroll.sheet.shifts import ShiftFinder, hidden
from support.rosters import HEADINGS, roster
from support.rows import changed, fields

ANA = ("ana@example.com", "ana", "Ana", "Silva", "Qx7-river-1", "44", "7712345678", "Region|North")
BARE = ("", "ana", "Ana", "Silva", "Qx7-river-1", "", "", "Staff")


def made(cells: Sequence[Cell], headings: Sequence[Cell] = HEADINGS) -> Row:
    specs = fields()
    return RowMaker(specs, find_columns(headings, 1, specs))(SheetRow(3, tuple(cells))).row


def errors(*names: str) -> list[Problem]:
    return [Problem(code=f"{name}.invalid", message="Correct it", row=3, field=name) for name in names]


def is_shifted(cells: Sequence[Cell], *faulty: str) -> bool:
    found = ShiftFinder(fields()).find(made(cells), errors(*faulty))
    return found is not None


def inserted(cells: Sequence[str], at: int, text: str = "") -> list[str]:
    """The cells, with one more; a row of a sheet has no more of them, so the last one falls off."""
    return [*cells[:at], text, *cells[at:]][: len(cells)]


def deleted(cells: Sequence[str], at: int) -> list[str]:
    return [*cells[:at], *cells[at + 1 :], ""]


@pytest.mark.parametrize(
    ("cells", "faulty"),
    [
        # one that was inserted at the left, with and without a phone and an address
        (inserted(ANA, 0), ("password", "calling_code")),
        (inserted(BARE, 0), ("username", "password", "calling_code")),
        # a comma in the surname that should have been in quotes
        (inserted(ANA, 4, " Jr"), ("password", "calling_code")),
        (inserted(("", *BARE[1:7], ""), 4, " Jr"), ("password", "calling_code")),
        # a password of words, and without a phone
        (inserted((*BARE[:4], "correct horse battery", *BARE[5:7], ""), 0), ("password", "calling_code")),
        # a surname that fits the policy of passwords
        (inserted((*BARE[:3], "Andersson", *BARE[4:]), 0), ("username", "calling_code")),
        # cells that were deleted: the address, the surname
        (deleted(ANA, 0), ("email", "password", "calling_code")),
        (deleted(ANA, 3), ("password", "calling_code")),
        (deleted(BARE, 3), ("password", "calling_code", "phone")),
        # only the end of the row
        (inserted(ANA, 5), ("calling_code",)),
    ],
)
def test_a_row_that_slipped(cells: list[str], faulty: tuple[str, ...]) -> None:
    assert is_shifted(cells, *faulty)


@pytest.mark.parametrize(
    ("cells", "faulty"),
    [
        ((*ANA[:5], "7712345678", "44", ""), ("calling_code", "phone")),  # these two were swapped
        (("ana", "ana@example.com", *ANA[2:]), ("email",)),  # likewise
        (("Ana", "ana", "ana@example.com", *ANA[3:]), ("email", "forename")),
        (("ana@example.com", "ana@example.com", *ANA[2:]), ("email", "password")),  # the username is an address
        ((*ANA[:4], "secret", "UK", "n/a", "Staff"), ("password", "calling_code", "phone")),
        ((*ANA[:4], "secret", "UK +44", "", ""), ("password", "calling_code")),
        ((*ANA[:4], "", "", "7712345678", "Staff"), ("password", "calling_code")),
        (("ana", "", "", "", "", "", "", ""), ("email", "username", "forename", "password")),
        (("", "", "Ana", "", "", "44", "", ""), ("username", "password", "calling_code")),
        ((*ANA[:2], "", "", "secret", "", "", ""), ("forename", "password")),
    ],
)
def test_a_row_that_is_merely_wrong(cells: tuple[str, ...], faulty: tuple[str, ...]) -> None:
    assert not is_shifted(cells, *faulty)


@given(st.sampled_from(roster(60)), st.sets(st.sampled_from(list(fields()))))
def test_a_good_row_never_slipped_whatever_rules_say(cells: list[str], faulty: set[str]) -> None:
    assert not is_shifted(cells, *faulty)
    by_address = [cells[0] or "ana@example.com", cells[0] or "ana@example.com", *cells[2:]]
    assert not is_shifted(by_address, *faulty)


_NAMES = st.sampled_from(["Ana", "Bo", "Émile", "Anne-Marie", "O'Brien", "Straße", "de la Cruz", "王"])


@given(
    st.booleans(),
    st.booleans(),
    st.booleans(),
    _NAMES,
    _NAMES,
    st.integers(0, 4),
    st.sampled_from(["Staff", "A|B;C", ""]),
)
def test_a_good_row_that_slips_is_found(
    has_address: bool, has_phone: bool, left: bool, forename: str, surname: str, at: int, groups: str
) -> None:
    """As long as the password, or the phone and its code, come to stand elsewhere."""
    address = "user@example.com" if has_address else ""
    phone = ("353", "861234567") if has_phone else ("", "")
    good = [address, "user1", forename, surname, "Blue!Harbour", *phone, groups]
    assume(has_phone or at < 4 or not left)  # a password that was cut out is only missing
    cells = deleted(good, at) if left else inserted(good, at)
    faulty = {"password", "calling_code"} if not left or has_phone else {"password", "phone"}
    assert is_shifted(cells, *faulty)


def test_warnings_are_no_reason_to_look() -> None:
    assert ShiftFinder(fields()).find(made(inserted(ANA, 0)), []) is None


def test_columns_stand_where_the_sheet_has_them() -> None:
    order = ["Username", "Password", "Note", "Email", "Forename", "Surname", "Groups", "Calling Code", "Phone"]
    good = ["ana", "Qx7-river-1", "x", "ana@example.com", "Ana", "Silva", "Staff", "44", "7712345678"]
    finder = ShiftFinder(fields())
    assert finder.find(made(good, order), errors("username", "password", "email")) is None
    for slipped in (inserted(good, 0), deleted([*good[:-1], "7712345678"], 2)):
        row = made(slipped, order)
        assert finder.find(row, errors("username", "password", "email", "calling_code", "phone")) is not None


def test_choices_are_evidence_too() -> None:
    sites = changed("groups", choices=("York", "Leeds"))
    specs = fields(sites)
    good = [*ANA[:7], "York"]
    row = RowMaker(specs, find_columns(HEADINGS, 1, specs))(SheetRow(3, tuple(deleted(good, 6)))).row
    assert ShiftFinder(specs).find(row, errors("phone")) is None  # one value in a wrong place may be anything
    row = RowMaker(specs, find_columns(HEADINGS, 1, specs))(SheetRow(3, tuple(deleted(good, 5)))).row
    assert ShiftFinder(specs).find(row, errors("calling_code", "phone")) is not None


def test_the_problem_and_the_row_that_is_handed_on_say_nothing_of_the_values() -> None:
    row = made(inserted(ANA, 0))
    problem = ShiftFinder(fields()).find(row, errors("password", "calling_code"))
    assert problem is not None
    assert (problem.code, problem.row, problem.cell, problem.value) == ("row.shifted", 3, None, None)
    assert "shifted by one column" in problem.message
    assert not any(cell in problem.message for cell in ANA)
    assert not any(value.is_filled for value in hidden(row).values.values())


@given(
    st.sampled_from(roster(60)),
    st.lists(st.tuples(st.integers(0, 7), st.sampled_from(["", "n/a", "-", "ana", "UK", "+44", "secret"])), max_size=4),
    st.sets(st.sampled_from(list(fields()))),
)
def test_bad_values_alone_are_no_shift(cells: list[str], bad: list[tuple[int, str]], faulty: set[str]) -> None:
    damaged = list(cells)
    for index, text in bad:
        damaged[index] = text
    assert not is_shifted(damaged, *faulty)
