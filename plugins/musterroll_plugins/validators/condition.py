"""Rules that need no code: where a row is like this, it must be like that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field as Limited
from pydantic import field_validator

from musterroll import (
    Component,
    Condition,
    Conditions,
    Context,
    Options,
    Origin,
    Problem,
    Row,
    Severity,
    ValidatorType,
    gettext,
    hookimpl,
)
from musterroll_plugins.validators._characters import legible
from musterroll_plugins.validators._fields import is_too_long


class ConditionOptions(Options):
    r"""Options of `condition`.

    Attributes:
        when: the rows that it is about, e.g. `{ department = "Sales" }`; all rows without it.
        must: what holds for those, e.g. `{ badge = { pattern = 'A\d{5}' } }`.
        message: what to tell whoever typed something else, e.g. `Sales needs a badge`; made of the conditions by
            default.
        code: the problem's code, e.g. `acme.badge`; `FIELD.condition` by default.
        severity: an error keeps the row out, a warning does not.
    """

    when: Conditions = Conditions({})
    must: Conditions
    message: str | None = None
    code: Annotated[str, Limited(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")] | None = None
    severity: Severity = Severity.ERROR

    @field_validator("must")
    @classmethod
    def _asks_something(cls, must: Conditions) -> Conditions:
        if not must:
            raise ValueError("needs at least one field")
        return must


class ConditionRule:
    """`FIELD.condition`: a field that must meet a condition in this row does not."""

    def __init__(self, options: ConditionOptions, context: Context) -> None:
        self._options, self._context = options, context

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem for each field that must meet a condition."""
        when, must = self._options.when, self._options.must
        if any(_is_unreadable(row, name) for name in when.root) or not when.holds(_texts(when, row)):
            return
        for name, condition in must.unmet(_texts(must, row)):
            if not self._is_reported(row, name):
                own = self._options.code
                message = self._options.message or self._in_words(row, name, condition)
                severity = self._options.severity
                yield row.problem(name, own or f"{name}.condition", message, severity=severity)

    def _in_words(self, row: Row, name: str, condition: Condition) -> str:
        heading, demand = row.heading(name), condition.demand()
        if not self._options.when:
            return gettext("{heading} {demand}", heading=heading, demand=demand)
        supposed = self._options.when.statement(row.heading)
        return gettext("{heading} {demand} where {supposed}", heading=heading, demand=demand, supposed=supposed)

    def _is_reported(self, row: Row, name: str) -> bool:
        """Whether it was said already that there is no value, or one that cannot be used."""
        spec, value = self._context.fields.get(name), row.value(name)
        if value.is_blank:
            return spec is not None and spec.required
        return _is_unreadable(row, name) or is_too_long(self._context, name, value.text)


def _is_unreadable(row: Row, name: str) -> bool:
    """Whether there is a cell that could not be used, which was reported already."""
    return row.value(name).origin is Origin.ABSENT and name in row.columns


def _texts(conditions: Conditions, row: Row) -> Mapping[str, str]:
    return {name: legible(text) for name, text in conditions.texts_of(row).items()}


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="condition",
        summary="Where a row is like this, it must be like that",
        options=ConditionOptions,
        build=ConditionRule,
    )
