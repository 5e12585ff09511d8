"""How portals change the spelling of what they store."""

from __future__ import annotations

from typing import Literal, TypeAlias

Spelling: TypeAlias = Literal["lower-case", "lower-case-domain"]


def respelt(text: str, how: Spelling | None) -> str:
    """Returns a text as the portal will store it."""
    match how:
        case "lower-case":
            return text.lower()
        case "lower-case-domain":
            local, at, domain = text.rpartition("@")
            return f"{local}{at}{domain.lower()}"
    return text
