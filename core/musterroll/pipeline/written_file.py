"""A file of the chain as it is written: where its keys stand, and lines of it for messages.

What may be a secret is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.secret import MASK
from musterroll.pipeline.masks import KEY_TO_MASK, masked_address
from musterroll.pipeline.origins import KeyPath

if TYPE_CHECKING:
    from musterroll.pipeline.positions import Position

_SECRET_AND_REST = late_pattern(rf"""({KEY_TO_MASK}["']?\s*[=:]\s*(?!\s*\{{))(\S.*)$""", re.IGNORECASE)
_WIDEST = 90
_BEFORE = 40  # characters that are shown before the place in a line that is too long


class Spot(NamedTuple):
    """Where something stands.

    Attributes:
        line: the line, from 1.
        excerpt: it, and a mark below the place.
    """

    line: int
    excerpt: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Written:
    """A file: its text, and what it says.

    Attributes:
        text: with one character at the end of a line.
        data: what it says, as tomllib reads it.
    """

    text: str
    data: Mapping[str, Any]

    def spot(self, path: KeyPath, *, with_value: bool) -> Spot | None:
        """Finds a key, or the table that it should be in; None where neither is there.

        Args:
            path: the key, with names for elements of arrays of tables.
            with_value: whether the value may be shown; else only what stands before it.
        """
        own = self._with_indexes(path)
        known = next((own[:n] for n in range(len(own), 0, -1) if own[:n] in self._positions), None)
        if known is None:
            return None
        position = self._positions[known]
        line = self.text.count("\n", 0, position.start) + 1
        if position.start == position.value and self.text.startswith("[", position.start):
            return Spot(line, excerpt(self.text, position.start))  # the head of a table
        return Spot(line, self._part(position, line, with_value=with_value and known == own))

    @cached_property
    def _positions(self) -> dict[KeyPath, Position]:
        from musterroll.pipeline.positions import Positions  # noqa: PLC0415 -- only where there is a mistake

        return Positions(self.text).found

    def _part(self, position: Position, line: int, *, with_value: bool) -> tuple[str, ...]:
        """Shows the key and its value only: others on the line may be secrets."""
        start, value, end = position
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        margin = before if not before.strip() else "… "
        if with_value:
            shown, at = self.text[start:end].partition("\n")[0], value - start
        else:
            shown, at = f"{self.text[start:value]}…", 0
        (first, mark) = excerpt(f"{margin}{shown}", len(margin) + at)
        return (f"{line:>5}{first[5:]}", mark)

    def _with_indexes(self, path: KeyPath) -> KeyPath:
        found: list[str | int] = []
        here: Any = self.data
        for key in path:
            if isinstance(here, list) and isinstance(key, str):
                named = (i for i, one in enumerate(here) if isinstance(one, Mapping) and one.get("name") == key)
                step: str | int = next(named, -1)
            else:
                step = key
            found.append(step)
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                here = None
        return tuple(found)


def shows_secret(line: str) -> bool:
    """Whether a line says something that sounds like a secret."""
    return _masked(line) != line


def excerpt(text: str, at: int) -> tuple[str, ...]:
    """Returns the line of a place, with its number, and a mark below the place.

    Args:
        text: the file.
        at: the place, as an index into the text.
    """
    start = text.rfind("\n", 0, at) + 1
    line, column = text[start:].partition("\n")[0].rstrip("\r"), at - start
    masked = _masked(line).replace("\t", " ")
    first = max(0, column - _BEFORE) if len(masked) > _WIDEST else 0
    shown = masked[first : first + _WIDEST]
    place = min(column - first, len(shown))
    number = f"{text.count(chr(10), 0, start) + 1:>5}"
    return f"{number} | {shown.rstrip()}", f"{' ' * len(number)} | {' ' * place}^"


def _masked(line: str) -> str:
    return masked_address(_SECRET_AND_REST.sub(lambda match: f"{match[1]}{MASK}", line))
