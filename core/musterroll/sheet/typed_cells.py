"""Values of fields with a type or a role: whatever a customer writes, each value has one spelling from here on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from musterroll.contract.cells import BoolCell, Cell, DateCell
from musterroll.contract.fields import Field
from musterroll.contract.problems import Problem
from musterroll.contract.rows import ABSENT, Origin, Row, Value
from musterroll.contract.value_types import ValueType, value_types_of
from musterroll.sheet.values import CellFault, shown

ReadCell: TypeAlias = Callable[[Cell], Value | CellFault]
_KNOWN = 10_000  # texts of a column that are remembered besides those of the rows at hand


class TypedCells:
    """Reads the values of the fields that have a type. What is blank is no value of any.

    A cell of the spreadsheet program's own kind (a date, a truth value) is read first, so that it is a text to
    transforms; then, after them, every text gets its one spelling.

    Args:
        fields: the fields of a user.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self._types = value_types_of(fields)
        self._known: dict[str, dict[str, str | None]] = {name: {} for name in self._types}

    def __contains__(self, name: str) -> bool:
        return name in self._types

    def reader(self, name: str, read: ReadCell) -> ReadCell:
        """Returns what makes the value of a cell.

        Args:
            name: the field.
            read: how a cell is read otherwise.
        """
        if name not in self._types:
            return read
        type_ = self._types[name]

        def of_cell(cell: Cell) -> Value | CellFault:
            text = _text_of(type_, cell)
            return read(cell) if text is None else Value(text, Origin.CELL, shown(cell))

        return of_cell

    def column(self, name: str, cells: Sequence[Cell]) -> Sequence[Cell]:
        """Returns the cells of a column with texts instead of those of the field's own kind."""
        type_ = self._types[name]
        if all(cell is None or type(cell) is str for cell in cells):
            return cells
        return [cell if (text := _text_of(type_, cell)) is None else text for cell in cells]

    def spell(self, name: str, texts: Sequence[str], odd: set[int]) -> list[str]:
        """Spells a column of texts; those that are no value are odd."""
        known, type_ = self._known[name], self._types[name]
        for text in set(texts).difference(known):
            known[text] = type_.canonical(text) if text else ""
        spelt = [known[text] for text in texts]
        odd.update(place for place, text in enumerate(spelt) if text is None)
        if len(known) >= len(texts) + _KNOWN:
            known.clear()
        return [text or "" for text in spelt]

    def settle(self, names: Iterable[str], row: Row) -> tuple[dict[str, Value], list[Problem]]:
        """Spells the values of a row, in some of its fields.

        Returns:
            The values that are to stand there, and what is wrong with those that are none.
        """
        changed: dict[str, Value] = {}
        problems: list[Problem] = []
        for name in names:
            value = row.value(name)
            if not value.text:
                continue
            text = self._types[name].canonical(value.text)
            if text is None:
                problems.append(_problem(row, name, self._types[name]))
                changed[name] = ABSENT
            elif text != value.text:
                changed[name] = value._replace(text=text, raw=value.raw if value.raw is not None else value.text)
        return changed, problems

    def names(self, among: Iterable[str]) -> tuple[str, ...]:
        """Returns those of some fields that have a type."""
        return tuple(name for name in among if name in self._types)


def _text_of(type_: ValueType, cell: Cell) -> str | None:
    """The text that a cell stands for in a field of this type; None where it is read like any other."""
    if cell is None or isinstance(cell, str):
        return None
    text = type_.of_cell(cell)
    # What is a date or a truth value and should not be is judged as what people see there.
    return shown(cell) if text is None and type_.is_strict and isinstance(cell, DateCell | BoolCell) else text


def _problem(row: Row, name: str, type_: ValueType) -> Problem:
    fault = type_.fault(row.value(name).text)
    # The message is one already: names in braces that it quotes are not filled in.
    return replace(row.problem(name, f"{name}.{fault.rule}", "", suggestion=fault.suggestion), message=fault.message)
