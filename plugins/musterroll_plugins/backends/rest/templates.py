"""Requests and bodies as they are written in a pipeline file, with placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from musterroll import Template
from musterroll_http import quoted

_LINE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[^\s?#]*)(?:\?([^#\r\n]*))?")
_ABSENT = object()
PASSWORD = "password"  # noqa: S105 -- the name of a placeholder


@dataclass(frozen=True, slots=True)
class RequestLine:
    """`GET /users/{user}?brief=true`: a method, a path and a query. What is filled in is quoted."""

    method: str
    path: Template
    query: tuple[tuple[str, Template], ...]

    @classmethod
    def parse(cls, text: str) -> RequestLine:
        """Reads one.

        Raises:
            ValueError: it is none.
        """
        match = _LINE.fullmatch(text)
        if match is None:
            raise ValueError(f'write a method and a path, as "GET /users", not "{text[:80]}"')
        pairs = [part.partition("=") for part in (match[3] or "").split("&") if part]
        query = tuple((name, Template(value)) for name, _, value in pairs)
        return cls(match[1], Template(match[2]), query)

    @property
    def names(self) -> set[str]:
        """The placeholders in it."""
        return {name for template in (self.path, *(value for _, value in self.query)) for name in template.names}

    def fill(self, values: Mapping[str, str]) -> tuple[str, dict[str, str | int]]:
        """Returns path and query."""
        path = self.path.fill({name: quoted(values[name]) for name in self.path.names})
        return path, {name: value.fill(values) for name, value in self.query}


def placeholders(template: Any) -> Iterator[str]:
    """Yields the placeholders in a body.

    Raises:
        ValueError: a text in it has a brace that belongs to none.
    """
    match template:
        case str():
            yield from Template(template).names
        case dict():
            for value in template.values():
                yield from placeholders(value)
        case list():
            for value in template:
                yield from placeholders(value)


def fill(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Fills in a body. What comes to nothing is left out; so is a table about a password, where there is none.

    Args:
        template: texts with placeholders, numbers, truth values, tables and lists.
        values: by placeholder; an empty one is none.
    """
    found = _filled(template, values, at_top=True)
    return found if isinstance(found, dict) else {}


def _filled(template: Any, values: Mapping[str, str], *, at_top: bool = False) -> Any:
    match template:
        case str():
            made = Template(template)
            text = made.fill({name: values.get(name, "") for name in made.names})
            if made.names:
                # Between words that are missing there is no gap; a password is taken as it is.
                text = text if PASSWORD in made.names else " ".join(text.split())
            return text if text or not made.names else _ABSENT
        case dict():
            if not at_top and not values.get(PASSWORD) and PASSWORD in map(_only, template.values()):
                return _ABSENT
            inner = {name: _filled(value, values) for name, value in template.items()}
            kept = {name: value for name, value in inner.items() if value is not _ABSENT}
            return kept if kept or not template or at_top else _ABSENT
        case list():
            parts = [part for value in template if (part := _filled(value, values)) is not _ABSENT]
            return parts if parts or not template else _ABSENT
    return template


def _only(value: Any) -> str:
    """The placeholder that a text consists of."""
    names = Template(value).names if isinstance(value, str) else ()
    return names[0] if len(names) == 1 else ""
