"""Values that must be one of a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self

from pydantic import ValidationInfo, model_validator

from musterroll import (
    Batch,
    Component,
    Context,
    FieldName,
    Guidance,
    Options,
    Problem,
    Row,
    Severity,
    Surroundings,
    ValidatorType,
    clean,
    fold,
    gettext,
    hookimpl,
    nearest,
)
from musterroll_plugins.validators._characters import legible
from musterroll_plugins.validators._fields import is_too_long, listed

_NAMED = 10  # a message lists no more choices than these


class ChoicesOptions(Options):
    """Options of `choices`.

    Attributes:
        field: the field to check; by default all that have `choices` in the pipeline file.
        values: what may stand there, instead of the field's own `choices`.
    """

    field: FieldName | None = None
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _belong_together(self, info: ValidationInfo) -> Self:
        if self.values and self.field is None:
            raise ValueError("values needs the field that they are for")
        around = info.context
        if self.field is not None and isinstance(around, Surroundings) and around.fields is not None:
            spec = around.fields[self.field]
            if spec.secret:
                raise ValueError("a password cannot be chosen from a list")
            if not self.values and not spec.choices:
                raise ValueError(f'"{self.field}" has no choices; give them here as values, or as choices of the field')
        return self


class Choices:
    """`FIELD.not_a_choice`: an error; a warning where only capitals and the like differ."""

    def __init__(self, options: ChoicesOptions, context: Context) -> None:
        self._context = context
        names = context.fields if options.field is None else (options.field,)
        chosen = {name: options.values or context.fields[name].choices for name in names}
        self._lists = [_List(name, values) for name, values in chosen.items() if values]
        # What words mean that have a meaning is known before any rule looks at them.
        self._judged = [one for one in self._lists if not context.fields[one.name].words]

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem for each field."""
        for one in self._judged:
            value = row.value(one.name)
            if value.text and value.text not in one.exact and not is_too_long(self._context, one.name, value.text):
                text = legible(value.text)
                if text and text not in one.exact:
                    yield one.problem(row, text)

    def suspects(self, batch: Batch) -> Iterator[int]:
        """Suspects rows with anything else than a choice."""
        for one in self._judged:
            texts = batch.texts(one.name)
            others = set(texts).difference(one.exact, ("",))
            if others:
                yield from (place for place, text in enumerate(texts) if text in others)

    def guidance(self, name: str) -> Guidance | None:
        """Names what may stand in the column: not every format has lists to choose from."""
        for one in self._lists:
            if one.name == name:
                text = gettext("One of: {choices}.", choices=listed((f'"{choice}"' for choice in one.exact), _NAMED))
                return Guidance(text=text, problem=f"{name}.not_a_choice")
        return None


class _List:
    """The choices of one field."""

    def __init__(self, name: str, values: Iterable[str]) -> None:
        self.name = name
        self.exact = dict.fromkeys(clean(value) for value in values)
        self._folded = {fold(value): value for value in self.exact}

    def problem(self, row: Row, text: str) -> Problem:
        """Makes the problem of a value that is not exactly one of the choices."""
        same = self._folded.get(fold(text))
        if same is not None:
            return row.problem(
                self.name,
                f"{self.name}.not_a_choice",
                '{heading} is written otherwise than in the list of choices, which has "{same}"',
                severity=Severity.WARNING,
                suggestion=same,
                same=same,
            )
        return row.problem(
            self.name,
            f"{self.name}.not_a_choice",
            "{heading} is not one of the choices: {choices}",
            suggestion=nearest(text, self.exact),
            choices=listed(self.exact, _NAMED),
        )


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="choices", summary="Values must be one of the field's choices", options=ChoicesOptions, build=Choices
    )
