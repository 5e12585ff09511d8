"""Values that are longer than their field allows."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll import Component, Context, Options, Problem, Row, ValidatorType, hookimpl


class Length:
    """`FIELD.too_long`: counted in characters after trimming and NFC; passwords have a policy instead."""

    def __init__(self, options: Options, context: Context) -> None:
        self._limits = [
            (name, spec.max_length)
            for name, spec in context.fields.items()
            if spec.max_length is not None and not spec.secret
        ]

    def check(self, row: Row) -> list[Problem]:
        """Returns one problem for each value that is too long."""
        values = row.values
        return [
            row.problem(
                name,
                f"{name}.too_long",
                "{heading} has {length} characters and may have {limit}; shorten it",
                length=len(value.text),
                limit=limit,
            )
            for name, limit in self._limits
            # A blank or absent value has no text, so its origin need not be asked for.
            if (value := values.get(name)) is not None and len(value.text) > limit
        ]


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="length", summary="Values must not be longer than their field allows", options=Options, build=Length
    )
