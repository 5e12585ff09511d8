"""Transforms as the engine calls them. What one says of a row is looked at before it counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from musterroll.contract.fields import FieldSet
from musterroll.contract.problems import Problem
from musterroll.contract.roles import Transform
from musterroll.contract.rows import Origin, Row, Value
from musterroll.contract.text import did_you_mean
from musterroll.errors import MusterrollError
from musterroll.registry.guards.guard import Guard, a, whole
from musterroll.registry.guards.rules import Findings
from musterroll.registry.guards.secrets import broken_rule, secrets_of
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Watch

if TYPE_CHECKING:
    from musterroll.contract.conditions import Conditions

_ORIGINS = frozenset(set(Origin) - {Origin.BLANK, Origin.MADE})
_ROW = ("row",)


class GuardedTransform(Guard):
    """Asks a transform about rows.

    Args:
        transform: the transform.
        label: the instance as the person knows it.
        watch: notes every call.
        fields: the fields of a user.
        when: the rows that it is about; None for all.

    Attributes:
        source: the field that its values are made of, where it says one: problems of a field without a column are shown
            at its cell.
    """

    def __init__(
        self, transform: Transform, label: str, watch: Watch, fields: FieldSet, when: Conditions | None
    ) -> None:
        super().__init__(label, watch)
        self._transform, self._fields, self._when = transform, fields, when
        self._findings = Findings()
        source = getattr(transform, "source", None)
        self.source: str | None = source if isinstance(source, str) else None

    def apply(self, row: Row) -> Mapping[str, str | Value | Problem]:
        """Says what is to change. See `Transform.apply`.

        Raises:
            PluginError: the transform broke, or its answer cannot be used.
        """
        if self._when is not None and not self._when.holds(self._when.texts_of(row)):
            return {}
        call = self.watch.begin(self.label, "transforming", _ROW)
        call.done = row.number
        try:
            return dict(self.looked_at(self._transform.apply(without_secrets(row)), row))
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise broken_rule(call, row.number, secrets_of(row), error) from error
        finally:
            self.watch.end(call)

    def looked_at(self, said: object, row: Row) -> Iterator[tuple[str, str | Value | Problem]]:
        """Looks at what a transform said of a row.

        Raises:
            AnswerError: it cannot be used.
        """
        if not isinstance(said, Mapping):
            raise AnswerError(f"apply() must return what is to change by field, {{}} for nothing, and not {a(said)}")
        for name, value in said.items():
            if name not in self._fields:
                near = did_you_mean(name, self._fields) if isinstance(name, str) else ""
                raise AnswerError(f"apply() changes the field {name!r:.60}, which does not exist{near}")
            if self._fields[name].secret:
                raise AnswerError(f'apply() changes "{name}"; a password stays as it was typed')
            yield name, self._value(name, value, row)

    def _value(self, name: str, value: object, row: Row) -> str | Value | Problem:
        match value:
            case str():
                return whole(value, f'the text for "{name}"')
            case Value(text=str() as text, secret=None) if value.origin in _ORIGINS:
                return value._replace(text=whole(text, f'the text for "{name}"'))
            case Problem():
                if value.row != row.number or value.field != name:
                    raise AnswerError(
                        f'apply() gives the problem "{value.code!s:.60}" for "{name}", which is not of that field of '
                        "this row; make it with row.problem(…)"
                    )
                return self._findings.problem(value, row)
        raise AnswerError(f'apply() must give a text for "{name}" ("" for none), not {a(value)}')


def without_secrets(row: Row) -> Row:
    """The row as transforms see it: no password can get into another field."""
    hidden = {name: Value("", value.origin) for name, value in row.values.items() if value.secret is not None}
    return replace(row, values=MappingProxyType({**row.values, **hidden})) if hidden else row
