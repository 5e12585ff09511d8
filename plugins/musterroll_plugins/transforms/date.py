"""Dates that people write in their ways."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from musterroll import Component, Context, Options, Problem, Row, TransformType, hookimpl
from musterroll_plugins.transforms._values import OpenFieldNames, Otherwise

_PARTS = {"YYYY": "(?P<year>[0-9]{4})", "MM": "(?P<month>[0-9]{1,2})", "DD": "(?P<day>[0-9]{1,2})"}
_TOKEN = re.compile("YYYY|MM|DD|[A-Za-z]+|[^A-Za-z]+")
_HOW = "write a form of YYYY, MM and DD, each once, e.g. DD.MM.YYYY"


def _form(text: str) -> str:
    tokens = _TOKEN.findall(text)
    if sorted(token for token in tokens if token.isalpha()) != sorted(_PARTS):
        raise ValueError(_HOW)
    return text


Form = Annotated[str, AfterValidator(_form)]


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
    forms: Annotated[tuple[Form, ...], Field(min_length=1)]
    to: Form = "YYYY-MM-DD"
    otherwise: Otherwise = "error"


class Date:
    """`FIELD.type` where a value is no date, or may be two."""

    def __init__(self, options: DateOptions, context: Context) -> None:
        self._fields, self._forms, self._otherwise = options.fields, options.forms, options.otherwise
        self._readers = [_reader(form) for form in dict.fromkeys((*options.forms, options.to))]
        self._tokens = _TOKEN.findall(options.to)

    def apply(self, row: Row) -> Mapping[str, str | Problem]:
        """Says each date in the form that is wanted."""
        texts = ((name, row.value(name).text) for name in self._fields)
        made = {name: self._made(name, text, row) for name, text in texts if text}
        return {name: value for name, value in made.items() if value is not None}

    def _made(self, name: str, text: str, row: Row) -> str | Problem | None:
        days = {day for read in self._readers if (day := read(text)) is not None}
        if len(days) == 1:
            return self._written(days.pop())
        forms = ", ".join(self._forms)
        if days:
            one, other = sorted(map(self._written, days))[:2]
            message = "{heading} may be {one} or {other}; write it as {form}"
            return row.problem(name, f"{name}.type", message, one=one, other=other, form="".join(self._tokens))
        if self._otherwise == "keep":
            return None
        return row.problem(name, f"{name}.type", "{heading} is no date of the form {forms}", forms=forms)

    def _written(self, day: dt.date) -> str:
        parts = {"YYYY": f"{day.year:04}", "MM": f"{day.month:02}", "DD": f"{day.day:02}"}
        return "".join(parts.get(token, token) for token in self._tokens)


def _reader(form: str) -> Callable[[str], dt.date | None]:
    pattern = re.compile("".join(_PARTS.get(token, re.escape(token)) for token in _TOKEN.findall(form)))

    def read(text: str) -> dt.date | None:
        found = pattern.fullmatch(text)
        if found is None:
            return None
        try:
            return dt.date(int(found["year"]), int(found["month"]), int(found["day"]))
        except ValueError:  # the 30th of February
            return None

    return read


@hookimpl
def musterroll_transforms() -> Iterator[Component]:
    """Announces the transform."""
    yield TransformType(name="date", summary="Dates in one form", options=DateOptions, build=Date)
