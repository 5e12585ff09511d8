"""One value that holds several: "Silva, Ana", "+44 7712345678"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from pydantic import ValidationInfo, model_validator

from musterroll import (
    Component,
    Context,
    Options,
    Problem,
    Row,
    TransformType,
    hookimpl,
)
from musterroll_plugins.transforms._patterns import FindingPattern, compiled
from musterroll_plugins.transforms._values import OpenFieldName, Otherwise, look_for_fields


class SplitOptions(Options):
    r"""Options of `split`.

    Attributes:
        field: the field whose value holds several.
        pattern: a regular expression for the whole value, with the fields as names of its groups:
            `(?P<surname>[^,]+), *(?P<forename>.+)`. A field that it finds nothing for stays as it is.
        otherwise: a value that does not have the form keeps the row out (`error`), or stays as it is (`keep`).
    """

    field: OpenFieldName
    pattern: FindingPattern
    otherwise: Otherwise = "error"

    @model_validator(mode="after")
    def _names_fields(self, info: ValidationInfo) -> Self:
        names = compiled(self.pattern).groupindex
        if not names:
            raise ValueError("pattern: name its groups after the fields, e.g. (?P<surname>[^,]+), *(?P<forename>.+)")
        try:
            look_for_fields(names, info)
        except ValueError as error:
            raise ValueError(f"pattern: {error}") from None
        return self


class Split:
    """`FIELD.pattern` where a value does not have the form.

    Attributes:
        source: the field whose value holds several.
    """

    def __init__(self, options: SplitOptions, context: Context) -> None:
        self.source, self._options = options.field, options
        self._pattern = compiled(options.pattern)
        self._names = sorted(self._pattern.groupindex, key=self._pattern.groupindex.get)

    def apply(self, row: Row) -> Mapping[str, str | Problem]:
        """Says the value of each field that is found."""
        text = row.value(self.source).text
        if not text:
            return {}
        found = self._pattern.fullmatch(text)
        if found is not None:
            return {name: part for name in self._names if (part := found.group(name)) is not None}
        if self._options.otherwise == "keep":
            return {}
        message = "{heading} cannot be taken apart: it does not have the form {pattern}"
        code = f"{self.source}.pattern"
        return {self.source: row.problem(self.source, code, message, pattern=self._options.pattern)}


@hookimpl
def musterroll_transforms() -> Iterator[Component]:
    """Announces the transform."""
    yield TransformType(name="split", summary="One value that holds several", options=SplitOptions, build=Split)
