"""Dates that people write in their ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from musterroll import (
    ISO_DATE,
    Component,
    Context,
    DateForm,
    DateFormText,
    Options,
    PlainDateFormText,
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
            them, and another day in another one, keeps the row out. `YY` is a year of two digits, `MMM` and `MMMM` are
            names of months.
        first_year: the first of the hundred years that two digits can mean; needed where there is `YY`.
        to: the form that it gets.
        otherwise: a value that is no date keeps the row out (`error`), or stays as it is (`keep`).
    """

    fields: OpenFieldNames
    forms: Annotated[tuple[DateFormText, ...], Field(min_length=1)]
    first_year: Annotated[int, Field(ge=1, le=9900)] | None = None
    to: PlainDateFormText = ISO_DATE
    otherwise: Otherwise = "error"

    @model_validator(mode="after")
    def _knows_the_century(self) -> Self:
        for form in self.forms:
            try:
                DateForm(form, self.first_year)
            except ValueError as error:
                raise ValueError(f"forms: {error}") from None
        return self


class Date:
    """`FIELD.type` where a value is no date, or may be two."""

    def __init__(self, options: DateOptions, context: Context) -> None:
        self._fields, self._forms, self._otherwise = options.fields, options.forms, options.otherwise
        self._readable = [DateForm(form, options.first_year) for form in dict.fromkeys((*options.forms, options.to))]
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
