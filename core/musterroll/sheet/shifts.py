"""Tells a row whose cells slipped by one column from a row that is merely wrong.

A cell too many or too few (a comma that should have been in quotes, a cell that was inserted or deleted) moves all
cells behind it. Rules then find several unrelated faults, and show the password, which stands under another heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from enum import IntEnum
from typing import NamedTuple

from musterroll.model.fields import GROUPS, PASSWORD, Field, FieldSet
from musterroll.model.rows import ABSENT, Origin, Row, Value
from musterroll.problems import Problem
from musterroll.text import column_index, fold

SHIFTED = "row.shifted"
"""The code of the one problem of a row whose cells slipped."""

_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")
_CODE = re.compile(r"(?:\+|00)?[0-9]{1,4}")
_NUMBER = re.compile(r"\+?[0-9 ().\-/]{6,25}")
_DIGITS_OF_A_NUMBER = range(6, 16)
# A country and its code, which people write as a calling code.
_COUNTRY = re.compile(r"[^\W\d]+[ .(+]+[0-9]{1,4}\)?")
_STRONG = re.compile(r"[0-9!#$%^*+=?~]")  # what passwords have and names and groups have not
_LONGEST = 300  # what is longer is none of these

_NAMES = frozenset({"forename", "surname"})


class _Fit(IntEnum):
    WRONG = -1  # nobody types this there on purpose
    OPEN = 0  # it may or may not belong there
    RIGHT = 1  # it looks like what belongs there, and like little else


class _Cell(NamedTuple):
    """A cell of the row under a field's heading.

    Attributes:
        field: the field.
        text: what stands there; None where that is not known.
        look: whether it looks like a value of the field.
        is_faulty: whether a rule found an error in it.
    """

    field: Field
    text: str | None
    look: _Fit
    is_faulty: bool


class ShiftFinder:
    """Says of a row that has errors whether its cells slipped by one column.

    They did if moving the cells from some column on by one place leaves nothing there that looks wrong, and puts values
    where they clearly belong. Rows without errors are never looked at.

    Args:
        fields: the fields of a user.
    """

    def __init__(self, fields: FieldSet) -> None:
        self._fields = fields

    def find(self, row: Row, problems: Iterable[Problem]) -> Problem | None:
        """Returns the one problem that stands for all of the row's if its cells slipped.

        Args:
            row: the row.
            problems: what was found in it.
        """
        faulty = {problem.field for problem in problems if problem.is_error}
        cells = self._cells(row, faulty) if faulty else {}
        if not any(cell.is_faulty for cell in cells.values()):
            return None
        if _slipped_right(cells):
            return _problem(row.number, "right", "left")
        return _problem(row.number, "left", "right") if _slipped_left(cells) else None

    def _cells(self, row: Row, faulty: Set[str | None]) -> dict[int, _Cell]:
        """The cells by the index of their column, from the last one to the first."""
        found: dict[int, _Cell] = {}
        # A composed field without a column is known by its first source's, which is that field's own.
        for field in sorted(self._fields.values(), key=lambda field: field.compose is not None):
            letter = row.columns.get(field.name)
            if letter is not None and (index := column_index(letter)) not in found:
                text = _text(row.value(field.name))
                found[index] = _Cell(field, text, _fit(field, text), field.name in faulty)
        return dict(sorted(found.items(), reverse=True))


class _Evidence:
    """What speaks for a shift of the cells from some column on, taken column by column from the last one on."""

    def __init__(self) -> None:
        self._faults = 0
        self._odd = 0
        self._right = 0
        self._finds_password = False
        self._is_open = False

    def see(self, cell: _Cell) -> None:
        """Takes a cell as it stands."""
        self._faults += cell.is_faulty
        self._odd += cell.is_faulty or cell.look is _Fit.WRONG

    def move(self, cell: _Cell, text: str | None) -> bool:
        """Takes what would stand in a cell; returns False where that cannot be."""
        if text is None:
            self._is_open = True
            return True
        fit = _fit(cell.field, text)
        if fit is _Fit.WRONG or (not text and cell.field.required):
            return False
        if fit is _Fit.RIGHT and cell.look is not _Fit.RIGHT:
            self._right += 1
            self._finds_password |= cell.field.name == PASSWORD
        return True

    def suffices(self, *, left_over: bool) -> bool:
        """Whether the row slipped; `left_over` is whether the shift has no place for a value that is there."""
        is_clear = self._finds_password and (self._faults > 1 or not left_over) and not self._is_open
        return self._faults > 0 and self._odd > 1 and self._right >= (1 if is_clear else 2)


def _slipped_right(cells: Mapping[int, _Cell]) -> bool:
    """Whether a cell too many stands somewhere: a blank one, or a part of what stands on its left."""
    evidence, last = _Evidence(), max(cells)
    for index, cell in cells.items():
        evidence.see(cell)
        if index != last:  # its value is beyond the headings
            following = cells.get(index + 1)
            if not evidence.move(cell, following.text if following else None):
                return False
        if evidence.suffices(left_over=cell.text != ""):
            return True
    return False


def _slipped_left(cells: Mapping[int, _Cell]) -> bool:
    """Whether a cell is missing somewhere, which leaves the last one blank."""
    evidence = _Evidence()
    if cells[max(cells)].text != "":
        return False
    for index, cell in cells.items():
        evidence.see(cell)
        if evidence.suffices(left_over=False):
            return True
        before = cells.get(index - 1)
        if not evidence.move(cell, before.text if before else None):
            return False
    return False


def hidden(row: Row) -> Row:
    """Returns a row of that number that holds no value, so that nothing shows one."""
    return Row(row.number, dict.fromkeys(row.values, ABSENT), row.columns)


def _problem(row: int, side: str, other: str) -> Problem:
    return Problem(
        code=SHIFTED,
        row=row,
        message=f"This row seems to be shifted by one column to the {side}; move its cells to the {other} again. Its "
        "values are not shown, since the password may stand under another heading",
    )


def _text(value: Value) -> str | None:
    """What stands in the cell of a value; None where it could not be used."""
    if value.origin is Origin.CELL:
        return value.text if value.secret is None else value.secret.reveal()
    return None if value.origin is Origin.ABSENT else ""


def _fit(field: Field, text: str | None) -> _Fit:
    """Whether a text looks like a value of a field."""
    if not text:
        return _Fit.OPEN
    text = text.strip()
    is_short = len(text) <= _LONGEST
    if field.choices:
        return _either({fold(text)} <= {fold(choice) for choice in field.choices})
    match field.name:
        case "email":
            return _either(is_short and bool(_ADDRESS.fullmatch(text)))
        case "calling_code":
            return _either(bool(_CODE.fullmatch(text)))
        case "phone":
            return _either(_is_number(text))
    if field.name == PASSWORD:
        return _password(text)
    if field.name in _NAMES:
        return _Fit.WRONG if "@" in text or any(map(str.isdigit, text[:_LONGEST])) else _Fit.OPEN
    if field.name == GROUPS:
        return _Fit.WRONG if _is_number(text) or (is_short and _ADDRESS.fullmatch(text)) else _Fit.OPEN
    return _Fit.OPEN


def _either(is_right: bool) -> _Fit:
    return _Fit.RIGHT if is_right else _Fit.WRONG


def _password(text: str) -> _Fit:
    if _is_number(text) or len(text) > _LONGEST or _ADDRESS.fullmatch(text):
        return _Fit.WRONG
    if len(text) >= 6 and _STRONG.search(text) and any(map(str.isalpha, text)) and not _COUNTRY.fullmatch(text):
        return _Fit.RIGHT
    return _Fit.OPEN if len(text) >= 8 else _Fit.WRONG


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and sum(map(str.isdigit, text)) in _DIGITS_OF_A_NUMBER
