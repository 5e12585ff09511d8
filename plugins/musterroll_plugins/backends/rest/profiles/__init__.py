"""Portals that are described already: a TOML file each, with the options of the backend `rest`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from musterroll import did_you_mean

# Tables that say how one thing is done: whoever says that differently says it whole.
_AS_A_WHOLE = frozenset({"body"})


def names() -> list[str]:
    """The names of all profiles."""
    return sorted(
        file.name.removesuffix(".toml") for file in files(__package__).iterdir() if file.name.endswith(".toml")
    )


@cache
def _profile(name: str) -> Mapping[str, Any]:
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text(encoding="utf-8"))


def with_profile(options: Mapping[str, Any]) -> dict[str, Any]:
    """Puts options over those of the profile that they choose.

    Raises:
        ValueError: there is no such profile.
    """
    name = options.get("profile")
    if not isinstance(name, str):
        return dict(options)
    if name not in names():
        which = did_you_mean(name, names()) or f"; there are {', '.join(names())}"
        raise ValueError(f'there is no profile "{name}"{which}')
    return _over(_profile(name), options)


def _over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(value, str) and isinstance(below, Mapping) and "request" in below:
            value = {"request": value}  # noqa: PLW2901 -- the short form
        if isinstance(value, Mapping) and isinstance(below, Mapping) and key not in _AS_A_WHOLE:
            value = _over(below, value)  # noqa: PLW2901
        merged[key] = value
    return merged
