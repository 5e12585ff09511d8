"""The sheet that was read, and its rows and problems in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from musterroll.sheet.chosen import ChosenRows


@dataclass(frozen=True, slots=True)
class SheetSummary:
    """The sheet that was read. `sheet` (the worksheet's name) and `encoding` are None for formats without.

    `chosen` says which rows were meant; None for all of them.
    """

    path: str
    sha256: str
    format: str
    reader: str
    sheet: str | None
    notes: tuple[str, ...] = ()
    encoding: str | None = None
    chosen: ChosenRows | None = None

    @classmethod
    def of(cls, stored: dict[str, Any]) -> SheetSummary:
        """Makes it of what `stored` made of it."""
        return cls(**{**stored, "notes": (), "chosen": ChosenRows.of(stored.get("chosen"))})

    def stored(self) -> dict[str, Any]:
        """What is kept of it; what an earlier version does not know is there only where it says something."""
        return {name: value for name, value in asdict(self).items() if name != "chosen" or value is not None}


@dataclass(slots=True)
class SheetCounts:
    """Rows and problems of a sheet. A row with an error is invalid.

    `not_read` are filled rows that are not among `rows`: below the blank row that ended the import, and users in
    the place of the guidance.
    """

    rows: int = 0
    valid: int = 0
    invalid: int = 0
    errors: int = 0
    warnings: int = 0
    not_read: int = 0
