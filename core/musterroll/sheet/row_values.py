"""Makes values of cells: of one row, and of rows whose texts are known already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from musterroll.contract.cells import Cell
from musterroll.contract.rows import BLANK, Origin, Value
from musterroll.contract.secret import Secret
from musterroll.sheet.blocks import column_of, least_width
from musterroll.sheet.texts import Texts
from musterroll.sheet.typed_cells import ReadCell
from musterroll.sheet.values import CellFault

_CELL = Origin.CELL  # looked up once: in Python 3.11 that takes longer than all else that a cell needs
# Past the `__new__` of a named tuple, which is written in Python.
_value: Callable[[tuple[str, Origin, str | None, Secret | None]], Value] = partial(tuple.__new__, Value)


class CellReader(NamedTuple):
    """What reads the cells of one column.

    Attributes:
        name: the field.
        column: its place, from 0.
        read: makes a value of a cell.
    """

    name: str
    column: int
    read: ReadCell


FaultyCell = tuple[str, CellFault, Cell]
"""The field of a cell that cannot be used, why, and the cell."""


def values_of(cells: Sequence[Cell], readers: Iterable[CellReader]) -> tuple[dict[str, Value], list[FaultyCell]]:
    """Makes the values of a row; of cells that cannot be used there is none."""
    values: dict[str, Value] = {}
    faults: list[FaultyCell] = []
    width = len(cells)
    for name, column, read in readers:
        cell = cells[column] if column < width else None
        value = read(cell)
        if isinstance(value, CellFault):
            faults.append((name, value, cell))
        else:
            values[name] = value
    return values, faults


class KnownValues:
    """The values of rows whose texts are known, none of which is odd.

    Nearly all cells are their own texts. Of columns in which all are, no cell is looked at again.

    Args:
        readers: of the columns.
        rows: the cells.
        texts: their texts.
    """

    def __init__(self, readers: Iterable[CellReader], rows: Sequence[Sequence[Cell]], texts: Texts) -> None:
        self._rows, self._others = rows, list[CellReader]()
        self._plain, self._secret = list[tuple[str, Sequence[str]]](), list[tuple[str, Sequence[str]]]()
        width = least_width(rows)
        for reader in readers:
            name, cells = reader.name, column_of(rows, reader.column, width)
            known, own = (texts.secret, self._secret) if name in texts.secret else (texts.plain, self._plain)
            if _are_texts(cells, known[name]):
                own.append((name, known[name]))
            else:
                self._others.append(reader)

    def of(self, place: int) -> tuple[dict[str, Value], list[FaultyCell]]:
        """Makes the values of the row at a place. See `values_of`."""
        values = {
            name: _value((text, _CELL, text, None)) if (text := texts[place]) else BLANK for name, texts in self._plain
        }
        for name, texts in self._secret:
            text = texts[place]
            values[name] = _value(("", _CELL, None, Secret(text))) if text else BLANK
        if not self._others:
            return values, []
        others, faults = values_of(self._rows[place], self._others)
        values |= others
        return values, faults


def _are_texts(cells: Sequence[Cell], texts: Sequence[str]) -> bool:
    return cells == texts or [cell or "" for cell in cells] == texts
