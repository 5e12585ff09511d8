"""A telephone number is two fields in the sheet and one text in the portal: 44 and 7712345678, `+44 7712345678`."""

from __future__ import annotations

import re

from musterroll import calling_code_of

_SEPARATORS = re.compile(r"[\s\-./()]+")


def join(calling_code: str | None, number: str | None) -> str | None:
    """Makes one text of the two; None where there is no number."""
    if not number:
        return None
    number = _bare(number)
    return f"+{_bare(calling_code).removeprefix('+')} {number}" if calling_code else number


def split(text: str | None) -> tuple[str | None, str | None]:
    """Returns calling code and number of a stored text, whoever wrote it; `split(join(x, y))` is `x, y`."""
    text = (text or "").strip()
    if text.lower().startswith("tel:"):
        text = text[4:].partition(";")[0].strip()
    if not text:
        return None, None
    if not text.startswith("+"):
        return None, _bare(text)
    first, gap, rest = text[1:].lstrip().partition(" ")
    if gap and first.isdecimal() and len(first) <= 4 and _bare(rest):
        return first, _bare(rest)
    digits = _bare(text)[1:]
    code = calling_code_of(digits)
    if not (digits.isascii() and digits.isdigit()) or digits == code:
        return None, _bare(text)
    return code, digits.removeprefix(code)


def _bare(text: str) -> str:
    """Takes out what only makes a number easier to read; a text that is no number stays as it is."""
    if text.isdecimal():  # as nearly all are
        return text
    bare = _SEPARATORS.sub("", text)
    return bare if bare.removeprefix("+").isdecimal() else text
