"""Text that was UTF-8 and was read as something else: "MÃ¼ller", "Oâ€™Brien", "РњР°СЂРёСЏ"."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

_LATIN = "\u00c0-\u017f\u01a0\u01a1\u01af\u01b0\u0218-\u021b\u1e00-\u1eff"
_SIGNS = "\u00a0-\u00bf\u2010-\u2027\u2030-\u203a\u20ac\u2122\ufffd"
_LATIN_LETTERS = re.compile(f"[{_LATIN}]")
_NOT_LATIN = re.compile(f"[^{_LATIN}{_SIGNS}]")
# "à" and a space that cannot be broken have a space as their second half, which may have been trimmed or replaced.
_HALVES = re.compile(r"(?<=[a-z])([ÃÂ])(?=\s|\Z)")
_HALF = {"Ã": "à", "Â": ""}
_MOST_TIMES = 3
_WESTERN, _CYRILLIC = "cp1252", "cp1251"


class _Misreading(NamedTuple):
    """How UTF-8 looks when it is read in another encoding.

    Attributes:
        encoding: that encoding.
        runs: the pattern of characters that together are UTF-8; made ready when a text looks like that, as few do.
        octets: the byte of each character.
        following: the characters of all bytes but the first.
    """

    encoding: str
    runs: str
    octets: dict[str, int]
    following: str


def _misreading(encoding: str) -> _Misreading:
    # Programs read a byte that has no character as the control of its number.
    characters = [bytes([octet]).decode(encoding, "ignore") or chr(octet) for octet in range(256)]

    def one_of(first: int, last: int) -> str:
        controls = map(chr, range(max(first, 0x80), min(last, 0x9F) + 1))  # as Latin-1 has them
        return re.escape("".join([*characters[first : last + 1], *controls]))

    following = one_of(0x80, 0xBF)
    lengths = ((0xF0, 0xF4, 3), (0xE0, 0xEF, 2), (0xC2, 0xDF, 1))
    runs = "|".join(f"[{one_of(first, last)}][{following}]{{{more}}}" for first, last, more in lengths)
    octets = {chr(octet): octet for octet in range(0x80, 0xA0)}
    octets |= {character: octet for octet, character in enumerate(characters)}
    return _Misreading(encoding, f"(?:{runs})+", octets, following)


@cache  # a sheet of ASCII needs none of it
def _misreadings() -> tuple[_Misreading, ...]:
    """Those of Windows in the West, the middle and the East of Europe, of old Macs, and of DOS."""
    return tuple(map(_misreading, (_WESTERN, "mac_roman", "cp850", "cp437", "cp1250", _CYRILLIC)))


@cache
def _suspicious() -> re.Pattern[str]:
    """Most values need no closer look than this."""
    following = "".join(misreading.following for misreading in _misreadings())
    return re.compile(rf"[^\x00-\x7f][{following}]|{_HALVES.pattern}")


class Repaired(NamedTuple):
    """A text that was read in the wrong encoding.

    Attributes:
        text: what it was; None where not all of it can be had back.
        piece: a piece of it as it stands, for messages.
    """

    text: str | None
    piece: str


def repaired(text: str) -> Repaired | None:
    """Returns what a text was before it was read in the wrong encoding; None for one that seems to be as it should."""
    if text.isascii() or not _suspicious().search(text):
        return None
    piece, whole = "", True
    for _ in range(_MOST_TIMES):
        step = _once(text)
        if step is None:
            break
        text, found, is_whole = step
        piece, whole = piece or found, whole and is_whole
    if not piece:
        return None
    return Repaired(unicodedata.normalize("NFC", text) if whole and "\ufffd" not in text else None, piece)


def _once(text: str) -> tuple[str, str, bool] | None:
    """Returns the text decoded once more, what was wrong in it, and whether all of it is certain."""
    best: tuple[int, str, str, bool] | None = None
    for misreading in _misreadings():
        found = [(run, decoded) for run in re.finditer(misreading.runs, text) if (decoded := _decoded(run, misreading))]
        sure = [run for run, decoded in found if _is_sure(text, run, decoded, misreading.encoding)]
        if not sure:
            continue
        place, pieces, whole = 0, list[str](), True
        for run, decoded in found:
            pieces += text[place : run.start()], decoded
            place = run.end()
            whole = whole and not any(not c.isascii() and c.isalpha() for c in _around(text, run))
        better, size = "".join(pieces) + text[place:], sum(len(run[0]) for run in sure)
        if best is None or size > best[0]:
            best = size, better, sure[0][0], whole
        elif size == best[0] and better != best[1]:
            best = (*best[:3], False)
    if best is not None:
        return _with_halves(best[1]), *best[2:]
    half = _HALVES.search(text)
    return (_with_halves(text), half[0], True) if half is not None else None


def _with_halves(text: str) -> str:
    return _HALVES.sub(lambda half: _HALF[half[0]], text)


def _decoded(run: re.Match[str], misreading: _Misreading) -> str:
    try:
        return bytes(misreading.octets[character] for character in run[0]).decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _around(text: str, run: re.Match[str]) -> tuple[str, str]:
    return text[max(run.start() - 1, 0) : run.start()], text[run.end() : run.end() + 1]


def _is_sure(text: str, run: re.Match[str], decoded: str, encoding: str) -> bool:
    """Whether characters that could be UTF-8 are: capitals with accents stand beside dashes and each other in names."""
    before, after = _around(text, run)
    is_in_ascii = any(c.isascii() and c.isalpha() for c in (before, after))
    foreign = _NOT_LATIN.findall(decoded)
    if foreign:
        # Another script: a word of its own, with no Latin letter in it or beside it.
        letters = all(unicodedata.category(c)[0] in "LM" for c in foreign)
        mixed = is_in_ascii or _LATIN_LETTERS.search(decoded) is not None
        # In the West's encoding a few bytes have no character, so that a half of one may stand beside it.
        part_of_a_word = encoding != _WESTERN and any(c.isalpha() for c in (before, after))
        in_use = encoding != _CYRILLIC or all("\u0400" <= c <= "\u045f" or c in "Ґґ" for c in foreign)
        return len(foreign) > 1 and letters and not mixed and not part_of_a_word and in_use
    if encoding == _CYRILLIC:  # "Ві" is the beginning of many names, but not beside a Latin letter
        return is_in_ascii and all(c.isascii() or not c.isalpha() for c in (before, after))
    if run[0][0] == "Ã" or (run[0][0] == "Â" and not run[0][1].isupper()) or not before.isupper():
        return True
    return any(c.islower() or not (c.isalpha() or c in "–—‘’“”…„‚™") for c in run[0])
