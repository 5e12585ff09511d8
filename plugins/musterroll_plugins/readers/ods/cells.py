"""The rows of one worksheet of a document, as a stream.

What is empty is never written out, however often it is repeated; what has content is, row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from musterroll import Block, Cell, gettext
from musterroll_plugins.readers.ods.document import CELLS, TABLE_DEPTH, repeated
from musterroll_plugins.readers.ods.plain_rows import PlainRows
from musterroll_plugins.readers.ods.styles import Styles
from musterroll_plugins.readers.ods.values import ColumnStyles, Values
from musterroll_plugins.readers.package.blocks import Gathered
from musterroll_plugins.readers.package.columns import rows_of
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
)
from musterroll_plugins.readers.package.zip_file import TooLargeError

# Cells with content of a whole sheet. Repeating makes more of them out of a few bytes than any program could hold.
_CELL_LIMIT = 1 << 28
# Rows with content that are there because they are repeated: a column that was filled down to the end of the sheet is
# a million of them in a few bytes. No list of users has many, since no two users are the same.
_REPEATED_LIMIT = 100_000
# What lies inside of a text and is not part of it.
_ASIDES = frozenset({"annotation", "annotation-end", "note", "ruby-text", "frame"})
_PLAIN_DEPTH = 3  # row, cell, paragraph


class CellsHandler(SkimmingHandler):
    """Gathers rows while the document's content is fed to it.

    Args:
        place: which of the worksheets is read, from 0.
        worksheets: how many there are.
        styles: what the styles of cells mean.
        hidden: hears which rows are hidden.
    """

    def __init__(self, place: int, worksheets: int, styles: Styles, hidden: Hidden) -> None:
        super().__init__("table:table-row")
        self._place, self._worksheets, self._values = place, worksheets, Values(styles)
        self._gathered, self._hidden = Gathered(), hidden
        self._columns = ColumnStyles()
        self._plain = PlainRows(self._values, self._columns)
        self._tables = 0
        self._number = self._total = 0  # of the last row so far; of cells with content
        self._repeated = self._widest = 0
        self._row: Attributes | None = None
        self._cells: list[Cell] = []
        self._column = 0
        self._cell: Attributes | None = None
        self._text_depth = self._aside_depth = 0  # of what is open, or 0
        self._runs: list[str] = []
        self._runs_size = 0
        self._paragraphs = 0
        self._wait_for_table()

    def blocks(self, stream: IO[bytes]) -> Iterator[Block]:
        """Streams the rows that have content.

        Raises:
            DamagedError: a cell or a row is not what it can be.
        """
        return self._gathered.blocks(self.skim(stream))

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag outside of the worksheet."""
        self.parts.clear()
        if name == "table" and self.depth == TABLE_DEPTH:
            if self._tables == self._worksheets:
                raise DamagedError(gettext("its worksheets cannot be told apart"))
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
            self._columns.add(attributes)
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
                raise DamagedError(gettext("a text in it is longer than it can be"))
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
            raise DamagedError(gettext("a text in it is longer than it can be"))

    def _close_row(self, attributes: Attributes) -> None:
        count = repeated(attributes, "table:number-rows-repeated")
        if self._cells:
            self._note_hidden(attributes.get("table:visibility"))
        self._add_rows(count, tuple(self._cells), self._values.row_size)
        self._widest = max(self._widest, len(self._cells))
        self._cells.clear()
        self._column = self._values.row_size = 0
        self.note_end()

    def _note_hidden(self, visibility: str | None) -> None:
        if visibility in {"collapse", "filter"}:
            self._hidden.filtered |= visibility == "filter"
            self._hidden.rows = True

    def _add_rows(self, count: int, cells: tuple[Cell, ...], size: int) -> None:
        """Adds a row of some size, as often as it is repeated."""
        if cells:
            if self._number + count > MAX_ROW:
                raise DamagedError(gettext("it goes on below row {row}", row=MAX_ROW))
            self._repeated += count - 1
            if self._repeated > _REPEATED_LIMIT:
                last = self._number + count
                raise TooLargeError(
                    gettext("rows {first} to {last} all hold the same", first=self._number + 1, last=last)
                )
            self._count_cells(count * len(cells))
            if count == 1:
                self._gathered.add(self._number + 1, cells, size)
            else:
                self._gathered.repeat(range(self._number + 1, self._number + count + 1), cells)
        self._number += count

    def _count_cells(self, count: int) -> None:
        self._total += count
        if self._total > _CELL_LIMIT:
            raise DamagedError(gettext("it holds more cells than a sheet can"))

    def _close_cell(self, attributes: Attributes) -> None:
        count = repeated(attributes, "table:number-columns-repeated")
        column = self._column
        text = None
        if self._paragraphs:
            text = self._runs[0] if len(self._runs) == 1 else "".join(self._runs)
        cell = self._values.cell(attributes, text, self._default_style)
        if self._values.row_size > ROW_LIMIT:
            raise DamagedError(gettext("row {row} holds more text than it can", row=self._number + 1))
        self._column += count
        if self._paragraphs:
            self._runs.clear()
            self._runs_size = self._paragraphs = 0
        if cell is not None:
            if self._column > MAX_COLUMN:
                raise DamagedError(gettext("a cell in row {row} lies outside of the sheet", row=self._number + 1))
            cells = self._cells
            if column > len(cells):
                cells.extend([None] * (column - len(cells)))
            if count == 1:
                cells.append(cell)
            else:
                cells.extend([cell] * count)

    def _default_style(self) -> str | None:
        assert self._row is not None
        of_row = self._row.get("table:default-cell-style-name")
        return self._columns.of(self._column) if of_row is None else of_row

    def pattern(self, space: str) -> re.Pattern[str]:
        """What matches one plain row."""
        return self._plain.pattern(self._widest, space)

    def is_settled(self) -> bool:
        """Whether no row is open."""
        return self._row is None and self.depth < DEPTH_LIMIT - _PLAIN_DEPTH

    def take(self, found: Found, stride: int) -> None:
        """Takes what the pattern has found."""
        self._plain.take(found, stride)

    def accept(self, start: int, stop: int, size: int) -> bool:
        """Gathers plain rows, unless the styles of columns have changed since they were taken."""
        plain = self._plain
        if plain.stretches != self._columns.count:
            return False
        for place, visibility in plain.hidden:
            if start <= place < stop:
                self._note_hidden(visibility)
        counts, columns = plain.counts[start:stop], [column[start:stop] for column in plain.columns]
        last = self._number + len(counts)
        if counts.count(1) < len(counts) or last > MAX_ROW:
            for count, cells in zip(counts, rows_of(columns, len(counts)), strict=True):
                self._add_rows(count, cells, size // len(counts))
        else:
            self._count_cells(self._gathered.extend(range(self._number + 1, last + 1), columns, size))
            self._number = last
        return True
