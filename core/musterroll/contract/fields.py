"""The fields of a user: what a sheet's columns mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from musterroll.contract.secret import Secret
from musterroll.contract.templates import Template
from musterroll.contract.text import did_you_mean

if TYPE_CHECKING:  # conditions are checked by fields
    from musterroll.contract.conditions import Conditions

USERNAME = "username"
PASSWORD = "password"
GROUPS = "groups"
CALLING_CODE = "calling_code"
PHONE = "phone"
# These have a handling of their own; every other field is a plain attribute that travels to the backend.
SPECIAL = frozenset({USERNAME, PASSWORD, GROUPS})


class FieldRole(StrEnum):
    """What a field says of its row, instead of being a value of the user."""

    COMMAND = "command"
    ACTIVE = "active"
    VALID_FROM = "valid_from"
    VALID_UNTIL = "valid_until"
    OLD_USERNAME = "old_username"


@dataclass(frozen=True, slots=True)
class NameForms:
    """How a name is made that nobody else has: by the first form whose name is free.

    Attributes:
        further: what is tried where the name that is composed is taken: `{base}` is that one, and the last form counts
            with `{n}`, from 2 on.
        known_by: the fields that together say who somebody is, besides each of those that recognise users (`match`).
    """

    further: tuple[Template, ...]
    known_by: tuple[str, ...] = ()


class FieldType(StrEnum):
    """What kind of values a field has."""

    TEXT = "text"
    INTEGER = "integer"
    DATE = "date"
    BOOLEAN = "boolean"
    EMAIL = "email"
    PHONE = "phone"
    CHOICE = "choice"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a user.

    Attributes:
        name: as rules and backends know it, e.g. `calling_code`.
        heading: as the sheet shows it, e.g. `Calling Code`.
        aliases: other headings that mean this field.
        guidance: the text under the heading for the person who fills the sheet in; `{rules}` in it stands for what
            the rules ask.
        example: a value, to show what is meant.
        required: whether every row needs it.
        required_when: the rows that need it; None where `required` says all.
        max_length: the most characters, counted after trimming and NFC.
        choices: the only values that are allowed, trimmed and in NFC; empty where any is.
        secret: a password: never trimmed, never shown.
        default: what a blank cell means when a user is created.
        compose: makes the value of other fields where the cell is blank or there is no column.
        make: how the value is made where what is composed is taken already; None where that is no matter.
        generated: a new user who has none gets one that is made when the user is created.
        omitted: this customer's sheet does not have it.
        role: what it says of the row; None for a value of the user.
        type: what kind of values it has. Of a field with a role, that which the role asks for.
        formats: the forms that dates are written in besides 2026-12-31, the sheet's own first.
        first_year: the first of the hundred years that a year of two digits can mean.
        to: the form that dates get.
        words: what may stand in the cells, folded, and what each word means; empty where no words have a meaning.
    """

    name: str
    heading: str
    aliases: tuple[str, ...] = ()
    guidance: str = ""
    example: str = ""
    required: bool = False
    required_when: Conditions | None = None
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    default: str | Secret | None = None
    compose: Template | None = None
    make: NameForms | None = None
    generated: bool = False
    omitted: bool = False
    role: FieldRole | None = None
    type: FieldType = FieldType.TEXT
    formats: tuple[str, ...] = ()
    first_year: int | None = None
    to: str = "YYYY-MM-DD"
    words: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def needs_column(self) -> bool:
        """Whether the sheet must have a column for it."""
        return self.has_column and (self.role is None or self.required) and not self.generated

    @property
    def has_column(self) -> bool:
        """Whether a sheet that lacks nothing has a column for it."""
        return not self.omitted and self.compose is None

    def guidance_with(self, rules: str) -> str:
        """The guidance, and in it what the rules ask."""
        return self.guidance.replace("{rules}", rules).strip()

    @property
    def is_attribute(self) -> bool:
        """Whether it is a plain attribute of the user (not username, password, groups, or one of a role)."""
        return self.name not in SPECIAL and self.role is None


def no_field(name: str, known: Iterable[str]) -> str:
    """Says of a name that it is no field, and which one may be meant."""
    names = tuple(known)
    hint = did_you_mean(name, names) or f"; the fields are {', '.join(names)}"
    return f'there is no field "{name}"{hint}'


class FieldSet(Mapping[str, Field]):
    """The fields of a pipeline by name, in the order of the sheet.

    Attributes:
        attributes: the names of those that are plain attributes.
        whole_phones: whether the phone's column holds whole numbers, calling code included.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = {field.name: field for field in fields}
        self.attributes = tuple(name for name, field in self._fields.items() if field.is_attribute)
        code, phone = self._fields.get(CALLING_CODE), self._fields.get(PHONE)
        self.whole_phones = (
            code is not None and code.omitted and code.compose is None and phone is not None and not phone.omitted
        )

    def of_type(self, kind: FieldType) -> tuple[str, ...]:
        """Returns the names of the fields of a type."""
        return tuple(name for name, field in self._fields.items() if field.type is kind)

    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)
