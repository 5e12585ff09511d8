"""`--set KEY=VALUE` and flags: the layers that come from the command line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musterroll.contract.late_patterns import late_pattern
from musterroll.errors import Mistake
from musterroll.pipeline.key_types import meant
from musterroll.pipeline.layers import join, layer
from musterroll.pipeline.origins import KeyPath, Place, TomlTable

SET = "--set"
_BRACKET = late_pattern(r"\[([^\[\]\"]+)\]")
_FILE_ONLY = ("extends", "profiles")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `--set KEY=VALUE`: the key taken apart, the value as it was typed."""

    path: KeyPath
    text: str


def parse_sets(sets: Sequence[str], mistakes: list[Mistake]) -> tuple[Assignment, ...]:
    """Takes `--set` texts apart; what is none is added to `mistakes`."""
    found = []
    for text in sets:
        key, equals, value = text.partition("=")
        path = parse_key(key) if equals else None
        if path is None:
            mistakes.append(Mistake("", "write KEY=VALUE with a dotted key, e.g. invites.send_to=none", SET))
        elif path[0] in _FILE_ONLY:
            mistakes.append(Mistake(path[0], "can only be said in a pipeline file", SET))
        else:
            found.append(Assignment(path, value))
    return tuple(found)


def sets_layer(
    sets: Sequence[Assignment], types_of: Callable[[KeyPath], Iterable[Any]], folder: Path, mistakes: list[Mistake]
) -> TomlTable:
    """Makes the layer of all `--set` texts; they count as one, so their order does not matter for `use`.

    Args:
        sets: the texts, taken apart.
        types_of: the types of a key, none where they are not known.
        folder: what relative paths refer to.
        mistakes: takes what cannot be a layer.
    """
    place = Place(SET, folder, in_file=False)
    parts = [layer(_nested(one.path, meant(one.text, types_of(one.path))), place, mistakes) for one in sets]
    return join(parts, place)


def flags_layer(flags: Mapping[str, tuple[Any, str]], folder: Path, mistakes: list[Mistake]) -> TomlTable:
    """Makes the layer of flags: dotted key → value and the flag's name."""
    parts = []
    for key, (value, flag) in flags.items():
        path = parse_key(key)
        assert path is not None, key
        parts.append(layer(_nested(path, value), Place(flag, folder, in_file=False), mistakes))
    return join(parts, Place("flags", folder, in_file=False))


def flags_as_sets(flags: Mapping[str, tuple[Any, str]]) -> tuple[str, ...]:
    """Writes flags as `--set` texts, so that a job that began with them can go on with them."""
    return tuple(f"{key}={_value_text(value)}" for key, (value, _) in flags.items())


def parse_key(text: str) -> KeyPath | None:
    """Splits a dotted key; parts may be quoted. `validators[NAME].use` is read like `validators.NAME.use`.

    Returns:
        The parts, or None where the text is no dotted key.
    """
    dotted = _BRACKET.sub(lambda match: f'."{match.group(1)}"', text.strip())
    if "=" in dotted or not dotted.isprintable():
        return None
    try:
        found: Any = tomllib.loads(f"{dotted} = 0")
    except ValueError:
        return None
    path: list[str] = []
    while isinstance(found, dict):
        if len(found) != 1:  # somebody wrote a whole assignment, or a table head
            return None
        ((key, found),) = found.items()
        path.append(key)
    return tuple(path)


def _nested(path: KeyPath, value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {str(key): value}
    return value if isinstance(value, dict) else {}


def _value_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
