"""Finds the first value that depends on a guessed encoding, so that a guess is never silent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from musterroll.contract.cells import Block, Cell, SheetInfo
from musterroll.contract.fields import FieldSet
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.rows import Origin, Row
from musterroll.contract.text import column_letter
from musterroll.contract.translation import gettext
from musterroll.sheet.batch import RowBatch
from musterroll.sheet.headings import secret_columns
from musterroll.sheet.values import shown


class GuessedText:
    """Watches the rows of a file whose encoding was guessed.

    A value of a user is what a person can judge, so the first one is told, as it was read. Where no user has one, the
    cell is named without what it holds: it may be anything, a password too.

    Args:
        info: what was opened.
        reader: the reader's name.
        heading_row: the number of the heading row.
        fields: the fields of a user.
    """

    def __init__(self, info: SheetInfo, reader: str, heading_row: int, fields: FieldSet) -> None:
        self._guess, self._option = info.guess, f"readers.{reader}.encoding"
        self._heading_row, self._fields = heading_row, fields
        self._secrets: frozenset[int] = frozenset()
        self._value: Problem | None = None
        self._cell: tuple[int, int] | None = None
        self._secret_cell: tuple[int, int] | None = None

    def cells(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Hands rows on as they are in the file."""
        for block in blocks:
            for number, cells in zip(block.numbers, block.rows, strict=True):
                if self._value is not None or self._cell is not None:
                    break
                if number == self._heading_row:
                    self._secrets = secret_columns(cells, self._fields)
                self._look_at_cells(number, cells)
            yield block

    def values(self, batches: Iterator[RowBatch]) -> Iterator[RowBatch]:
        """Hands users on."""
        for batch in batches:
            for place, cells in enumerate(batch.cells):
                if self._value is not None:
                    break
                if any(map(_depends, cells)):
                    self._look_at_values(batch.made(place).row)
            yield batch

    @property
    def problem(self) -> Problem | None:
        """The warning, once all rows have passed; None where everything is ASCII."""
        if self._value is not None:
            return self._value
        where = self._cell or self._secret_cell
        return None if where is None else self._problem(where[0], column_letter(where[1]))

    def _look_at_cells(self, number: int, cells: Sequence[Cell]) -> None:
        for index, cell in enumerate(cells):
            if _depends(cell):
                if index not in self._secrets:
                    self._cell = number, index
                    return
                self._secret_cell = self._secret_cell or (number, index)

    def _look_at_values(self, row: Row) -> None:
        found = [
            (len(column), column, name)
            for name, column in row.columns.items()
            if (value := row.value(name)).origin is Origin.CELL and value.secret is None and _depends(value.raw)
        ]
        if found:
            _, column, name = min(found)
            self._value = self._problem(row.number, column, name, shown(row.value(name).raw))

    def _problem(self, row: int, column: str, field: str | None = None, value: str | None = None) -> Problem:
        return Problem(
            code="source.encoding_guessed",
            severity=Severity.WARNING,
            message=gettext(
                "The file does not tell its encoding; it was read as {guess}, which is a guess, and {cell} is the "
                "first cell that depends on it. If it looks wrong, set {option} to the encoding of the file, or save "
                "the file as UTF-8",
                guess=self._guess,
                cell=f"{column}{row}",
                option=self._option,
            ),
            row=row,
            column=column,
            field=field,
            value=value,
        )


def _depends(cell: Cell) -> bool:
    return isinstance(cell, str) and not cell.isascii()
