"""Cells of fields with a role: one spelling of each value, whichever way the cell is read."""

from __future__ import annotations

import datetime as dt

import pytest

from musterroll.contract.cells import BoolCell, Cell, DateCell, FormulaCell, NumberCell
from musterroll.contract.fields import Field, FieldRole
from musterroll.sheet.field_roles import RoleCells
from musterroll.sheet.values import CellFault, cell_value

UNTIL = Field(name="leaves", heading="Leaves", role=FieldRole.VALID_UNTIL)
ACTIVE = Field(name="works", heading="Works", role=FieldRole.ACTIVE, words={"yes": "yes", "ja": "yes", "no": "no"})


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
    ],
)
def test_what_stands_in_a_cell_has_one_spelling(field: Field, cell: Cell, text: str) -> None:
    cells = RoleCells(field, cell_value)
    value = cells.value(cell)
    assert not isinstance(value, CellFault)
    assert value.text == text
    odd = set[int]()
    if isinstance(cell, str):
        assert (cells.spell([cell.strip()], odd), odd) == ([text], set())


@pytest.mark.parametrize(
    ("field", "cell", "code"),
    [
        (UNTIL, "31.12.2026 noon", "leaves.type"),
        (UNTIL, "2026-12-31 17:00", "leaves.type"),
        (UNTIL, DateCell(dt.time(17)), "cell.not_text"),
        (UNTIL, NumberCell(46387), "leaves.type"),
        (UNTIL, BoolCell(value=True), "cell.not_text"),
        (UNTIL, FormulaCell("=TODAY()"), "cell.formula"),
        (ACTIVE, "maybe", "works.not_a_choice"),
        (ACTIVE, DateCell(dt.date(2026, 12, 31)), "cell.not_text"),
    ],
)
def test_what_has_no_meaning_is_a_fault_of_the_cell(field: Field, cell: Cell, code: str) -> None:
    cells = RoleCells(field, cell_value)
    fault = cells.value(cell)
    assert isinstance(fault, CellFault)
    assert fault.code == code
    odd = set[int]()
    if isinstance(cell, str):
        cells.spell([cell], odd)
        assert odd == {0}
