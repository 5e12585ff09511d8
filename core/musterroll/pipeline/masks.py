"""Finds the secrets that stand in the pipeline files themselves, so that nothing ever prints them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.options import SecretRef
from musterroll.contract.secret import MASK
from musterroll.pipeline.layers import NAMED
from musterroll.pipeline.origins import KeyPath, Node, TomlTable, leaves, located, plain

# What an option that holds a secret ends in, however it is written: client_secret, apiKey, bind-password.
KEY_TO_MASK = r"(?:pass(?:word|wd|phrase)|pwd|secret|token|(?:api|access|private)[_-]?key|authorization|credentials?)"
_SOUNDS_SECRET = late_pattern(KEY_TO_MASK + "$", re.IGNORECASE)
# In addresses and connection strings: https://user:SECRET@host, …?token=SECRET, host=x password=SECRET
_IN_ADDRESS = late_pattern(r"(://[^/@\s:]*:)[^/@\s]+(?=@)|(" + KEY_TO_MASK + r"\s*=\s*)[^&;\s]+", re.IGNORECASE)


def literal_secrets(options: BaseModel, node: Node) -> Iterator[KeyPath]:
    """Yields the paths inside `node` whose values are secrets themselves, not references to them."""
    for location, ref in secrets_in(options):
        path = located(node, location)
        if ref.is_literal and len(path) == len(location):
            yield path


def secrets_in(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, SecretRef]]:
    """Yields the path and the reference of every secret inside options. One with an alias comes twice."""
    if isinstance(value, SecretRef):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            for key in {name, info.alias or name}:
                yield from secrets_in(getattr(value, name), (*path, key))
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from secrets_in(child, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for i, child in enumerate(value):
            yield from secrets_in(child, (*path, i))


def masked_settings(
    tree: TomlTable, secrets: Collection[KeyPath], others: Mapping[KeyPath, str] = MappingProxyType({})
) -> dict[str, Any]:
    """Returns the merged TOML as plain data, without any secret.

    Besides the known secrets, texts of plugins' options that sound like one are masked.

    Args:
        tree: the merged pipeline.
        secrets: the paths of the known secrets.
        others: texts to put in the place of those at some paths.
    """
    texts = ((path, others.get(path, value)) for path, value in leaves(tree))
    masks = {path: _masked(path, value) for path, value in texts if isinstance(value, str)}
    shown: dict[str, Any] = plain(tree, {**masks, **dict.fromkeys(secrets, MASK)})
    return shown


def sounds_secret(path: KeyPath) -> bool:
    """Whether a key is called like a secret."""
    return any(isinstance(key, str) and _SOUNDS_SECRET.search(key) for key in path[-2:])


def holds_secret(tree: TomlTable, path: KeyPath, secrets: Collection[KeyPath]) -> bool:
    """Whether the value at a path is, or has in it, a secret."""
    return any(
        found in secrets or (isinstance(value, str) and _masked(found, value) != value)
        for found, value in leaves(tree)
        if found[: len(path)] == path
    )


def _masked(path: KeyPath, value: str) -> str:
    inside = inside_options(path)
    if not inside:
        return value
    keys = [key for key in inside if isinstance(key, str)]
    if keys and _SOUNDS_SECRET.search(keys[-1]):
        return MASK
    return masked_address(value)


def masked_address(text: str) -> str:
    """Returns a text with the secrets masked that stand in addresses and connection strings."""
    return _IN_ADDRESS.sub(lambda match: f"{match.group(1) or match.group(2)}{MASK}", text)


def inside_options(path: KeyPath) -> KeyPath:
    """The part of a path that is inside a plugin's options."""
    if path[:1] == ("readers",) or path[:2] in (("backend", "options"), ("reader", "options")):
        return path[2:]
    return path[3:] if path[:1] in NAMED and path[2:3] == ("options",) else ()
