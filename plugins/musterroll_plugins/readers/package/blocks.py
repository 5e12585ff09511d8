"""The rows that a reader has gathered and not handed on yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, zip_longest

from musterroll import Block, Cell, CellColumns, SheetRow
from musterroll_plugins.readers.package.columns import joined, lengths, without_end

_ROWS = 1000  # in one block
_SIZE = 1 << 20  # characters and cells that wait for others to fill a block
_WIDEST = 500  # cells of a row that is put into columns, which are as many for every row


class Gathered:
    """Rows that have content, in order: in columns, however they come, since so nearly everybody looks at them."""

    def __init__(self) -> None:
        self._done: list[Block] = []
        self._numbers: list[int] = []
        self._columns: list[list[Cell]] = []
        self._rows: list[tuple[Cell, ...]] = []  # the last ones, which are in no columns yet
        self._size = 0
        self._is_first = True

    def add(self, number: int, cells: tuple[Cell, ...], size: int) -> None:
        """Adds one row.

        Args:
            number: the row's number.
            cells: its cells, up to the last one with content.
            size: about how many characters they hold.
        """
        if len(cells) > _WIDEST:
            self.repeat([number], cells)
            return
        self._numbers.append(number)
        self._rows.append(cells)
        self._size += size + len(cells)

    def repeat(self, numbers: Sequence[int], cells: tuple[Cell, ...]) -> None:
        """Adds rows that all have the same cells. They stay rows, which then take no room."""
        self._finish(len(self._numbers))
        for start in range(0, len(numbers), _ROWS):
            some = list(numbers[start : start + _ROWS])
            self._done.append(Block(some, [cells] * len(some)))

    def extend(self, numbers: Sequence[int], columns: list[list[Cell]], size: int) -> int:
        """Adds rows in columns, which are the caller's no longer; of those without content nothing is kept.

        Args:
            numbers: the rows' numbers.
            columns: their cells.
            size: about how many characters they hold.

        Returns:
            How many cells they have, up to the last one with content in each.
        """
        if not columns:
            return 0
        count, blank = lengths(columns)
        if blank:
            kept = [place not in blank for place in range(len(numbers))]
            numbers = list(compress(numbers, kept))
            columns = [list(compress(column, kept)) for column in columns]
        if numbers:
            self._join_rows()
            self._columns = joined(self._columns, columns)
            self._numbers += numbers
            self._size += size
        return count

    def blocks(self, steps: Iterator[None]) -> Iterator[Block]:
        """Hands on the rows that steps gather, those in front of a mistake as well.

        A few rows wait for others to become a full block. The first ones do not, since they hold the headings.
        """
        try:
            for _ in steps:
                if self._numbers and (self._is_first or self._done or self._size > _SIZE):
                    self._finish(len(self._numbers))
                elif len(self._numbers) >= _ROWS:
                    self._finish(len(self._numbers) // _ROWS * _ROWS)
                yield from self._handed_on()
        except Exception:
            yield from self._rest()
            raise
        yield from self._rest()

    def _rest(self) -> Iterator[Block]:
        self._finish(len(self._numbers))
        yield from self._handed_on()

    def _handed_on(self) -> Iterator[Block]:
        if self._done:
            done, self._done = self._done, []
            self._is_first = False
            yield from done

    def _finish(self, count: int) -> None:
        """Makes blocks of so many rows."""
        self._join_rows()
        numbers, columns = self._numbers, self._columns
        for start in range(0, count, _ROWS):
            stop = min(start + _ROWS, count)
            self._done.append(Block(numbers[start:stop], CellColumns([column[start:stop] for column in columns])))
        self._numbers = numbers[count:]
        self._columns = [column[count:] for column in columns] if self._numbers else []
        self._size = 0

    def _join_rows(self) -> None:
        if self._rows:
            self._columns = joined(self._columns, list(map(list, zip_longest(*self._rows))))
            self._rows = []


def one_by_one(blocks: Iterator[Block]) -> Iterator[SheetRow]:
    """The rows of blocks, each up to its last cell that is not empty."""
    for block in blocks:
        yield from map(SheetRow, block.numbers, map(without_end, map(tuple, block.rows)))
