"""A row of the sheet as rules see it: named values that remember where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from musterroll.contract.problems import Problem, Severity
from musterroll.contract.secret import Secret
from musterroll.contract.translation import gettext_about


class Origin(StrEnum):
    """Where a value came from."""

    CELL = "cell"
    DEFAULT = "default"
    COMPOSED = "composed"
    MADE = "made"  # a proposal until the plan says what is still free; then it is so
    BLANK = "blank"
    ABSENT = "absent"  # no column, or a cell that could not be used and was reported already


class Value(NamedTuple):
    """The value of one field of one row.

    Attributes:
        text: trimmed and in NFC; empty where blank or absent, and always for secrets.
        origin: where it came from.
        raw: as it was typed; None for secrets and for what was not typed.
        secret: the password itself, for secret fields that have one.
    """

    text: str
    origin: Origin
    raw: str | None = None
    secret: Secret | None = None

    @property
    def is_blank(self) -> bool:
        """Whether the person left it empty (and no default or composition filled it)."""
        return self.origin is Origin.BLANK

    @property
    def is_filled(self) -> bool:
        """Whether there is a value."""
        return self.origin not in (Origin.BLANK, Origin.ABSENT)


BLANK = Value("", Origin.BLANK)
ABSENT = Value("", Origin.ABSENT)


@dataclass(frozen=True, slots=True)
class Row:
    """One user's row.

    `row["email"]` is the text ("" where blank); `row.value("email")` knows where it came from.

    Attributes:
        number: the row number that the spreadsheet program shows.
        values: every field of the pipeline by name.
        columns: the column letter of each field that has a column; shared by all rows of a sheet.
        headings: the heading of each field, as the pipeline has it; shared likewise.
    """

    number: int
    values: Mapping[str, Value]
    columns: Mapping[str, str]
    headings: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, field: str) -> str:
        return self.values[field].text

    def value(self, field: str) -> Value:
        """Returns the value of a field with its origin; of an unknown field, an absent one."""
        return self.values.get(field, ABSENT)

    def secret(self, field: str) -> Secret | None:
        """Returns the secret of a secret field, if there is one."""
        return self.value(field).secret

    def heading(self, field: str) -> str:
        """Returns what a field is called in the sheet; of an unknown field, its name."""
        return self.headings.get(field, field)

    def problem(
        self,
        field: str,
        code: str,
        message: str,
        /,
        *,
        severity: Severity = Severity.ERROR,
        suggestion: str | None = None,
        safe: bool = False,
        also: Mapping[str, str] | None = None,
        also_rejects: tuple[int, ...] = (),
        **values: object,
    ) -> Problem:
        """Makes a problem of this row; position and value are filled in.

        Args:
            field: the field it is about.
            code: `subject.rule`, e.g. `acme.staff_number`.
            message: what is wrong and what to do, written out and never an f-string, so that it can be translated
                (`gettext`). `{heading}` stands for the field's heading, other names in braces for `values`.
            severity: an error (keeps the row out) or a warning.
            suggestion: what to type instead: the whole text of the cell.
            safe: whether nothing else can be meant, so that it may be taken without asking; else it is a guess.
            also: what further fields of the row are to be if the suggestion is taken.
            also_rejects: other rows that cannot go in either.
            values: what stands in the message; never a password.
        """
        value = self.values.get(field, ABSENT)
        return Problem(
            code=code,
            message=gettext_about(self.headings.get(field, field), message, values),
            severity=severity,
            row=self.number,
            column=self.columns.get(field),
            field=field,
            value=None if value.secret is not None else (value.raw if value.raw is not None else value.text or None),
            suggestion=suggestion,
            is_safe=safe and suggestion is not None,
            also=tuple(also.items()) if also and suggestion is not None else (),
            also_rejects=also_rejects,
        )
