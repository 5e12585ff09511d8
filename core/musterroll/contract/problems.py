"""What is wrong with the sheet, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps a row out; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


_ERROR = Severity.ERROR  # looked up once: in Python 3.11 that takes longer than all else


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, where, and what to do about it.

    Attributes:
        code: `subject.rule`, e.g. `email.invalid`; a plugin's own rules use a subject of their own.
        message: what is wrong and what to do; never holds a password.
        severity: an error or a warning.
        row: the row number that the spreadsheet program shows; None for problems of the whole file.
        column: the column letter that the spreadsheet program shows.
        field: the field's name, e.g. `phone`.
        value: the value as it was typed; None for secrets.
        suggestion: what to type instead, where that can be said.
        is_safe: whether the suggestion is the only thing that can be meant, so that nobody need be asked; else it is a
            guess.
        also: the further cells of the row that the suggestion changes, as fields and texts: it is taken whole or not
            at all.
        is_repaired: whether the suggestion was taken already, on the way in.
        also_rejects: other rows that cannot go in either, e.g. the first of two rows with one username.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    row: int | None = None
    column: str | None = None
    field: str | None = None
    value: str | None = None
    suggestion: str | None = None
    is_safe: bool = False
    also: tuple[tuple[str, str], ...] = ()
    is_repaired: bool = False
    also_rejects: tuple[int, ...] = ()

    @property
    def cell(self) -> str | None:
        """The cell as the person knows it, e.g. `E17`."""
        return f"{self.column}{self.row}" if self.column is not None and self.row is not None else None

    @property
    def is_error(self) -> bool:
        """Whether this keeps the row (or the file) out."""
        return self.severity is _ERROR
