"""The pattern that finds plain rows, which becomes quicker with what is known of the cells.

At first it takes cells of every kind. Nearly all columns turn out to hold texts behind a few different start tags; what
is not one of these tags need not be looked at then, nor taken out of each cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from musterroll_plugins.readers.package.skimming import HEAD, IS_EMPTY, IS_OPEN, Found, NotPlainError, stepped

CELL, ROW = "table:table-cell", "table:table-row"
_MOST_TAGS = 4  # in a column of texts; each takes time in every cell
_ENTITY = "&(?:amp|lt|gt|quot|apos);"
# The attributes up to a value that differs from cell to cell, in the order in which programs write them.
_STYLE = ' table:style-name="[^">]*+"'
_FORMULA = rf' table:formula="(?:[^"<>&\x00-\x1f\ufffe\uffff]|{_ENTITY})*+"'
_VALUE = (
    '(?: office:value-type="(?:float|percentage|date|time|string|currency(?:" office:currency="[A-Z]{3})?+)"'
    " office:(?:date-|time-|string-)?+value)"
)
# LibreOffice makes a link of every address that is typed.
_LINK = rf'<text:a xlink:href="(?:[^"<>&\x00-\x1f\ufffe\uffff]|{_ENTITY})*+"(?: xlink:type="simple")?+>'


class Cells(NamedTuple):
    """What was found of the cells of one column: None where a cell has no such thing, or is not there.

    Attributes:
        befores: the attributes in front of the value, without a formula.
        formulas: whether there is a formula among them: empty, or None for none.
        names: the attributes that say of what kind the value is, and the name of that which holds it.
        contents: the value.
        heads: the rest of the tag; None only where there is no cell.
        texts: the text.
        are_texts: whether nothing was looked for but texts, which then are the `heads` as well.
        has_links: whether some of the texts are links.
    """

    befores: Found
    formulas: Found
    names: Found
    contents: Found
    heads: Found
    texts: Found
    are_texts: bool = False
    has_links: bool = False


class RowPattern:
    """Makes the pattern of a plain row, and takes apart what it has found."""

    def __init__(self) -> None:
        # What stands in the start tags of the cells of a column; None where they are too many, or not only of texts.
        self._tags: dict[int, tuple[str, ...] | None] = {}
        self._is_narrow = False
        self._width = 0
        self._made: dict[tuple[int, bool, str, str], re.Pattern[str]] = {}

    def made(self, width: int, text: str, space: str) -> re.Pattern[str]:
        """The pattern for what is known now.

        Args:
            width: how many cells there are; there may be a few more, and empty ones behind them.
            text: what matches a text.
            space: what matches white space between tags.
        """
        self._width = stepped(width)
        key = self._width, self._is_narrow, text, space
        if key not in self._made:
            style, several = r' table:style-name="[\w .-]*+"', ' table:number-columns-repeated="[1-9][0-9]{0,4}"'
            rest = f"(?:<{CELL}(?:{style})?(?:{several})?/>{space})*+</{ROW}>"
            cells = "".join(
                _any_cell(text, space) if tags is None else _text_cell(tags, rest, text, space)
                for tags in self._expected()
            )
            self._made[key] = re.compile(f"<{ROW}({HEAD})>{IS_OPEN}{space}{cells}{rest}{space}")
        return self._made[key]

    def columns(self, found: Found, stride: int) -> list[Cells]:
        """What was found in each column.

        Raises:
            NotPlainError: there is more than is known, and the next pattern takes more.
        """
        if self._is_narrow and has_gaps(found, stride):
            self._is_narrow = False
            raise NotPlainError
        nothing: Found = [None] * len(found[1::stride])
        columns, at = [], 2
        for tags in self._expected():
            if tags is None:
                columns.append(_any_cells(*(found[group::stride] for group in range(at, at + 7))))
                at += 7
                continue
            texts = nothing.copy()
            if any(map(_is_open, tags)):
                texts = found[at::stride]
                at += 1
            columns.append(Cells(nothing, nothing, nothing, nothing, texts, texts, are_texts=True))
        return columns

    def learn(self, tags: list[set[str] | None], *, is_whole: bool) -> None:
        """Hears of what stands in the start tags of each column.

        Args:
            tags: None where not all of them are known to be those of texts and of empty cells.
            is_whole: whether all rows were plain.
        """
        if self._is_narrow:
            return
        before = self._tags.copy()
        for column, more in enumerate(tags):
            known = self._tags.get(column, ())
            if known is not None:
                together = None if more is None else tuple(sorted({*known, *more}))
                self._tags[column] = None if together is None or len(together) > _MOST_TAGS else together
        if self._tags != before:
            self._made.clear()
            is_whole = True
        self._is_narrow = is_whole

    def _expected(self) -> Iterable[tuple[str, ...] | None]:
        return (self._tags.get(column) if self._is_narrow else None for column in range(self._width))


def has_gaps(found: Found, stride: int) -> bool:
    """Whether there is more than plain rows."""
    return bool("".join(found[::stride]).strip())


def _any_cells(
    befores: Found, formulas: Found, names: Found, contents: Found, heads: Found, texts: Found, links: Found
) -> Cells:
    """What the groups of `_any_cell` have found."""
    has_links = any(links)
    if has_links:
        texts = [link if text is None else text for text, link in zip(texts, links, strict=True)]
    return Cells(befores, formulas, names, contents, heads, texts, has_links=has_links)


def _any_cell(text: str, space: str) -> str:
    """What matches a cell of any kind; its groups are those of `Cells`, and the text of a link."""
    value = rf'({_STYLE})?+(?:(){_FORMULA})?+({_VALUE})="((?:[^"<>&\t\n]|{_ENTITY})*+)"'
    content = _paragraph(f"({text})|{_LINK}({text})</text:a>", space)
    return rf"(?:<{CELL}(?:{value})?+({HEAD})>(?:{IS_EMPTY}|{space}{content}</{CELL}>){space})?+"


def _text_cell(tags: Iterable[str], rest: str, text: str, space: str) -> str:
    """What matches a cell that has one of some tags, or the end of the row; its group is the text."""
    opened = "|".join(re.escape(tag) for tag in tags if _is_open(tag))
    empty = "|".join(re.escape(tag) for tag in tags if not _is_open(tag))
    cells = []
    if opened:
        cells.append(f"<{CELL}(?:{opened})>{space}{_paragraph(f'({text})', space)}</{CELL}>{space}")
    if empty:
        cells.append(f"<{CELL}(?:{empty})>{space}")
    # It is what stands in the cell's place: a cell of another column is never taken for it.
    return f"(?:{'|'.join((*cells, f'(?={rest})'))})"


def _paragraph(content: str, space: str) -> str:
    """What matches the paragraph of a cell, or none."""
    return f"(?:<text:p(?:>(?:{content})</text:p>|/>){space})?+"


def _is_open(tag: str) -> bool:
    return not tag.endswith("/")
