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

    def column(self, contents: Found, texts: Found) -> Sequence[Cell]:
        """Makes cells.

        Args:
            contents: the value that each cell has; None where it has none.
            texts: the text that stands in each; likewise.

        Raises:
            NotPlainError: one of them is not plain.
        """
        ...


def mixed(keys: Sequence[K], kinds: Mapping[K, Kind], contents: Found, texts: Found) -> Sequence[Cell]:
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
    cells: Sequence[Cell] = [None] * len(keys)
    for kind in alike:
        own = [kinds.get(key) is kind for key in keys]
        made = kind.column(_only(own, contents), _only(own, texts))
        cells = [cell if mine else other for mine, cell, other in zip(own, made, cells, strict=True)]
    return cells


def rows_of(columns: list[Sequence[Cell]]) -> list[tuple[Cell, ...]]:
    """Makes rows of columns of one length. Each row ends with its last cell that is not empty."""
    while len(columns) > 1 and columns[-1].count(None) == len(columns[-1]):
        columns.pop()
    rows = list(zip(*columns, strict=True))
    return list(map(without_end, rows)) if None in columns[-1] else rows


def without_end(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells up to the last one that is not empty."""
    end = len(cells)
    while end and cells[end - 1] is None:
        end -= 1
    return cells[:end]


def _only(own: list[bool], texts: Found) -> Found:
    return [text if mine else None for mine, text in zip(own, texts, strict=True)]
