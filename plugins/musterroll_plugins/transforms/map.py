"""Values that stand for others: a department's number for its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Self

from pydantic import Field, field_validator, model_validator

from musterroll import (
    Component,
    Context,
    FilePath,
    Mistake,
    Options,
    PipelineError,
    Problem,
    Row,
    TransformType,
    clean,
    fold,
    hookimpl,
    nearest,
)
from musterroll_plugins.csv_table import add_file
from musterroll_plugins.transforms._values import OpenFieldName, Otherwise


class _Table:
    """What values stand for.

    Attributes:
        meanings: by the value, folded.
        written: the values as they were written.
    """

    def __init__(self) -> None:
        self.meanings: dict[str, str] = {}
        self.written: list[str] = []

    def add(self, value: str, meaning: str) -> None:
        """Adds a value.

        Raises:
            ValueError: it is empty, or stands for something else already.
        """
        folded, meaning = fold(value), clean(meaning)
        if not folded:
            raise ValueError("the value is empty")
        if self.meanings.setdefault(folded, meaning) != meaning:
            raise ValueError(f'"{clean(value)}" is there already, and stands for something else')
        self.written.append(clean(value))

    def add_all(self, values: Mapping[str, str]) -> Iterator[str]:
        """Adds values of the pipeline file; yields what is wrong with them."""
        for value, meaning in values.items():
            try:
                self.add(value, meaning)
            except ValueError as error:
                yield f'"{value}": {error}'


class MapOptions(Options):
    """Options of `map`.

    Attributes:
        field: the field whose value is looked up, whatever its capitals.
        to: the field that gets what is found; the same one without it.
        values: what each value stands for.
        file: a csv file with such values, besides those in `values`: two columns below two headings, the value first.
        otherwise: a value that is in neither keeps the row out (`error`), or stays as it is (`keep`).
    """

    field: OpenFieldName
    to: OpenFieldName | None = None
    values: dict[str, str] = Field({})
    file: FilePath | None = None
    otherwise: Otherwise = "error"

    @field_validator("values")
    @classmethod
    def _can_be_read(cls, values: dict[str, str]) -> dict[str, str]:
        if faults := list(_Table().add_all(values)):
            raise ValueError(", and ".join(faults))
        return values

    @model_validator(mode="after")
    def _has_a_table(self) -> Self:
        if not self.values and self.file is None:
            raise ValueError('say what values stand for: values = { "10" = "Sales" }, or file = "PATH"')
        return self


class Map:
    """`FIELD.not_a_choice` where a value is not in the table.

    Attributes:
        source: the field whose value is looked up.
    """

    def __init__(self, options: MapOptions, context: Context) -> None:
        self.source, self._to = options.field, options.to or options.field
        self._otherwise = options.otherwise
        table = _Table()
        faults = list(table.add_all(options.values))
        faults += add_file(table.add, options.file, context) if options.file is not None else ()
        if faults:
            raise PipelineError([Mistake(f"{context.instance}.options.file", fault, "pipeline") for fault in faults])
        self._meanings = table.meanings
        if self._to == self.source:  # what was found is right already, as in a sheet of users who exist
            for meaning in [*self._meanings.values()]:
                self._meanings.setdefault(fold(meaning), meaning)
        # Looking through a long table for a near value takes its time.
        self._near = lru_cache(maxsize=4096)(lambda text: nearest(text, table.written))

    def apply(self, row: Row) -> Mapping[str, str | Problem]:
        """Says what the row's value stands for."""
        text = row.value(self.source).text
        if not text:
            return {}
        found = self._meanings.get(fold(text))
        if found is not None:
            return {self._to: found}
        if self._otherwise == "keep":
            return {}
        message = "There is nothing for this {heading} in the table; correct it, or add it to the table"
        code = f"{self.source}.not_a_choice"
        return {self.source: row.problem(self.source, code, message, suggestion=self._near(text))}


@hookimpl
def musterroll_transforms() -> Iterator[Component]:
    """Announces the transform."""
    yield TransformType(name="map", summary="Values that stand for others", options=MapOptions, build=Map)
