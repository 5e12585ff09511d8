"""Fields that must not be left empty."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll import (
    Batch,
    Component,
    Context,
    Guidance,
    Options,
    Origin,
    Problem,
    Row,
    ValidatorType,
    gettext,
    hookimpl,
)


class Required:
    """`FIELD.required`: a field that every row needs is blank."""

    def __init__(self, options: Options, context: Context) -> None:
        fields = self._fields = context.fields
        self._when = {
            name: spec.required_when
            for name, spec in fields.items()
            if spec.required_when is not None and not spec.required
        }
        self._needed = [
            name
            for name, spec in fields.items()
            if (spec.required or name in self._when) and (spec.compose or not spec.omitted)
        ]
        composed = {name: template.names for name in self._needed if (template := fields[name].compose) is not None}
        self._made_of = {name: [one for one in sources if one in fields] for name, sources in composed.items()}
        self._sources = {name: set(sources).intersection(self._needed) for name, sources in composed.items()}

    def check(self, row: Row) -> list[Problem]:
        """Returns one problem for each required field that is blank."""
        values = row.values
        blank = [
            name for name in self._needed if (value := values.get(name)) is not None and value.origin is Origin.BLANK
        ]
        if self._when:
            blank = [name for name in blank if (when := self._when.get(name)) is None or when.holds(when.texts_of(row))]
        return [
            self._problem(row, name)
            for name in blank
            # Whoever fills in what it is made of has filled it in, so that is one fault.
            if not self._sources.get(name, frozenset()).intersection(blank)
        ]

    def suspects(self, batch: Batch) -> set[int]:
        """Suspects rows with a needed field empty."""
        found: set[int] = set()
        for name in self._needed:
            texts = batch.secrets(name) if batch.is_secret(name) else batch.texts(name)
            if "" in texts:
                found.update(place for place, text in enumerate(texts) if not text)
        return found

    def guidance(self, name: str) -> Guidance | None:
        """Says which columns every row needs, and which rows need one."""
        if name not in self._needed:
            return None
        when = self._when.get(name)
        if when is None:
            return Guidance(text=gettext("Needed."), problem=f"{name}.required")
        condition = when.statement(lambda field: self._fields[field].heading)
        return Guidance(text=gettext("Needed where {condition}.", condition=condition), problem=f"{name}.required")

    def _problem(self, row: Row, name: str) -> Problem:
        if name not in self._made_of:
            return row.problem(name, f"{name}.required", "{heading} is missing; fill it in")
        return row.problem(
            name,
            f"{name}.required",
            "{heading} is missing; it is made of {others}, so fill that in",
            others=gettext(" and ").join(map(row.heading, self._made_of[name])),
        )


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(name="required", summary="Required fields must be filled in", options=Options, build=Required)
