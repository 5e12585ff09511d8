"""Makes values as they should be, before rules see them: the transforms of the pipeline, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from musterroll.contract.problems import Problem
from musterroll.contract.rows import ABSENT, BLANK, Origin, Row, Value
from musterroll.contract.text import clean
from musterroll.registry.guards.transform import GuardedTransform


class Transformed(NamedTuple):
    """What a transform has made of a value.

    Attributes:
        row: the row's number.
        label: the transform as the person knows it.
        field: the field.
        before: its text before; "" where it was blank.
        after: its text now; "" where there is none.
    """

    row: int
    label: str
    field: str
    before: str
    after: str


Listener: TypeAlias = Callable[[Transformed], object]
"""Is told of every value that a transform has changed. A row may be made more than once."""


class Transforms:
    """Runs the transforms over rows whose values are those of their cells.

    Args:
        transforms: the transforms, in order.
        listener: is told what they change, if there is one.
    """

    def __init__(self, transforms: Sequence[GuardedTransform] = (), listener: Listener | None = None) -> None:
        self._transforms, self._listener = transforms, listener

    def __bool__(self) -> bool:
        return bool(self._transforms)

    def apply(self, row: Row) -> tuple[Row, list[Problem]]:
        """Makes the row as it should be, and says what could not be made.

        Raises:
            PluginError: a transform broke.
        """
        problems: list[Problem] = []
        for one in self._transforms:
            changed: dict[str, Value] = {}
            for name, said in one.apply(row).items():
                before = row.value(name)
                if before.origin is Origin.ABSENT and name in row.columns:
                    continue  # the cell cannot be used, and that has been said
                if isinstance(said, Problem):
                    problems.append(said)
                    changed[name] = ABSENT
                elif (value := _value(said, before)) != before:
                    changed[name] = value
                    if self._listener is not None:
                        self._listener(Transformed(row.number, one.label, name, before.text, value.text))
            if changed:
                columns = _columns(row.columns, changed, one.source)
                row = replace(row, values=MappingProxyType({**row.values, **changed}), columns=columns)
        return row, problems


def _value(said: str | Value, before: Value) -> Value:
    text = clean(said if isinstance(said, str) else said.text)
    if isinstance(said, Value) and said.origin is Origin.ABSENT:
        return ABSENT
    if not text:
        return BLANK if before.is_filled or before.is_blank else before
    if text == before.text:
        return before
    if isinstance(said, Value):
        origin = said.origin
    else:
        origin = Origin.CELL if before.origin is Origin.CELL else Origin.COMPOSED
    return Value(text, origin, before.raw if before.raw is not None else before.text or None)


def _columns(columns: Mapping[str, str], changed: Mapping[str, Value], source: str | None) -> Mapping[str, str]:
    """Where problems of the row are shown: those of a field without a column where its value is made of."""
    if source is None or source not in columns or all(name in columns for name in changed):
        return columns
    return MappingProxyType({**dict.fromkeys(changed, columns[source]), **columns})
