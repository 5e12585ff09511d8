"""What the content of a cell means: its kind, its value, and the text that it shows."""

from __future__ import annotations

import datetime as dt
import math
import re
from bisect import bisect_right
from collections.abc import Callable

from musterroll import BoolCell, Cell, DateCell, ErrorCell, FormulaCell, gettext
from musterroll_plugins.readers.number_formats import number_cell, text_cell
from musterroll_plugins.readers.ods.document import repeated
from musterroll_plugins.readers.ods.formats import GENERAL, code_that_shows, code_that_shows_text
from musterroll_plugins.readers.ods.styles import Styles
from musterroll_plugins.readers.package.xml import (
    MAX_COLUMN,
    TRUTHS,
    Attributes,
    DamagedError,
    memory_of,
    number_of,
    unreadable,
)

_ERROR = re.compile(r"#(?:N/A|NAME\?|(?:REF|VALUE|DIV/0|NULL|NUM)!)|Err:\d{3}")
_DATE = re.compile(r"-?\d+-\d\d-\d\d(?:T[\d:.,]*)?")
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?")


class ColumnStyles:
    """The styles of columns, which cells without one of their own have."""

    def __init__(self) -> None:
        # The last number of each stretch of columns, and its style.
        self._stretches: list[int] = []
        self._styles: list[str | None] = []

    def add(self, attributes: Attributes) -> None:
        """Hears of the next columns."""
        if len(self._stretches) > MAX_COLUMN:
            raise DamagedError(gettext("it has more columns than a sheet can"))
        last = self._stretches[-1] if self._stretches else 0
        self._stretches.append(last + repeated(attributes, "table:number-columns-repeated"))
        self._styles.append(attributes.get("table:default-cell-style-name"))

    @property
    def count(self) -> int:
        """How many stretches of columns there are so far."""
        return len(self._stretches)

    def of(self, column: int) -> str | None:
        """The style of a column, which is counted from 0."""
        stretch = bisect_right(self._stretches, column)
        return self._styles[stretch] if stretch < len(self._stretches) else None


class Values:
    """Makes cells of what the document's XML says of them.

    Attributes:
        styles: what the styles of cells mean.
        row_size: the memory of the texts of cells, since it was last set back.
    """

    def __init__(self, styles: Styles) -> None:
        self.styles = styles
        self.row_size = 0

    def cell(self, attributes: Attributes, text: str | None, default_style: Callable[[], str | None]) -> Cell:
        """Makes one cell.

        Args:
            attributes: those of its start tag.
            text: its paragraphs, a line each; None where it has none.
            default_style: says the style of cells in this place that have none of their own.
        """
        kind = attributes.get("office:value-type")
        if kind == "string" or (kind is None and text is not None):
            return self._string(attributes, text)
        shown = text or ""
        match kind:
            case None:
                formula = attributes.get("table:formula")
                return None if formula is None else FormulaCell(_readable(formula))
            case "float" | "percentage" | "currency":
                return self._number(attributes, text, default_style)
            case "boolean":
                known = TRUTHS.get(attributes.get("office:boolean-value", ""))
                if known is None:
                    return unreadable(shown, "no truth value stands where one belongs")
                return BoolCell(known)
            case "date":
                return _date(attributes.get("office:date-value", ""), shown)
            case "time":
                return _time(attributes.get("office:time-value", ""), shown)
        return unreadable(shown, "its kind is unknown")

    def _string(self, attributes: Attributes, shown: str | None) -> Cell:
        text = shown or ""
        self.row_size += memory_of(text)
        if attributes.get("calcext:value-type") == "error":
            return ErrorCell(text or "#VALUE!")
        value = attributes.get("office:string-value")
        if value and shown is not None and value.split() != text.split():  # the text is only how the value is shown
            return text_cell(value, code_that_shows_text(text))
        if value and shown is None:
            text = value
        if "table:formula" in attributes and _ERROR.fullmatch(text):
            return ErrorCell(text)
        return text or None

    def _number(self, attributes: Attributes, shown: str | None, default_style: Callable[[], str | None]) -> Cell:
        text = attributes.get("office:value", "").strip()
        number = number_of(text)
        if number is None:
            return unreadable(text or shown or "", "no number stands where one belongs")
        if not math.isfinite(number):
            return ErrorCell("#NUM!")
        code = self.styles.code_of(attributes.get("table:style-name") or default_style())
        if code == GENERAL and "table:formula" in attributes and number in {0, 1} and shown and shown.isalpha():
            return BoolCell(number == 1)  # LibreOffice: the result of =TRUE(), in the person's language
        if shown is not None:
            code = code_that_shows(shown, number, code)
        elif code == GENERAL and attributes["office:value-type"] == "percentage":
            code = "0%"
        return number_cell(number, code)


def _readable(formula: str) -> str:
    """The formula without the name of its language."""
    return formula.removeprefix("of:").removeprefix("msoxl:")


def _date(text: str, shown: str) -> Cell:
    if not text:
        return unreadable(shown, "no date stands where one belongs")
    try:
        found = dt.datetime.fromisoformat(text) if "T" in text else dt.date.fromisoformat(text)
    except ValueError:
        # A year that no program shows is an error of theirs.
        return ErrorCell("#NUM!") if _DATE.fullmatch(text) else unreadable(text, "no date stands where one belongs")
    return DateCell(found.replace(tzinfo=None) if isinstance(found, dt.datetime) else found)


def _time(text: str, shown: str) -> Cell:
    found = _DURATION.fullmatch(text)
    if found is None:
        return unreadable(text or shown, "no time stands where one belongs")
    sign, days, hours, minutes, seconds, fraction = found.groups()
    try:
        duration = dt.timedelta(
            days=int(days or 0),
            hours=int(hours or 0),
            minutes=int(minutes or 0),
            seconds=int(seconds or 0),
            microseconds=int((fraction or "")[:6].ljust(6, "0")),
        )
    except OverflowError:
        return ErrorCell("#NUM!")
    if sign or duration >= dt.timedelta(days=1):
        return DateCell(-duration if sign else duration)
    rest = duration.seconds
    return DateCell(dt.time(rest // 3600, rest // 60 % 60, rest % 60, duration.microseconds))
