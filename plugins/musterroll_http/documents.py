"""Reading JSON documents by dotted paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def value_at(document: Any, path: str | Sequence[str]) -> Any:
    """Returns what stands at a path inside a document; None where there is nothing.

    A key that has dots in it itself, as `@odata.nextLink`, is found as well. `emails.0` is the first of a list.

    Args:
        document: as it was read.
        path: keys with dots between them; the empty one is the document itself. Of several, the first that leads to
            something.
    """
    if not isinstance(path, str):
        return next((found for one in path if (found := value_at(document, one)) is not None), None)
    if not path:
        return document
    if isinstance(document, list):
        index, _, rest = path.partition(".")
        inside = index.isascii() and index.isdigit() and int(index) < len(document)
        return value_at(document[int(index)], rest) if inside else None
    if not isinstance(document, dict):
        return None
    if path in document:
        return document[path]
    dot = path.find(".")
    while dot >= 0:
        if path[:dot] in document:
            return value_at(document[path[:dot]], path[dot + 1 :])
        dot = path.find(".", dot + 1)
    return None


def put_at(document: dict[str, Any], path: str, value: Any) -> None:
    """Puts a value at a path inside a document, and makes the tables in between.

    Where the path ends in 0, as `attributes.badge.0` does, it becomes a list of this one value; for None an empty one.
    """
    if path.endswith(".0"):
        path, value = path.removesuffix(".0"), [] if value is None else [value]
    keys = path.split(".")
    for key in keys[:-1]:
        inner = document.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        document = inner
    document[keys[-1]] = value
