"""Guesses the encoding of text that is neither marked nor valid UTF-8.

Windows-1252 is what such a file is. Another encoding must be proved by the words of the file: enough of them are no
words of any Western European language, and in the other encoding nearly all are words of one language. Names are too
few and too short for statistics of letters, which is why none of the usual libraries can tell neighbours apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from musterroll_plugins.readers.csv.alphabets import ALPHABETS, EAST_ASIAN, Alphabet

DEFAULT, _OLD_MAC = "cp1252", "mac_roman"
# Less than this is chance: a foreign name, a sign that is glued to a word.
_LETTERS, _SHARE = 4, 0.1
# What proves a language: so many of the words are its words.
_PROOF = 0.95
# Words that each fit another language than the next one speak for a language that has all of their letters, but only
# if there are many: a company has people from everywhere.
_MANY, _INCOHERENT, _STRONG_PROOF, _DIFFERENT = 20, 0.9, 0.98, 6
_EAST_ASIAN_PROOF, _EAST_ASIAN_CHARACTERS = 0.85, 4

# What stands inside and around words without being part of them.
_BETWEEN = re.compile("[\\s‘’´`–—·\u00ad]+")
_BEFORE, _AFTER = "“„‚«»‹›¡¿§•(\u200e\u200f", "“”«»‹›…®™©°€•\u200e\u200f"
_ORDINAL = re.compile("[A-Za-z]{1,2}[ªº]")


@dataclass(slots=True)
class _Fit:
    """How well words fit an encoding and its languages, as shares of the words.

    Attributes:
        codec: the encoding.
        words: how many words there are in this encoding.
        one: of the language that they fit best.
        any: of all of its languages together.
        misfits: the words of no language.
        common: how many of the letters are frequent ones of the best language; 0 for Latin letters.
    """

    codec: str
    words: int
    one: float
    any: float
    misfits: list[bytes]
    common: float


def guess(words: Collection[bytes], text: bytes, *, old_mac: bool, decodes: Callable[[str], bool]) -> str | None:
    """Returns the encoding; None where none can be found that decodes everything.

    Args:
        words: different words that are not ASCII.
        text: lines that are not ASCII, for encodings whose words are not known by their bytes.
        old_mac: whether the lines end as on the Macs of old, whose encoding then takes the place of that of Windows,
            unless the words fit it less.
        decodes: whether an encoding decodes the whole file.
    """
    plain = _fit(words, DEFAULT)
    if old_mac and (mac := _fit(words, _OLD_MAC)).any >= plain.any:
        plain = mac
    default = plain.codec
    needed, different = _PROOF, 0
    decoded = decodes(default)
    if decoded:
        doubtful = (
            sum(sum(byte > 0x7F for byte in word) for word in plain.misfits) >= _LETTERS
            and len(plain.misfits) >= _SHARE * plain.words
        )
        if not doubtful:
            if plain.words < _MANY or plain.one > _INCOHERENT:
                return default
            needed, different = _STRONG_PROOF, _DIFFERENT
    fits = [fit for codec in ALPHABETS if codec != default and (fit := _fit(words, codec)).words >= 0.8 * plain.words]
    fits += [_Fit(codec, 1, share, share, [], 0.5) for codec in EAST_ASIAN if (share := _east_asian(text, codec))]
    fits.sort(key=lambda fit: (-round(fit.one, 1), -round(fit.common, 1), -fit.one))
    for fit in fits:
        enough = fit.one >= (needed if fit.codec not in EAST_ASIAN else _EAST_ASIAN_PROOF)
        if enough and _differing(words, fit.codec, default) >= different and decodes(fit.codec):
            return fit.codec
    if decoded:
        return default
    fits.sort(key=lambda fit: -fit.any)
    return next((fit.codec for fit in fits if fit.any >= 0.5 and decodes(fit.codec)), None)


def _differing(words: Collection[bytes], codec: str, default: str) -> int:
    return sum(word.decode(codec, "replace") != word.decode(default, "replace") for word in words)


def _fit(words: Collection[bytes], codec: str) -> _Fit:
    alphabets = ALPHABETS[codec]
    scores = [0.0] * len(alphabets)
    common = [0] * len(alphabets)
    count = letters = 0
    explained = 0.0
    misfits = []
    for raw in words:
        pieces = _pieces(raw.decode(codec, "replace"))
        if pieces is None:
            continue
        count += 1
        found = [min(_explains(alphabet, piece) for piece in pieces) for alphabet in alphabets]
        best = max(found)
        explained += best
        if not best:
            misfits.append(raw)
        for index, score in enumerate(found):
            scores[index] += score
            if not alphabets[index].latin:
                common[index] += sum(letter in alphabets[index].common for piece in pieces for letter in piece)
        letters += sum(map(len, pieces))
    if not count:
        return _Fit(codec, 0, 0, 0, [], 0)
    best_index = max(range(len(scores)), key=lambda index: (scores[index], common[index]))
    return _Fit(codec, count, scores[best_index] / count, explained / count, misfits, common[best_index] / letters)


def _pieces(word: str) -> list[str] | None:
    """The parts of a word that are not ASCII; None where there are only signs, or ASCII beside them."""
    pieces = []
    for part in _BETWEEN.split(word):
        bare = part.lstrip(_BEFORE).rstrip(_AFTER)
        if not bare.isascii() and any(map(str.isalpha, bare)) and not _ORDINAL.fullmatch(bare):
            pieces.append(bare)
    return pieces or None


def _explains(alphabet: Alphabet, word: str) -> float:
    """Whether it can be a word of the language: its letters, and capitals only where words have them."""
    foreign = [letter for letter in word if letter > "\x7f"]
    if not alphabet.all.issuperset(foreign):
        return 0
    if not alphabet.latin:
        if len(foreign) < len(word) or "ς" in word[:-1]:
            return 0
        cased = word.upper() != word.lower()
        rest = word[1:]
        if cased and not (rest == rest.lower() or word == word.upper()):
            return 0
        return 0.9 if cased and word == word.lower() else 1
    if word == word.upper() or (len(word) == 2 and word == word.title()):
        return 1
    plain = [letter for letter in word if letter.isascii()]
    if len(plain) > 1 and all(map(str.isupper, plain)):
        return "ß" in foreign
    return not any(map(str.isupper, (letter for letter in word[1:] if letter > "\x7f")))


def _east_asian(text: bytes, codec: str) -> float:
    """The share of frequent characters among those that are not ASCII."""
    characters = [letter for letter in text.decode(codec, "replace") if letter > "\x7f"]
    if len(characters) < _EAST_ASIAN_CHARACTERS:
        return 0
    return sum(map(_FREQUENT[codec], characters)) / len(characters)


def _lead(letter: str, codec: str, first: int, last: int) -> bool:
    try:
        encoded = letter.encode(codec)
    except UnicodeEncodeError:
        return False
    return len(encoded) == 2 and first <= encoded[0] <= last


_FREQUENT: dict[str, Callable[[str], bool]] = {
    "cp932": lambda letter: "\u3040" <= letter <= "\u30ff" or _lead(letter, "cp932", 0x88, 0x97),
    "gb18030": lambda letter: _lead(letter, "gb2312", 0xB0, 0xD7),
    "cp949": lambda letter: _lead(letter, "euc_kr", 0xB0, 0xC8),
    "big5": lambda letter: _lead(letter, "big5", 0xA4, 0xC6),
}
