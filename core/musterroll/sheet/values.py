"""From a cell to the text of a value, or to what is wrong with the cell.

Trimming and NFC happen here and nowhere else; passwords are neither trimmed nor normalised.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import NamedTuple

from musterroll.contract.cells import (
    PLAIN_FORMATS,
    BoolCell,
    Cell,
    DateCell,
    ErrorCell,
    FormulaCell,
    NumberCell,
    TextCell,
)
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.rows import BLANK, Origin, Value
from musterroll.contract.secret import Secret
from musterroll.contract.text import clean

# Spreadsheet programs keep 15 significant digits; a longer number has lost its end.
_DIGITS = 15
_EXACT_BELOW = 10 ** (_DIGITS - 1)
# What programs write into a csv for a number that did not fit its column. Without a sign and a fraction, as 1E5, it
# may be somebody's name.
_EXPONENT = late_pattern(r"[+-]?\d{1,3}(?:[.,]\d+E\+?|E\+)\d{1,3}", re.ASCII | re.IGNORECASE)
_FIRST = frozenset("-0123456789")
_TOO_NARROW = late_pattern(r"#{3,}")
# Errors as a csv has them, in the languages of the program that wrote it.
ERRORS = (
    r"#(?:N/A|N/[BD]|N/D!|NV|I/T|(?:REF|VALUE|DIV/0|NULL|NUM|SPILL|CALC|FIELD|BLOCKED|CONNECT|BUSY)!|NAME\?|GETTING_DATA"
    r"|(?:BEZUG|WERT|ZAHL|ÜBERLAUF|KALK|VALEUR|NOMBRE|NUL|¡REF|¡VALOR|¡DIV/0|¡NULO|¡NUM|VALOR|NULO|NÚM|RIF|VALORE"
    r"|NULLO|VERW|WAARDE|DEEL/0|LEEG|GETAL|ADR|ARG|DZIEL/0|ZERO|LICZBA|VÆRDI|REFERENCE|VÄRDEFEL)!"
    r"|(?:NOM|¿?NOMBRE|NOME|NAAM|NAZWA|NAVN|NAMN)\?)|Err:\d{3}"
)
"""The pattern, whatever the case of its letters."""
_ERROR_TEXT = late_pattern(ERRORS, re.IGNORECASE)
_SURROGATE = late_pattern(r"[\ud800-\udfff]")
# What may stand between the digits of a code or a telephone number.
_BETWEEN = late_pattern(r"[\s'/()-]")
_GROUPED = late_pattern(r"\d{1,3}(?:[.,]\d{3})+", re.ASCII)
_ZERO_DECIMALS = late_pattern(r"[.,]0+$")


class CellFault(NamedTuple):
    """Why a cell cannot be used. The message does not repeat the value; `detail` is what it has besides."""

    code: str
    message: str
    suggestion: str | None = None
    detail: str = ""


_CELL = Origin.CELL  # looked up once: in Python 3.11 that takes longer than all else that a cell needs
_ERROR = CellFault("cell.error", "A formula's error stands here; correct the formula or type the value")
_TOO_MANY_DIGITS = CellFault(
    "cell.precision_lost",
    "A number of 15 or more digits loses its end in a spreadsheet program; "
    "format the cell as text and type the value again",
)


def cell_value(cell: Cell) -> Value | CellFault:
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
    return found if isinstance(found, CellFault) else Value(found, _CELL, found)


def secret_value(cell: Cell) -> Value | CellFault:
    """Makes the value of a password's cell; what is found never shows what the cell holds."""
    if isinstance(cell, str):
        # What a program made of a cell is no more a password than a name; all else is taken as it is.
        found: str | CellFault = _text_fault(cell.strip()) or cell
    else:
        found = "" if cell is None else _other_text(cell)
    if isinstance(found, CellFault):
        return found._replace(suggestion=None)
    return Value("", _CELL, None, Secret(found)) if found else BLANK


def _text_fault(text: str) -> CellFault | None:
    """Says what a program that wrote the file has made of the cell."""
    if _ERROR_TEXT.fullmatch(text):
        return _ERROR
    if _TOO_NARROW.fullmatch(text):
        return CellFault(
            "cell.error",
            "The column was too narrow to show the value when the file was saved; make it wider and save again, "
            "or type the value",
        )
    if _EXPONENT.fullmatch(text):
        return CellFault(
            "cell.precision_lost",
            "A number was shortened to this notation when the file was saved, and its digits are lost; "
            "format the column as text and type the value again",
        )
    if _SURROGATE.search(text):
        return CellFault("cell.not_text", "The text holds characters that are damaged; type the value again")
    return None


def _other_text(cell: TextCell | NumberCell | DateCell | BoolCell | ErrorCell | FormulaCell) -> str | CellFault:
    """Returns the text that a cell of another kind stands for."""
    match cell:
        case NumberCell():
            return _number_text(cell)
        case TextCell():
            return _text_shown_otherwise(cell.shown)
        case DateCell():
            return CellFault(
                "cell.not_text",
                "A date stands where text belongs; format the cell as text and type the value again",
            )
        case BoolCell():
            return CellFault(
                "cell.not_text",
                "A truth value (TRUE or FALSE) stands where text belongs; format the cell as text and type it again",
            )
        case ErrorCell(reason=""):
            return _ERROR
        case ErrorCell():
            return CellFault(
                "cell.error",
                "The cell cannot be read ({detail}); open the file in a spreadsheet program, type the value "
                "again, and save",
                detail=cell.reason,
            )
        case FormulaCell():
            return CellFault(
                "cell.formula",
                "The formula's result is not stored in the file; open the file in a spreadsheet program, save it, "
                "and try again, or type the value instead of the formula",
            )


def is_filled(cell: Cell) -> bool:
    """Whether a person sees anything in the cell."""
    return bool(clean(cell)) if isinstance(cell, str) else cell is not None


def printable(text: str) -> str:
    """Replaces halves of characters, which no file and no database takes."""
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def shown(cell: Cell) -> str | None:
    """Returns what a problem shows of a cell."""
    match cell:
        case str():
            return printable(cell)
        case NumberCell():
            value = cell.value
            if isinstance(value, int):  # Python refuses to write out those of thousands of digits
                return None if value.bit_length() > 1000 else str(value)
            return str(int(value)) if abs(value) < _EXACT_BELOW and value.is_integer() else str(value)
        case ErrorCell():
            return printable(cell.code)
        case TextCell():
            return printable(cell.text)
        case FormulaCell():
            return cell.formula
        case None:
            return None
        case _:
            return str(cell.value)


def _number_text(cell: NumberCell) -> str | CellFault:
    value = cell.value
    if isinstance(value, float) and not math.isfinite(value):
        return _ERROR
    if abs(value) >= _EXACT_BELOW:
        return _TOO_MANY_DIGITS
    # As programs hold it: 0.1 + 0.2 is 0.3.
    number = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.{_DIGITS}g}")
    whole = number == number.to_integral_value()
    digits = str(int(number)) if whole else format(number, "f")
    # A fraction is rounded by the format 0, so there it does not stand for the digits.
    if cell.number_format in PLAIN_FORMATS and (whole or cell.number_format != "0"):
        return digits if whole or len(number.as_tuple().digits) < _DIGITS else _TOO_MANY_DIGITS
    as_shown = None if cell.shown is None else clean(cell.shown)
    if as_shown is not None and digits in {as_shown, as_shown.replace(",", ".")}:  # a comma: in many countries
        return digits
    return _shown_otherwise(as_shown, digits)


def _shown_otherwise(as_shown: str | None, digits: str) -> CellFault:
    """What is wrong where a person sees something else than the number's digits."""
    if as_shown is None:
        return CellFault(
            "cell.shown_otherwise",
            "The cell's format may show something else than the number that it holds; "
            "format the cell as text and type the value as it should be",
        )
    if not as_shown:
        return CellFault(
            "cell.shown_otherwise",
            "The cell's format hides the number that it holds; "
            "format the cell as text and type the value as it should be",
        )
    padded = _with_zeros(as_shown, digits)
    if padded is not None:
        return CellFault(
            "cell.leading_zeros",
            "The zeros in front are only shown by the number's format, the cell does not hold them; "
            "format the cell as text and type the value as it should be",
            suggestion=padded,
        )
    return CellFault(
        "cell.shown_otherwise",
        "The cell's format shows something else than the number that it holds; "
        "format the cell as text and type the value as it should be",
        suggestion=as_shown,
    )


def _with_zeros(as_shown: str, digits: str) -> str | None:
    """Returns what is shown, without spaces, where it is the digits and nothing else but zeros in front of them."""
    # 007.0 are zeros in front of a number with a decimal; 01.234.000 in front of one with points.
    for seen in (_ZERO_DECIMALS.sub("", as_shown), as_shown):
        written = _BETWEEN.sub("", seen)
        if _GROUPED.fullmatch(written):
            written = written.replace(".", "").replace(",", "")
        if written == digits:
            return None
        if written.endswith(digits) and not written.removesuffix(digits).strip("0"):
            return "".join(seen.split())
    return None


def _text_shown_otherwise(as_shown: str | None) -> CellFault:
    return CellFault(
        "cell.shown_otherwise",
        "The cell's format shows something else than the text that it holds; "
        "format the cell as text and type the value as it should be",
        suggestion=clean(as_shown or "") or None,
    )
