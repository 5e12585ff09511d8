"""The pattern that finds plain rows, which becomes quicker with what is known of the cells.

At first it takes cells of every kind. Nearly all columns turn out to hold texts behind a few different start tags; what
is not one of these tags need not be looked at then, nor taken out of each cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

from musterroll_plugins.readers.package.known_tags import KnownTags, is_open
from musterroll_plugins.readers.package.skimming import HEAD, IS_EMPTY, IS_OPEN, TEXT, Found, stepped

CELL, ROW = "table:table-cell", "table:table-row"
_MOST_PATTERNS = 20  # that are remembered
_ENTITY = "&(?:amp|lt|gt|quot|apos);"


def _value_without(refused: str) -> str:
    """What matches the value of an attribute that holds none of some characters."""
    return f'[^"<>&{refused}]*+(?:{_ENTITY}[^"<>&{refused}]*+)*+'


# The attributes up to a value that differs from cell to cell, in the order in which programs write them.
_STYLE = ' table:style-name="[^">]*+"'
_CONTENT = _value_without(r"\t\n")
_SOUND = _value_without(r"\x00-\x1f\ufffe\uffff")
_FORMULA = f' table:formula="{_SOUND}"'
_VALUE = (
    '(?: office:value-type="(?:float|percentage|date|time|string|currency(?:" office:currency="[A-Z]{3})?+)"'
    " office:(?:date-|time-|string-)?+value)"
)
# LibreOffice makes a link of every address that is typed.
_LINK = f'<text:a xlink:href="{_SOUND}"(?: xlink:type="simple")?+>'


# What a text is written with where it has several lines, several spaces in a row, or letters of several kinds. So few
# spaces that a text is never longer than its XML.
_BLANK = r'<text:(?:s(?: text:c="[1-9]")?|line-break|tab)/>'
_SPAN = rf'<text:span(?: text:style-name="[\w .-]*+")?>{TEXT}(?:{_BLANK}{TEXT})*+</text:span>'
_SPACE = re.compile(r'<text:s(?: text:c="([1-9])")?/>')
_LINE = re.compile(r"</text:p>\s*(<text:p/>\s*)*<text:p>")
_TAG = re.compile("<[^>]*>")


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
        has_links: whether some of the texts are links, or written with more than letters.
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
        self._known = KnownTags()  # of columns of texts
        self._width = 0
        self._made: dict[tuple[object, str], re.Pattern[str]] = {}
        self._last = re.compile("")

    def made(self, width: int, space: str) -> re.Pattern[str]:
        """The pattern for what is known now.

        Args:
            width: how many cells there are; there may be a few more, and empty ones behind them.
            space: what matches white space between tags.
        """
        self._width = stepped(width)
        expected = self._known.of(self._width)
        key = tuple(expected), space
        if key not in self._made:
            if len(self._made) == _MOST_PATTERNS:
                self._made.clear()
            style, several = r' table:style-name="[\w .-]*+"', ' table:number-columns-repeated="[1-9][0-9]{0,4}"'
            rest = f"(?:<{CELL}(?:{style})?(?:{several})?/>{space})*+</{ROW}>"
            text_cells = _TextCells(rest, space)
            cells = "".join(
                _any_cell(column, space) if tags is None else text_cells.made(column, tags)
                for column, tags in enumerate(expected)
            )
            self._made[key] = re.compile(f"<{ROW}({HEAD})>{IS_OPEN}{space}{cells}{rest}{space}")
        self._last = self._made[key]
        return self._last

    def columns(self, found: Found, stride: int) -> list[Cells]:
        """What was found in each column.

        Raises:
            NotPlainError: there is more than is known, and the next pattern takes more.
        """
        self._known.refuse_others(found, stride)
        nothing: Found = [None] * len(found[1::stride])
        columns, places = [], self._last.groupindex
        for column, tags in enumerate(self._known.of(self._width)):
            at = places.get(_group(column))
            if tags is None and at is not None:
                columns.append(_any_cells(*(found[group::stride] for group in range(at, at + 8))))
                continue
            texts = nothing.copy() if at is None else found[at::stride]
            columns.append(Cells(nothing, nothing, nothing, nothing, texts, texts, are_texts=True))
        return columns

    def learn(self, tags: Sequence[Set[str] | None], *, is_whole: bool) -> None:
        """Hears of what stands in the start tags of each column. See `KnownTags.learn`.

        Args:
            tags: None where not all of them are known to be those of texts and of empty cells.
            is_whole: whether all rows were plain.
        """
        self._known.learn(tags, is_whole=is_whole)


def _any_cells(befores: Found, formulas: Found, names: Found, contents: Found, heads: Found, *sorts: Found) -> Cells:
    """What the groups of `_any_cell` have found."""
    texts, links, others = sorts
    has_links = any(links) or any(others)
    if has_links:
        texts = [
            link if other is None and text is None else text if other is None else _bare(other)
            for text, link, other in zip(texts, links, others, strict=True)
        ]
    return Cells(befores, formulas, names, contents, heads, texts, has_links=has_links)


def _bare(text: str) -> str:
    """A text that is written with more than letters, without that."""
    text = _SPACE.sub(lambda found: " " * int(found[1] or 1), text)
    text = _LINE.sub(lambda found: "\n" * (1 + found[0].count("/>")), text)
    text = text.replace("<text:line-break/>", "\n").replace("<text:tab/>", "\t")
    return _TAG.sub("", text)


def _any_cell(column: int, space: str) -> str:
    """What matches a cell of any kind; its groups are those of `Cells`, and other sorts of text."""
    content = rf'(?P<{_group(column)}>{_STYLE})?+(?:(){_FORMULA})?+({_VALUE})="({_CONTENT})"'
    end = f"</text:p>{space}</{CELL}>"
    line = f"</text:p>{space}(?:<text:p/>{space})*+<text:p>"
    bare, link = f"({TEXT}){end}", f"{_LINK}({TEXT})</text:a>{end}"
    other = f"({TEXT}(?:(?:{_BLANK}|{line}|{_SPAN}){TEXT})++){end}"
    paragraph = f"<text:p>(?:{bare}|{link}|{other})|(?:<text:p/>{space})?+</{CELL}>"
    return rf"(?:<{CELL}(?:{content})?+({HEAD})>(?:{IS_EMPTY}|{space}(?:{paragraph})){space})?+"


class _TextCells:
    """Makes what matches the cells of a row that hold texts, one behind the other.

    What stands around a text is long, and nearly always the same as in a cell before, which is seen more quickly.

    Args:
        rest: what matches the end of the row.
        space: what matches white space between tags.
    """

    def __init__(self, rest: str, space: str) -> None:
        self._rest, self._space = rest, space
        self._named: dict[str, str] = {}  # the groups of what stands around texts

    def made(self, column: int, tags: Iterable[str]) -> str:
        """What matches a cell that has one of some tags, or the end of the row; its group is the text."""
        space = self._space
        opened = [f"<{CELL}{re.escape(tag)}>{space}" for tag in tags if is_open(tag)]
        empty = "|".join(re.escape(tag) for tag in tags if not is_open(tag))
        # The end is what stands in the cell's place: a cell of another column is never taken for it.
        cells = [f"<{CELL}(?:{empty})>{space}"] * bool(empty) + [f"(?={self._rest})"]
        if opened:
            starts = "|".join(self._like_before(f"{start}<text:p>") for start in opened)
            end = self._like_before(f"</text:p>{space}</{CELL}>{space}")
            text = f"(?P<{_group(column)}>{TEXT})"
            no_text = f"(?:{'|'.join(opened)})(?:<text:p/>{space})?+</{CELL}>{space}"
            cells = [f"(?:{starts}){text}{end}", *cells, no_text]
        return f"(?:{'|'.join(cells)})"

    def _like_before(self, part: str) -> str:
        """What matches a part of a cell; quickly, where one before has had the same."""
        if part in self._named:
            return f"(?:(?P={self._named[part]})|{part})"
        self._named[part] = f"around{len(self._named)}"
        return f"(?P<{self._named[part]}>{part})"


def _group(column: int) -> str:
    """The name of the first group of a column."""
    return f"of{column}"
