"""The content of a document with other cells: copied as a stream, everything else as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from musterroll import CellEdit, SheetEdits
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.ods.document import CELLS, TABLE_DEPTH, repeated
from musterroll_plugins.readers.ods.edited_styles import EditedStyles
from musterroll_plugins.readers.ods.front import front_table
from musterroll_plugins.readers.ods.values import ColumnStyles
from musterroll_plugins.readers.ods.writer import paragraphs
from musterroll_plugins.readers.package.patching import Patcher, with_attributes
from musterroll_plugins.readers.package.xml import MAX_ROW, Attributes

_VALUE = re.compile(
    rb"\s+(?:office:(?:value|value-type|date-value|time-value|boolean-value|string-value|currency)|calcext:value-type"
    rb"|table:formula|table:number-matrix-(?:columns|rows)-spanned)\s*=\s*(?:\"[^\"]*\"|'[^']*')"
)
_REPEATED = re.compile(rb"\s+table:number-(?:columns|rows)-repeated\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_ANNOTATION = re.compile(rb"<office:annotation\b.*?</office:annotation>", re.DOTALL)
_OURS = re.compile(
    rb"<text:p\b[^>]*>(?:<text:span\b[^>]*>)?" + re.escape(_looks.NOTE.encode()) + rb".*(?=</office:annotation>)",
    re.DOTALL,
)
_DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'


class _Cell(NamedTuple):
    """A cell, or several that are the same.

    Attributes:
        raw: its element.
        tag: the start tag.
        times: how many there are.
        style: its own style.
        is_filled: whether it holds anything.
    """

    raw: bytes
    tag: bytes
    times: int
    style: str | None
    is_filled: bool


class RowsPatcher(Patcher):
    """Changes the cells of a worksheet.

    Args:
        write: takes the bytes.
        place: which of the worksheets, from 0.
        name: its name.
        edits: what is changed.
        styles: takes the styles that marks need, the first time; the second time it has them all.
        earlier: the place of a worksheet that goes, as the one in front replaces it.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        place: int,
        name: str,
        edits: SheetEdits,
        styles: EditedStyles,
        earlier: int | None,
    ) -> None:
        super().__init__(write)
        self._edits, self._styles, self._place, self._name, self._earlier = edits, styles, place, name, earlier
        self._cells_to_edit = edits.cells()
        self._next = next(self._cells_to_edit, None)
        self._columns = ColumnStyles()
        self._tables = -1
        self._table_start: int | None = None
        self._in_table = False
        self._number = 0  # of the last row so far
        self._row: tuple[int, Attributes] | None = None
        self._is_edited = False
        self._cell: tuple[int, int, Attributes] | None = None  # the start, the depth
        self._cells: list[_Cell] = []
        self._note: int | None = None  # the start of one that may have to go
        self._style: tuple[int, str] | None = None
        self._in_styles = False
        self._has_styles = False

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        if name == "automatic-styles":
            self._in_styles = self._has_styles = True
            self._styles_start = self.held = self.place
        elif self._in_styles:
            if name == "style" and self._style is None and attributes.get("style:family") == "table-cell":
                self._style = (self.place, attributes.get("style:name", ""))
                self._style_depth = self.depth
                self.held = self.place
        elif name == "body" and not self._has_styles:
            added = f"<office:automatic-styles>{self._styles.added()}</office:automatic-styles>"
            self.replace(self.place, self.place, added)
        elif name == "table" and self.depth == TABLE_DEPTH:
            self._open_table()
        elif self._in_table and self._cell is None:
            self._open_in_table(name, attributes)
        elif name == "annotation" and self._in_table and not self._is_edited and self._edits.drops_earlier_notes:
            self._note = self.held = self.place

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if self._in_styles:
            self._close_style(name)
        elif name == "table" and self.depth == TABLE_DEPTH - 1:
            self._close_table()
        elif self._note is not None:
            if name == "annotation":
                self._close_note(self._note)
        elif self._cell is not None:
            if self.depth == self._cell[1] - 1:
                self._close_cell(*self._cell)
                self._cell = None
        elif self._row is not None and name == "table-row":
            self._close_row(*self._row)
            self._row = None

    def _close_style(self, name: str) -> None:
        if self._style is not None and self.depth == self._style_depth - 1:
            start, own = self._style
            self._styles.know(own, self.raw(start, self.end_of(start)).decode("utf-8"))
            self._style = self.held = None
        elif name == "automatic-styles":
            self._in_styles = False
            start, added = self._styles_start, self._styles.added()
            is_held = self.held is not None
            self.held = None
            if added and is_held and (tag := self.start_tag(start)).endswith(b"/>"):
                self.replace(start, start + len(tag), f"<office:automatic-styles>{added}</office:automatic-styles>")
            elif added:
                self.replace(self.place, self.place, added)

    def _open_table(self) -> None:
        self._tables += 1
        if self._tables == 0 and self._edits.front is not None:
            self.replace(self.place, self.place, front_table(self._edits.front, self._name, self._styles))
        if self._tables == self._earlier:
            self._table_start = self.held = self.place
        self._in_table = self._tables == self._place

    def _close_table(self) -> None:
        if self._table_start is not None:
            self.replace(self._table_start, self.end_of(self._table_start), "")
            self._table_start = None
        elif self._in_table:
            added = "".join(self._rows_below())
            if added:
                self.replace(self.place, self.place, added)
        self._in_table = False

    def _open_in_table(self, name: str, attributes: Attributes) -> None:
        if name == "table-row" and self._row is None:
            count = repeated(attributes, "table:number-rows-repeated")
            self._row = (self.place, attributes)
            self._is_edited = (self._next is not None and self._next.row <= self._number + count) or (
                bool(self._edits.blanked) and self._number + count >= self._edits.blanked_from
            )
            self.held = self.place if self._is_edited else None
            self._cells = []
        elif self._row is not None and name in CELLS:
            self._cell = (self.place, self.depth, attributes)
        elif name == "table-column":
            self._columns.add(attributes)

    def _close_note(self, start: int) -> None:
        """Takes a note of an earlier copy away, at a cell of which nothing else is to be said."""
        end = self.end_of(start)
        self._note = self.held = None
        raw = self.raw(start, end)
        if (left := _persons(raw)) != raw:
            self.replace(start, end, left.decode("utf-8"))

    def _close_cell(self, start: int, depth: int, attributes: Attributes) -> None:
        if self._is_edited:
            raw = self.raw(start, self.end_of(start))
            self._cells.append(
                _Cell(
                    raw,
                    self.start_tag(start),
                    repeated(attributes, "table:number-columns-repeated"),
                    attributes.get("table:style-name"),
                    "office:value-type" in attributes or "table:formula" in attributes or b"<text:p" in raw,
                )
            )

    def _close_row(self, start: int, attributes: Attributes) -> None:
        count = repeated(attributes, "table:number-rows-repeated")
        first, self._number = self._number + 1, self._number + count
        if not self._is_edited:
            return
        tag = _REPEATED.sub(b"", self.start_tag(start)).decode("utf-8")
        default = attributes.get("table:default-cell-style-name")
        made, at = "", first
        while self._next is not None and self._next.row <= self._number:
            row = self._next.row
            changed: dict[int, CellEdit] = {}
            while self._next is not None and self._next.row == row:
                changed[self._next.column] = self._next
                self._next = next(self._cells_to_edit, None)
            made += self._some_rows(tag, at, row - at, {}, default) + self._some_rows(tag, row, 1, changed, default)
            at = row + 1
        made += self._some_rows(tag, at, self._number + 1 - at, {}, default)
        self.replace(start, self.end_of(start), made)

    def _some_rows(self, tag: str, first: int, count: int, changed: Mapping[int, CellEdit], default: str | None) -> str:
        """The XML of rows that are the same."""
        if count < 1:
            return ""
        if count > 1:
            tag = with_attributes(tag.encode(), table_number__rows__repeated=str(count))
        cells = "".join(self._changed_cells(first, changed, default))
        opened = tag.removesuffix("/>").removesuffix(">").rstrip() + ">"
        return f"{opened}{cells}</table:table-row>"

    def _changed_cells(self, row: int, changed: Mapping[int, CellEdit], default: str | None) -> Iterator[str]:
        blanked = self._edits.blanked if row >= self._edits.blanked_from else frozenset()
        column = 0
        for cell in self._cells:
            end = column + cell.times
            places = sorted({at for at in changed if column <= at < end} | {at for at in blanked if column <= at < end})
            if cell.raw == cell.tag and not any(at in changed for at in places):
                places = []
            for at in places:
                edit = changed.get(at) or CellEdit(row, at)
                if edit.text is None and at in blanked and cell.is_filled:
                    edit = edit._replace(text="")
                yield _several(cell, at - column)
                yield self._changed_cell(cell, edit, default)
                column = at + 1
            yield _several(cell, end - column)
            column = end
        for at in sorted(at for at in changed if at >= column):
            edit = changed[at]
            if edit.text or edit.mark is not None or edit.note:
                empty = _Cell(b"<table:table-cell/>", b"<table:table-cell/>", 1, None, is_filled=False)
                yield _several(empty, at - column)
                yield self._changed_cell(empty, edit, default)
                column = at + 1

    def _changed_cell(self, cell: _Cell, edit: CellEdit, default: str | None) -> str:
        tag = _REPEATED.sub(b"", cell.tag)
        is_empty = tag.endswith(b"/>")
        end = cell.raw.rfind(b"</") if not is_empty else len(cell.raw)
        content = b"" if is_empty else cell.raw[len(cell.tag) : end]
        notes = b"".join(_ANNOTATION.findall(content))
        if self._edits.drops_earlier_notes and notes:
            content, notes = _ANNOTATION.sub(lambda found: _persons(found[0]), content), _persons(notes)
        text = content.decode("utf-8")
        if edit.text is not None:
            tag = _VALUE.sub(b"", tag)
            text = notes.decode("utf-8") + (paragraphs(edit.text) if edit.text else "")
        if edit.note is not None:
            noted = paragraphs(f"{_looks.NOTE}{edit.note}")
            if notes:  # a person's own: a cell has one note at the most
                text = text.replace("</office:annotation>", f"{noted}</office:annotation>", 1)
            else:
                by = f"<dc:creator {_DC}>{_looks.NOTES_BY}</dc:creator>"
                text = f"<office:annotation>{by}{noted}</office:annotation>{text}"
        attributes: dict[str, str | None] = {}
        if edit.text:
            attributes["office_value__type"] = "string"
        if edit.mark is not None:
            own = cell.style if cell.style is not None else default
            if own is None:
                own = self._columns.of(edit.column)
            attributes["table_style__name"] = self._styles.marked(own, edit.mark)
        opened = with_attributes(tag, **attributes).removesuffix("/>").removesuffix(">").rstrip()
        name = tag[1:].decode().partition(" ")[0].rstrip("/>")
        return f"{opened}>{text}</{name}>"

    def _rows_below(self) -> Iterator[str]:
        """The rows that the sheet does not have, and that something is to stand in."""
        self._cells = []
        while self._next is not None and self._next.row <= MAX_ROW:
            row = self._next.row
            changed: dict[int, CellEdit] = {}
            while self._next is not None and self._next.row == row:
                changed[self._next.column] = self._next
                self._next = next(self._cells_to_edit, None)
            gap = row - self._number - 1
            if gap:
                yield f'<table:table-row table:number-rows-repeated="{gap}"><table:table-cell/></table:table-row>'
            yield f"<table:table-row>{''.join(self._changed_cells(row, changed, None))}</table:table-row>"
            self._number = row


def _persons(annotation: bytes) -> bytes:
    """What a person wrote of a note; nothing of one that is ours."""
    left = _OURS.sub(b"", annotation, count=1)
    return left if left == annotation or b"<text:p" in left else b""


def _several(cell: _Cell, count: int) -> str:
    """The XML of as many cells as are left of those that were the same."""
    if count < 1:
        return ""
    if count == cell.times:
        return cell.raw.decode("utf-8")
    tag = _REPEATED.sub(b"", cell.tag)
    told = with_attributes(tag, table_number__columns__repeated=str(count)) if count > 1 else tag.decode("utf-8")
    return told + cell.raw[len(cell.tag) :].decode("utf-8")
