"""Dates that people write in their ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from musterroll import (
    ISO_DATE,
    Component,
    Context,
    DateForm,
    DateFormText,
    Options,
    Problem,
    Row,
    TransformType,
    hookimpl,
)
from musterroll_plugins.transforms._values import OpenFieldNames, Otherwise


class DateOptions(Options):
    """Options of `date`.

    Attributes:
        fields: the fields that hold a date.
        forms: the forms that people write it in: `DD.MM.YYYY` takes 1.3.2026 as well. A date that is one day in one of
            them, and another day in another one, keeps the row out.
        to: the form that it gets.
        otherwise: a value that is no date keeps the row out (`error`), or stays as it is (`keep`).
    """

    fields: OpenFieldNames
    forms: Annotated[tuple[DateFormText, ...], Field(min_length=1)]
    to: DateFormText = ISO_DATE
    otherwise: Otherwise = "error"


class Date:
    """`FIELD.type` where a value is no date, or may be two."""

    def __init__(self, options: DateOptions, context: Context) -> None:
        self._fields, self._forms, self._otherwise = options.fields, options.forms, options.otherwise
        self._readable = [DateForm(form) for form in dict.fromkeys((*options.forms, options.to))]
        self._to = DateForm(options.to)

    def apply(self, row: Row) -> Mapping[str, str | Problem]:
        """Says each date in the form that is wanted."""
        texts = ((name, row.value(name).text) for name in self._fields)
        made = {name: self._made(name, text, row) for name, text in texts if text}
        return {name: value for name, value in made.items() if value is not None}

    def _made(self, name: str, text: str, row: Row) -> str | Problem | None:
        days = {day for form in self._readable if (day := form.read(text)) is not None}
        if len(days) == 1:
            return self._to.write(days.pop())
        forms = ", ".join(self._forms)
        if days:
            one, other = sorted(map(self._to.write, days))[:2]
            message = "{heading} may be {one} or {other}; write it as {form}"
            return row.problem(name, f"{name}.type", message, one=one, other=other, form=self._to.text)
        if self._otherwise == "keep":
            return None
        return row.problem(name, f"{name}.type", "{heading} is no date of the form {forms}", forms=forms)


@hookimpl
def musterroll_transforms() -> Iterator[Component]:
    """Announces the transform."""
    yield TransformType(name="date", summary="Dates in one form", options=DateOptions, build=Date)
