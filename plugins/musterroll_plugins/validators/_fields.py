"""What the validators share: values that `length` reports, long lists in messages."""

from __future__ import annotations

from collections.abc import Iterable

from musterroll import Context, gettext


def is_too_long(context: Context, name: str, text: str) -> bool:
    """Whether `length` reports this value, so that nobody else need say anything about it."""
    spec = context.fields.get(name)
    return spec is not None and spec.max_length is not None and len(text) > spec.max_length


def listed(names: Iterable[str], most: int) -> str:
    """Names the first ones of a list, and how many others there are."""
    everyone = list(names)
    first, others = ", ".join(everyone[:most]), len(everyone) - most
    return gettext("{names} or {others} others", names=first, others=others) if others > 0 else first
