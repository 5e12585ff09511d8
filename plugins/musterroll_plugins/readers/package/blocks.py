"""The rows that a reader has gathered and not handed on yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from musterroll import Block, Cell, SheetRow

_MOST = 1000  # rows in one block


class Gathered:
    """Rows that have content, in order."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._rows: list[tuple[Cell, ...]] = []

    def add(self, number: int, cells: tuple[Cell, ...]) -> None:
        """Adds one row."""
        self._numbers.append(number)
        self._rows.append(cells)

    def extend(self, numbers: Sequence[int], rows: Sequence[tuple[Cell, ...]]) -> None:
        """Adds rows; of those without cells nothing is kept."""
        if not all(rows):
            numbers = [number for number, cells in zip(numbers, rows, strict=True) if cells]
            rows = [cells for cells in rows if cells]
        self._numbers += numbers
        self._rows += rows

    def blocks(self) -> Iterator[Block]:
        """Hands the rows on, and forgets them."""
        numbers, rows = self._numbers, self._rows
        self._numbers, self._rows = [], []
        for start in range(0, len(rows), _MOST):
            yield Block(numbers[start : start + _MOST], rows[start : start + _MOST])


def one_by_one(blocks: Iterator[Block]) -> Iterator[SheetRow]:
    """The rows of blocks."""
    for block in blocks:
        yield from map(SheetRow, block.numbers, map(tuple, block.rows))
