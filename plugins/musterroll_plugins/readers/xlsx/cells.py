"""The rows of one worksheet, as a stream.

Positions are those that cells and rows name, or follow the one before where they name none. Nothing that the
sheet says about its own extent is used: only cells with content count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from musterroll import Block, Cell, gettext
from musterroll_plugins.readers.package.blocks import Gathered
from musterroll_plugins.readers.package.skimming import Found, SkimmingHandler
from musterroll_plugins.readers.package.worksheets import Hidden
from musterroll_plugins.readers.package.xml import (
    DEPTH_LIMIT,
    MAX_COLUMN,
    MAX_ROW,
    ROW_LIMIT,
    TEXT_LIMIT,
    Attributes,
    DamagedError,
    too_deep,
    truth,
)
from musterroll_plugins.readers.xlsx.plain_rows import PlainRows
from musterroll_plugins.readers.xlsx.values import Values

_DIGITS = "0123456789"
_DEPTH = 2  # worksheet, sheetData: what lies deeper is a row


class CellsHandler(SkimmingHandler):
    """Gathers rows while the worksheet's XML is fed to it.

    Attributes:
        hidden: what it hides, as far as it was read.

    Args:
        values: what the contents of cells mean.
    """

    def __init__(self, values: Values) -> None:
        super().__init__("row")
        self.hidden = Hidden()
        self._is_hidden = False  # the row
        self._values = values
        self._gathered = Gathered()
        self._plain = PlainRows(values)
        self._columns: dict[str, int] = {}
        self._row = self._column = self._widest = 0
        self._cells: list[Cell] = []
        self._attributes: Attributes | None = None  # of the cell that is open
        self._value: str | None = None
        self._formula: str | None = None
        self._runs: list[str] = []
        self._runs_size = 0
        self._phonetic = False

    def blocks(self, stream: IO[bytes]) -> Iterator[Block]:
        """Streams the rows that have content.

        Raises:
            DamagedError: a cell or a row is not what it can be.
        """
        return self._gathered.blocks(self.skim(stream))

    def start(self, tag: str, attributes: Attributes) -> None:
        """Hears of a start tag; one call, because there are millions."""
        self.depth += 1
        name = self.names[tag]
        if name == "c":
            if self._attributes is not None:
                raise DamagedError(gettext("a cell lies inside a cell"))
            self._attributes = attributes
        elif name in {"v", "f", "t"}:
            self.parts.clear()
        elif name == "row":
            self.note_start(tag)
            self._is_hidden = truth(attributes.get("hidden"))
            self._open_row(attributes.get("r"))
        elif name == "rPh":
            self._phonetic = True
        else:
            self.parts.clear()
            if self.depth <= _DEPTH + 1:
                self._look_at(name, attributes)
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

    def _look_at(self, name: str, attributes: Attributes) -> None:
        """Looks at what stands outside of rows."""
        if self.depth == 1 and name != "worksheet":
            raise DamagedError(gettext("its worksheet is none"))
        if name == "sheetPr":
            self.hidden.filtered = truth(attributes.get("filterMode"))
        elif name == "col" and truth(attributes.get("hidden")):
            first, last = int(attributes.get("min", "0")), int(attributes.get("max", "0"))
            # What reaches to the last column is the empty rest of the sheet.
            if 0 < first <= last < MAX_COLUMN:
                self.hidden.add_columns(first, last)

    def _open_row(self, number: str | None) -> None:
        before = self._row
        if number is None:
            self._row += 1
        else:
            self._row = int(number) if number.isdecimal() else int(float(number))
        if not before < self._row <= MAX_ROW:
            raise DamagedError(gettext("its rows are out of order after row {before}", before=before))
        self._column = 0
        self.parts.clear()

    def _close_row(self) -> None:
        if self._cells:
            self.hidden.rows |= self._is_hidden
            self._gathered.add(self._row, tuple(self._cells), self._values.row_size)
            self._widest = max(self._widest, len(self._cells))
            self._cells.clear()
            self._values.row_size = 0
        self.note_end()

    def _add_run(self, text: str) -> None:
        if not self._runs:
            self._runs_size = 0
        self._runs_size += len(text)
        if text:
            self._runs.append(text)
        if self._runs_size > TEXT_LIMIT:
            raise DamagedError(gettext("a text in it is longer than it can be"))

    def _close_cell(self) -> None:
        attributes = self._attributes
        if attributes is None:
            return
        reference = attributes.get("r")
        column = self._column + 1 if reference is None else self._column_of(reference)
        self._column = column
        if self._value is not None or self._runs or self._formula is not None:
            cell = self._values.cell(attributes, self._value, self._runs, self._formula)
            if self._values.row_size > ROW_LIMIT:
                raise DamagedError(gettext("row {row} holds more text than it can", row=self._row))
            if cell is not None:
                if not 0 < column <= MAX_COLUMN or not self._row:
                    raise DamagedError(gettext("a cell after row {row} lies outside of the sheet", row=self._row))
                cells = self._cells
                missing = column - 1 - len(cells)
                if missing:
                    if missing < 0:
                        raise DamagedError(gettext("the cells of row {row} are out of order", row=self._row))
                    cells.extend([None] * missing)
                cells.append(cell)
                if self._formula is not None and self._value is not None:
                    self._plain.expect_formulas(column - 1)
            self._value = self._formula = None
            self._runs.clear()
        self._attributes = None

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip(_DIGITS)
        column = self._columns.get(letters)
        if column is None:
            if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
                raise DamagedError(gettext("a cell in row {row} has no proper place", row=self._row))
            column = 0
            for letter in letters.upper():
                column = column * 26 + ord(letter) - 64
            self._columns[letters] = column
        return column

    def pattern(self, space: str) -> re.Pattern[str]:
        """What matches one plain row."""
        return self._plain.pattern(self._widest, self.prefix, space)

    def is_settled(self) -> bool:
        """Whether no row and no cell is open, and nothing was found outside of cells."""
        return (
            self.depth == _DEPTH
            and self._attributes is None
            and self._value is None
            and self._formula is None
            and not (self._cells or self._runs or self._phonetic)
        )

    def take(self, found: Found, stride: int) -> None:
        """Takes what the pattern has found."""
        self._plain.take(found, stride)

    def accept(self, start: int, stop: int, size: int) -> bool:
        """Gathers plain rows, unless they do not follow the row before."""
        numbers, columns = self._plain.numbers[start:stop], [column[start:stop] for column in self._plain.columns]
        if numbers:
            if numbers[0] <= self._row:
                return False
            self._row = numbers[-1]
            self.hidden.rows |= any(start <= place < stop for place in self._plain.hidden)
            self._gathered.extend(numbers, columns, size)
        return True
