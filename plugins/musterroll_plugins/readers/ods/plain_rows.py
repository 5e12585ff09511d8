"""Rows of the shape that nearly all programs write, found by a pattern and read a column at a time.

A plain row holds cells that are not merged, each with one paragraph of bare text or none. Where a cell in it stands
for several, the row is read by itself, since the cells behind it are not in the column of their place.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from typing import Any

from musterroll import PLAIN_FORMATS, Cell
from musterroll_plugins.readers.number_formats import number_cells
from musterroll_plugins.readers.ods.document import repeated
from musterroll_plugins.readers.ods.values import ColumnStyles, Values
from musterroll_plugins.readers.package.columns import mixed, rows_of, without_end
from musterroll_plugins.readers.package.skimming import (
    HEAD,
    IS_EMPTY,
    IS_OPEN,
    Found,
    Memo,
    NotPlainError,
    attributes_of,
    stepped,
    text_of,
    texts_of,
)
from musterroll_plugins.readers.package.xml import MAX_COLUMN, Attributes, DamagedError, numbers_of

_GROUPS = 4  # of each cell: the tag up to its value, the value, the rest of the tag, the text
_MOST_HEADS = 200  # start tags that are remembered
_MOST_REPEATED = 256  # of a cell with others behind it
_CELL, _ROW = "table:table-cell", "table:table-row"
# What stands in front of a value that differs from cell to cell, as programs write it.
_BEFORE = (
    '(?: table:style-name="[^">]*+")?+ office:value-type="(?:float|percentage|date|time)"'
    ' office:(?:date-|time-)?+value="'
)


def pattern(width: int, text: str, space: str) -> re.Pattern[str]:
    """What matches one plain row, and the white space behind it.

    Its groups are what stands in its tag, and four for each cell: what stands in its tag up to the value, the value,
    what stands behind it, and the text.

    Args:
        width: how many cells there are; there may be a few more, and empty ones behind them.
        text: what matches a text.
        space: what matches white space between tags.
    """
    return _pattern(stepped(width), text, space)


@lru_cache(maxsize=50)
def _pattern(width: int, text: str, space: str) -> re.Pattern[str]:
    head = rf'(?:({_BEFORE})([^"<>&\t\n]*+)")?+({HEAD})'
    cell = rf"(?:<{_CELL}{head}>(?:{IS_EMPTY}|{space}(?:<text:p>({text})</text:p>{space})?+</{_CELL}>){space})?+"
    style, several = r' table:style-name="[\w .-]*+"', ' table:number-columns-repeated="[1-9][0-9]{0,4}"'
    empty = f"(?:<{_CELL}(?:{style})?(?:{several})?/>{space})*+"
    return re.compile(f"<{_ROW}({HEAD})>{IS_OPEN}{space}{cell * width}{empty}</{_ROW}>{space}")


class PlainRows:
    """Takes rows of what the pattern has found.

    Attributes:
        rows: their cells, up to the last one with content.
        counts: how often each of them is repeated.
        columns: how many stretches of columns had come by then.

    Args:
        values: what the contents of cells mean.
        columns: the styles of columns.
    """

    def __init__(self, values: Values, columns: ColumnStyles) -> None:
        self.rows: list[tuple[Cell, ...]] = []
        self.counts: list[int] = []
        self.columns = 0
        self._values, self._columns = values, columns
        self._row_counts: dict[str, int] = {}
        self._kinds: dict[tuple[str | None, str, int], _Kind] = {}

    def take(self, found: Found, stride: int) -> None:
        """Takes all rows.

        Args:
            found: what the pattern's `split` has made of a text.
            stride: how many of its pieces belong to one row.

        Raises:
            NotPlainError: one of them is not plain after all.
        """
        self.rows, self.counts, self.columns = [], [], self._columns.count
        row_heads = found[1::stride]
        if not row_heads:
            return
        known = {head: self._count_of(head) for head in set(row_heads)}
        counts = [known[head] for head in row_heads]
        groups = [found[at::stride] for at in range(2, stride)]
        columns: list[Sequence[Cell]] = []
        uneven: set[int] = set()
        for at in range(0, len(groups), _GROUPS):
            befores, contents, heads, texts = groups[at : at + _GROUPS]
            keys, kinds = self._kinds_of(befores, heads, at // _GROUPS)
            columns.append(_column(keys, kinds, contents, texts))
            several = {key for key, kind in kinds.items() if kind.count > 1}
            if several:
                behind = groups[at + _GROUPS + 2] if at + _GROUPS < len(groups) else [None] * len(keys)
                uneven.update(
                    row
                    for row, (key, cell, head) in enumerate(zip(keys, columns[-1], behind, strict=True))
                    if key in several and (cell is not None or head is not None)
                )
        rows = rows_of(columns)
        for row in uneven:
            rows[row] = self._uneven([group[row] for group in groups])
        self.rows, self.counts = rows, counts

    def _kinds_of(self, befores: Found, heads: Found, column: int) -> tuple[Found, dict[Any, _Kind]]:
        """For each cell what says its kind, and the kinds; of a cell that there is not, there is none."""
        if not any(befores):
            distinct = set(heads[:1]) if heads.count(heads[0]) == len(heads) else set(heads)
            return heads, {head: self._kind_of(None, head, column) for head in distinct if head is not None}
        keys = list(zip(befores, heads, strict=True))
        return keys, {key: self._kind_of(*key, column) for key in set(keys) if key[1] is not None}

    def _uneven(self, groups: Found) -> tuple[Cell, ...]:
        """Reads a row in which a cell stands for several."""
        cells: list[Cell] = []
        for at in range(0, len(groups), _GROUPS):
            before, content, head, text = groups[at : at + _GROUPS]
            if head is None:
                break
            kind = self._kind_of(before, head, len(cells))
            cell = kind.column([content], [text])[0]
            if kind.count > _MOST_REPEATED:
                if cell is not None or (at + _GROUPS < len(groups) and groups[at + _GROUPS + 2] is not None):
                    raise NotPlainError
                break  # the empty rest
            cells += [cell] * kind.count
            if len(cells) > MAX_COLUMN:
                raise NotPlainError
        return without_end(tuple(cells))

    def _count_of(self, head: str) -> int:
        count = self._row_counts.get(head)
        if count is None:
            attributes = attributes_of(_ROW, head)
            if "table:default-cell-style-name" in attributes:
                raise NotPlainError
            if len(self._row_counts) == _MOST_HEADS:
                self._row_counts.clear()
            count = self._row_counts[head] = _count(attributes, "table:number-rows-repeated")
        return count

    def _kind_of(self, before: str | None, head: str, column: int) -> _Kind:
        kind = self._kinds.get((before, head, column))
        if kind is None:
            attributes = attributes_of(_CELL, head if before is None else f'{before}"{head}')
            if len(self._kinds) == _MOST_HEADS:
                self._kinds.clear()
            kind = self._kinds[before, head, column] = self._kind_for(attributes, before, column)
        return kind

    def _kind_for(self, attributes: Attributes, before: str | None, column: int) -> _Kind:
        kind = attributes.get("office:value-type")
        if (
            kind in {None, "string"}
            and attributes.get("calcext:value-type") != "error"
            and not attributes.keys() & {"office:string-value", "table:formula"}
        ):
            return _Texts(attributes, "" if kind else None)
        name = before.rpartition(" ")[2].removesuffix('="') if before is not None else None
        style = self._columns.of(column)
        if name == "office:value" and "table:formula" not in attributes:
            return _Numbers(attributes, self._values, style, name)
        return _Other(attributes, self._values, style, name)


def _column(keys: Found, kinds: dict[Any, _Kind], contents: Found, texts: Found) -> Sequence[Cell]:
    if len(kinds) == 1 and (key := next(iter(kinds))) == keys[0] and keys.count(key) == len(keys):
        return kinds[key].column(contents, texts)
    return mixed(keys, kinds, contents, texts)


class _Kind:
    """Reads cells of one kind and style.

    Attributes:
        count: for how many cells each of them stands.

    Args:
        attributes: those of their start tags.
    """

    def __init__(self, attributes: Attributes) -> None:
        self.count = _count(attributes, "table:number-columns-repeated")

    @abstractmethod
    def column(self, contents: Found, texts: Found) -> Sequence[Cell]:
        """Makes cells."""


class _Texts(_Kind):
    """Texts, and empty cells.

    Args:
        attributes: those of their start tags.
        without: the cell that has no paragraph.
    """

    def __init__(self, attributes: Attributes, without: str | None) -> None:
        super().__init__(attributes)
        self._without = without

    def column(self, contents: Found, texts: Found) -> Sequence[Cell]:
        """Makes cells."""
        texts = texts_of(texts)
        if self._without is not None and None in texts:
            return [self._without if text is None else text for text in texts]
        return texts


class _Other(_Kind):
    """Cells of any other kind. What the same content means is looked up once.

    Args:
        attributes: those of their start tags.
        values: what the contents of cells mean.
        style: that of the column.
        name: the attribute that holds the value; None where it is one of `attributes`.
    """

    def __init__(self, attributes: Attributes, values: Values, style: str | None, name: str | None) -> None:
        super().__init__(attributes)
        self._attributes, self._values, self._style, self._name = attributes, values, style, name
        self._cells: Memo[tuple[str | None, str | None]] = Memo(self._cell)

    def column(self, contents: Found, texts: Found) -> Sequence[Cell]:
        """Makes cells."""
        return [self._cells[content] for content in zip(contents, texts, strict=True)]

    def _cell(self, content: tuple[str | None, str | None]) -> Cell:
        value, text = content
        attributes = self._attributes
        if self._name is not None:
            attributes = {**attributes, self._name: text_of(value or "")}
        if text is not None:
            text = text_of(text)
        cell = self._values.cell(attributes, text, lambda: self._style)
        self._values.row_size = 0
        return cell


class _Numbers(_Other):
    """Numbers; there are many, and most are there once and are shown as they are."""

    def column(self, contents: Found, texts: Found) -> Sequence[Cell]:
        """Makes cells."""
        code = self._values.styles.code_of(self._attributes.get("table:style-name") or self._style)
        if code in PLAIN_FORMATS:
            numbers = numbers_of(contents)
            shown = [text if number is None else str(number) for number, text in zip(numbers, texts, strict=True)]
            if (
                shown == texts
                and numbers.count(None) == contents.count(None)
                and all(map(isfinite, filter(None, numbers)))
            ):
                return number_cells(numbers, code)
        return super().column(contents, texts)


def _count(attributes: Attributes, name: str) -> int:
    try:
        return repeated(attributes, name)
    except (DamagedError, ValueError):
        raise NotPlainError from None
