"""A set of row numbers that takes a bit for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_ROWS = 1024  # of a block: most rows are close to another one


class RowSet:
    """Row numbers, in ascending order: a million of them take 300 kB.

    Args:
        rows: the first ones.
    """

    def __init__(self, rows: Iterable[int] = ()) -> None:
        self._blocks: dict[int, int] = {}
        for row in rows:
            self.add(row)

    def add(self, row: int) -> None:
        """Adds a row."""
        block, place = divmod(row, _ROWS)
        self._blocks[block] = self._blocks.get(block, 0) | 1 << place

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and bool(self._blocks.get(row // _ROWS, 0) >> row % _ROWS & 1)

    def __iter__(self) -> Iterator[int]:
        for block, rows in sorted(self._blocks.items()):
            first = block * _ROWS
            yield from (first + place for place, bit in enumerate(reversed(f"{rows:b}")) if bit == "1")

    def __len__(self) -> int:
        return sum(rows.bit_count() for rows in self._blocks.values())

    def __or__(self, other: RowSet) -> RowSet:
        both = RowSet()
        for blocks in (self._blocks, other._blocks):
            for block, rows in blocks.items():
                both._blocks[block] = both._blocks.get(block, 0) | rows
        return both
