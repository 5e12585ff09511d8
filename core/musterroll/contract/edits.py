"""What is to be changed in a copy of a person's own sheet: cells, marks, notes, and a worksheet in front."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from musterroll.contract.problems import Severity
from musterroll.contract.translation import gettext, gettext_noop, in_every_language

_FRONT_WORKSHEET = gettext_noop("Problems")


def front_worksheet_name() -> str:
    """Returns what the worksheet is called that an annotated workbook has in front, in the person's language."""
    return gettext(_FRONT_WORKSHEET)


def is_front_worksheet(name: str | None) -> bool:
    """Whether a worksheet is one that an annotated workbook has in front, in any language: readers pass it over."""
    return name in in_every_language(_FRONT_WORKSHEET)


class CellEdit(NamedTuple):
    """What becomes of one cell. Its format stays, its formula goes where its text is another.

    Attributes:
        row: the row number that the spreadsheet program shows.
        column: the column, from 0.
        text: what is to stand there, as text, whatever it looks like; empty for nothing; None where it stays.
        mark: the cell is to be seen as an error or a warning.
        note: a note at the cell, beside what a person may have noted there.
    """

    row: int
    column: int
    text: str | None = None
    mark: Severity | None = None
    note: str | None = None


class CellLink(NamedTuple):
    """A cell of the edited worksheet, to jump to, e.g. `G3`."""

    cell: str


FrontCell: TypeAlias = str | int | CellLink


class FrontRow(NamedTuple):
    """A row of the worksheet in front: its cells, and whether it is to be seen as errors or warnings."""

    cells: tuple[FrontCell, ...]
    mark: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontSheet:
    """A worksheet in front of all others, that says what was found.

    Attributes:
        name: the worksheet's name.
        title: a line above everything.
        headings: the headings of its columns.
        rows: what stands below.
        widths: of the columns, in characters.
    """

    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[FrontRow, ...]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetEdits:
    """What is to be changed in a copy of a sheet.

    Attributes:
        worksheet: the worksheet; None for the only visible one, or a format without.
        cells: yields the edits by row and column, a cell once. May be called again.
        blanked: the columns, from 0, whose cells are emptied, unless an edit says otherwise.
        blanked_from: from this row on.
        front: the worksheet in front, for formats that have several; an earlier one is replaced.
        drops_earlier_notes: whether notes of an earlier annotated copy go.
    """

    worksheet: str | None = None
    cells: Callable[[], Iterator[CellEdit]]
    blanked: frozenset[int] = frozenset()
    blanked_from: int = 1
    front: FrontSheet | None = None
    drops_earlier_notes: bool = False
