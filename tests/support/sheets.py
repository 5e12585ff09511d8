"""Sheets in memory, read as the engine reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from musterroll import Cell, Field, FieldSet, Problem, Row, SheetInfo, SheetRow
from musterroll.pipeline.sheet_settings import SheetSettings
from musterroll.sheet.reader import RowReader
from support.rows import fields as standard_fields

HEADINGS: tuple[Cell, ...] = (
    "Email",
    "Username",
    "Forename",
    "Surname",
    "Password",
    "Calling Code",
    "Phone",
    "Groups",
)
GUIDANCE: tuple[Cell, ...] = ("Where the invite goes", "Needed", "Needed", None, "At least 8 characters", "e.g. 44")


@dataclass
class MemorySheet:
    """An open worksheet: its rows by number; a number that is left out is a row that the reader leaves out."""

    cells: dict[int, tuple[Cell, ...]]
    info: SheetInfo = field(default_factory=lambda: SheetInfo("memory"))

    def rows(self) -> Iterator[SheetRow]:
        for number, cells in sorted(self.cells.items()):
            yield SheetRow(number, cells)


@dataclass
class Read:
    """What came out of a sheet.

    Attributes:
        rows: the data rows.
        cell_problems: what is wrong with their cells.
        file_problems: what is wrong with headings, blank rows, or the whole file.
        not_read: how many filled rows were left out.
    """

    rows: list[Row]
    cell_problems: list[Problem]
    file_problems: list[Problem]
    not_read: int = 0

    @property
    def codes(self) -> list[str]:
        """The codes of what is wrong with headings, blank rows, or the whole file."""
        return [problem.code for problem in self.file_problems]

    @property
    def usernames(self) -> list[str]:
        return [row["username"] for row in self.rows]


def settings(**changes: object) -> SheetSettings:
    """`[sheet]` of the standard pipeline; its fields are not used here."""
    standard = {"heading_row": 1, "first_row": 3, "on_blank_row": "stop", "on_blank_cell": "keep", "fields": ()}
    return SheetSettings.model_validate({**standard, **changes})


def read(sheet: MemorySheet, *others: Field, fields: FieldSet | None = None, **changes: object) -> Read:
    """Reads a sheet.

    Args:
        sheet: the sheet.
        others: fields that are added to the standard ones, or take the place of those of their name.
        fields: all fields, instead.
        changes: what `[sheet]` says besides the standard.
    """
    found: list[Problem] = []
    reader = RowReader(settings(**changes), fields or standard_fields(*others), found.append)
    rows = list(reader.rows(sheet, "memory"))
    return Read([row for row, _ in rows], [one for _, problems in rows for one in problems], found, reader.not_read)


def sheet(
    *rows: Sequence[Cell], headings: Sequence[Cell] = HEADINGS, guidance: Sequence[Cell] = GUIDANCE
) -> MemorySheet:
    """A standard sheet whose data starts at row 3; an empty row is one that the reader leaves out."""
    numbered = {1: tuple(headings), 2: tuple(guidance)} | {n: tuple(cells) for n, cells in enumerate(rows, 3)}
    return MemorySheet({number: cells for number, cells in numbered.items() if cells})


def user(username: str, **cells: Cell) -> tuple[Cell, ...]:
    """The cells of a user in the order of the standard headings."""
    values: dict[str, Cell] = {"username": username, "forename": "Ana", "password": "Secret99", **cells}
    return tuple(values.get(str(heading).lower().replace(" ", "_")) for heading in HEADINGS)
