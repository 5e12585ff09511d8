"""What a placeholder can do to its value: `{surname|ascii|lower}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from musterroll.contract.late_patterns import late_pattern

# As passports have it (ICAO Doc 9303, part 3, section 6); all other letters as the library writes them.
_IN_PASSPORTS = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
_LETTERS = late_pattern("[äöüåøÄÖÜÅØ]")
_WORD = late_pattern(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_NO_LETTER = late_pattern(r"[\W_]+")


def ascii_text(text: str) -> str:
    """Writes a text in ASCII: Müller is Mueller, Łukasz is Lukasz, Ольга is Ol'ga."""
    if text.isascii():
        return text
    from anyascii import anyascii  # noqa: PLC0415 -- most pipelines never need it

    spelt = _LETTERS.sub(lambda match: _in_passports(text, match), text)
    return str(anyascii(spelt))


def _in_passports(text: str, match: re.Match[str]) -> str:
    letter = match[0]
    written = _IN_PASSPORTS[letter.lower()]
    if letter.islower():
        return written
    around = text[max(match.start() - 1, 0) : match.end() + 1].replace(letter, "")
    return written.upper() if around.isupper() else written.title()


def title_text(text: str) -> str:
    """Begins words with a capital that are in capitals or in small letters throughout; others stay: McKay."""
    return _WORD.sub(lambda match: _titled(match[0]), text)


def _titled(word: str) -> str:
    if not (word.isupper() or word.islower()):
        return word
    return re.sub(r"[^\W\d_]+", lambda part: part[0][:1].upper() + part[0][1:].lower(), word)


FILTERS: Mapping[str, Callable[[str], str]] = {
    "ascii": ascii_text,
    "first": lambda text: text[:1],
    "letters": lambda text: _NO_LETTER.sub("", text),
    "lower": str.lower,
    "title": title_text,
    "upper": str.upper,
}
"""The filters by name. `letters` keeps letters and digits only, `first` the first character."""
