"""What `[sheet]` can say: how the sheet is laid out, its fields, and what is made where it does not say it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from musterroll.contract.dates import DateFormText, PlainDateFormText
from musterroll.contract.fields import FieldRole, FieldType
from musterroll.contract.options import SecretRef
from musterroll.pipeline.setting_types import FieldName, Name, RowNumber, Table


class FieldSettings(Table):
    """`[[sheet.fields]]`: one field of a user and its column.

    Attributes:
        name: as rules, templates and portals know it: lower-case letters, digits and `_`.
        heading: as the sheet shows it.
        guidance: what to say to the person who fills the sheet in; `{rules}` in it stands for what the rules ask.
        example: a value, to show what is meant.
        required: every row needs it.
        required_when: the rows that need it, e.g. `{ role = "doctor" }`.
        max_length: the most characters.
        choices: the only values that are allowed; of a `command`, the only commands.
        role: what the column says of its row, instead of being a value of the user.
        aliases: other words of a `command` (`deactivate = ["left"]`), or of `active` (`yes`, `no`).
        type: what kind of values it has: text, if nothing is said.
        formats: the forms of a date besides 2026-12-31, e.g. `DD.MM.YYYY`; a sheet that is written has the first one.
        first_year: the first of the hundred years that a year of two digits (`YY` in `formats`) can mean.
        to: the form that dates get, which is that of 2026-12-31 if nothing is said.
        true: the words of a `boolean` that mean yes, instead of the usual ones; a sheet that is written has the first.
        false: those that mean no.
    """

    name: FieldName
    heading: Name
    guidance: str = "{rules}"
    example: str = ""
    required: bool = False
    required_when: dict[FieldName, Any] = Field({})
    max_length: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    choices: tuple[Name, ...] = ()
    role: FieldRole | None = None
    aliases: dict[str, tuple[Name, ...]] = Field({})
    type: FieldType | None = None
    formats: tuple[DateFormText, ...] = ()
    first_year: Annotated[int, Field(ge=1, le=9900)] | None = None
    to: PlainDateFormText | None = None
    true: tuple[Name, ...] = ()
    false: tuple[Name, ...] = ()


class MadeUsername(Table):
    """`username` of `[sheet.make]`: how a username is made that nobody else has.

    Attributes:
        from_: the forms, first choice first. `{base}` is the name of the first one; the last one counts with `{n}`.
        unique: nobody else has it, neither in the sheet nor in the portal.
        known_by: fields that together say who somebody is, so that the same person has the same name next time.
    """

    from_: Annotated[tuple[Name, ...], Field(min_length=1, alias="from")]
    unique: Literal[True] = True
    known_by: tuple[FieldName, ...] = ()


_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 10, 128


def _generate(value: object) -> object:
    if value == "words" or (type(value) is int and _SHORTEST_PASSWORD <= value <= _LONGEST_PASSWORD):
        return value
    raise ValueError(f'should be "words", or a number of characters from {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD}')


Generate = Annotated[
    Literal["words"] | Annotated[int, Field(ge=_SHORTEST_PASSWORD, le=_LONGEST_PASSWORD)],
    BeforeValidator(_generate),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "words"},
                {"type": "integer", "minimum": _SHORTEST_PASSWORD, "maximum": _LONGEST_PASSWORD},
            ]
        }
    ),
]
"""What a password is made of: words, or so many characters."""


class MadePassword(Table):
    """`password` of `[sheet.make]`: the first password of a new user whose row has none.

    Attributes:
        generate: what it is made of: `words`, or so many characters.
    """

    generate: Generate


class MakeSettings(Table):
    """`[sheet.make]`: what is made where the sheet does not say it.

    Attributes:
        username: how usernames are made.
        password: how first passwords are made.
    """

    username: MadeUsername | None = None
    password: MadePassword | None = None


class SheetSettings(Table):
    """`[sheet]`: how the sheet is laid out.

    Attributes:
        worksheet: the worksheet to read; the only visible one without it.
        heading_row: the row of the headings.
        first_row: the first row with a user; what is between is guidance.
        on_blank_row: a blank row ends the sheet (`stop`), is passed over (`skip`) or is an `error`.
        on_blank_cell: a blank cell of an existing user keeps what is stored (`keep`) or empties it (`clear`).
        fields: the fields; one of an inherited name changes that one.
        aliases: other headings of a field.
        defaults: what a blank cell means when a user is created.
        compose: fields made of others, e.g. `{forename}.{surname}`.
        make: what is made where the sheet does not say it: usernames that nobody else has, first passwords.
        omit: fields that the sheet does not have.
    """

    worksheet: str | None = None
    heading_row: RowNumber
    first_row: Annotated[RowNumber, Field(ge=2)]
    on_blank_row: Literal["stop", "skip", "error"]
    on_blank_cell: Literal["keep", "clear"]
    fields: tuple[FieldSettings, ...]
    aliases: dict[FieldName, tuple[Name, ...]] = Field({})
    defaults: dict[FieldName, str | SecretRef] = Field({})
    compose: dict[FieldName, str] = Field({})
    make: MakeSettings = Field(default_factory=MakeSettings)
    omit: tuple[FieldName, ...] = ()
