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
_EXACT_BELOW = 10**14
# What a spreadsheet program writes into a csv for a number that did not fit its column.
_EXPONENT = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d{1,3}", re.ASCII)
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#N/D", "#NV", "#SPILL!"})
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]')


class Fault(NamedTuple):
    """Why a cell cannot be used. The message does not repeat the value."""

    code: str
    message: str
    suggestion: str | None = None


def text_value(cell: str) -> Value | Fault:
    """Makes the value of a text cell that is not a secret."""
    text = clean(cell)
    if not text:
        return BLANK
    if text[0] == "#" and text.upper() in _ERRORS:
        return _error_fault(text)
    if "E+" in text and _EXPONENT.fullmatch(text):
        return Fault(
            "cell.precision_lost",
            "A number was shortened to this notation when the file was saved, and its digits are lost; "
            "format the column as text and type the value again",
        )
    return Value(text, Origin.CELL, cell)


def cell_value(cell: Cell, *, secret: bool) -> Value | Fault:
    """Makes the value of any cell.

    Args:
        cell: as the reader hands it on.
        secret: whether it is a password.
    """
    match cell:
        case None:
            return BLANK
        case str():
            if secret:
                return Value("", Origin.CELL, None, Secret(cell)) if cell else BLANK
            return text_value(cell)
        case NumberCell():
            text = _number_text(cell)
            if isinstance(text, Fault):
                return text._replace(suggestion=None) if secret else text
            return Value("", Origin.CELL, None, Secret(text)) if secret else Value(text, Origin.CELL, text)
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
            return _error_fault(cell.code)
        case FormulaCell():
            return Fault(
                "cell.formula",
                "The formula's result is not stored in the file; open the file in a spreadsheet program, save it, "
                "and try again, or type the value instead of the formula",
            )


def _error_fault(code: str) -> Fault:
    return Fault("cell.error", f"The cell holds the error {code}; correct the formula or type the value")


def _number_text(cell: NumberCell) -> str | Fault:
    value = cell.value
    if isinstance(value, float) and not math.isfinite(value):
        return _error_fault("#NUM!")
    if abs(value) >= _EXACT_BELOW:
        return Fault(
            "cell.precision_lost",
            "A number of 15 or more digits loses its end in a spreadsheet program; "
            "format the cell as text and type the value again",
        )
    whole = int(value)
    if whole != value:
        return format(Decimal(repr(value)), "f")
    digits = str(whole)
    shown = _shown_zeros(cell.number_format, digits)
    if shown is not None:
        return Fault(
            "cell.leading_zeros",
            "The zeros in front are only shown by the number's format, the cell does not hold them; "
            "format the cell as text and type the value as it should be",
            suggestion=shown,
        )
    return digits


def _shown_zeros(number_format: str, digits: str) -> str | None:
    """Returns the digits as the format shows them where it puts zeros in front, else None."""
    if "0" not in number_format or number_format == "0":
        return None
    section = number_format.split(";", 1)[0]
    literal_zeros = ""
    for match in _QUOTED.finditer(section):
        literal = match.group(1) or match.group(2) or ""
        if literal and set(literal) == {"0"} and not set(section[: match.start()]) & set("0#?"):
            literal_zeros += literal
    bare = _QUOTED.sub("", section)
    if "E" in bare.upper() or "%" in bare:
        return None
    places = bare.split(".", 1)[0].count("0")
    shown = literal_zeros + digits.zfill(places)
    return shown if len(shown) > len(digits) and not digits.startswith("-") else None
