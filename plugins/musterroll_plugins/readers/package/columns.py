"""Columns of cells that a pattern has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from musterroll import Cell
from musterroll_plugins.readers.package.skimming import Found, NotPlainError

_MOST_KINDS = 8  # in one column of a text; each goes through all of it

K = TypeVar("K")


class Kind(Protocol):
    """Reads cells of one kind and style."""

    def column(self, contents: Found, texts: Found) -> list[Cell]:
        """Makes cells.

        Args:
            contents: the value that each cell has; None where it has none.
            texts: the text that stands in each; likewise.

        Raises:
            NotPlainError: one of them is not plain.
        """
        ...


def mixed(keys: Sequence[K], kinds: Mapping[K, Kind], contents: Found, texts: Found) -> list[Cell]:
    """Makes a column of cells of several kinds.

    Args:
        keys: for each cell, what says its kind.
        kinds: the kinds. What is not among them is an empty cell.
        contents: as in `Kind.column`.
        texts: likewise.

    Raises:
        NotPlainError: there are too many kinds, or a cell is not plain.
    """
    alike = set(kinds.values())
    if len(alike) > _MOST_KINDS:
        raise NotPlainError
    of_cells = list(map(kinds.get, keys))
    cells: list[Cell] = [None] * len(keys)
    for kind in alike:
        places = [place for place, one in enumerate(of_cells) if one is kind]
        made = kind.column([contents[place] for place in places], [texts[place] for place in places])
        for place, cell in zip(places, made, strict=True):
            cells[place] = cell
    return cells


def lengths(columns: Sequence[Sequence[Cell]]) -> tuple[int, set[int]]:
    """How long rows are up to their last cell that is not empty, altogether; and the places of those that are blank."""
    total, left = 0, list(range(len(columns[0]))) if columns else []
    for width in range(len(columns), 0, -1):
        column = columns[width - 1]
        shorter = [place for place in left if column[place] is None] if None in column else []
        total += width * (len(left) - len(shorter))
        if not (left := shorter):
            break
    return total, set(left)


def trimmed(columns: list[list[Cell]]) -> list[list[Cell]]:
    """Takes away the last columns that hold nothing; there may be none left."""
    while columns and columns[-1].count(None) == len(columns[-1]):
        columns.pop()
    return columns


def joined(columns: list[list[Cell]], others: list[list[Cell]]) -> list[list[Cell]]:
    """Puts columns behind columns, in their place; none means no rows."""
    if not columns:
        return others
    missing = len(others) - len(columns)
    columns += [[None] * len(columns[0]) for _ in range(missing)]
    others += [[None] * len(others[0]) for _ in range(-missing)]
    for column, other in zip(columns, others, strict=True):
        column.extend(other)
    return columns


def rows_of(columns: list[list[Cell]], count: int) -> list[tuple[Cell, ...]]:
    """Makes so many rows of columns. Each row ends with its last cell that is not empty."""
    return list(map(without_end, zip(*columns, strict=True))) if columns else [()] * count


def without_end(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells up to the last one that is not empty."""
    end = len(cells)
    while end and cells[end - 1] is None:
        end -= 1
    return cells[:end]
