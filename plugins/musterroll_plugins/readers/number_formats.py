"""Shows a number as a spreadsheet program shows it by its format code.

What cannot be shown with certainty is not guessed: dates, other numerals, a colour's or a condition's odd corner.
Widths are left out, as nobody types them: what fills a cell up, and the space that a hidden sign would take.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from musterroll import PLAIN_FORMATS, Cell, NumberCell, TextCell

_DIGITS = 15  # significant ones, that programs hold
_LONGEST = 255  # Excel's own limit for a format code
_PLACES = "0#?"

_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General)|(?P<power>E[+-])|(?P<place>[0#?]+)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_COLOUR = re.compile(r"black|blue|cyan|green|magenta|red|white|yellow|colou?r\s*\d{1,2}", re.IGNORECASE)
_LOCALE = re.compile(r"\$(?P<symbol>[^-]*)(?:-(?P<locale>0?[01]?[0-9A-Fa-f]{1,6}|[A-Za-z]{2,3}(?:-[A-Za-z]{2,4})*))?")
_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}


class _Piece(NamedTuple):
    """One piece of a section: its kind, and its text."""

    kind: str  # text, place, or the sign itself: . , % / E @
    text: str


@dataclass(slots=True)
class _Section:
    """What stands between semicolons.

    Attributes:
        pieces: what is shown, from left to right.
        condition: which numbers it is for; None where its place says that.
        strange: whether it holds something that is not shown here.
        has_text: whether it takes the place of a text.
    """

    pieces: list[_Piece] = field(default_factory=list)
    condition: tuple[str, Decimal] | None = None
    strange: bool = False
    has_text: bool = False


def number_cell(value: int | float, code: str) -> NumberCell:
    """Makes the cell of a number that has a format."""
    # The format 0 rounds a fraction.
    is_plain = code in PLAIN_FORMATS and (code != "0" or isinstance(value, int) or value.is_integer())
    return NumberCell(value, code, None if is_plain else show_number(value, code))


def number_cells(values: Iterable[int | float | None], code: str) -> list[Cell]:
    """Makes the cells of numbers that have the same format, and None of None."""
    if code in PLAIN_FORMATS and code != "0":
        return [None if value is None else NumberCell(value, code) for value in values]
    return [None if value is None else number_cell(value, code) for value in values]


def text_cell(text: str, code: str) -> TextCell:
    """Makes the cell of a text that has a format."""
    return TextCell(text, code, show_text(text, code))


def show_number(value: int | float, code: str) -> str | None:
    """Returns what a cell shows of a number; None where that is not certain.

    Args:
        value: a finite number.
        code: the format code.
    """
    sections = _sections(code)
    if sections is None:
        return None
    number = exact(value)
    chosen = _choose(sections, number)
    if chosen is None or chosen[0].strange:
        return None
    section, signed = chosen
    shown = _show(section.pieces, abs(number))
    if shown is None or not (signed and number < 0):
        return shown
    # Whether a sign goes before a text without digits depends on the program.
    return None if all(piece.kind == "text" for piece in section.pieces) else f"-{shown}"


def show_text(text: str, code: str) -> str | None:
    """Returns what a cell shows of a text; None where that is not certain."""
    sections = _sections(code)
    if sections is None:
        return None
    section = sections[3] if len(sections) > 3 else sections[-1]
    if not section.has_text and len(sections) <= 3:
        return text
    if section.strange or any(piece.kind not in {"text", "@", "General"} for piece in section.pieces):
        return None
    return "".join(piece if kind == "text" else text for kind, piece in section.pieces)


def pieces_of(code: str) -> list[_Piece] | None:
    """The pieces of what a format shows of a positive number; None where there is more to it."""
    sections = _sections(code)
    return None if sections is None or sections[0].strange else sections[0].pieces


def exact(value: int | float) -> Decimal:
    """The number as programs hold it: 0.1 + 0.2 is 0.3."""
    return Decimal(value) if isinstance(value, int) else Decimal(f"{value:.{_DIGITS}g}")


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[_Section, ...] | None:
    """Takes a format code apart; None where that cannot be done."""
    if len(code) > _LONGEST:
        return None
    sections = [_Section()]
    for found in _PIECE.finditer(code):
        kind, text = found.lastgroup, found[0]
        section = sections[-1]
        if kind == "other" and text == ";":
            if len(sections) == 4:
                return None
            sections.append(_Section())
        elif kind in {"quoted", "escaped"}:
            section.pieces.append(_Piece("text", found[kind]))
        elif kind == "space":
            section.pieces.append(_Piece("text", " "))
        elif kind == "fill":
            section.strange = section.strange or not text[1].isspace()
        elif kind == "bracket":
            _open_bracket(section, found["bracket"])
        elif kind == "general":
            section.pieces.append(_Piece("General", text))
        elif kind == "power":
            section.pieces.append(_Piece("E", text))
        elif kind == "place":
            section.pieces.append(_Piece("place", text))
        elif text == "@":
            section.has_text = True
            section.pieces.append(_Piece("@", text))
        elif text in ".,%/":
            section.pieces.append(_Piece(text, text))
        elif text in '"\\*_[' or (text.isalpha() and text.isascii()):  # an end that is missing; a date
            section.strange = True
        else:
            section.pieces.append(_Piece("text", text))
    return tuple(sections)


def _open_bracket(section: _Section, text: str) -> None:
    condition = _CONDITION.fullmatch(text.strip())
    locale = _LOCALE.fullmatch(text)
    if condition is not None:
        section.condition = condition[1], Decimal(condition[2])
    elif locale is not None:
        section.pieces.append(_Piece("text", locale["symbol"]))
    elif not _COLOUR.fullmatch(text.strip()):
        section.strange = True


def _choose(sections: tuple[_Section, ...], number: Decimal) -> tuple[_Section, bool] | None:
    """The section that a number is shown by, and whether it puts a sign in front; None where programs differ."""
    count = len(sections)
    if 1 < count < 4 and sections[-1].has_text:
        count -= 1
    count = min(count, 3)
    if any(section.condition for section in sections[:count]):
        return _choose_by_condition(sections[:count], number)
    if number < 0 and count > 1:
        return sections[1], False
    return sections[2 if number == 0 and count > 2 else 0], True


def _choose_by_condition(sections: tuple[_Section, ...], number: Decimal) -> tuple[_Section, bool] | None:
    if number < 0:  # who puts the sign in front depends on the program
        return None
    for place, section in enumerate(sections):
        if section.condition is not None:
            sign, limit = section.condition
            if _COMPARE[sign](number, limit):
                return section, True
        elif place == len(sections) - 1 and place:
            return section, True
        elif place != 1 or number > 0:  # [>5]0;0;0: what the second is for depends on the program
            return None
    return None


def _show(pieces: list[_Piece], number: Decimal) -> str | None:
    kinds = {piece.kind for piece in pieces}
    if "place" not in kinds:
        if kinds - {"text", "General", "@"}:
            return None
        return "".join(text if kind == "text" else _general(number) for kind, text in pieces)
    if kinds & {"General", "@"}:
        return None
    if "E" in kinds:
        return None if kinds & {"/", "%", ","} else _scientific(pieces, number)
    if "/" in kinds:
        if _is_fraction(pieces):
            return _fraction(pieces, number)
        pieces = [_Piece("text", "/") if piece.kind == "/" else piece for piece in pieces]
    return _decimal(pieces, number)


def _general(number: Decimal) -> str:
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _decimal(pieces: list[_Piece], number: Decimal) -> str:
    """Shows digits: those before the point are filled in from the right, those behind it from the left."""
    kinds = [piece.kind for piece in pieces]
    last = len(kinds) - 1 - kinds[::-1].index("place")
    point = kinds.index(".") if "." in kinds else len(kinds)
    before, after = pieces[:point], pieces[point + 1 :]
    # A comma behind the last place stands for three digits that are left out; one between places, for grouping.
    number = number.scaleb(2 * kinds.count("%") - 3 * kinds[last:].count(","))
    decimals = sum(len(piece.text) for piece in after if piece.kind == "place")
    whole, _, rest = f"{_rounded(number, decimals):f}".partition(".")
    shown = _before_point(before, whole.lstrip("0"), grouping="," in kinds[: min(last, point)])
    return shown if point == len(kinds) else f"{shown}.{_behind_point(after, rest)}"


def _rounded(number: Decimal, decimals: int) -> Decimal:
    with localcontext() as context:
        context.prec = 800  # no float has more digits
        return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def _before_point(pieces: list[_Piece], digits: str, *, grouping: bool) -> str:
    places = "".join(piece.text for piece in pieces if piece.kind == "place")
    if "0" in places:  # what is to the right of a 0 shows zeros as well
        places = places[: places.index("0")].ljust(len(places), "0")
    filled = digits.rjust(len(places), "\0")
    heads = len(filled) - len(places)  # what the first place takes besides its own
    shown = [
        (digit if digit != "\0" else {"0": "0", "?": " "}.get(places[at - heads], ""))
        for at, digit in enumerate(filled)
    ]
    if grouping:
        for at in range(len(shown) - 4, -1, -1):
            if (len(shown) - 1 - at) % 3 == 0 and shown[at].strip():
                shown[at] += ","
    parts, at = [], 0
    for kind, text in pieces:
        if kind == "place":
            end = at + len(text) + (heads if not at else 0)
            parts += shown[at:end]
            at = end
        elif kind != ",":
            parts.append(text)
    if not places:  # .00: the digits stand before the point all the same
        parts.append(digits)
    return "".join(parts)


def _behind_point(pieces: list[_Piece], digits: str) -> str:
    places = "".join(piece.text for piece in pieces if piece.kind == "place")
    kept = len(digits.rstrip("0"))
    shown = [
        digit if at < kept or places[at] == "0" else {"?": " "}.get(places[at], "") for at, digit in enumerate(digits)
    ]
    parts, at = [], 0
    for kind, text in pieces:
        if kind == "place":
            parts += shown[at : at + len(text)]
            at += len(text)
        elif kind != ",":
            parts.append(text)
    return "".join(parts)


def _scientific(pieces: list[_Piece], number: Decimal) -> str | None:
    power = next(at for at, piece in enumerate(pieces) if piece.kind == "E")
    mantissa, behind = pieces[:power], pieces[power + 1 :]
    if not behind or behind[0].kind != "place" or any(piece.kind != "text" for piece in behind[1:]):
        return None
    point = next((at for at, piece in enumerate(mantissa) if piece.kind == "."), len(mantissa))
    step = sum(len(piece.text) for piece in mantissa[:point] if piece.kind == "place")
    decimals = sum(len(piece.text) for piece in mantissa[point:] if piece.kind == "place")
    if not step:
        return None
    exponent = number.adjusted() if number else 0
    exponent -= exponent % step
    scaled = _rounded(number.scaleb(-exponent), decimals)
    if scaled >= 10**step:  # 9.99 is 10.0 when it is rounded
        exponent += step
        scaled = _rounded(number.scaleb(-exponent), decimals)
    sign = "-" if exponent < 0 else "+" if pieces[power].text.endswith("+") else ""
    least = behind[0].text.count("0")
    tail = "".join(piece.text for piece in behind[1:])
    return f"{_decimal(mantissa, scaled)}{pieces[power].text[0].upper()}{sign}{abs(exponent):0{least}d}{tail}"


def _is_fraction(pieces: list[_Piece]) -> bool:
    """Whether a stroke divides: places stand on its left, and places or a number on its right."""
    at = next(at for at, piece in enumerate(pieces) if piece.kind == "/")
    return 0 < at < len(pieces) - 1 and pieces[at - 1].kind == "place"


def _fraction(pieces: list[_Piece], number: Decimal) -> str | None:
    """Shows a number as a fraction, where it is one: the nearest one is not the same in every program."""
    stroke = next(at for at, piece in enumerate(pieces) if piece.kind == "/")
    above, below = pieces[: stroke - 1], "".join(piece.text for piece in pieces[stroke + 1 :]).strip()
    if any(piece.kind not in {"text", "place"} or piece.text.strip(f" {_PLACES}") for piece in above):
        return None
    places = "".join(piece.text for piece in above).strip()  # those of the whole number
    whole, rest = divmod(Fraction(number), 1) if places else (0, Fraction(number))
    if below.isdecimal() and below[0] != "0":
        least = int(below)
        if least % rest.denominator:
            return None
    elif below and not below.strip(_PLACES):
        least = rest.denominator
        if least >= 10 ** len(below):
            return None
    else:
        return None
    shown = f"{rest.numerator * (least // rest.denominator)}/{least}"
    if not places:
        return shown
    if not rest:
        return str(whole)
    return f"{whole} {shown}" if whole or "0" in places else shown
