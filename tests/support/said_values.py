"""A transform that says what a test wants, and keeps what it was asked about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musterroll import Component, Context, Options, Row, TransformType, hookimpl

SAID: dict[str, Any] = {}
"""What each instance says, by its label: what is to change, or a function of the row."""
SEEN: list[Row] = []
"""The rows that they were asked about."""


class _Says:
    def __init__(self, options: Options, context: Context) -> None:
        self._label = context.instance

    def apply(self, row: Row) -> Mapping[str, Any]:
        SEEN.append(row)
        said = SAID[self._label]
        found: Mapping[str, Any] = said(row) if callable(said) else said
        return found


@hookimpl
def musterroll_transforms() -> list[Component]:
    return [TransformType(name="says", summary="Says what a test wants", options=Options, build=_Says)]
