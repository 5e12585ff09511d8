"""Letters of other scripts that look like Latin ones."""

from __future__ import annotations

import unicodedata

from musterroll import fold

# Only pairs that most typefaces draw alike, each case for itself: Greek "Ν" looks like "N", "ν" like "v".
_CYRILLIC = dict(zip("аеорсухіјѕһԁԛԝѵӏАВЕЅІЈКМНОРСТУХԚԜ", "aeopcyxijshdqwvlABESIJKMHOPCTYXQW", strict=True))
_GREEK = dict(zip("αινορυϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aivopucjABEZHIKMNOPTYX", strict=True))
_ARMENIAN = dict(zip("օսոցհ", "ounqh", strict=True))
_LATIN = {"ı": "i", "ɑ": "a", "ɡ": "g", "ɩ": "i", "ʋ": "u", "ᴏ": "o"}
_TABLE = str.maketrans({**_CYRILLIC, **_GREEK, **_ARMENIAN, **_LATIN})


def skeleton(text: str) -> str:
    """Returns what a name looks like: folded, with look-alikes replaced by Latin letters.

    ASCII names are their own skeleton (folded). Idempotent.
    """
    # Compatibility forms first, so that the table need not have them. Folding comes after the table, since it
    # would turn a capital into a small letter that looks like something else; but it can bring up new ones.
    before, text = None, unicodedata.normalize("NFKC", text)
    while text != before:
        before, text = text, fold(text.translate(_TABLE))
    return text


def foreign_letters(text: str) -> str:
    """Describes the look-alikes in a name, e.g. `"а" (Cyrillic)`; empty where there is none."""
    found = dict.fromkeys(c for c in unicodedata.normalize("NFKC", text) if ord(c) in _TABLE)
    return ", ".join(f'"{c}" ({unicodedata.name(c, "other").split()[0].capitalize()})' for c in found)
