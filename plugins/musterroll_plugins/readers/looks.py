"""How written sheets look, whatever their format, and what all their writers need to know."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from musterroll import (
    PLAIN_FORMATS,
    Cell,
    Draft,
    DraftColumn,
    ErrorCell,
    Guidance,
    MusterrollError,
    NumberCell,
    Severity,
    SheetRow,
    column_letter,
    counted,
    gettext,
)
from musterroll_plugins.readers.package.xml import MAX_COLUMN, MAX_ROW

FONT = "Calibri"
FONT_SIZE = 11
# Needed columns are dark and the others light, so that paper without colours tells them apart as well.
REQUIRED_FILL, REQUIRED_TEXT = "1F4E79", "FFFFFF"
OPTIONAL_FILL, OPTIONAL_TEXT = "D9E2EC", "1F2933"
GUIDANCE_TEXT = "5F6B7A"
LINE = "9AA5B1"
# Red and amber behind black text: to be told apart on paper without colours as well.
MARKS = {Severity.ERROR: "FFB3AD", Severity.WARNING: "FFE699"}
NOTES_BY = "musterroll"
# Notes begin with it: some programs forget who made them, and those of an earlier copy must be known again.
NOTE = f"{NOTES_BY}: "

HEADING_POINTS = 21

WORKSHEET = "Users"
# The longest text that a cell of Excel holds; LibreOffice's limit is far above.
LONGEST_TEXT = 32_767
# How long the texts of a check can be, and its formula: Excel does not open a workbook with longer ones.
_LONGEST_TITLE, _LONGEST_MESSAGE, _LONGEST_FORMULA = 32, 255, 255
_MOST_DIGITS = 99  # the first characters, which are looked at

# What XML cannot hold. Halves of characters are here as well, because no encoding holds those.
UNHOLDABLE = "\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"
HALVES = re.compile("[\ud800-\udfff]")
_UNHOLDABLE = re.compile(f"[{UNHOLDABLE}\ud800-\udfff]")

# Above this, spreadsheet programs hold no exact integers, and neither does a float.
EXACT_INTEGERS = 10**15

_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})
_LINE_POINTS, _MOST_LINES = 15, 12

NOTE_WIDTH = 190  # points
_NOTE_CHARACTERS = 32  # in a line of a note


class Check(NamedTuple):
    """What spreadsheet programs check in a column, and say.

    Attributes:
        title: above both texts.
        prompt: what is asked, shown at the cell.
        error: what is wrong, and what to do.
        stops: whether anything else is refused; else the person is warned and decides.
    """

    title: str
    prompt: str
    error: str
    stops: bool


class Part(Enum):
    """What a row is, which decides how it looks."""

    ABOVE = auto()
    HEADINGS = auto()
    GUIDANCE = auto()
    DATA = auto()


def part_of(draft: Draft, number: int) -> Part:
    """Tells what a row is."""
    if number >= draft.first_row:
        return Part.DATA
    if number == draft.heading_row:
        return Part.HEADINGS
    return Part.GUIDANCE if number > draft.heading_row else Part.ABOVE


def rows_of(draft: Draft) -> Iterator[SheetRow]:
    """Streams the draft's rows.

    Raises:
        MusterrollError: a workbook has no place for a row.
    """
    for row in draft.rows:
        if row.number > MAX_ROW or len(row.cells) > MAX_COLUMN:
            raise MusterrollError(
                gettext(
                    "row {row} does not fit into a workbook, which has {rows} rows and {columns} columns; write a "
                    ".csv file instead",
                    row=row.number,
                    rows=counted(MAX_ROW),
                    columns=counted(MAX_COLUMN),
                ),
                code="output.unwritable",
            )
        yield row


def cells_of(draft: Draft, row: SheetRow) -> tuple[Cell, ...]:
    """The row's cells, as many as there are columns: headings and guidance go from the first to the last."""
    return row.cells + (None,) * (len(draft.columns) - len(row.cells))


def column_width(column: DraftColumn) -> int:
    """How many characters wide a column is: its bold heading must be readable."""
    return min(max(column.width, len(column.heading) + 2), 60)


def note_height(text: str) -> int:
    """How many points high a note must be."""
    return _lines(text, _NOTE_CHARACTERS) * _LINE_POINTS + 10


def _lines(text: str, fits: int) -> int:
    return sum(max(1, math.ceil(len(line) / fits)) for line in text.splitlines())


def wrapped_height(draft: Draft, row: SheetRow) -> int:
    """How many points high a row of wrapped text must be."""
    lines = 1
    for column, cell in zip(draft.columns, row.cells, strict=False):
        if isinstance(cell, str):
            # Words break early, so a line holds a little less than the width says.
            fits = max(column_width(column) - 2, 1)
            lines = max(lines, _lines(cell, fits))
    return min(lines, _MOST_LINES) * _LINE_POINTS + 3


def check_of(column: DraftColumn) -> Check | None:
    """Says what is checked in a column; None where that is nothing."""
    if not column.choices and not column.checks:
        return None
    if column.choices:
        asked = gettext("Choose one of the values in the list.")
        error = gettext("This is not one of the choices. Please choose one of the values in the list.")
    else:
        asked = " ".join(one.text for one in column.checks)
        error = gettext("This breaks a rule: {asked} Please correct it.", asked=asked)
    stops = bool(column.choices) or all(one.stops for one in column.checks)
    return Check(
        _shortened(column.heading, _LONGEST_TITLE),
        _shortened(asked, _LONGEST_MESSAGE),
        _shortened(error, _LONGEST_MESSAGE),
        stops,
    )


def check_formula(draft: Draft, index: int, *, reference: Callable[[str], str], comma: str) -> str:
    """The formula that is true where the first cell of a column passes its checks.

    A spreadsheet program has one formula for a cell, and so one answer where it is false: what does not stop anybody is
    in it as well. What would make it too long is left out.

    Args:
        draft: the sheet.
        index: the column, from 0.
        reference: writes a reference to cells, e.g. `B$3:B$9`, as the format has it.
        comma: what stands between arguments.
    """
    letter = column_letter(index)
    cell = reference(f"{letter}{draft.first_row}")
    cells = reference(f"{letter}${draft.first_row}:{letter}${MAX_ROW}")
    places = f"ROW({reference(f'$A$1:$A${_MOST_DIGITS}')})"

    def conditions(one: Guidance) -> Iterator[str]:
        if one.min_length:
            yield f"LEN({cell})>={one.min_length}"
        if one.max_length:
            yield f"LEN(TRIM({cell}))<={one.max_length}"
        if one.contains:
            yield f"ISNUMBER(FIND({quoted(one.contains)}{comma}{cell}))"
        if one.digits:
            # Zeros behind it, because programs do not agree whether nothing can be found in a text.
            padded = f'TRIM({cell})&REPT("0"{comma}{_MOST_DIGITS})'
            digit = f"MID({padded}{comma}{places}{comma}1)"
            yield f'SUMPRODUCT(--ISERROR(FIND({digit}{comma}"0123456789")))=0'
        if one.whole_number:
            yield f"IFERROR(VALUE({cell})=INT(VALUE({cell})){comma}1=0)"
        # A date of the program, or a text of digits and what stands between them in one of the forms. Names of months
        # are too many for a formula.
        if one.dates and not any("MMM" in form for form in one.dates):
            between = sorted({form.strip("DMY")[:1] for form in one.dates})

            def found(sign: str, start: str = "1") -> str:
                return f"FIND({quoted(sign)}{comma}{cell}{comma}{start})"

            twice = comma.join(f"ISNUMBER({found(sign, f'1+{found(sign)}')})" for sign in between)
            yield f"OR(ISNUMBER({cell}){comma}{twice})"
        if one.unique:  # COUNTIF would take 007 for 7, and a* for every name with an a in front
            yield f"SUMPRODUCT(--({cells}={cell}))<2"

    formula = ""
    for guidance in draft.columns[index].checks:
        for condition in conditions(guidance):
            longer = f"{formula}{comma}{condition}" if formula else condition
            if len(f"AND({longer})") <= _LONGEST_FORMULA:
                formula = longer
    return f"AND({formula})"


def quoted(text: str) -> str:
    """The text as formulas hold it."""
    return '"' + without_unholdable(text).replace('"', '""') + '"'


def _shortened(text: str, most: int) -> str:
    text = without_unholdable(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def is_blank(cell: Cell) -> bool:
    """Whether nothing needs to be written."""
    return cell is None or cell == ""


def is_number(value: int | float) -> bool:
    """Whether a spreadsheet program can hold the number."""
    return abs(value) < 1e308


def number(value: int | float) -> str:
    """The number as workbooks hold it."""
    return repr(value if isinstance(value, int) and abs(value) < EXACT_INTEGERS else float(value))


def number_shown(cell: NumberCell) -> str | None:
    """What a person sees of a number; None where that cannot be said."""
    if not is_number(cell.value):
        return None
    if cell.number_format in PLAIN_FORMATS:
        return number(cell.value).removesuffix(".0")
    return cell.shown


def error_shown(cell: Cell) -> str:
    """The error of every program that stands in for a cell that has no value.

    A formula without a result becomes one as well. Its text would pass for a value when the sheet is run again, and
    the formula itself would compute something else: what it refers to is in other rows here, or not in this file.
    """
    if isinstance(cell, ErrorCell):
        return cell.code if cell.code in _ERRORS else "#VALUE!"
    return "#NUM!" if isinstance(cell, NumberCell) else "#REF!"


def without_unholdable(text: str) -> str:
    """Replaces what XML cannot hold by the replacement character, which people can see."""
    return _UNHOLDABLE.sub("\ufffd", text)
