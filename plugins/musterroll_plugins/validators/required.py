"""Fields that must not be left empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from musterroll import Context, Options, Origin, Problem, Row, ValidatorType, hookimpl
from musterroll_plugins.validators._fields import heading


class Required:
    """`FIELD.required`: a field that every row needs is blank."""

    def __init__(self, options: Options, context: Context) -> None:
        fields = context.fields
        needed = [name for name, spec in fields.items() if spec.required and (spec.compose or not spec.omitted)]
        composed = {name: template.names for name in needed if (template := fields[name].compose) is not None}
        self._sources = {name: [one for one in sources if one in needed] for name, sources in composed.items()}
        self._messages = {name: f"{heading(context, name)} is missing; fill it in" for name in needed}
        for name, sources in composed.items():
            made_of = " and ".join(heading(context, one) for one in sources if one in fields)
            self._messages[name] = f"{heading(context, name)} is missing; it is made of {made_of}, so fill that in"

    def check(self, row: Row) -> list[Problem]:
        """Returns one problem for each required field that is blank."""
        values = row.values
        blank = [
            name for name in self._messages if (value := values.get(name)) is not None and value.origin is Origin.BLANK
        ]
        return [
            row.problem(name, f"{name}.required", self._messages[name])
            for name in blank
            # Whoever fills in what it is made of has filled it in, so that is one fault.
            if name not in self._sources or not set(self._sources[name]).intersection(blank)
        ]


@hookimpl
def musterroll_validators() -> Iterator[ValidatorType[Any]]:
    """Announces the validator."""
    yield ValidatorType(name="required", summary="Required fields must be filled in", options=Options, build=Required)
