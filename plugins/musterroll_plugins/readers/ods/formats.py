"""Number formats, as format codes (`00000`) and as the data styles of ods.

Only what decides about the digits that a person sees is carried over: how many there are at least, what stands in
front of, between and behind them, and whether another number than the cell's is shown. Colours, conditions and
alignment are not.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from musterroll import PLAIN_FORMATS
from musterroll_plugins.readers.number_formats import pieces_of, show_number

GENERAL, TEXT, HIDDEN = "General", "@", ";;;"
_MOST_DIGITS = 30
# A number as it is shown without a format: without zeros that say nothing (but for the .0 that pandas writes), and
# shortened where it does not fit.
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:[.,]\d*[1-9]|\.0)?(?:E[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_ROUNDED = 0.1  # 4.5E+11 may be shown as 5E+11
_MOST_SHOWN = 60  # characters; four times as many fit into a format code


@dataclass(slots=True)
class DigitStyle:
    """How a number is shown.

    Attributes:
        before: the text in front of the digits.
        after: the text behind them.
        least: how many digits there are at least before the decimal point.
        decimals: how many there are behind it.
        between: texts between digits, by the number of digits to their right.
        percent: whether a hundred times the number is shown.
        grouping: whether thousands are separated.
        empty: whether no digits are shown at all.
    """

    before: str = ""
    after: str = ""
    least: int = 0
    decimals: int = 0
    between: dict[int, str] = field(default_factory=dict)
    percent: bool = False
    grouping: bool = False
    empty: bool = False


def parse(code: str) -> DigitStyle | None:
    """Reads a format code; None where it shows no plain digits (or is `General`)."""
    style = DigitStyle()
    places = ""
    inner: list[tuple[int, str]] = []  # texts, and how many digits stood before each
    point = False
    for kind, text in pieces_of(code) or ():
        if kind == "place" and point:
            style.decimals += len(text)
        elif kind == "place":
            places += text
        elif kind == ".":
            point = True
        elif kind == ",":
            style.grouping = True
        elif kind == "%":
            style.percent = True
        elif kind != "text":  # a fraction, a power, a text
            return None
        elif not places:
            style.before += text
        elif point or style.percent:
            style.after += text
        else:
            inner.append((len(places), text))
    if not places or len(places) > _MOST_DIGITS:
        return None
    style.least = len(places[places.index("0") :]) if "0" in places else 0
    for seen, text in inner:
        if seen == len(places):
            style.after += text
        else:
            style.between[len(places) - seen] = style.between.get(len(places) - seen, "") + text
    return style


def code(style: DigitStyle) -> str:
    """Writes a format code; `parse` of it is the style again."""
    farthest = max((at for at in style.between if 0 < at < _MOST_DIGITS), default=0)
    places = "0" * min(style.least, _MOST_DIGITS) or "#"
    places = places.rjust(max(farthest + 1, 4 if style.grouping else 1), "#")
    written = text_code(style.before)
    for index, place in enumerate(places):
        right = len(places) - index
        if index and style.grouping and right % 3 == 0:
            written += ","
        written += (text_code(style.between.get(right, "")) if index else "") + place
    if style.decimals:
        written += "." + "0" * min(style.decimals, _MOST_DIGITS)
    return written + ("%" if style.percent else "") + text_code(style.after)


def code_that_shows(shown: str, number: int | float, code: str) -> str:
    """Returns the code if it shows a number as the file says it was shown, else one that does.

    What a style says is carried over in part only, and `General` shows long numbers as their cell has room for them.
    """
    shown = shown.strip()
    if code in PLAIN_FORMATS:
        seen = _PLAIN_NUMBER.fullmatch(shown)
        if seen and math.isclose(float(shown.replace(",", ".")), number, rel_tol=_ROUNDED):
            return code
    else:
        # In many countries the decimal point is a comma.
        by_code = (show_number(number, code) or "").strip()
        if by_code in {shown, shown.replace(",", ".")}:
            return code
    made = text_code(shown[:_MOST_SHOWN])
    # One section alone would put the sign in front.
    return HIDDEN if not made else made if number >= 0 else f"{made};{made}"


def code_that_shows_text(shown: str) -> str:
    """The format code that shows this of a text, whatever it is."""
    return HIDDEN + text_code(shown[:_MOST_SHOWN])


def text_code(text: str) -> str:
    """The format code that shows a text whatever the number is."""
    if '"' in text:
        return "".join(f"\\{character}" for character in text)
    return f'"{text}"' if text else ""
