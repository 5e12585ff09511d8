"""What a reader hands on: rows of cells that keep their kind.

A text cell is a plain `str` (by far the most frequent, so the cheapest), an empty one is None, and
everything else is a record of its kind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, final, overload

from musterroll.contract.problems import Problem

# Formats that stand for the digits themselves, whatever they show of them.
PLAIN_FORMATS = frozenset({"", "General", "GENERAL", "general", "0", "@"})


@dataclass(frozen=True, slots=True)
class NumberCell:
    """A number, with the format that decides how it is shown.

    Attributes:
        value: the number that the file holds.
        number_format: the spreadsheet's format code, e.g. `General` or `00000`; empty where unknown.
        shown: what a person sees, unless the format is a plain one; None where that is not certain.
    """

    value: int | float
    number_format: str = ""
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class TextCell:
    """A text whose format shows something else: `"EMP-"@` shows EMP-1234 of 1234. All other texts are a `str`.

    Attributes:
        text: the text that the file holds.
        number_format: the spreadsheet's format code.
        shown: what a person sees; None where that is not certain.
    """

    text: str
    number_format: str
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class DateCell:
    """A date, a time, or both."""

    value: dt.datetime | dt.date | dt.time | dt.timedelta


@dataclass(frozen=True, slots=True)
class BoolCell:
    """A truth value."""

    value: bool


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """An error of the spreadsheet program, e.g. `#N/A`, or what a reader could make nothing of.

    Attributes:
        code: what the file holds.
        reason: why it cannot be read, without what it holds; empty for an error of the program.
    """

    code: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FormulaCell:
    """A formula whose result is not stored in the file."""

    formula: str


Cell: TypeAlias = str | TextCell | NumberCell | DateCell | BoolCell | ErrorCell | FormulaCell | None


class SheetRow(NamedTuple):
    """One row of a sheet.

    Attributes:
        number: the row number that the spreadsheet program shows, from 1.
        cells: from column A on; may be shorter than other rows.
    """

    number: int
    cells: tuple[Cell, ...]


@final
class CellColumns(Sequence[Sequence[Cell]]):
    """Rows that all have the same columns, kept column by column: so nearly everybody looks at them.

    Attributes:
        columns: the cells of each column, from column A on; at least one, and all of one length.
    """

    __slots__ = ("_rows", "columns")

    def __init__(self, columns: Sequence[Sequence[Cell]]) -> None:
        self.columns = columns
        self._rows: list[tuple[Cell, ...]] | None = None

    def __len__(self) -> int:
        return len(self.columns[0])

    @overload
    def __getitem__(self, place: int) -> tuple[Cell, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[Cell, ...]]: ...
    def __getitem__(self, place: int | slice) -> tuple[Cell, ...] | list[tuple[Cell, ...]]:
        return self._made()[place]

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        return iter(self._made())

    def _made(self) -> list[tuple[Cell, ...]]:
        if self._rows is None:
            self._rows = list(zip(*self.columns, strict=True))
        return self._rows


class Block(NamedTuple):
    """Consecutive rows of a sheet, up to 1,000 or so.

    Attributes:
        numbers: row numbers, ascending.
        rows: the cells of each, from column A on, as `SheetRow.cells` has them (list or tuple); or `CellColumns`.
    """

    numbers: Sequence[int]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """What was opened.

    Attributes:
        format: `csv`, `xlsx`, …
        worksheet: the worksheet's name; None for formats without.
        notes: what a person may want to know of how the file was read, e.g. that hidden rows are read.
        encoding: that of a text file, as a pipeline names it; None for formats without.
        guess: what people call the encoding, where it is a guess; None where the file proves it.
        problems: what is wrong with the whole file; with an error among them its rows are not read.
        is_plain_text: whether cells have no kinds but what their text looks like, and a cell too many moves those
            behind it.
    """

    format: str
    worksheet: str | None = None
    notes: tuple[str, ...] = ()
    encoding: str | None = None
    guess: str | None = None
    problems: tuple[Problem, ...] = ()
    is_plain_text: bool = False
