"""Values that are longer than their field allows."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll import (
    Batch,
    Component,
    Context,
    Guidance,
    Options,
    Problem,
    Row,
    ValidatorType,
    hookimpl,
    ngettext,
)


class Length:
    """`FIELD.too_long`: counted in characters after trimming and NFC; passwords have a policy instead."""

    def __init__(self, options: Options, context: Context) -> None:
        self._limits = {
            name: spec.max_length
            for name, spec in context.fields.items()
            if spec.max_length is not None and not spec.secret
        }

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
            for name, limit in self._limits.items()
            # A blank or absent value has no text, so its origin need not be asked for.
            if (value := values.get(name)) is not None and len(value.text) > limit
        ]

    def suspects(self, batch: Batch) -> Iterator[int]:
        """Suspects rows with a value that is too long."""
        for name, limit in self._limits.items():
            texts = batch.texts(name)
            if max(map(len, texts), default=0) > limit:
                yield from (place for place, text in enumerate(texts) if len(text) > limit)

    def guidance(self, name: str) -> Guidance | None:
        """Says how long values may be."""
        limit = self._limits.get(name)
        if limit is None:
            return None
        text = ngettext("At most {count} character.", "At most {count} characters.", limit)
        return Guidance(text=text, problem=f"{name}.too_long", max_length=limit)


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="length", summary="Values must not be longer than their field allows", options=Options, build=Length
    )
