"""Which rows can match a filter at all, so that a look-up by name need not build every user.

The filter itself is evaluated by scim2-models on what is found: a condition only has to let everything through
that could match.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from scim2_models import ScimFilter
from scim2_models.path import CompareOperator, Comparison, LogicalExpr, LogicalOperator

_MOST_VALUES = 10_000  # in one statement; SQLite takes some 32,000


class Column(NamedTuple):
    """How an attribute is looked up.

    Attributes:
        sql: a condition with `{}` for the list of values, perhaps several times.
        key: makes the value that is looked up of the filter's.
    """

    sql: str
    key: Callable[[str], str] = str


Columns: TypeAlias = Mapping[str, Column]  # by the attribute's URN
_Wanted: TypeAlias = dict[Column, set[str]]  # alternatives


class Condition(NamedTuple):
    """A condition of SQL and its values."""

    sql: str
    values: tuple[str, ...]


def condition(scim_filter: ScimFilter[Any], columns: Columns) -> Condition | None:
    """Returns a condition that lets everything through that matches; None where every row has to be looked at."""
    if scim_filter.model is None:  # a search over several types
        return None
    wanted = _wanted(scim_filter, scim_filter.ast, columns)
    if wanted is None or sum(map(len, wanted.values())) > _MOST_VALUES:
        return None
    parts: list[str] = []
    values: list[str] = []
    for column, keys in wanted.items():
        parts.append(column.sql.format(*[", ".join("?" * len(keys))] * column.sql.count("{}")))
        values += [*keys] * column.sql.count("{}")
    return Condition(" OR ".join(f"({part})" for part in parts), tuple(values))


def _wanted(scim_filter: ScimFilter[Any], node: object, columns: Columns) -> _Wanted | None:
    if isinstance(node, Comparison):
        binding = scim_filter.resolve_comparison(node.attr_path, strict=False)
        column = columns.get(binding.urn) if binding is not None else None
        if column is None or node.op != CompareOperator.eq or not isinstance(node.value, str):
            return None
        return {column: {column.key(node.value)}}
    if not isinstance(node, LogicalExpr):
        return None
    found = [_wanted(scim_filter, term, columns) for term in node.terms]
    if node.op == LogicalOperator.and_:
        return next((wanted for wanted in found if wanted is not None), None)
    together: _Wanted = {}
    for wanted in found:
        if wanted is None:
            return None
        for column, keys in wanted.items():
            together.setdefault(column, set()).update(keys)
    return together
