"""How text is cleaned, compared and addressed, in one place for sheet, groups and backends."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

# Characters that nobody sees at the end of a cell and that `str.strip` leaves there.
_INVISIBLE_EDGE = "\u200b‌‍⁠﻿"
# Invisible although not of category Cf: grapheme joiner, Hangul and Khmer fillers, variation selectors.
_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10)}


def clean(text: str) -> str:
    """Trims a value and brings it to Unicode NFC.

    Invisible characters at the ends go with the white space around them.
    """
    if text.isascii():
        return text.strip()
    before = None
    while text != before:
        before = text
        text = text.strip().strip(_INVISIBLE_EDGE)
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Folds a name for comparison: NFKC, case-folded, without invisible characters.

    Two names that fold to the same text are the same name. Idempotent.
    """
    if text.isascii():
        return text.strip().lower() if text.isprintable() else _fold_fully(text)
    return _fold_fully(text)


def _fold_fully(text: str) -> str:
    before = None
    # Case folding can undo normalisation and the other way round; two or three rounds reach the fixed point.
    while text != before:
        before = text
        text = unicodedata.normalize("NFKC", text).casefold()
        text = "".join(c for c in text if ord(c) not in _INVISIBLE and unicodedata.category(c) != "Cf").strip()
    return text


def column_letter(index: int) -> str:
    """Returns the spreadsheet letters of a column: 0 is A, 25 is Z, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def nearest(word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Returns the candidate most like `word`, compared folded, or None where none is near."""
    by_folded = {fold(candidate): candidate for candidate in candidates}
    found = get_close_matches(fold(word), by_folded, n=1, cutoff=cutoff)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Returns `, did you mean "x"?` for the nearest candidate, or nothing."""
    found = nearest(word, candidates)
    return f', did you mean "{found}"?' if found else ""
