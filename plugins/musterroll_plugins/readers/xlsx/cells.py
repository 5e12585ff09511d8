"""The rows of one worksheet, as a stream.

Positions are those that cells and rows name, or follow the one before where they name none. Nothing that the
sheet says about its own extent is used: only cells with content count.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from musterroll import BoolCell, Cell, DateCell, ErrorCell, FormulaCell, SheetRow, TextCell
from musterroll_plugins.readers.number_formats import number_cell, text_cell
from musterroll_plugins.readers.package.worksheets import Hidden
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
    truth,
    unreadable,
)
from musterroll_plugins.readers.xlsx.workbook import Styles, unescape

_DIGITS = "0123456789"


class CellsHandler(XmlHandler):
    """Gathers rows in `done` while the worksheet's XML is fed to it.

    Args:
        texts: the shared texts; called once, when the first cell refers to them.
        styles: the number formats.
    """

    def __init__(self, texts: Callable[[], Sequence[str]], styles: Callable[[], Styles]) -> None:
        super().__init__()
        self.done: list[SheetRow] = []
        self._load_texts, self._load_styles = texts, styles
        self._texts: Sequence[str] | None = None
        self._styles: Styles | None = None
        self._plain: set[str | None] = {None}  # styles that show texts as they are: nearly all
        self._columns: dict[str, int] = {}
        self._row = self._column = 0
        self._cells: list[Cell] = []
        self._attributes: Attributes | None = None  # of the cell that is open
        self._value: str | None = None
        self._formula: str | None = None
        self._runs: list[str] = []
        self._runs_size = self._row_size = 0
        self._phonetic = False

    def rows(self, stream: IO[bytes]) -> Iterator[SheetRow]:
        """Streams the rows that have content.

        Raises:
            DamagedError: a cell or a row is not what it can be.
        """
        for _ in self.feed(stream):
            if self.done:
                yield from self.done
                self.done.clear()
        yield from self.done

    def start(self, tag: str, attributes: Attributes) -> None:
        """Hears of a start tag; one call, because there are millions."""
        self.depth += 1
        name = self.names[tag]
        if name == "c":
            if self._attributes is not None:
                raise DamagedError("a cell lies inside a cell")
            self._attributes = attributes
        elif name in {"v", "f", "t"}:
            self.parts.clear()
        elif name == "row":
            self._open_row(attributes.get("r"))
        elif name == "rPh":
            self._phonetic = True
        if self.depth > DEPTH_LIMIT:
            raise too_deep()

    def end(self, tag: str) -> None:
        """Hears of an end tag."""
        self.depth -= 1
        name = self.names[tag]
        if name == "c":
            self._close_cell()
            self.parts.clear()
        elif name == "v":
            self._value = self.text()
        elif name == "t":
            if not self._phonetic and self._attributes is not None:
                self._add_run(self.text())
        elif name == "row":
            self._close_row()
        elif name == "f":
            self._formula = self.text()
        elif name == "rPh":
            self._phonetic = False
        elif name == "sheetData":  # from here on the document need only be well-formed
            self.parser.CharacterDataHandler = None
            self.parser.StartElementHandler, self.parser.EndElementHandler = super().start, super().end

    def _open_row(self, number: str | None) -> None:
        before = self._row
        if number is None:
            self._row += 1
        else:
            self._row = int(number) if number.isdecimal() else int(float(number))
        if not before < self._row <= MAX_ROW:
            raise DamagedError(f"its rows are out of order after row {before}")
        self._column = 0

    def _close_row(self) -> None:
        if self._cells:
            self.done.append(SheetRow(self._row, tuple(self._cells)))
            self._cells.clear()
            self._row_size = 0

    def _add_run(self, text: str) -> None:
        if not self._runs:
            self._runs_size = 0
        self._runs_size += len(text)
        if text:
            self._runs.append(text)
        if self._runs_size > TEXT_LIMIT:
            raise DamagedError("a text in it is longer than it can be")

    def _close_cell(self) -> None:
        attributes = self._attributes
        if attributes is None:
            return
        reference = attributes.get("r")
        column = self._column + 1 if reference is None else self._column_of(reference)
        self._column = column
        if self._value is not None or self._runs or self._formula is not None:
            cell = self._cell(attributes)
            if cell is not None:
                if not 0 < column <= MAX_COLUMN or not self._row:
                    raise DamagedError(f"a cell after row {self._row} lies outside of the sheet")
                cells = self._cells
                missing = column - 1 - len(cells)
                if missing:
                    if missing < 0:
                        raise DamagedError(f"the cells of row {self._row} are out of order")
                    cells.extend([None] * missing)
                cells.append(cell)
            self._value = self._formula = None
            self._runs.clear()
        self._attributes = None

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip(_DIGITS)
        column = self._columns.get(letters)
        if column is None:
            if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
                raise DamagedError(f"a cell in row {self._row} has no proper place")
            column = 0
            for letter in letters.upper():
                column = column * 26 + ord(letter) - 64
            self._columns[letters] = column
        return column

    def _cell(self, attributes: Attributes) -> Cell:
        kind, value = attributes.get("t") or "n", self._value
        if kind == "s" and value:
            if self._texts is None:
                self._texts = self._load_texts()
                if not self._texts:
                    raise DamagedError("its texts are missing")
            try:
                index = int(value)
                if index >= 0:
                    text, style = self._texts[index], attributes.get("s")
                    return text if style in self._plain else self._styled(text, style)
            except (ValueError, LookupError):
                pass
            return unreadable(value, "it refers to a text that the file does not have")
        if kind == "inlineStr":
            return self._styled(self._held("".join(self._runs)), attributes.get("s")) if self._runs else None
        if kind == "str" and value is not None:
            # "" as well: a formula that results in an empty text.
            return self._styled(self._held(value), attributes.get("s"))
        value = value.strip() if value is not None else ""
        if value:
            return self._number(value, attributes.get("s", "0")) if kind == "n" else _other(kind, value)
        return None if self._formula is None else FormulaCell(f"={self._formula}")

    def _held(self, text: str) -> str:
        """A text that stands in the cell itself."""
        self._row_size += memory_of(text)
        if self._row_size > ROW_LIMIT:
            raise DamagedError(f"row {self._row} holds more text than it can")
        return unescape(text)

    def _styled(self, text: str, style: str | None) -> str | TextCell:
        if style is None or style in self._plain:
            return text
        if self._styles is None:
            self._styles = self._load_styles()
        code = self._styles.text_format(style)
        if code is None:
            self._plain.add(style)
        return text if code is None or not text.strip() else text_cell(text, code)

    def _number(self, text: str, style: str) -> Cell:
        number = number_of(text)
        if number is None:
            return unreadable(text, "no number stands where one belongs")
        if not math.isfinite(number):
            return ErrorCell("#NUM!")
        if self._styles is None:
            self._styles = self._load_styles()
        code, is_date, is_duration = self._styles.of(style)
        if not is_date:
            return number_cell(number, code)
        date = self._styles.date(number, duration=is_duration)
        return DateCell(date) if date is not None else ErrorCell("#NUM!")


def _other(kind: str, value: str) -> Cell:
    if kind == "b":
        known = TRUTHS.get(value.lower())
        return unreadable(value, "no truth value stands where one belongs") if known is None else BoolCell(known)
    if kind == "e":
        return ErrorCell(value)
    if kind == "d":
        try:
            return DateCell(_from_iso(value.removesuffix("Z")))
        except ValueError:
            return unreadable(value, "no date stands where one belongs")
    return unreadable(value, "its kind is unknown")


def _from_iso(text: str) -> dt.datetime | dt.date | dt.time:
    if "T" in text:
        return dt.datetime.fromisoformat(text)
    return dt.date.fromisoformat(text) if "-" in text else dt.time.fromisoformat(text)


class HiddenHandler(XmlHandler):
    """Reads what stands before the cells: whether it is a worksheet at all, and what it hides.

    Attributes:
        hidden: what it hides.
        seen_cells: whether the cells have begun; from there on, hidden rows are found.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hidden = Hidden()
        self.seen_cells = False
        self._in_hidden_row = False

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        self.parts.clear()
        if self.depth == 1 and name != "worksheet":
            raise DamagedError("its worksheet is none")
        if self.seen_cells:
            self._opened_below(name, attributes)
        elif name == "sheetData":
            self.seen_cells = True
        elif name == "sheetPr":
            self.hidden.filtered = truth(attributes.get("filterMode"))
        elif name == "col" and truth(attributes.get("hidden")):
            first, last = int(attributes.get("min", "0")), int(attributes.get("max", "0"))
            # What reaches to the last column is the empty rest of the sheet.
            if 0 < first <= last < MAX_COLUMN:
                self.hidden.add_columns(first, last)

    def _opened_below(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._in_hidden_row = truth(attributes.get("hidden"))
        elif self._in_hidden_row and name in {"v", "t"}:
            self.hidden.rows = True
