"""Settings that remember which file, profile or flag every value came from.

A layer of the pipeline file is a tree of tables; its leaves know their origin. Arrays of tables are kept by
the name of their elements, so that a path such as `("validators", "corporate-mail", "use")` means the same
element in every layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from musterroll.pipeline.written_file import Written


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value came from.

    Attributes:
        label: as messages say it: a file, or `--set`, or `--invites`.
        folder: what relative paths refer to.
        in_file: whether it is a file, or a profile in one.
        written: the file, where there is one.
        prefix: where in the file it stands: a profile has a table of its own.
    """

    label: str
    folder: Path
    in_file: bool = True
    written: Written | None = field(default=None, compare=False, repr=False)
    prefix: KeyPath = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that is replaced as a whole: a scalar, or an array of such."""

    value: Any
    place: Place


@dataclass(frozen=True, slots=True)
class TomlTable:
    """A table. Its own place is the last file that had something to say in it."""

    entries: dict[str, Node]
    place: Place


@dataclass(frozen=True, slots=True)
class Items:
    """An array of tables, by the `name` of its elements, in order."""

    entries: dict[str, TomlTable]
    place: Place


@dataclass(frozen=True, slots=True)
class Joined:
    """An array that grows from layer to layer: its elements, each with its index in its own file."""

    parts: tuple[tuple[int, Leaf], ...]
    place: Place


Node: TypeAlias = Leaf | TomlTable | Items | Joined
KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys from the root; names for elements of `Items`, indexes for those of other arrays."""


def plain(node: Node, replaced: Mapping[KeyPath, Any] = MappingProxyType({}), path: KeyPath = ()) -> Any:
    """Returns the node as TOML would have it, with other values at some paths."""
    if path in replaced:
        return replaced[path]
    match node:
        case TomlTable(entries):
            return {key: plain(child, replaced, (*path, key)) for key, child in entries.items()}
        case Items(entries):
            return [plain(child, replaced, (*path, key)) for key, child in entries.items()]
        case Joined(parts):
            return [replaced.get((*path, i), leaf.value) for i, (_, leaf) in enumerate(parts)]
        case Leaf(value):
            return _plain_value(value, replaced, path)


def _plain_value(value: Any, replaced: Mapping[KeyPath, Any], path: KeyPath) -> Any:
    if path in replaced:
        return replaced[path]
    if isinstance(value, dict):
        return {key: _plain_value(child, replaced, (*path, key)) for key, child in value.items()}
    if isinstance(value, list):
        return [_plain_value(child, replaced, (*path, i)) for i, child in enumerate(value)]
    return value


def child_of(node: Any, key: str | int) -> Any:
    """Goes one step down a tree, or on into a leaf's plain value; None where there is nothing."""
    match node:
        case TomlTable(entries) | Items(entries):
            return entries.get(str(key))
        case Joined(parts):
            return parts[key][1] if isinstance(key, int) and key < len(parts) else None
        case Leaf(value):
            return child_of(value, key)
        case dict():
            return node.get(key)
        case list():
            return node[key] if isinstance(key, int) and key < len(node) else None
    return None


def at(node: Node, path: KeyPath) -> Any:
    """Returns the node at a path, or the plain value inside a leaf, or None."""
    found: Any = node
    for key in path:
        found = child_of(found, key)
    return found


def place_of(node: Node, path: KeyPath) -> Place:
    """Where the value at a path came from; of one that is missing, where what surrounds it came from."""
    place, here = node.place, node
    for key in path:
        here = child_of(here, key)
        if not isinstance(here, Leaf | TomlTable | Items | Joined):
            break
        place = here.place
    return place


def path_text(node: Node, path: KeyPath) -> str:
    """Writes a path as messages do: `validators[corporate-mail].options.domain`."""
    text = ""
    here: Any = node
    for key, own in zip(path, with_own_indexes(node, path), strict=True):
        if isinstance(here, Items):
            text += f"[{key}]"
        elif isinstance(key, int) or isinstance(own, int):
            text += f"[{own}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", key)
            text += f".{key}" if bare else f'."{key}"'
        here = child_of(here, key)
    return text.removeprefix(".")


def keys_of(text: str) -> KeyPath:
    """Reads the path of an option as a plugin writes it, `forms[0]` or `users.create`; `path_text` knows all others."""
    return tuple(int(index) if index else key for index, key in re.findall(r"\[([0-9]+)\]|([^.\[]+)", text))


def with_own_indexes(node: Node, path: KeyPath) -> KeyPath:
    """Turns indexes into arrays that grow from layer to layer into those of the file that an element is from."""
    found: list[str | int] = []
    here: Any = node
    for key in path:
        is_part = isinstance(here, Joined) and isinstance(key, int) and key < len(here.parts)
        found.append(here.parts[key][0] if is_part else key)
        here = child_of(here, key)
    return tuple(found)


def located(node: Node, location: tuple[str | int, ...], *, missing: bool = False) -> KeyPath:
    """Turns the location of a pydantic error into a path.

    Args:
        node: the tree whose plain form was checked.
        location: keys and indexes; in between, pydantic names the branches of unions, which are left out.
        missing: the last key is one that should be there and is not.
    """
    path: list[str | int] = []
    here: Any = node
    for i, key in enumerate(location):
        named = list(here.entries)[key] if isinstance(here, Items) and isinstance(key, int) else key
        below = child_of(here, named)
        if below is not None or (missing and i == len(location) - 1):
            path.append(named)
            here = below
    return tuple(path)


def leaves(node: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yields the path and value of everything that is neither table nor array, also inside leaves."""
    match node:
        case TomlTable(entries) | Items(entries):
            for key, child in entries.items():
                yield from leaves(child, (*path, key))
        case Joined(parts):
            for i, (_, leaf) in enumerate(parts):
                yield from leaves(leaf, (*path, i))
        case Leaf(value):
            yield from leaves(value, path)
        case dict():
            for key, child in node.items():
                yield from leaves(child, (*path, key))
        case list():
            for i, child in enumerate(node):
                yield from leaves(child, (*path, i))
        case _:
            yield path, node
