"""From a cell to the text of a value, or to what is wrong with the cell.

Trimming and NFC happen here and nowhere else; passwords are neither trimmed nor normalised.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import NamedTuple

from musterroll.model.cells import BoolCell, Cell, DateCell, ErrorCell, FormulaCell, NumberCell
from musterroll.model.rows import BLANK, Origin, Value
from musterroll.secret import Secret
from musterroll.text import clean

# Spreadsheet programs keep 15 significant digits; a longer number has lost its end.
_DIGITS = 15
_EXACT_BELOW = 10 ** (_DIGITS - 1)
# What programs write into a csv for a number that did not fit its column. Without a sign and a fraction, as 1E5, it
# may be somebody's name.
_EXPONENT = re.compile(r"[+-]?\d{1,3}(?:[.,]\d+E\+?|E\+)\d{1,3}", re.ASCII | re.IGNORECASE)
_FIRST = frozenset("-0123456789")
_TOO_NARROW = re.compile(r"#{3,}")
# Errors as a csv has them, in the languages of the program that wrote it.
_ERROR_TEXT = re.compile(
    r"#(?:N/A|N/[BD]|N/D!|NV|I/T|(?:REF|VALUE|DIV/0|NULL|NUM|SPILL|CALC|FIELD|BLOCKED|CONNECT|BUSY)!|NAME\?|GETTING_DATA"
    r"|(?:BEZUG|WERT|ZAHL|ÜBERLAUF|KALK|VALEUR|NOMBRE|NUL|¡REF|¡VALOR|¡DIV/0|¡NULO|¡NUM|VALOR|NULO|NÚM|RIF|VALORE"
    r"|NULLO|VERW|WAARDE|DEEL/0|LEEG|GETAL|ADR|ARG|DZIEL/0|ZERO|LICZBA|VÆRDI|REFERENCE|VÄRDEFEL)!"
    r"|(?:NOM|¿?NOMBRE|NOME|NAAM|NAZWA|NAVN|NAMN)\?)|Err:\d{3}",
    re.IGNORECASE,
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# A number format, piece by piece: literal text; what is not shown as it stands; placeholders; the rest.
_FORMAT = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*].|\[[^\]]*\]|(?P<place>[0#?]|General)|(?P<other>E[+-]|.)',
    re.IGNORECASE | re.DOTALL,
)


class Fault(NamedTuple):
    """Why a cell cannot be used. The message does not repeat the value."""

    code: str
    message: str
    suggestion: str | None = None


_CELL = Origin.CELL  # looked up once: in Python 3.11 that takes longer than all else that a cell needs
_ERROR = Fault("cell.error", "A formula's error stands here; correct the formula or type the value")
_TOO_MANY_DIGITS = Fault(
    "cell.precision_lost",
    f"A number of {_DIGITS} or more digits loses its end in a spreadsheet program; "
    "format the cell as text and type the value again",
)


def cell_value(cell: Cell) -> Value | Fault:
    """Makes the value of a cell that is no secret."""
    if isinstance(cell, str):
        text = clean(cell)
        if not text:
            return BLANK
        # Most cells need no closer look, and there are millions of them.
        if text[0] in "#E" or "+" in text or (text[0] in _FIRST and not text.isdigit()) or not text.isascii():
            fault = _text_fault(text)
            if fault is not None:
                return fault
        return Value(text, _CELL, cell)
    if cell is None:
        return BLANK
    found = _other_text(cell)
    return found if isinstance(found, Fault) else Value(found, _CELL, found)


def secret_value(cell: Cell) -> Value | Fault:
    """Makes the value of a password's cell; what is found never shows what the cell holds."""
    if isinstance(cell, str):
        # What a program made of a cell is no more a password than a name; all else is taken as it is.
        found: str | Fault = _text_fault(cell.strip()) or cell
    else:
        found = "" if cell is None else _other_text(cell)
    if isinstance(found, Fault):
        return found._replace(suggestion=None)
    return Value("", _CELL, None, Secret(found)) if found else BLANK


def _text_fault(text: str) -> Fault | None:
    """Says what a program that wrote the file has made of the cell."""
    if _ERROR_TEXT.fullmatch(text):
        return _ERROR
    if _TOO_NARROW.fullmatch(text):
        return Fault(
            "cell.error",
            "The column was too narrow to show the value when the file was saved; make it wider and save again, "
            "or type the value",
        )
    if _EXPONENT.fullmatch(text):
        return Fault(
            "cell.precision_lost",
            "A number was shortened to this notation when the file was saved, and its digits are lost; "
            "format the column as text and type the value again",
        )
    if _SURROGATE.search(text):
        return Fault("cell.not_text", "The text holds characters that are damaged; type the value again")
    return None


def _other_text(cell: NumberCell | DateCell | BoolCell | ErrorCell | FormulaCell) -> str | Fault:
    """Returns the text that a cell of another kind stands for."""
    match cell:
        case NumberCell():
            return _number_text(cell)
        case DateCell():
            return Fault(
                "cell.not_text",
                "A date stands where text belongs; format the cell as text and type the value again",
            )
        case BoolCell():
            return Fault(
                "cell.not_text",
                "A truth value (TRUE or FALSE) stands where text belongs; format the cell as text and type it again",
            )
        case ErrorCell():
            return _ERROR
        case FormulaCell():
            return Fault(
                "cell.formula",
                "The formula's result is not stored in the file; open the file in a spreadsheet program, save it, "
                "and try again, or type the value instead of the formula",
            )


def printable(text: str) -> str:
    """Replaces halves of characters, which no file and no database takes."""
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def shown(cell: Cell) -> str | None:
    """Returns what a problem shows of a cell."""
    match cell:
        case str():
            return printable(cell)
        case NumberCell():
            # Python refuses to write out integers of thousands of digits.
            return None if isinstance(cell.value, int) and cell.value.bit_length() > 1000 else str(cell.value)
        case ErrorCell():
            return cell.code
        case FormulaCell():
            return cell.formula
        case None:
            return None
        case _:
            return str(cell.value)


def _number_text(cell: NumberCell) -> str | Fault:
    value: int | float | Decimal = cell.value
    if isinstance(value, float):
        if not math.isfinite(value):
            return _ERROR
        if not value.is_integer():
            # As the program shows it: 0.1 + 0.2 is 0.3.
            value = Decimal(f"{value:.{_DIGITS}g}")
            if value != value.to_integral_value():
                return _TOO_MANY_DIGITS if len(value.as_tuple().digits) >= _DIGITS else format(value, "f")
    if abs(value) >= _EXACT_BELOW:
        return _TOO_MANY_DIGITS
    digits = str(int(value))
    as_shown = _shown_zeros(cell.number_format, digits)
    if as_shown is not None:
        return Fault(
            "cell.leading_zeros",
            "The zeros in front are only shown by the number's format, the cell does not hold them; "
            "format the cell as text and type the value as it should be",
            suggestion=as_shown,
        )
    return digits


def _shown_zeros(number_format: str, digits: str) -> str | None:
    """Returns the digits as the format shows them where it puts zeros in front, else None."""
    if "0" not in number_format or number_format == "0" or digits.startswith("-"):
        return None
    before, places = "", ""  # the literal text in front; the placeholders before the decimal point
    decimals = False
    for piece in _FORMAT.finditer(number_format):
        place, other = piece["place"], piece["other"]
        if place:
            places += "" if decimals else place
        elif other == ";":  # what follows is for negative numbers
            break
        elif other == ".":
            decimals = True
        elif other and (other in "%/" or len(other) == 2):  # a percentage, fraction or power shows another number
            return None
        elif not places:
            before += other or piece["quoted"] or piece["escaped"] or ""
    # A placeholder to the right of a 0 shows zeros as well: the format of French telephone numbers starts with 0#.
    width = len(places[places.index("0") :]) if "0" in places else 0
    written = "".join(c for c in before if c.isdecimal())
    zeros = "" if written.strip("0") else written
    padded = zeros + digits.zfill(width)
    return padded if len(padded) > len(digits) else None
