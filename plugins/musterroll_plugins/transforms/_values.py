"""What the transforms share: the fields that they change, and what becomes of a value that they cannot read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from musterroll import FieldName, Row, Surroundings, known_field

Otherwise = Literal["error", "keep"]
"""What becomes of a value that cannot be read: it keeps the row out, or stays as it is, for the rules to judge."""


def _is_no_password(name: str, info: ValidationInfo) -> str:
    around = info.context
    if isinstance(around, Surroundings) and around.fields is not None and around.fields[name].secret:
        raise ValueError("a password stays as it was typed")
    return name


def look_for_fields(names: Iterable[str], info: ValidationInfo) -> None:
    """Looks whether a text that names fields names those that there are, and no password.

    Raises:
        ValueError: it does not.
    """
    for name in names:
        _is_no_password(known_field(name, info), info)


OpenFieldName = Annotated[FieldName, AfterValidator(_is_no_password)]
"""A field that is no password."""
OpenFieldNames = Annotated[tuple[OpenFieldName, ...], Field(min_length=1)]


class TextTransform:
    """Changes the texts of some fields, each by itself.

    Args:
        fields: the fields.
        change: what becomes of a text.
    """

    def __init__(self, fields: tuple[str, ...], change: Callable[[str], str]) -> None:
        self._fields, self._change = fields, change

    def apply(self, row: Row) -> Mapping[str, str]:
        """Says the new text of each field that has one."""
        texts = ((name, row.value(name).text) for name in self._fields)
        return {name: self._change(text) for name, text in texts if text}
