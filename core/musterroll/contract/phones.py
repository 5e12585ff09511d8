"""Reads a telephone number as it was typed, and takes a whole international one apart.

Only what is certain: where two numbers, or a number and an extension, may be meant, nothing is read.
"""

from __future__ import annotations

import re
import unicodedata

from musterroll.contract.late_patterns import late_pattern

# The country codes of ITU-T E.164 with one and two digits; all others have three. None begins another.
_ONE_DIGIT = frozenset("17")
_LONGER = (
    "20 27 28 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 "
    "81 82 83 84 86 89 90 91 92 93 94 95 98"
)
_TWO_DIGITS = frozenset(_LONGER.split())
_LONGEST = 100  # no number with its separators is longer
_AREA = 5  # so many digits, and no more, may stand before a sign that could as well come between two numbers
_DASHES = "\\-‐‑‒–—−"
# The invisible marks that address books put around a number.
_MARKS = late_pattern("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+")
_CONTROLS = late_pattern("[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # a line break comes between two numbers
_ALLOWED = late_pattern(rf"\s*\+?[\d\s().·/{_DASHES}]*")
_SEPARATORS = late_pattern(rf"[\s().·/{_DASHES}]+")
# What a program makes of a number that it takes for an amount.
_DECIMAL = late_pattern(r"(\+?\d{2,})[.,]0+")
_UNCERTAIN = late_pattern(
    rf"""
      \d{{6,}} [\s.·{_DASHES}]+ \d{{6,}}        # two groups, each long enough for a number
    | \d{{6,}} [\s.·{_DASHES}]+ \d{{1,3}} \s*\Z # a number and an extension, or the end of a second number
    | \d{{3,}} \s* [{_DASHES}] \s* \d{{1,2}} \s*\Z
    | (?:\d{{3,}} \.0+ | \.0) \s*\Z            # an amount, or separators: the 0 may or may not belong to it
    """,
    re.VERBOSE,
)
_BETWEEN = late_pattern(rf"/|\s[{_DASHES}]+\s")
_BRACKETS = late_pattern(r"[^()]*(?:\([^()]*\)[^()]*)*")


def one_number(text: str) -> str | None:
    """Returns the digits of a number without what only sets them apart, in ASCII, after a "+" where there is one.

    Of "7712345678.0" these are 7712345678. None where other signs are in it, and where it is not certain that it
    is one number: "030 123456/7", "(0)" in the middle, a single digit at the end.
    """
    if text.isascii() and text.removeprefix("+").isdigit():
        return text
    if len(text) > _LONGEST or _CONTROLS.search(text):
        return None
    text = _in_ascii(_MARKS.sub("", text)).strip()
    if amount := _DECIMAL.fullmatch(text):
        return amount[1]
    if not _ALLOWED.fullmatch(text) or _UNCERTAIN.search(text) or not _brackets_are_certain(text):
        return None
    if (between := _BETWEEN.search(text)) and not _is_area(text[: between.start()], between[0], text[between.end() :]):
        return None
    digits = _SEPARATORS.sub("", text)
    return digits if digits.removeprefix("+").isdigit() else None


def calling_code_of(digits: str) -> str:
    """Returns the calling code that an international number begins with, which need not be in use."""
    return digits[: 1 if digits[:1] in _ONE_DIGIT else 2 if digits[:2] in _TWO_DIGITS else 3]


def split_whole(text: str) -> tuple[str, str] | None:
    """Takes a whole number (`+44 7712 345678`, `0044…`) apart: the calling code, and the digits after it."""
    number = one_number(text)
    if number is None:
        return None
    digits = number[1:] if number[0] == "+" else number[2:] if number.startswith("00") else ""
    code = calling_code_of(digits)
    local = digits[len(code) :]
    return (code, local) if local and code[0] != "0" else None


def _in_ascii(text: str) -> str:
    if text.isascii():
        return text
    return "".join("+" if c == "＋" else str(unicodedata.decimal(c, c)) for c in text)


def _brackets_are_certain(text: str) -> bool:
    """Whether brackets hold an area code, or a (0) that stands where a trunk prefix does."""
    if not _BRACKETS.fullmatch(text):
        return False
    opened = text.rfind("(")
    before = _SEPARATORS.sub("", text[: max(opened, 0)])
    if len(before.removeprefix("+").removeprefix("00")) > _AREA:
        return False
    zero = re.search(r"\(\s*0\s*\)", text)
    if zero is None:
        return True
    code = _SEPARATORS.sub("", text[: zero.start()])
    digits = code[1:] if code.startswith("+") else code[2:] if code.startswith("00") else None
    return code == "" or (digits is not None and digits != "" and calling_code_of(digits) == digits)


def _is_area(before: str, sign: str, after: str) -> bool:
    """Whether a slash, or a dash with spaces around it, comes after an area code: 030/1234567, +44 - 7712345678."""
    area, rest = _SEPARATORS.sub("", before), _SEPARATORS.sub("", after)
    certain = bool(area) and len(area.removeprefix("+").removeprefix("00")) <= _AREA and len(rest) >= _AREA
    if not certain or rest[0] == "0" or _BETWEEN.search(after):
        return False
    return sign != "/" or area[0] in "+0"
