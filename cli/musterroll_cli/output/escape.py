"""Text of strangers on a terminal: what cannot be seen, or would command the terminal, is spelled out."""

from __future__ import annotations

import unicodedata

# Wide blanks are ordinary in names (U+3000 in Japanese ones); every other unprintable character is spelled out.
_HARMLESS = "Zs"


def visible(text: str) -> str:
    """Spells out control characters, escape sequences, invisible characters and direction overrides.

    The result is one line of printable characters, whatever comes in; text of printable characters stays
    as it is.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == _HARMLESS else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    code = ord(character)
    if character in "\n\r\t":
        return {"\n": r"\n", "\r": r"\r", "\t": r"\t"}[character]
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def shorten(text: str, width: int = 60) -> str:
    """Makes a text visible and cuts it, so that one absurd cell does not fill the screen."""
    text = visible(text)
    return text if len(text) <= width else text[: width - 1] + "…"
