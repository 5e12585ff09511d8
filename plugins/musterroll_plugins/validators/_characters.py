"""Characters that nobody sees or means: controls, invisible and damaged ones, those of private fonts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from musterroll import INVISIBLE, clean, gettext

_CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029"
_DAMAGED = "\ufffc\ufffd\ud800-\udfff"
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_BRAILLE_BLANK = "\u2800"
_FAULTY = f"[{_CONTROLS}{INVISIBLE}{_DAMAGED}{_PRIVATE}{_NONCHARACTERS}{_BRAILLE_BLANK}]"

# Scripts in which a joiner changes how letters are written: it belongs to the spelling of words and names.
_ARABIC = "\u0600-\u08ff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc\u1800-\u18af\ua840-\ua87f\U0001e900-\U0001e95f"
_INDIC = "\u0900-\u0dff\u0f00-\u109f\u1780-\u17ff\u19e0-\u19ff\ua8e0-\ua8ff\ua9e0-\ua9ff\U00011000-\U0001197f"
_IDEOGRAPHS = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_EMOJI = "\u00a9\u00ae\u203c\u2049\u2100-\u27ff\u2900-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_BELONGING = (
    # The end of a word counts in Indic scripts: many names in Malayalam end with a joiner.
    f"(?<=[{_INDIC}])[\u200c\u200d]",
    f"(?<=[{_ARABIC}])[\u200c\u200d](?=[{_ARABIC}])",
    "(?<=[\u1800-\u18af])[\u180b-\u180f]",
    "(?<=[\u1000-\u109f\ua840-\ua87f])\ufe00",
    f"(?<=[{_IDEOGRAPHS}])[{_SELECTORS}]",  # which of several forms: of consequence in Japanese names
    f"(?<=[{_EMOJI}])[\ufe0e\ufe0f]",
    "(?<=[0-9#*])\ufe0f(?=\u20e3)",
    f"(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])",
    "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f",  # the flags of regions
)
_CONTROL = re.compile(f"[{_CONTROLS}]")
_OF_ASCII = re.compile("([\x00-\x1f\x7f])")
_UNSEEN = re.compile(f"[{INVISIBLE}{_BRAILLE_BLANK}]")
_PRINTABLE = bytes(range(0x20, 0x7F))
_LINE_BREAKS = "\n\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"


_QUOTES = "\"'`´“”„‟‘’‚‛«»‹›＂＇"


def unquoted(text: str) -> str:
    """Returns the text without quotation marks around it, or one that is left over at its beginning or end."""
    return text.strip(_QUOTES).strip() if text[:1] in _QUOTES or text[-1:] in _QUOTES else text


@cache  # a sheet of ASCII needs none of them
def _any() -> re.Pattern[str]:
    return re.compile(_FAULTY)


@cache  # which takes long to make
def _search_all() -> re.Pattern[str]:
    return re.compile(f"{'|'.join(_BELONGING)}|({_FAULTY})")


def _search(text: str) -> re.Pattern[str]:
    return _OF_ASCII if text.isascii() else _search_all()


def faulty(text: str) -> Iterator[re.Match[str]]:
    """Yields the faulty characters of a text, one for each match, with their places.

    Joiners, variation selectors and tags count only where no letter or emoji needs them.
    """
    if text.isprintable() if text.isascii() else not _any().search(text):
        return
    for found in _search(text).finditer(text):
        if found[1]:
            yield found


def are_plain(lines: str, count: int) -> bool:
    """Whether lines, each after a line break, are so many texts of printable ASCII."""
    return lines.isascii() and len(lines.encode("ascii").translate(None, _PRINTABLE)) == count


def has_control(text: str) -> bool:
    """Whether there is a character that no keyboard types into a line: a control, a line break."""
    return not text.isprintable() and _CONTROL.search(text) is not None


def is_invisible(character: str) -> bool:
    """Whether names compare without it (`fold`): it is there and nobody sees it."""
    return _UNSEEN.match(character) is not None


def is_meaningless(character: str) -> bool:
    """Whether a text says the same without it: it is invisible, or a control that separates nothing."""
    if character in _LINE_BREAKS or character == "\t":
        return False
    return is_invisible(character) or _CONTROL.match(character) is not None


def is_lost(character: str) -> bool:
    """Whether it stands for a character that nobody knows any more."""
    return character in "\ufffc\ufffd" or "\ud800" <= character <= "\udfff"


def legible(text: str, gap: str = "") -> str:
    """Returns the text without its faulty characters. Idempotent.

    Rules judge this text, so that a character which `characters` reports is not a second fault.

    Args:
        text: the value.
        gap: what stands for a line break or a tab; such a text is trimmed, with single spaces, for suggestions.
    """
    if text.isascii() and text.isprintable():
        return text
    before = None
    while text != before:  # what a joiner belonged to may go as well
        before = text
        text = _search(text).sub(lambda found: _stand_in(found, gap), text)
        if text != before:
            text = clean(re.sub(" {2,}", " ", text)) if gap else clean(text)
    return text


def _stand_in(found: re.Match[str], gap: str) -> str:
    if not found[1]:
        return found[0]
    return gap if found[0] in _LINE_BREAKS or found[0] == "\t" else ""


def described(character: str) -> str:
    """Says what a faulty character is, e.g. `a line break`."""
    number = f"U+{ord(character):04X}"
    if character in _LINE_BREAKS:
        return gettext("a line break")
    if character == "\t":
        return gettext("a tab")
    match unicodedata.category(character):
        case "Cc":
            return gettext("a control character ({number})", number=number)
        case "Co":
            return gettext("a character that only some fonts know ({number})", number=number)
        case "Cs":
            return gettext("half a character, which is damaged")
        case "Cn":
            return gettext("something that is no character ({number})", number=number)
    if character in _DAMAGED:
        return gettext("a sign for a character that was damaged or lost ({number})", number=number)
    name = unicodedata.name(character, "without a name").lower()
    return gettext("an invisible character ({number}, {name})", number=number, name=name)
