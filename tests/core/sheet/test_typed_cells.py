"""Values of fields with a type or a role: one spelling of each, whichever way the cell is read."""

from __future__ import annotations

import datetime as dt

import pytest

from musterroll import BoolCell, Cell, DateCell, Field, FieldType, FormulaCell, NumberCell, Template
from musterroll.contract.fields import FieldRole
from support.sheets import HEADINGS, Read, read, sheet, user

UNTIL = Field(name="leaves", heading="Leaves", role=FieldRole.VALID_UNTIL, type=FieldType.DATE)
ACTIVE = Field(
    name="works",
    heading="Works",
    role=FieldRole.ACTIVE,
    type=FieldType.BOOLEAN,
    choices=("yes", "no"),
    words={"yes": "yes", "ja": "yes", "no": "no"},
)
STARTS = Field(name="starts", heading="Starts", type=FieldType.DATE, formats=("DD.MM.YYYY",))
BRITISH = Field(name="starts", heading="Starts", type=FieldType.DATE, formats=("DD/MM/YYYY", "MM/DD/YYYY"))
BEDS = Field(name="beds", heading="Beds", type=FieldType.INTEGER)
PERMANENT = Field(
    name="permanent",
    heading="Permanent",
    type=FieldType.BOOLEAN,
    choices=("oui", "non"),
    words={"oui": "true", "true": "true", "non": "false", "false": "false"},
)
PAGER = Field(name="pager", heading="Pager", type=FieldType.PHONE)


def cells(field: Field, cell: Cell) -> Read:
    return read(sheet((*user("ana"), cell), headings=(*HEADINGS, field.heading)), field)


@pytest.mark.parametrize(
    ("field", "cell", "text"),
    [
        (UNTIL, "2026-12-31", "2026-12-31"),
        (UNTIL, " 2026-12-31 00:00:00 ", "2026-12-31"),
        (UNTIL, DateCell(dt.date(2026, 12, 31)), "2026-12-31"),
        (UNTIL, DateCell(dt.datetime(2026, 12, 31, 17, tzinfo=dt.UTC)), "2026-12-31"),
        (UNTIL, "", ""),
        (UNTIL, None, ""),
        (ACTIVE, "JA", "yes"),
        (ACTIVE, BoolCell(value=False), "no"),
        (STARTS, "1.3.2026", "2026-03-01"),
        (STARTS, "2026-03-01", "2026-03-01"),
        (STARTS, DateCell(dt.date(2026, 3, 1)), "2026-03-01"),
        (BRITISH, "13/02/2026", "2026-02-13"),
        (BRITISH, "02/13/2026", "2026-02-13"),
        (BRITISH, DateCell(dt.date(2026, 1, 2)), "2026-01-02"),
        (BEDS, "+007", "7"),
        (BEDS, "-0", "0"),
        (BEDS, "-12", "-12"),
        (BEDS, "４２", "42"),
        (BEDS, NumberCell(1234, "#,##0", "1,234"), "1234"),
        (BEDS, NumberCell(-7, "000", "-007"), "-7"),
        (BEDS, NumberCell(7.0), "7"),
        (PERMANENT, "OUI", "true"),
        (PERMANENT, BoolCell(value=False), "false"),
        (PAGER, "+44 7712 345678", "+447712345678"),
        (PAGER, "0044 7712 345678", "+447712345678"),
        (PAGER, "0771", "0771"),  # for the rule to judge
    ],
)
def test_what_stands_in_a_cell_has_one_spelling(field: Field, cell: Cell, text: str) -> None:
    found = cells(field, cell)
    assert found.cell_problems == []
    assert found.rows[0][field.name] == text


@pytest.mark.parametrize(
    ("field", "cell", "code", "suggestion"),
    [
        (UNTIL, "31.12.2026 noon", "leaves.type", None),
        (UNTIL, "2026-12-31 17:00", "leaves.type", None),
        (UNTIL, "31.12.2026", "leaves.type", "2026-12-31"),
        (UNTIL, "03/04/2026", "leaves.type", None),
        (UNTIL, DateCell(dt.time(17)), "leaves.type", None),
        (UNTIL, NumberCell(46387), "leaves.type", None),
        (UNTIL, BoolCell(value=True), "leaves.type", None),
        (UNTIL, FormulaCell("=TODAY()"), "cell.formula", None),
        (ACTIVE, "maybe", "works.not_a_choice", None),
        (ACTIVE, DateCell(dt.date(2026, 12, 31)), "works.not_a_choice", None),
        (STARTS, "12/31/2026", "starts.type", "31.12.2026"),
        (STARTS, "30.02.2026", "starts.type", None),
        (BRITISH, "01/02/2026", "starts.type", None),
        (BEDS, "1 000", "beds.type", "1000"),
        (BEDS, "12.345.678", "beds.type", "12345678"),
        (BEDS, "7,0", "beds.type", "7"),
        (BEDS, "1.000", "beds.type", None),  # one or a thousand
        (BEDS, "7.5", "beds.type", None),
        (BEDS, "9" * 19, "beds.type", None),
        (BEDS, DateCell(dt.date(2026, 12, 31)), "beds.type", None),
        (BEDS, NumberCell(1, "0%", "100%"), "cell.shown_otherwise", "100%"),
        (BEDS, NumberCell(1e16), "cell.precision_lost", None),
        (PERMANENT, "yes", "permanent.type", None),
        (PERMANENT, "ouii", "permanent.type", "oui"),
        (PERMANENT, NumberCell(1), "permanent.type", None),
        (PAGER, DateCell(dt.date(2026, 12, 31)), "cell.not_text", None),
    ],
)
def test_what_has_no_meaning_is_a_problem_at_the_cell(
    field: Field, cell: Cell, code: str, suggestion: str | None
) -> None:
    found = cells(field, cell)
    assert [(one.code, one.cell, one.suggestion) for one in found.cell_problems] == [(code, "I3", suggestion)]
    assert not found.rows[0].value(field.name).is_filled


def test_what_was_typed_stays_known() -> None:
    value = cells(STARTS, " 1.3.2026").rows[0].value("starts")
    assert (value.text, value.raw) == ("2026-03-01", " 1.3.2026")


def test_what_two_days_it_may_be_is_said() -> None:
    (problem,) = cells(BRITISH, "01/02/2026").cell_problems
    assert "2026-01-02 or 2026-02-01" in problem.message
    assert problem.value == "01/02/2026"


def test_others_are_made_of_the_one_spelling() -> None:
    note = Field(name="note", heading="Note", compose=Template("since {starts}"))
    found = read(sheet((*user("ana"), "1.3.2026"), headings=(*HEADINGS, "Starts")), STARTS, note)
    assert found.rows[0]["note"] == "since 2026-03-01"
