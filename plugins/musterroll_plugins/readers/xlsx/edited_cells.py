"""The worksheet with other cells: copied as a stream, everything else as it was."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from html import escape

from musterroll import CellEdit, Severity, column_letter, gettext
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.package.patching import Patcher, with_attributes
from musterroll_plugins.readers.package.xml import MAX_COLUMN, Attributes, DamagedError
from musterroll_plugins.readers.xlsx.writer import escaped

_NO_EDIT = CellEdit(0, 0)
_DIGITS = "0123456789"
# What may stand behind the link to the notes, by the order that the format demands.
_BEHIND_NOTES = frozenset(
    {"legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst"}
)


def inline_text(text: str, prefix: str = "") -> str:
    """The XML of a text that stands in its cell itself: a text whatever it looks like."""
    held = escape(escaped(text[: _looks.LONGEST_TEXT]), quote=False)
    return f'<{prefix}is><{prefix}t xml:space="preserve">{held}</{prefix}t></{prefix}is>'


class CellsPatcher(Patcher):
    """Changes the cells of a worksheet.

    Args:
        write: takes the bytes.
        edits: the edits, by row and column.
        blanked: columns that are emptied, from 0.
        blanked_from: from this row on.
        marked_style: gives the style that shows a mark on top of another style.
        notes_link: the id of the relationship to the notes; None where the worksheet has a link, or no notes.

    Attributes:
        emptied: the numbers of shared texts that cells do not refer to any more.
        kept: those that they do.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        edits: Iterator[CellEdit],
        blanked: frozenset[int],
        blanked_from: int,
        marked_style: Callable[[int, Severity], int],
        notes_link: str | None,
    ) -> None:
        super().__init__(write)
        self.parser.CharacterDataHandler = self.parts.append
        self._edits, self._next = edits, next(edits, None)
        self._blanked, self._blanked_from = blanked, blanked_from
        self._marked_style, self._notes_link = marked_style, notes_link
        self.emptied: set[int] = set()
        self.kept: set[int] = set()
        self._prefix = ""
        self._row = self._column = 0
        self._row_start: int | None = None
        self._row_style: int | None = None
        self._cell_start: int | None = None
        self._cell: Attributes = {}
        self._formula: tuple[int, Attributes] | None = None  # where it starts
        self._formula_end = 0
        self._value = ""
        self._in_data = False
        self._gone_formulas: set[str] = set()  # shared ones whose first cell has none any more
        self._column_styles: list[tuple[int, int, int]] = []
        self._is_linked = False
        self._data_start: int | None = None

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        self.parts.clear()
        if name == "c" and self._in_data:
            self._cell_start = self.held = self.place
            self._cell, self._formula, self._value = attributes, None, ""
        elif name == "row" and self._in_data:
            self._open_row(attributes)
        elif name == "f" and self._cell_start is not None:
            self._formula = (self.place, attributes)
        elif name == "sheetData":
            self._in_data = True
            self._prefix = self.start_tag(self.place)[1:].decode("ascii", "replace").partition("sheetData")[0]
            self._data_start = self.held = self.place
        elif name == "col":
            first, last, style = (int(attributes.get(key, "0")) for key in ("min", "max", "style"))
            self._column_styles.append((first - 1, last - 1, style))
        elif self.depth == 2:  # below the root
            if name == "legacyDrawing":
                self._is_linked = True
            elif name in _BEHIND_NOTES:
                self._add_link()

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if name == "v":
            self._value = self.text()
        elif name == "f" and self._formula is not None:
            self._formula_end = self.end_of(self._formula[0])
        elif name == "c" and self._cell_start is not None:
            self._close_cell(self._cell_start)
            self._cell_start = None
        elif name == "row" and self._in_data:
            self._close_row()
        elif name == "sheetData":
            self._close_data()
        elif self.depth == 0:
            self._add_link()
        self.parts.clear()

    def _open_row(self, attributes: Attributes) -> None:
        number = attributes.get("r")
        row = self._row + 1 if number is None else int(float(number))
        if row <= self._row:
            raise DamagedError(gettext("its rows are out of order after row {row}", row=self._row))
        self._data_start = None
        self._add_rows_before(row)
        self._row, self._column = row, 0
        self._row_start = self.held = self.place
        self._row_style = int(attributes["s"]) if attributes.get("s", "").isdecimal() else None

    def _add_rows_before(self, row: int) -> None:
        """Adds the rows that the sheet does not have and that cells are to be seen in."""
        added = ""
        while self._next is not None and self._next.row < row:
            number, cells = self._next.row, ""
            self._row_style = None
            while self._next is not None and self._next.row == number:
                cells += self._new_cell(self._next)
                self._next = next(self._edits, None)
            if cells:
                added += f'<{self._prefix}row r="{number}">{cells}</{self._prefix}row>'
        if added:
            self.replace(self.place, self.place, added)

    def _close_cell(self, start: int) -> None:
        reference = self._cell.get("r")
        column = self._column if reference is None else _column_of(reference)
        self._row_start = None
        added = ""
        while self._next is not None and self._next.row == self._row and self._next.column < column:
            added += self._new_cell(self._next)
            self._next = next(self._edits, None)
        edit = _NO_EDIT
        if self._next is not None and (self._next.row, self._next.column) == (self._row, column):
            edit, self._next = self._next, next(self._edits, None)
        if edit.text is None and column in self._blanked and self._row >= self._blanked_from:
            edit = edit._replace(text="")
        self._column = column + 1
        end = self.end_of(start)
        self._note_shared(is_kept=edit.text is None)
        if edit.text is None and edit.mark is None:
            formula = self._formula
            if formula is not None and formula[1].get("t") == "shared" and formula[1].get("si") in self._gone_formulas:
                # Its formula stood in a cell that is a text now; what it resulted in stays.
                self.replace(formula[0], self._formula_end, "")
            elif added:
                self.replace(start, start, added)
            self.held = None
            return
        style = int(self._cell["s"]) if self._cell.get("s", "").isdecimal() else 0
        if edit.mark is not None:
            style = self._marked_style(style, edit.mark)
        if edit.text is None:
            tag = self.start_tag(start)
            self.replace(start, start + len(tag), added + with_attributes(tag, s=str(style)))
            return
        if self._formula is not None and "si" in self._formula[1] and "ref" in self._formula[1]:
            self._gone_formulas.add(self._formula[1]["si"])
        self.replace(start, end, added + self._text_cell(column, style, edit.text))

    def _note_shared(self, *, is_kept: bool) -> None:
        if self._blanked and self._cell.get("t") == "s" and self._value.strip().isdecimal():
            (self.kept if is_kept else self.emptied).add(int(self._value))

    def _new_cell(self, edit: CellEdit) -> str:
        """The XML of a cell that the row does not have."""
        if edit.mark is None and not edit.text:
            return ""
        style = self._row_style if self._row_style is not None else self._column_style(edit.column)
        if edit.mark is not None:
            style = self._marked_style(style, edit.mark)
        return self._text_cell(edit.column, style, edit.text or "", row=edit.row)

    def _column_style(self, column: int) -> int:
        place = bisect_right(self._column_styles, (column, 1 << 30, 0)) - 1
        if place >= 0 and self._column_styles[place][0] <= column <= self._column_styles[place][1]:
            return self._column_styles[place][2]
        return 0

    def _text_cell(self, column: int, style: int, text: str, *, row: int | None = None) -> str:
        prefix, place = self._prefix, f"{column_letter(column)}{row or self._row}"
        head = f'<{prefix}c r="{place}" s="{style}"'
        return f'{head} t="inlineStr">{inline_text(text, prefix)}</{prefix}c>' if text else f"{head}/>"

    def _close_row(self) -> None:
        start, added = self._row_start, ""
        while self._next is not None and self._next.row == self._row:
            added += self._new_cell(self._next)
            self._next = next(self._edits, None)
        self.held = None
        if added and start is not None and (tag := self.start_tag(start)).endswith(b"/>"):
            opened = tag.decode("utf-8").removesuffix("/>").rstrip() + ">"
            self.replace(start, start + len(tag), f"{opened}{added}</{self._prefix}row>")
        elif added:
            self.replace(self.place, self.place, added)
        self._row_start = None

    def _close_data(self) -> None:
        start = self._data_start
        if start is not None and (tag := self.start_tag(start)).endswith(b"/>") and self._next is not None:
            self.replace(start, start + len(tag), f"<{self._prefix}sheetData>")
            self._add_rows_before(1 << 30)
            self.replace(self.place, self.place, f"</{self._prefix}sheetData>")
        else:
            self._add_rows_before(1 << 30)
        self._in_data, self.held = False, None

    def _add_link(self) -> None:
        if self._notes_link is not None and not self._is_linked:
            self._is_linked = True
            link = f'<{self._prefix}legacyDrawing xmlns:mr="{_RELATIONSHIPS}" mr:id="{self._notes_link}"/>'
            self.replace(self.place, self.place, link)


def _column_of(reference: str) -> int:
    """The column of a cell, from 0."""
    column = 0
    for letter in reference.rstrip(_DIGITS).upper():
        column = column * 26 + ord(letter) - 64
    if not 0 < column <= MAX_COLUMN:
        raise DamagedError(gettext("a cell has no proper place"))
    return column - 1


_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SELECTED = re.compile(rb"(\stabSelected\s*=\s*[\"'])(?:1|true)([\"'])")


def deselected(head: bytes) -> bytes:
    """The beginning of a worksheet that is not the one to be seen first: what is typed would go into all of these."""
    return _SELECTED.sub(rb"\g<1>0\g<2>", head, count=1)
