"""Cells of fields that have a role: whatever a customer writes there, each value has one spelling from here on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence

from musterroll.contract.cells import BoolCell, Cell, DateCell
from musterroll.contract.fields import Field, FieldRole
from musterroll.contract.rows import Origin, Value
from musterroll.contract.text import fold, nearest
from musterroll.sheet.values import CellFault, shown

_DATES = frozenset({FieldRole.VALID_FROM, FieldRole.VALID_UNTIL})
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_OTHER_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", re.ASCII)

ReadCell = Callable[[Cell], Value | CellFault]


class RoleCells:
    """Reads the cells of one field that has a role.

    A date is `2026-12-31`, a command one of our own words, and whether somebody is active `yes` or `no`. What is blank
    asks for nothing.

    Args:
        field: the field.
        read: how a cell is read otherwise.
    """

    def __init__(self, field: Field, read: ReadCell) -> None:
        self._field, self._read = field, read
        self._known: dict[str, str | None] = {}

    def value(self, cell: Cell) -> Value | CellFault:
        """Makes the value of a cell."""
        role = self._field.role
        if isinstance(cell, DateCell) and role in _DATES and isinstance(cell.value, dt.date):
            date = cell.value.date() if isinstance(cell.value, dt.datetime) else cell.value
            return Value(date.isoformat(), Origin.CELL, shown(cell))
        if isinstance(cell, BoolCell) and role is FieldRole.ACTIVE:
            return Value("yes" if cell.value else "no", Origin.CELL, shown(cell))
        found = self._read(cell)
        if isinstance(found, CellFault) or not found.text:
            return found
        text = self._spelling(found.text)
        return self._fault(found.text) if text is None else Value(text, Origin.CELL, found.raw)

    def spell(self, texts: Sequence[str], odd: set[int]) -> list[str]:
        """Spells a column of texts; those that are no value are odd."""
        for text in set(texts).difference(self._known):
            self._known[text] = self._spelling(text)
        spelt = [self._known[text] for text in texts]
        odd.update(place for place, text in enumerate(spelt) if text is None)
        if len(self._known) >= len(texts) + 10_000:
            self._known = {}
        return [text or "" for text in spelt]

    def _spelling(self, text: str) -> str | None:
        role = self._field.role
        if not text or role is FieldRole.OLD_USERNAME:
            return text
        if role not in _DATES:
            return self._field.words.get(fold(text))
        found = _ISO.fullmatch(text)
        return _date(found[1]) if found else None

    def _fault(self, text: str) -> CellFault:
        name = self._field.name
        if self._field.role in _DATES:
            return CellFault(
                f"{name}.type",
                "This is no date that can be read in one way only; write it as {detail}, or as a date of the "
                "spreadsheet program",
                suggestion=_only_date(text),
                detail="2026-12-31",
            )
        words = self._field.choices
        return CellFault(
            f"{name}.not_a_choice",
            "This is none of the words that can stand here: {detail}",
            suggestion=nearest(text, words),
            detail=", ".join(words),
        )


def _date(text: str) -> str | None:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _only_date(text: str) -> str | None:
    """The date that a text must mean, where it can mean one only: with dots the day comes first."""
    found = _OTHER_DATE.fullmatch(text)
    if found is None:
        return None
    first, sign, second, year = int(found[1]), found[2], int(found[3]), found[4]
    pairs = [(first, second)] if sign == "." else [(first, second), (second, first)]
    dates = {date for day, month in pairs if (date := _date(f"{year}-{month:02}-{day:02}")) is not None}
    return dates.pop() if len(dates) == 1 else None
