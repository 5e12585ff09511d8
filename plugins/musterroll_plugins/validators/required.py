"""Fields that must not be left empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from musterroll import Context, Options, Origin, Problem, Row, ValidatorType, hookimpl
from musterroll_plugins.validators._fields import heading


class Required:
    """`FIELD.required`: a field that every row needs is blank."""

    def __init__(self, options: Options, context: Context) -> None:
        self._messages = {
            name: f"{heading(context, name)} is missing; fill it in"
            for name, spec in context.fields.items()
            if spec.required and not spec.omitted
        }

    def check(self, row: Row) -> list[Problem]:
        """Returns one problem for each required field that is blank."""
        values = row.values
        return [
            row.problem(name, f"{name}.required", message)
            for name, message in self._messages.items()
            if (value := values.get(name)) is not None and value.origin is Origin.BLANK
        ]


@hookimpl
def musterroll_validators() -> Iterator[ValidatorType[Any]]:
    """Announces the validator."""
    yield ValidatorType(name="required", summary="Required fields must be filled in", options=Options, build=Required)
