"""The rows of one worksheet of a document, as a stream.

What is empty is never written out, however often it is repeated; what has content is, row by row.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import IO

from musterroll import BoolCell, Cell, DateCell, ErrorCell, FormulaCell, SheetRow
from musterroll_plugins.readers.number_formats import number_cell, text_cell
from musterroll_plugins.readers.ods.document import CELLS, TABLE_DEPTH, repeated
from musterroll_plugins.readers.ods.formats import GENERAL, code_that_shows, code_that_shows_text
from musterroll_plugins.readers.ods.styles import Styles
from musterroll_plugins.readers.package.xml import (
    DEPTH_LIMIT,
    MAX_COLUMN,
    MAX_ROW,
    ROW_LIMIT,
    TEXT_LIMIT,
    TRUTHS,
    Attributes,
    DamagedError,
    XmlHandler,
    memory_of,
    number_of,
    too_deep,
    unreadable,
)
from musterroll_plugins.readers.package.zip_file import TooLargeError

# Cells with content of a whole sheet. Repeating makes more of them out of a few bytes than any program could hold.
_CELL_LIMIT = 1 << 28
# Rows with content that are there because they are repeated: a column that was filled down to the end of the sheet is
# a million of them in a few bytes. No list of users has many, since no two users are the same.
_REPEATED_LIMIT = 100_000
# What lies inside of a text and is not part of it.
_ASIDES = frozenset({"annotation", "annotation-end", "note", "ruby-text", "frame"})
_ERROR = re.compile(r"#(?:N/A|NAME\?|(?:REF|VALUE|DIV/0|NULL|NUM)!)|Err:\d{3}")
_DATE = re.compile(r"-?\d+-\d\d-\d\d(?:T[\d:.,]*)?")
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?")


class CellsHandler(XmlHandler):
    """Gathers rows while the document's content is fed to it.

    Args:
        place: which of the worksheets is read, from 0.
        styles: what the styles of cells mean.
    """

    def __init__(self, place: int, styles: Styles) -> None:
        super().__init__()
        self._place, self._styles = place, styles
        self._done: list[tuple[int, int, tuple[Cell, ...]]] = []  # first number, how many, cells
        self._tables = 0
        self._number = self._total = 0  # of the last row so far; of cells with content
        self._repeated = 0
        self._row: Attributes | None = None
        self._cells: list[Cell] = []
        self._column = 0
        # The last number of each stretch of columns, and its style.
        self._stretches: list[int] = []
        self._default_styles: list[str | None] = []
        self._cell: Attributes | None = None
        self._text_depth = self._aside_depth = 0  # of what is open, or 0
        self._runs: list[str] = []
        self._runs_size = self._row_size = 0
        self._paragraphs = 0
        self._wait_for_table()

    def rows(self, stream: IO[bytes]) -> Iterator[SheetRow]:
        """Streams the rows that have content.

        Raises:
            DamagedError: a cell or a row is not what it can be.
        """
        for _ in self.feed(stream):
            yield from self._gathered()
        yield from self._gathered()

    def _gathered(self) -> Iterator[SheetRow]:
        for first, count, cells in self._done:
            for number in range(first, first + count):
                yield SheetRow(number, cells)
        self._done.clear()

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag outside of the worksheet."""
        self.parts.clear()
        if name == "table" and self.depth == TABLE_DEPTH:
            if self._tables == self._place:
                self.parser.CharacterDataHandler = self.parts.append
                self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
            self._tables += 1

    def _wait_for_table(self) -> None:
        self.parser.CharacterDataHandler = None
        self.parser.StartElementHandler, self.parser.EndElementHandler = super().start, super().end

    def _start(self, tag: str, attributes: Attributes) -> None:
        """Hears of a start tag in the worksheet; one call, because there are millions."""
        self.depth += 1
        if self._aside_depth:
            pass
        elif self._text_depth:
            self._open_inline(self.names[tag], attributes)
        elif self._cell is not None:
            if self.names[tag] == "p":
                self.parts.clear()
                self._text_depth = self.depth
                if self._paragraphs:
                    self._add_run("\n")
                self._paragraphs += 1
            else:  # a comment, a picture, a table of its own
                self._aside_depth = self.depth
        elif self._row is not None:
            if self.names[tag] in CELLS:
                self._cell = attributes
        elif (name := self.names[tag]) == "table-row":
            self._row = attributes
        elif name == "table-column":
            self._add_columns(attributes)
        if self.depth > DEPTH_LIMIT:
            raise too_deep()

    def _end(self, tag: str) -> None:
        depth = self.depth
        self.depth -= 1
        if self._aside_depth:
            if depth == self._aside_depth:
                self._aside_depth = 0
        elif self._text_depth:
            if self.parts:
                self._add_run(self.text())
            if depth == self._text_depth:
                self._text_depth = 0
        elif self._cell is not None:
            self._close_cell(self._cell)
            self._cell = None
        elif self._row is not None:
            if self.names[tag] == "table-row":
                self._close_row(self._row)
                self._row = None
        elif depth == TABLE_DEPTH:  # from here on the document need only be well-formed
            self._wait_for_table()
        self.parts.clear()

    def _open_inline(self, name: str, attributes: Attributes) -> None:
        if self.parts:
            self._add_run(self.text())
            self.parts.clear()
        if name == "s":
            count = repeated(attributes, "text:c")
            if count > TEXT_LIMIT:
                raise DamagedError("a text in it is longer than it can be")
            self._add_run(" " * count)
        elif name == "tab":
            self._add_run("\t")
        elif name == "line-break":
            self._add_run("\n")
        elif name in _ASIDES:
            self._aside_depth = self.depth

    def _add_run(self, text: str) -> None:
        # White space is taken as it stands. The standard has it folded, but no program does, and LibreOffice
        # writes several spaces in a row into cells of several lines.
        self._runs_size += len(text)
        self._runs.append(text)
        if self._runs_size > TEXT_LIMIT:
            raise DamagedError("a text in it is longer than it can be")

    def _add_columns(self, attributes: Attributes) -> None:
        if len(self._stretches) > MAX_COLUMN:
            raise DamagedError("it has more columns than a sheet can")
        last = self._stretches[-1] if self._stretches else 0
        self._stretches.append(last + repeated(attributes, "table:number-columns-repeated"))
        self._default_styles.append(attributes.get("table:default-cell-style-name"))

    def _close_row(self, attributes: Attributes) -> None:
        count = repeated(attributes, "table:number-rows-repeated")
        if self._cells:
            if self._number + count > MAX_ROW:
                raise DamagedError(f"it goes on below row {MAX_ROW}")
            self._repeated += count - 1
            if self._repeated > _REPEATED_LIMIT:
                last = self._number + count
                raise TooLargeError(f"rows {self._number + 1} to {last} all hold the same")
            self._total += count * len(self._cells)
            if self._total > _CELL_LIMIT:
                raise DamagedError("it holds more cells than a sheet can")
            self._done.append((self._number + 1, count, tuple(self._cells)))
            self._cells.clear()
        self._number += count
        self._column = self._row_size = 0

    def _close_cell(self, attributes: Attributes) -> None:
        count = repeated(attributes, "table:number-columns-repeated")
        column = self._column
        cell = self._value(attributes)
        self._column += count
        if self._paragraphs:
            self._runs.clear()
            self._runs_size = self._paragraphs = 0
        if cell is not None:
            if self._column > MAX_COLUMN:
                raise DamagedError(f"a cell in row {self._number + 1} lies outside of the sheet")
            cells = self._cells
            if column > len(cells):
                cells.extend([None] * (column - len(cells)))
            if count == 1:
                cells.append(cell)
            else:
                cells.extend([cell] * count)

    def _value(self, attributes: Attributes) -> Cell:
        kind = attributes.get("office:value-type")
        if kind is None and not self._paragraphs:
            formula = attributes.get("table:formula")
            return None if formula is None else FormulaCell(_readable(formula))
        text = self._runs[0] if len(self._runs) == 1 else "".join(self._runs)
        if kind == "string" or kind is None:
            return self._string(attributes, text)
        match kind:
            case "float" | "percentage" | "currency":
                return self._number_cell(attributes, text)
            case "boolean":
                known = TRUTHS.get(attributes.get("office:boolean-value", ""))
                if known is None:
                    return unreadable(text, "no truth value stands where one belongs")
                return BoolCell(known)
            case "date":
                return _date(attributes.get("office:date-value", ""), text)
            case "time":
                return _time(attributes.get("office:time-value", ""), text)
        return unreadable(text, "its kind is unknown")

    def _string(self, attributes: Attributes, text: str) -> Cell:
        self._row_size += memory_of(text)
        if self._row_size > ROW_LIMIT:
            raise DamagedError(f"row {self._number + 1} holds more text than it can")
        if attributes.get("calcext:value-type") == "error":
            return ErrorCell(text or "#VALUE!")
        value = attributes.get("office:string-value")
        if value and self._paragraphs and value.split() != text.split():  # the text is only how the value is shown
            return text_cell(value, code_that_shows_text(text))
        if value and not self._paragraphs:
            text = value
        if "table:formula" in attributes and _ERROR.fullmatch(text):
            return ErrorCell(text)
        return text

    def _number_cell(self, attributes: Attributes, shown: str) -> Cell:
        text = attributes.get("office:value", "").strip()
        number = number_of(text)
        if number is None:
            return unreadable(text or shown, "no number stands where one belongs")
        if not math.isfinite(number):
            return ErrorCell("#NUM!")
        code = self._styles.code_of(attributes.get("table:style-name") or self._default_style())
        if code == GENERAL and "table:formula" in attributes and number in {0, 1} and shown.isalpha():
            return BoolCell(number == 1)  # LibreOffice: the result of =TRUE(), in the person's language
        if self._paragraphs:
            code = code_that_shows(shown, number, code)
        elif code == GENERAL and attributes["office:value-type"] == "percentage":
            code = "0%"
        return number_cell(number, code)

    def _default_style(self) -> str | None:
        assert self._row is not None
        of_row = self._row.get("table:default-cell-style-name")
        if of_row is not None:
            return of_row
        stretch = bisect_right(self._stretches, self._column)
        return self._default_styles[stretch] if stretch < len(self._stretches) else None


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
