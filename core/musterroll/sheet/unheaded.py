"""Filled cells under no heading: nothing is imported from them, and that is said once."""

from __future__ import annotations

from musterroll.contract.cells import Cell, SheetRow
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.text import clean, column_letter
from musterroll.contract.translation import ngettext
from musterroll.sheet.headings import Columns


class UnheadedCells:
    """Counts the filled cells that stand under no heading.

    Args:
        columns: what the heading row says.
    """

    def __init__(self, columns: Columns) -> None:
        self._named = columns.named
        self._width = max(columns.named, default=-1) + 1
        self._has_gaps = len(columns.named) < self._width
        # A sheet without headings has a problem of its own.
        self._looks = bool(columns.indexes)
        self._count = 0
        self._first: tuple[int, int] | None = None

    def look(self, row: SheetRow) -> None:
        """Takes a row of data."""
        cells = row.cells
        if not self._looks or (len(cells) <= self._width and not self._has_gaps):
            return
        for index in range(0 if self._has_gaps else self._width, len(cells)):
            if index not in self._named and is_filled(cells[index]):
                self._count += 1
                self._first = self._first or (row.number, index)

    def problem(self) -> Problem | None:
        """Returns the one warning for all of them, at the first. It does not say what stands there."""
        if self._first is None:
            return None
        row, index = self._first
        message = ngettext(
            "This cell is filled in, but there is no heading above it, so it is not imported; "
            "give its column a heading, or empty the cell",
            "{count} cells from this one on are filled in, but there is no heading above them, so they are not "
            "imported; give their columns a heading, or empty the cells",
            self._count,
        )
        return Problem(
            code="cell.without_heading",
            severity=Severity.WARNING,
            row=row,
            column=column_letter(index),
            message=message,
        )


def is_filled(cell: Cell) -> bool:
    """Whether a person sees anything in the cell."""
    return bool(clean(cell)) if isinstance(cell, str) else cell is not None
