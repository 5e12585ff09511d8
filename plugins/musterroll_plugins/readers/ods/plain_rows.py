"""Rows of the shape that nearly all programs write, found by a pattern and read a column at a time.

A plain row holds cells that are not merged, each with one paragraph of bare text or none. Where a cell in it stands
for several, the row is read by itself, since the cells behind it are not in the column of their place.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from itertools import zip_longest
from math import isfinite
from typing import Any

from musterroll import PLAIN_FORMATS, Cell
from musterroll_plugins.readers.number_formats import number_cells
from musterroll_plugins.readers.ods.document import repeated
from musterroll_plugins.readers.ods.row_pattern import CELL, ROW, Cells, RowPattern, has_gaps
from musterroll_plugins.readers.ods.values import ColumnStyles, Values
from musterroll_plugins.readers.package.columns import mixed, trimmed
from musterroll_plugins.readers.package.skimming import (
    Found,
    Memo,
    NotPlainError,
    attributes_of,
    text_of,
    texts_of,
)
from musterroll_plugins.readers.package.xml import Attributes, DamagedError, numbers_of

_MOST_HEADS = 1000  # start tags that are remembered
_MOST_REPEATED = 256  # of a cell with others behind it
_WIDEST = 500  # cells of a row


class PlainRows:
    """Takes rows of what a pattern has found.

    Attributes:
        columns: their cells.
        counts: how often each of them is repeated.
        stretches: how many stretches of columns had come by then.

    Args:
        values: what the contents of cells mean.
        styles: the styles of columns.
    """

    def __init__(self, values: Values, styles: ColumnStyles) -> None:
        self.columns: list[list[Cell]] = []
        self.counts: list[int] = []
        self.stretches = 0
        self._pattern = RowPattern()
        self._values, self._styles = values, styles
        self._row_counts: dict[str, int] = {}
        self._kinds: dict[tuple[str | None, str, int], _Kind] = {}

    def pattern(self, width: int, text: str, space: str) -> re.Pattern[str]:
        """What matches one plain row, and the white space behind it. See `RowPattern.made`."""
        return self._pattern.made(width, text, space)

    def take(self, found: Found, stride: int) -> None:
        """Takes all rows.

        Args:
            found: what the pattern's `split` has made of a text.
            stride: how many of its pieces belong to one row.

        Raises:
            NotPlainError: one of them is not plain after all, or is more than the pattern expects.
        """
        self.columns, self.counts, self.stretches = [], [], self._styles.count
        groups = self._pattern.columns(found, stride)
        row_heads = found[1::stride]
        if not row_heads:
            return
        known = {head: self._count_of(head) for head in set(row_heads)}
        self.counts = [known[head] for head in row_heads]
        columns: list[list[Cell]] = []
        tags: list[set[str] | None] = []
        uneven: set[int] = set()
        for place, cells in enumerate(groups):
            if cells.are_texts:
                columns.append(texts_of(cells.texts))
                tags.append(None)
                continue
            keys, kinds = self._kinds_of(cells, place)
            columns.append(_column(keys, kinds, cells))
            tags.append(_tags_of_texts(kinds, cells))
            several = {key for key, kind in kinds.items() if kind.count > 1}
            if several:
                uneven.update(
                    row
                    for row, (key, cell) in enumerate(zip(keys, columns[-1], strict=True))
                    if key in several
                    and (cell is not None or any(later.heads[row] is not None for later in groups[place + 1 :]))
                )
        for row in uneven:
            _put(columns, row, self._uneven(row, groups))
        self.columns = trimmed(columns)
        self._pattern.learn(tags, is_whole=not has_gaps(found, stride))

    def _kinds_of(self, cells: Cells, column: int) -> tuple[Found, dict[Any, _Kind]]:
        """For each cell what says its kind, and the kinds; of a cell that there is not, there is none."""
        befores, heads = cells.befores, cells.heads
        if not any(befores):
            distinct = set(heads[:1]) if heads.count(heads[0]) == len(heads) else set(heads)
            return heads, {head: self._kind_of(None, head, column) for head in distinct if head is not None}
        keys = list(zip(befores, heads, strict=True))
        return keys, {key: self._kind_of(*key, column) for key in set(keys) if key[1] is not None}

    def _uneven(self, row: int, groups: list[Cells]) -> list[Cell]:
        """Reads a row in which a cell stands for several."""
        cells: list[Cell] = []
        for place, group in enumerate(groups):
            before, content, head, text = (found[row] for found in group[:4])
            if head is None or group.are_texts:
                cells += texts_of([text])
                continue
            kind = self._kind_of(before, head, len(cells))
            cell = kind.column([content], [text])[0]
            if kind.count > _MOST_REPEATED:
                if cell is not None or any(later.heads[row] is not None for later in groups[place + 1 :]):
                    raise NotPlainError
                break  # the empty rest
            cells += [cell] * kind.count
            if len(cells) > _WIDEST:
                raise NotPlainError
        return cells

    def _count_of(self, head: str) -> int:
        count = self._row_counts.get(head)
        if count is None:
            attributes = attributes_of(ROW, head)
            if "table:default-cell-style-name" in attributes:
                raise NotPlainError
            if len(self._row_counts) == _MOST_HEADS:
                self._row_counts.clear()
            count = self._row_counts[head] = _count(attributes, "table:number-rows-repeated")
        return count

    def _kind_of(self, before: str | None, head: str, column: int) -> _Kind:
        kind = self._kinds.get((before, head, column))
        if kind is None:
            attributes = attributes_of(CELL, head if before is None else f'{before}"{head}')
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
            return _Texts(attributes, is_text=kind is not None)
        name = before.rpartition(" ")[2].removesuffix('="') if before is not None else None
        style = self._styles.of(column)
        if name == "office:value" and "table:formula" not in attributes:
            return _Numbers(attributes, self._values, style, name)
        return _Other(attributes, self._values, style, name)


def _column(keys: Found, kinds: dict[Any, _Kind], cells: Cells) -> list[Cell]:
    contents, texts = cells.contents, cells.texts
    if len(kinds) == 1 and (key := next(iter(kinds))) == keys[0] and keys.count(key) == len(keys):
        return kinds[key].column(contents, texts)
    if all(isinstance(kind, _Texts) for kind in kinds.values()):
        is_text = {key for key, kind in kinds.items() if isinstance(kind, _Texts) and kind.is_text}
        return [
            "" if text is None and key in is_text else text for text, key in zip(texts_of(texts), keys, strict=True)
        ]
    return mixed(keys, kinds, contents, texts)


def _tags_of_texts(kinds: dict[Any, _Kind], cells: Cells) -> set[str] | None:
    """What stands in the start tags of a column that holds texts and empty cells; None where there is more to it."""
    tags = set()
    for tag, kind in kinds.items():
        if not (isinstance(tag, str) and isinstance(kind, _Texts) and kind.count == 1):
            return None
        if kind.is_text and tag.endswith("/"):
            return None
        tags.add(tag)
    if None in cells.texts and any(
        text is None and head is not None and not head.endswith("/")
        for head, text in zip(cells.heads, cells.texts, strict=True)
    ):
        return None
    return tags


def _put(columns: list[list[Cell]], row: int, cells: list[Cell]) -> None:
    """Puts the cells of a row into columns, of which there may be too few."""
    columns += [[None] * len(columns[0]) for _ in range(len(cells) - len(columns))]
    for column, cell in zip_longest(columns, cells):
        column[row] = cell


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
    def column(self, contents: Found, texts: Found) -> list[Cell]:
        """Makes cells."""


class _Texts(_Kind):
    """Texts, and empty cells.

    Args:
        attributes: those of their start tags.
        is_text: whether a cell without a paragraph is a text all the same.
    """

    def __init__(self, attributes: Attributes, *, is_text: bool) -> None:
        super().__init__(attributes)
        self.is_text = is_text

    def column(self, contents: Found, texts: Found) -> list[Cell]:
        """Makes cells."""
        texts = texts_of(texts)
        if self.is_text and None in texts:
            return ["" if text is None else text for text in texts]
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

    def column(self, contents: Found, texts: Found) -> list[Cell]:
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

    def column(self, contents: Found, texts: Found) -> list[Cell]:
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
