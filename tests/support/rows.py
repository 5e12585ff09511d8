"""Rows of the standard sheet, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from musterroll import Context, Field, FieldSet, Origin, Row, Secret, Value
from musterroll.contract.rows import ABSENT, BLANK

_STANDARD = (
    Field(name="email", heading="Email", max_length=255),
    Field(name="username", heading="Username", required=True, max_length=100),
    Field(name="forename", heading="Forename", required=True, max_length=50),
    Field(name="surname", heading="Surname", max_length=50),
    Field(name="password", heading="Password", required=True, secret=True),
    Field(name="calling_code", heading="Calling Code"),
    Field(name="phone", heading="Phone", max_length=50),
    Field(name="groups", heading="Groups"),
)
COLUMNS: Mapping[str, str] = MappingProxyType(
    {spec.name: letter for spec, letter in zip(_STANDARD, "ABCDEFGH", strict=True)}
)
HEADINGS: Mapping[str, str] = MappingProxyType({spec.name: spec.heading for spec in _STANDARD})


def fields(*others: Field) -> FieldSet:
    """The fields of the standard sheet; others are added, or take the place of those of their name."""
    return FieldSet({spec.name: spec for spec in (*_STANDARD, *others)}.values())


def context(*others: Field, match: tuple[str, ...] = ("username",)) -> Context:
    """What a plugin is built with: the standard fields, changed by `others`."""
    return Context(instance="validators[test]", fields=fields(*others), match=match)


def changed(name: str, **changes: object) -> Field:
    """A standard field with other properties."""
    return replace(fields()[name], **changes)  # type: ignore[arg-type]


def row(number: int = 3, **values: str | Value | None) -> Row:
    """A row: a text is what was typed, "" a blank cell, None a broken cell or no column.

    Fields that are not named are blank. A password's text becomes a secret.
    """
    cells = dict.fromkeys(COLUMNS, BLANK) | {name: _value(name, value) for name, value in values.items()}
    return Row(number, cells, COLUMNS, HEADINGS)


def _value(name: str, value: str | Value | None) -> Value:
    if value is None:
        return ABSENT
    if isinstance(value, Value):
        return value
    if value == "":
        return BLANK
    if name == "password":
        return Value("", Origin.CELL, None, Secret(value))
    return Value(value, Origin.CELL, value)
