"""Text with placeholders: `{forename} {surname|lower}`. Names and filters; nothing in a template can compute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from musterroll.contract.filters import FILTERS
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.text import did_you_mean

_TOKEN = late_pattern(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)((?:(?:\s*\|\s*[A-Za-z_]+)+\s*)?)\}|[{}]")


class _Part(NamedTuple):
    """A literal text, or a placeholder's name with its filters."""

    text: str
    is_name: bool = False
    filters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """A text with `{name}` placeholders; `{{` and `}}` stand for the braces themselves.

    A placeholder can have filters, which are used in order: `{surname|ascii|lower}`. They are `ascii`, `first` (the
    first character), `letters` (letters and digits only), `lower`, `title` and `upper`.

    Raises:
        ValueError: a brace that is neither doubled nor part of a placeholder, or an unknown filter.
    """

    text: str
    _parts: tuple[_Part, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts: list[_Part] = []
        end = 0
        for match in _TOKEN.finditer(self.text):
            parts.append(_Part(self.text[end : match.start()]))
            token = match.group()
            if token in ("{", "}"):
                raise ValueError(
                    f'a single "{token}" in "{self.text}"; write "{token}{token}" for the character itself'
                )
            parts.append(_placeholder(match) if match.group(1) else _Part(token[0]))
            end = match.end()
        parts.append(_Part(self.text[end:]))
        object.__setattr__(self, "_parts", tuple(part for part in parts if part.text))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The placeholders' names in the order of their first appearance."""
        return tuple(dict.fromkeys(part.text for part in self._parts if part.is_name))

    def fill(self, values: Mapping[str, str]) -> str:
        """Puts the values in.

        Raises:
            KeyError: a placeholder has no value.
        """
        return "".join(_filled(part, values) if part.is_name else part.text for part in self._parts)

    def lacks(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Returns the names of which nothing is left once they are put in: blank, or taken away by a filter.

        Raises:
            KeyError: a placeholder has no value.
        """
        blank = (part.text for part in self._parts if part.is_name and not _filled(part, values).strip())
        return tuple(dict.fromkeys(blank))


def _placeholder(match: re.Match[str]) -> _Part:
    filters = tuple(name.strip() for name in match.group(2).split("|")[1:])
    for name in filters:
        if name not in FILTERS:
            hint = did_you_mean(name, FILTERS) or f"; the filters are {', '.join(FILTERS)}"
            raise ValueError(f'unknown filter "{name}" in "{match.group()}"{hint}')
    return _Part(match.group(1), is_name=True, filters=filters)


def _filled(part: _Part, values: Mapping[str, str]) -> str:
    text = values[part.text]
    for name in part.filters:
        text = FILTERS[name](text)
    return text
