"""Two fields of a row that must be the same, or must not be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, Self

from pydantic import model_validator

from musterroll import Batch, Component, Context, FieldName, Options, Problem, Row, ValidatorType, Value, fold, hookimpl
from musterroll_plugins.validators._characters import legible


class CompareOptions(Options):
    """Options of `compare`.

    Attributes:
        field: the field that is to blame, and where the problem is shown.
        other: the field that it is compared with.
        rule: both must be `equal` (an address that is typed twice) or `different` (a password that is the username).
        ignore_case: capitals, width and invisible characters make no difference; for a password that must be equal
            they always do.
    """

    field: FieldName
    other: FieldName
    rule: Literal["equal", "different"]
    ignore_case: bool = True

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.field == self.other:
            raise ValueError("field and other must be two fields")
        return self


class Compare:
    """`FIELD.not_equal` and `FIELD.not_different`. A password may be compared; neither value is shown then."""

    def __init__(self, options: CompareOptions, context: Context) -> None:
        self._options, self._context = options, context

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem. What is blank equals what is blank, and is different from everything."""
        field, equal = self._options.field, self._options.rule == "equal"
        value, other = row.value(field), row.value(self._options.other)
        other_heading = row.heading(self._options.other)
        if equal and not (self._is_missing(field, value) or self._is_missing(self._options.other, other)):
            if not self._same(value, other):
                message = "{heading} is not the same as {other}; correct one of the two"
                problem = row.problem(field, f"{field}.not_equal", message, other=other_heading)
                yield _discreet(problem, value, other)
        elif not equal and value.is_filled and other.is_filled and self._same(value, other):
            message = "{heading} must not be the same as {other}; choose another one"
            problem = row.problem(field, f"{field}.not_different", message, other=other_heading)
            yield _discreet(problem, value, other)

    def suspects(self, batch: Batch) -> list[int]:
        """Suspects rows whose values are not as they should be, or not plain ASCII."""
        names = self._options.field, self._options.other
        columns = [batch.secrets(name) if batch.is_secret(name) else batch.texts(name) for name in names]
        pairs = enumerate(zip(*columns, strict=True))
        if self._options.rule == "equal":
            return [place for place, (one, two) in pairs if one != two or not _is_plain(one)]
        return [
            place
            for place, (one, two) in pairs
            if one.strip().lower() == two.strip().lower() or not (_is_plain(one) and _is_plain(two))
        ]

    def _is_missing(self, name: str, value: Value) -> bool:
        """Whether it was reported already that there is no value."""
        spec = self._context.fields.get(name)
        return not value.is_filled and (not value.is_blank or (spec is not None and spec.required))

    def _same(self, value: Value, other: Value) -> bool:
        secret = value.secret is not None or other.secret is not None
        one, two = _text(value), _text(other)
        if not self._options.ignore_case or (secret and self._options.rule == "equal"):
            return one == two
        return fold(one) == fold(two)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _discreet(problem: Problem, *values: Value) -> Problem:
    """Leaves out what was typed beside a password: it may be the password, or almost."""
    return replace(problem, value=None) if any(value.secret is not None for value in values) else problem


def _text(value: Value) -> str:
    return value.secret.reveal() if value.secret is not None else legible(value.text)


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="compare",
        summary="Two fields must be the same, or different",
        options=CompareOptions,
        build=Compare,
    )
