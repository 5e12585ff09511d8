"""Rows of the standard sheet, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from musterroll import Field, FieldSet
from musterroll.testing import make_context as context
from musterroll.testing import make_row as row

__all__ = ["COLUMNS", "changed", "context", "fields", "row"]

COLUMNS: Mapping[str, str] = MappingProxyType(dict(row().columns))


def fields(*others: Field) -> FieldSet:
    """The fields of the standard sheet; others are added, or take the place of those of their name."""
    return context(*others).fields


def changed(name: str, **changes: object) -> Field:
    """A standard field with other properties."""
    return replace(fields()[name], **changes)  # type: ignore[arg-type]
