"""How text is cleaned, compared and addressed, in one place for sheet, groups and backends."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.translation import gettext

# What Unicode calls default ignorable, and the marks of interlinear annotation: nobody sees these.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_BRAILLE_BLANK = "\u2800"  # a space to the eye, a symbol to Unicode
_ALL_INVISIBLE = late_pattern(f"[{INVISIBLE}]+")
_NOTHING_TO_SEE = late_pattern(f"[{INVISIBLE}{_BRAILLE_BLANK}\\s]*")
# Trimmed besides white space. Not all that is invisible: a variation selector belongs to the character before it.
_EDGE = _BRAILLE_BLANK + "".join(
    map(chr, (0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF))
)

# What a spreadsheet program takes for the beginning of a formula, at once or after it has trimmed the cell. Its wide
# forms count in Japanese and Chinese ones.
_FORMULA = late_pattern(r"[\t\r]|\s*[=+\-@＝＋－＠|%]")


def clean(text: str) -> str:
    """Trims a value and brings it to Unicode NFC.

    Invisible characters at the ends go with the white space around them, and a text of nothing else is empty.
    Idempotent.
    """
    if text.isascii():
        return text.strip()
    before = None
    while text != before:
        before = text
        text = text.strip().strip(_EDGE)
    return "" if _NOTHING_TO_SEE.fullmatch(text) else unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Folds a name for comparison: NFKC, case-folded, without invisible characters.

    Two names that fold to the same text are the same name. Idempotent.
    """
    if text.isascii():
        return text.strip().lower()
    before = None
    # Case folding can undo normalisation and the other way round; two or three rounds reach the fixed point.
    # Invisible characters go first, since they keep what is around them from being normalised together.
    while text != before:
        before = text
        text = _ALL_INVISIBLE.sub("", text.replace(_BRAILLE_BLANK, " "))
        text = unicodedata.normalize("NFKC", text).casefold().strip()
    return text


def no_formula(text: str) -> str:
    """Returns a text that no spreadsheet program computes: what looks like a formula begins with an apostrophe."""
    return f"'{text}" if _FORMULA.match(text) else text


def visible(text: str) -> str:
    """Spells out what nobody sees, or what would turn the text around it. Wide blanks are ordinary."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def fold_heading(text: str) -> str:
    """Folds a heading for comparison: as a name, and runs of white space count as one space."""
    return " ".join(fold(text).split())


def column_letter(index: int) -> str:
    """Returns the spreadsheet letters of a column: 0 is A, 25 is Z, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """Returns the index of a column by its spreadsheet letters: of A it is 0, of AA 26."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def nearest(word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Returns the candidate most like `word`, compared folded, or None where none is near."""
    by_folded = {fold(candidate): candidate for candidate in candidates}
    found = get_close_matches(fold(word), by_folded, n=1, cutoff=cutoff)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Returns `, did you mean "x"?` for the nearest candidate, or nothing."""
    found = nearest(word, candidates)
    return f', did you mean "{found}"?' if found else ""


def known_names(word: str, names: Iterable[str], intro: str) -> str:
    """Returns the nearest of some names, as `did_you_mean`, and after it all of them.

    Args:
        word: what was said instead.
        names: all there are.
        intro: what they are, e.g. `the profiles are`.
    """
    known = [*names]
    hint = did_you_mean(word, known)
    return f"{hint} {intro[:1].upper()}{intro[1:]} {', '.join(known)}" if hint else f"; {intro} {', '.join(known)}"


def meant_perhaps(word: str, candidates: Iterable[str]) -> str:
    """Says the same in the person's language: `did_you_mean` is for pipeline files, which are spoken of in English."""
    found = nearest(word, candidates)
    return gettext(', did you mean "{found}"?', found=found) if found else ""


def these_are(word: str, names: Iterable[str]) -> str:
    """Says in the person's language which of some names is the nearest, and all of them; see `known_names`."""
    known = [*names]
    hint = meant_perhaps(word, known)
    listed = ", ".join(known)
    return (
        gettext("{hint} These are {names}", hint=hint, names=listed)
        if hint
        else gettext("; these are {names}", names=listed)
    )


def is_one_slip(one: str, other: str) -> bool:
    """Whether one slip of the pen makes one text of the other.

    That is a letter more or less, another letter, or two neighbours in the wrong order.
    """
    if len(one) > len(other):
        one, other = other, one
    place = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(other) == len(one) + 1:
        return one[place:] == other[place + 1 :]
    if len(other) != len(one) or one == other:
        return False
    swapped = one[place + 1 : place + 2] + one[place : place + 1] + one[place + 2 :]
    return one[place + 1 :] == other[place + 1 :] or swapped == other[place:]
