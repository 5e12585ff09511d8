"""Rows of the shape that nearly all programs write, found by a pattern and read a column at a time.

A plain row holds cells that are not merged, each with one paragraph of bare text or none. Where a cell in it stands
for several, the row is read by itself, since the cells behind it are not in the column of their place.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from itertools import zip_longest
from math import isfinite
from typing import Any, NamedTuple

from musterroll import PLAIN_FORMATS, Cell
from musterroll_plugins.readers.number_formats import number_cells
from musterroll_plugins.readers.ods.document import repeated
from musterroll_plugins.readers.ods.row_pattern import CELL, ROW, Cells, RowPattern
from musterroll_plugins.readers.ods.values import ColumnStyles, Values
from musterroll_plugins.readers.package.columns import mixed, trimmed
from musterroll_plugins.readers.package.known_tags import has_gaps
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
_MAYBE_ERROR = re.compile("#|Err:")


class PlainRows:
    """Takes rows of what a pattern has found.

    Attributes:
        columns: their cells.
        counts: how often each of them is repeated.
        hidden: the places of those that are not visible, nor blank, and what their tag says of that.
        stretches: how many stretches of columns had come by then.

    Args:
        values: what the contents of cells mean.
        styles: the styles of columns.
    """

    def __init__(self, values: Values, styles: ColumnStyles) -> None:
        self.columns: list[list[Cell]] = []
        self.counts: list[int] = []
        self.hidden: list[tuple[int, str]] = []
        self.stretches = 0
        self._pattern = RowPattern()
        self._values, self._styles = values, styles
        self._row_tags: dict[str, tuple[int, str | None]] = {}
        self._kinds: dict[tuple[_Tag, int], _Kind] = {}

    def pattern(self, width: int, space: str) -> re.Pattern[str]:
        """What matches one plain row, and the white space behind it. See `RowPattern.made`."""
        return self._pattern.made(width, space)

    def take(self, found: Found, stride: int) -> None:
        """Takes all rows.

        Args:
            found: what the pattern's `split` has made of a text.
            stride: how many of its pieces belong to one row.

        Raises:
            NotPlainError: one of them is not plain after all, or is more than the pattern expects.
        """
        self.columns, self.counts, self.hidden, self.stretches = [], [], [], self._styles.count
        groups = self._pattern.columns(found, stride)
        row_heads = found[1::stride]
        if not row_heads:
            return
        known = {head: self._row_tag(head) for head in set(row_heads)}
        self.counts = [known[head][0] for head in row_heads]
        columns: list[list[Cell]] = []
        tags: list[set[str] | None] = []
        uneven: set[int] = set()
        for place, cells in enumerate(groups):
            if cells.are_texts:
                columns.append(_Texts.cells(cells.texts))
                tags.append(None)
                continue
            keys, kinds = self._kinds_of(cells, place)
            columns.append(_column(keys, kinds, cells))
            tags.append(None if cells.has_links else _tags_of_texts(kinds))
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
        if any(visibility for _, visibility in known.values()):
            self.hidden = [
                (place, visibility)
                for place, (_, visibility) in enumerate(map(known.__getitem__, row_heads))
                if visibility is not None and any(column[place] is not None for column in columns)
            ]
        self.columns = trimmed(columns)
        self._pattern.learn(tags, is_whole=not has_gaps(found, stride))

    def _kinds_of(self, cells: Cells, column: int) -> tuple[Found, dict[Any, _Kind]]:
        """For each cell what says its kind, and the kinds; of a cell that there is not, there is none."""
        heads = cells.heads
        if not any(cells.names):
            distinct = set(heads[:1]) if heads.count(heads[0]) == len(heads) else set(heads)
            return heads, {head: self._kind_of(_Tag(head), column) for head in distinct if head is not None}
        keys: Found = list(map(_Tag, heads, cells.befores, cells.formulas, cells.names))
        return keys, {key: self._kind_of(key, column) for key in set(keys) if key.head is not None}

    def _uneven(self, row: int, groups: list[Cells]) -> list[Cell]:
        """Reads a row in which a cell stands for several."""
        cells: list[Cell] = []
        for place, group in enumerate(groups):
            before, formula, name, content, head, text = (found[row] for found in group[:6])
            if head is None or group.are_texts:
                cells += _Texts.cells([text])
                continue
            kind = self._kind_of(_Tag(head, before, formula, name), len(cells))
            cell = kind.column([content], [text])[0]
            if kind.count > _MOST_REPEATED:
                if cell is not None or any(later.heads[row] is not None for later in groups[place + 1 :]):
                    raise NotPlainError
                break  # the empty rest
            cells += [cell] * kind.count
            if len(cells) > _WIDEST:
                raise NotPlainError
        return cells

    def _row_tag(self, head: str) -> tuple[int, str | None]:
        """How often the rows of a tag are repeated, and whether they are visible, where that is said."""
        known = self._row_tags.get(head)
        if known is None:
            attributes = attributes_of(ROW, head)
            if "table:default-cell-style-name" in attributes:
                raise NotPlainError
            if len(self._row_tags) == _MOST_HEADS:
                self._row_tags.clear()
            count = _count(attributes, "table:number-rows-repeated")
            known = self._row_tags[head] = count, attributes.get("table:visibility")
        return known

    def _kind_of(self, tag: _Tag, column: int) -> _Kind:
        kind = self._kinds.get((tag, column))
        if kind is None:
            if len(self._kinds) == _MOST_HEADS:
                self._kinds.clear()
            kind = self._kinds[tag, column] = self._kind_for(tag, column)
        return kind

    def _kind_for(self, tag: _Tag, column: int) -> _Kind:
        attributes = tag.attributes()
        kind, name = attributes.get("office:value-type"), tag.name
        if kind in {None, "string"} and attributes.get("calcext:value-type") != "error":
            if not attributes.keys() & {"office:string-value", "table:formula"}:
                return _Texts(attributes)
            if name is not None:
                return _HeldTexts(attributes, tag, self._values, None)
        style = self._styles.of(column)
        if name is not None and name.endswith(" office:value"):
            return _Numbers(attributes, tag, self._values, style)
        return _Other(attributes, tag, self._values, style)


class _Tag(NamedTuple):
    """What stands in a start tag, without the value and the formula. See `Cells`."""

    head: str
    before: str | None = None
    formula: str | None = None
    name: str | None = None

    def attributes(self) -> Attributes:
        """The attributes, of which value and formula are empty.

        Raises:
            NotPlainError: the parser would not read them.
        """
        formula = "" if self.formula is None else ' table:formula=""'
        value = "" if self.name is None else f'{self.before or ""}{formula}{self.name}=""'
        return attributes_of(CELL, value + self.head)


def _column(keys: Found, kinds: dict[Any, _Kind], cells: Cells) -> list[Cell]:
    contents, texts = cells.contents, cells.texts
    if len(kinds) == 1 and (key := next(iter(kinds))) == keys[0] and keys.count(key) == len(keys):
        return kinds[key].column(contents, texts)
    if all(isinstance(kind, _Texts) for kind in kinds.values()):
        return _Texts.cells(texts)
    return mixed(keys, kinds, contents, texts)


def _tags_of_texts(kinds: dict[Any, _Kind]) -> set[str] | None:
    """What stands in the start tags of a column that holds texts and empty cells; None where there is more to it."""
    if all(isinstance(kind, _Texts) and kind.count == 1 for kind in kinds.values()):
        return {tag for tag in kinds if isinstance(tag, str)}
    return None


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
    """Texts, and empty cells."""

    def column(self, contents: Found, texts: Found) -> list[Cell]:
        """Makes cells."""
        return self.cells(texts)

    @staticmethod
    def cells(texts: Found) -> list[Cell]:
        """Makes cells of texts."""
        texts = texts_of(texts)
        return texts if all(texts) or "" not in texts else [text or None for text in texts]


class _Other(_Kind):
    """Cells of any other kind. What the same content means is looked up once.

    Args:
        attributes: those of their start tags.
        tag: likewise.
        values: what the contents of cells mean.
        style: that of the column.
    """

    def __init__(self, attributes: Attributes, tag: _Tag, values: Values, style: str | None) -> None:
        super().__init__(attributes)
        self._attributes, self._values, self._style = attributes, values, style
        self._name = None if tag.name is None else tag.name.rpartition(" ")[2]
        self._is_open = not tag.head.endswith("/")
        self._cells: Memo[tuple[str | None, str | None]] = Memo(self._cell)

    def column(self, contents: Found, texts: Found) -> list[Cell]:
        """Makes cells."""
        if self._is_open and None in texts:
            raise NotPlainError  # whether there is a paragraph matters, and was not looked for
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


class _HeldTexts(_Other):
    """Texts that stand in their start tags as well; nearly all are shown as they are."""

    def column(self, contents: Found, texts: Found) -> list[Cell]:
        """Makes cells."""
        shown = [text or "" for text in texts]
        if contents == shown and not ("table:formula" in self._attributes and _MAYBE_ERROR.search("\n".join(shown))):
            return _Texts.cells(shown)
        return super().column(contents, texts)


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
