"""A line of a pipeline file with a mark below a place in it. What may be a secret is not shown."""

from __future__ import annotations

import re

from musterroll.contract.secret import MASK
from musterroll.pipeline.masks import KEY_TO_MASK, masked_address

_SECRET_AND_REST = re.compile(rf"""({KEY_TO_MASK}["']?\s*[=:]\s*(?!\s*\{{))(\S.*)$""", re.IGNORECASE)
_WIDEST = 90
_BEFORE = 40  # characters that are shown before the place in a line that is too long


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
