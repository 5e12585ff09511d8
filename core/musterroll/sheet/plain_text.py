"""What cells mean in a file that is plain text: there are no kinds of cells, and nothing but their order says whose."""

from __future__ import annotations

import re
from collections.abc import Sequence

from musterroll.contract.cells import Cell, FormulaCell, SheetRow
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.problems import Problem
from musterroll.contract.rows import Value
from musterroll.contract.text import clean, column_letter
from musterroll.contract.translation import gettext
from musterroll.sheet.values import CellFault, cell_value, is_filled

# How programs write a text that a spreadsheet program shall not take for a number: ="00123" and '00123.
_AS_TEXT = late_pattern(r'=\s*"((?:[^"]|"")*)"')
_APOSTROPHE = late_pattern(r"'(?=\+?\d)(?!.*'$)", re.DOTALL)
# A sign of equality and then what a formula can begin with, down to its first name, number or text; not a smiley.
_FORMULA = late_pattern(r"=[\s+\-(@{$'\"\[#._\\]*[^\W_]")
_FAULT = CellFault(
    "cell.formula",
    "A formula stands here, and this file does not hold its result; type the value instead of the formula",
)
TOO_MANY = "row.too_many_cells"
"""The code of the one problem of a row that has more cells than there are headings."""


def meant_value(cell: Cell) -> Value | CellFault:
    """Makes the value of a cell that is no secret, as what is written there is meant."""
    if not isinstance(cell, str) or ("=" not in cell and "'" not in cell):
        return cell_value(cell)
    text = without_text_marks(cell)
    value = cell_value(text)
    if isinstance(value, Value) and text is cell and _FORMULA.match(value.text):
        return _FAULT
    return value._replace(raw=cell) if isinstance(value, Value) and value.text else value


def meant_cell(cell: Cell) -> Cell:
    """The cell of a workbook that means what is written there."""
    if not isinstance(cell, str):
        return cell
    text = without_text_marks(cell)
    return FormulaCell(text) if text is cell and _FORMULA.match(clean(text)) else text


def without_text_marks(text: str) -> str:
    """The text without what only says that it is text: 00123 for `="00123"` and for `'00123`."""
    stripped = clean(text)
    if found := _AS_TEXT.fullmatch(stripped):
        return found[1].replace('""', '"')
    return stripped[1:] if _APOSTROPHE.match(stripped) else text


def has_too_many(row: SheetRow, width: int) -> bool:
    """Whether a filled cell stands behind the last heading, so that any cell may belong to another column."""
    return 0 < width < len(row.cells) and filled_width(row.cells) > width


def too_many_cells(row: SheetRow, width: int) -> Problem:
    """Says so, and shows none of the cells: the password may stand in any of them."""
    return Problem(
        code=TOO_MANY,
        message=gettext(
            "The row has {filled} cells, but only {width} columns have headings, so its cells may belong to other "
            "columns and none is used. Most likely a value holds the character that separates cells: put that value "
            "in quotation marks, or delete what is too much (a column {column} of its own needs a heading)",
            filled=filled_width(row.cells),
            width=width,
            column=column_letter(width),
        ),
        row=row.number,
    )


def filled_width(cells: Sequence[Cell]) -> int:
    """How many cells there are up to the last filled one."""
    return next((width for width in range(len(cells), 0, -1) if is_filled(cells[width - 1])), 0)
