"""Text with placeholders: `{forename} {surname}`. Names only; nothing in a template can compute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|[{}]")
_Part: TypeAlias = tuple[bool, str]  # (is a placeholder, its name or the literal text)


@dataclass(frozen=True)
class Template:
    """A text with `{name}` placeholders; `{{` and `}}` stand for the braces themselves.

    Raises:
        ValueError: a brace that is neither doubled nor part of a placeholder.
    """

    text: str
    _parts: tuple[_Part, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts: list[_Part] = []
        end = 0
        for match in _TOKEN.finditer(self.text):
            parts.append((False, self.text[end : match.start()]))
            token = match.group()
            if token in ("{", "}"):
                raise ValueError(
                    f'a single "{token}" in "{self.text}"; write "{token}{token}" for the character itself'
                )
            parts.append((True, match.group(1)) if match.group(1) else (False, token[0]))
            end = match.end()
        parts.append((False, self.text[end:]))
        object.__setattr__(self, "_parts", tuple(part for part in parts if part[1]))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The placeholders' names in the order of their first appearance."""
        return tuple(dict.fromkeys(text for is_name, text in self._parts if is_name))

    def fill(self, values: Mapping[str, str]) -> str:
        """Puts the values in.

        Raises:
            KeyError: a placeholder has no value.
        """
        return "".join(values[text] if is_name else text for is_name, text in self._parts)
