"""Rows of the shape that nearly all programs write, found by a pattern and read a column at a time.

A plain row names its number, and its cells name their places, from left to right. A plain cell is empty, or holds
one value or one text, and perhaps a formula whose result that is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import starmap
from math import isfinite
from operator import lt
from typing import NamedTuple

from musterroll import Cell, column_letter
from musterroll_plugins.readers.number_formats import number_cells
from musterroll_plugins.readers.package.columns import Kind, mixed, trimmed
from musterroll_plugins.readers.package.known_tags import KnownTags, has_gaps, is_open
from musterroll_plugins.readers.package.skimming import (
    HEAD,
    IS_EMPTY,
    TEXT,
    Found,
    Memo,
    NotPlainError,
    SoundHeads,
    attributes_of,
    stepped,
    text_of,
    texts_of,
)
from musterroll_plugins.readers.package.xml import MAX_ROW, Attributes, numbers_of, truth
from musterroll_plugins.readers.xlsx.values import Values
from musterroll_plugins.readers.xlsx.workbook import unescaped

_HIDDEN = "hidden"
_MOST_HEADS = 200  # start tags that are remembered
_TEXTS = frozenset({"s", "inlineStr", "str"})  # the kinds of cells that hold texts


class _Expected(NamedTuple):
    """What is known of the cells of a column before they are looked for.

    Attributes:
        heads: what stands in their start tags.
        holds_texts: whether their texts stand in the cells themselves.
    """

    heads: tuple[str, ...]
    holds_texts: bool


@lru_cache(maxsize=50)
def _pattern(
    columns: tuple[_Expected | None, ...], formulas: frozenset[int], prefix: str, space: str
) -> re.Pattern[str]:
    x = re.escape(prefix)
    inline = rf'<{x}is>{space}<{x}t(?: xml:space="preserve")?>({TEXT})</{x}t>{space}</{x}is>'

    value = f"<{x}v>({TEXT})</{x}v>"

    def cell(column: int, expected: _Expected | None) -> str:
        start = rf'<{x}c r="{column_letter(column)}\1"'
        if expected is not None and not expected.heads:
            return ""
        if expected is not None:
            return rf"(?:{start}(?:{like(expected)}){space})?+"
        formula = rf"(?:<{x}f({HEAD})>(?:{IS_EMPTY}|({TEXT})</{x}f>){space}(?=<{x}v>))?+" if column in formulas else ""
        content = f"{space}(?:(?:{formula}{value}|{inline}){space})?+</{x}c>"
        return rf"(?:{start}({HEAD})>(?:{IS_EMPTY}|{content}){space})?+"

    def like(expected: _Expected) -> str:
        opened = "|".join(re.escape(head) for head in expected.heads if is_open(head))
        empty = "|".join(re.escape(head) for head in expected.heads if not is_open(head))
        content = inline if expected.holds_texts else value
        filled = [f"(?:{opened})>{space}{content}{space}</{x}c>", f"(?:{opened})>{space}</{x}c>"] if opened else []
        return "|".join(filled + [f"(?:{empty})>"] * bool(empty))

    cells = "".join(starmap(cell, enumerate(columns)))
    empty = rf'(?:<{x}c r="[A-Z]{{1,3}}\1"(?: s="[0-9]{{1,5}}")?/>{space})*+'
    return re.compile(rf'<{x}row r="([0-9]{{1,7}})"({HEAD})>(?:{IS_EMPTY}|{space}{cells}{empty}</{x}row>){space}')


class PlainRows:
    """Takes rows of what the pattern has found.

    Attributes:
        numbers: their numbers, ascending.
        columns: their cells.
        hidden: the places of those that are hidden, and not blank.

    Args:
        values: what the contents of cells mean.
    """

    def __init__(self, values: Values) -> None:
        self.numbers: list[int] = []
        self.columns: list[list[Cell]] = []
        self.hidden: list[int] = []
        self._values = values
        self._row_heads = SoundHeads("row", ' r="1"')
        self._kinds: dict[str, Kind] = {}
        self._same_kinds: dict[tuple[str, str | None], Kind] = {}
        self._known = KnownTags()  # of columns with cells of one kind
        self._columns: tuple[_Expected | None, ...] = ()  # those of the last pattern
        self._formulas: frozenset[int] = frozenset()  # columns in which some cells have one, and its result
        self._formula_heads = SoundHeads("f")

    def expect_formulas(self, column: int) -> None:
        """Hears that there is a formula with its result in a column, from 0."""
        if column not in self._formulas:
            self._formulas |= {column}

    def pattern(self, width: int, prefix: str, space: str) -> re.Pattern[str]:
        """What matches one plain row, and the white space behind it.

        Its groups are the number of the row, what stands in its tag, and three for each column: what stands in the tag
        of the cell, its value, and the text that stands in the cell itself. In columns with formulas what stands in the
        tag of the formula, and the formula, come before the value. Of columns with cells of one kind, whose tags are
        known, there is nothing but the value or the text.

        Args:
            width: how many columns there are; there may be a few more, and empty cells behind them.
            prefix: that of the elements' names.
            space: what matches white space between tags.
        """
        self._columns = tuple(map(self._expected, self._known.of(stepped(width))))
        return _pattern(self._columns, self._formulas, prefix, space)

    def _expected(self, heads: tuple[str, ...] | None) -> _Expected | None:
        if heads is None:
            return None
        kinds = {self._kind_of(head) for head in heads if is_open(head)}
        if len(kinds) > 1:  # some rows had cells of one kind, and others those of another
            return None
        return _Expected(heads, any(isinstance(kind, _Inline) for kind in kinds))

    def take(self, found: Found, stride: int) -> None:
        """Takes all rows.

        Args:
            found: what the pattern's `split` has made of a text.
            stride: how many of its pieces belong to one row.

        Raises:
            NotPlainError: one of them is not plain after all.
        """
        numbers = list(map(int, found[1::stride]))
        if numbers and (numbers[-1] > MAX_ROW or not all(map(lt, numbers, numbers[1:]))):
            raise NotPlainError
        self._known.refuse_others(found, stride)
        heads_of_rows = found[2::stride]
        hiding = {head for head in self._row_heads.prove(heads_of_rows) if _HIDDEN in head and _is_hidden(head)}
        columns: list[list[Cell]] = []
        heads: list[set[str] | None] = []
        at = 3
        for column, expected in enumerate(self._columns):
            count = 5 if column in self._formulas else 3
            if expected is not None:
                opened = [head for head in expected.heads if is_open(head)]
                columns.append(self._column_of(opened, found[at::stride]) if opened else [None] * len(numbers))
                heads.append(None)
                at += bool(opened)
                continue
            groups = [found[group::stride] for group in range(at, at + count)]
            at += count
            if count == 3:
                columns.append(self._column(*groups))
                heads.append(self._heads_of_one_kind(*groups))
            else:
                columns.append(self._column_of_formulas(*groups))
                heads.append(None)
        self.numbers, self.columns = numbers, trimmed(columns)
        self.hidden = [
            place
            for place, head in enumerate(heads_of_rows if hiding else ())
            if head in hiding and any(column[place] is not None for column in columns)
        ]
        self._known.learn(heads, is_whole=not has_gaps(found, stride))

    def _column_of(self, opened: Sequence[str], contents: Found) -> list[Cell]:
        """Makes cells of one kind, of which is known where their contents stand."""
        kind = self._kind_of(opened[0])
        return kind.column([], contents) if isinstance(kind, _Inline) else kind.column(contents, [])

    def _heads_of_one_kind(self, heads: Found, values: Found, texts: Found) -> set[str] | None:
        """What stands in the tags of cells, if all that are not empty are of one kind."""
        distinct = {head for head in heads if head is not None}
        kinds = {self._kind_of(head) for head in distinct if is_open(head)}
        elsewhere = values if any(isinstance(kind, _Inline) for kind in kinds) else texts
        return None if len(kinds) > 1 or any(elsewhere) else distinct

    def _column_of_formulas(
        self, heads: Found, tags: Found, formulas: Found, values: Found, texts: Found
    ) -> list[Cell]:
        self._formula_heads.prove(tag for tag in tags if tag is not None)
        texts_of(formulas)
        for head, tag, value in zip(heads, tags, values, strict=True):
            if value == "" and tag is not None and not isinstance(self._kind_of(head), _Held):
                raise NotPlainError  # a formula without a result
        return self._column(heads, values, texts)

    def _column(self, heads: Found, values: Found, texts: Found) -> list[Cell]:
        kinds = {head: self._kind_of(head) for head in set(heads) if head is not None}
        alike = set(kinds.values())
        if len(alike) == 1:
            return alike.pop().column(values, texts)
        return mixed(heads, kinds, values, texts)

    def _kind_of(self, head: str) -> Kind:
        kind = self._kinds.get(head)
        if kind is None:
            if len(self._kinds) >= _MOST_HEADS:
                self._kinds.clear()
                self._same_kinds.clear()
            kind = self._kinds[head] = self._kind_for(attributes_of("c", f' r="A1"{head}'))
        return kind

    def _kind_for(self, attributes: Attributes) -> Kind:
        """What reads cells of these attributes; the same for all that mean the same."""
        name, style = attributes.get("t") or "n", attributes.get("s")
        is_text = name in _TEXTS
        if is_text and self._values.shows_texts_plainly(style):
            style = None
        elif is_text and self._values.styles is None:
            raise NotPlainError  # the first text of a style is for the parser
        kind = self._same_kinds.get((name, style))
        if kind is None:
            if is_text and style is None:
                kind = _Shared(self._values) if name == "s" else _Inline() if name == "inlineStr" else _Held()
            else:
                kind = (_Numbers if name == "n" else _Other)(self._values, attributes)
            self._same_kinds[name, style] = kind
        return kind


def _is_hidden(head: str) -> bool:
    """Whether what stands in the tag of a row hides it."""
    return truth(attributes_of("row", head).get(_HIDDEN))


class _Shared:
    """Cells that refer to shared texts."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def column(self, values: Found, texts: Found) -> list[Cell]:
        """Makes cells."""
        shared = self._values.texts
        if any(texts):
            raise NotPlainError
        try:
            indexes = "".join(values)
        except TypeError:  # some cells are empty
            indexes = "".join(filter(None, values))
            if not indexes and "" not in values:
                return list(values)
        if shared is None or not (indexes.isascii() and indexes.isdecimal()):
            raise NotPlainError
        try:
            if None in values:
                return [None if value is None else shared[int(value)] for value in values]
            return list(map(shared.__getitem__, map(int, values)))
        except (ValueError, IndexError):  # there is no such text
            raise NotPlainError from None


class _Inline:
    """Cells that hold their texts themselves."""

    def column(self, values: Found, texts: Found) -> list[Cell]:
        """Makes cells."""
        if any(values):
            raise NotPlainError
        return [text or None for text in unescaped(texts_of(texts))]


class _Held:
    """Texts that stand where numbers do: results of formulas."""

    def column(self, values: Found, texts: Found) -> list[Cell]:
        """Makes cells."""
        if any(texts):
            raise NotPlainError
        return unescaped(texts_of(values))


class _Other:
    """Cells of any other kind or style. What the same content means is looked up once."""

    def __init__(self, values: Values, attributes: Attributes) -> None:
        self._values, self._attributes = values, attributes
        self._needs_styles = attributes.get("t") not in {"b", "e", "d"}
        self._of_values: Memo[str] = Memo(lambda value: self._cell(text_of(value), ()))
        self._of_texts: Memo[str] = Memo(self._cell_of_text)

    def column(self, values: Found, texts: Found) -> list[Cell]:
        """Makes cells."""
        of_values, of_texts = self._of_values, self._of_texts
        if not any(texts):
            return [None if value is None else of_values[value] for value in values]
        return [
            of_values[value] if value is not None else of_texts[text] if text is not None else None
            for value, text in zip(values, texts, strict=True)
        ]

    def _cell_of_text(self, text: str) -> Cell:
        return self._cell(None, (text_of(text),)) if text else None

    def _cell(self, value: str | None, runs: Sequence[str]) -> Cell:
        if self._values.styles is None and self._needs_styles:
            raise NotPlainError  # the first one is for the parser
        cell = self._values.cell(self._attributes, value, runs, None)
        self._values.row_size = 0
        return cell


class _Numbers(_Other):
    """Numbers that no style makes dates; there are many, and most are there once."""

    def column(self, values: Found, texts: Found) -> list[Cell]:
        """Makes cells."""
        code = self._values.number_format(self._attributes.get("s", "0"))
        if code is not None and not any(texts):
            numbers = numbers_of(values)
            if numbers.count(None) == values.count(None) and all(map(isfinite, filter(None, numbers))):
                return number_cells(numbers, code)
        return super().column(values, texts)
