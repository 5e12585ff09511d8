"""A sheet that is to be written: the blank sheet of a pipeline, or the rows that were rejected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from musterroll.contract.cells import SheetRow
from musterroll.contract.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftColumn:
    """A column of a sheet that is to be written.

    Attributes:
        heading: the text in the heading row.
        width: how many characters should be visible.
        required: whether every row needs a value.
        choices: the only values that are allowed; empty where any is.
    """

    heading: str
    width: int = 16
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A sheet that is to be written.

    Attributes:
        columns: the columns from A on.
        heading_row: the row with the headings, from 1.
        first_row: the first row with data; what lies between is guidance.
        rows: every row that is not empty, headings and guidance included, by ascending number. May stream.
        worksheet: the worksheet's name; None for the format's own choice.
        like: the file that the rows come from, for what a person expects to be the same (e.g. the delimiter).
    """

    columns: tuple[DraftColumn, ...]
    heading_row: int
    first_row: int
    rows: Iterable[SheetRow]
    worksheet: str | None = None
    like: Source | None = None
