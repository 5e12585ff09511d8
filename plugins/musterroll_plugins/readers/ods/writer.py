"""Writes ods spreadsheets for people to fill in or to correct.

odfpy makes everything but the rows: it holds a document in memory as a tree, 2.3 GB for 100,000 users.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from html import escape
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from musterroll import BoolCell, Cell, DateCell, Draft, NumberCell, SheetRow, TextCell
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.looks import Part
from musterroll_plugins.readers.ods import names as _ods_names
from musterroll_plugins.readers.package.xml import MAX_ROW

if TYPE_CHECKING:
    from musterroll_plugins.readers.ods.frame import Frame

_BREAK = re.compile(r"\r\n?|\n")
# White space is folded unless it is written out.
_SPACES = re.compile(r"^ +| +$| {2,}|\t")
_NAMESPACES = (
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" '
    'xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"'
)


class OdsWriter:
    """Writes ods spreadsheets. Every line end becomes the format's own, and what XML cannot hold becomes `�`."""

    def write(self, draft: Draft, target: BinaryIO) -> None:
        """Writes one worksheet.

        Raises:
            MusterrollError: a workbook has no place for a row.
        """
        from musterroll_plugins.readers.ods import frame as _ods_frame  # noqa: PLC0415 -- slow to import

        top, rows = _divided(draft)
        guidance = (row for row in top if _looks.part_of(draft, row.number) is Part.GUIDANCE)
        height = max((_looks.wrapped_height(draft, row) for row in guidance), default=20)
        frame = _ods_frame.Frame(draft, height)
        table = _Table(draft, frame)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
            head, tail = frame.copy_to(package)
            with package.open(_ods_frame.CONTENT, "w", force_zip64=True) as stream:
                stream.write(head)
                for row in rows:
                    stream.write(table.row(row).encode())
                stream.write(table.rest().encode() + tail)
            frame.copy_styles_to(package)


def _divided(draft: Draft) -> tuple[list[SheetRow], Iterator[SheetRow]]:
    """Returns the rows above the data, and all rows: how high guidance is must be said before the first of them."""
    rows = _looks.rows_of(draft)
    top: list[SheetRow] = []
    for row in rows:
        if row.number >= draft.first_row:
            return top, chain(top, (row,), rows)
        top.append(row)
    return top, iter(top)


class _Table:
    """Makes the XML of rows, one below the other."""

    def __init__(self, draft: Draft, frame: Frame) -> None:
        self._draft, self._frame = draft, frame
        self._number = 0
        self._empty = "".join(self._cell(None, Part.DATA, index) for index in range(len(draft.columns) or 1))

    def row(self, row: SheetRow) -> str:
        """The XML of a row, and of the empty ones above it."""
        above = self._empty_rows(row.number - 1)
        self._number = row.number
        part = _looks.part_of(self._draft, row.number)
        cells = "".join(self._cell(cell, part, index) for index, cell in enumerate(_looks.cells_of(self._draft, row)))
        look = {Part.HEADINGS: _ods_names.HEADING_ROW, Part.GUIDANCE: _ods_names.GUIDANCE_ROW}.get(part)
        styled = f' table:style-name="{look}"' if look else ""
        made = f"<table:table-row{styled}>{cells}</table:table-row>"
        # Headings are printed on every page.
        return above + (f"<table:table-header-rows>{made}</table:table-header-rows>" if part is Part.HEADINGS else made)

    def rest(self) -> str:
        """The XML of the empty rows below the last one: choices are to be had there as well."""
        return self._empty_rows(MAX_ROW)

    def _empty_rows(self, last: int) -> str:
        count = last - self._number
        repeated = f' table:number-rows-repeated="{count}"'
        return f"<table:table-row{repeated}>{self._empty}</table:table-row>" if count > 0 else ""

    def _cell(self, cell: Cell, part: Part, index: int) -> str:
        style, value, text = self._content(cell, part, index)
        rule = self._frame.rule(index) if part is Part.DATA else None
        note = self._note(index) if part is Part.HEADINGS else ""
        attributes = f' table:style-name="{style}"' if style else ""
        attributes += f' table:content-validation-name="{rule}"' if rule else ""
        return f"<table:table-cell{attributes}{value}>{note}{text}</table:table-cell>"

    def _note(self, index: int) -> str:
        columns = self._draft.columns
        if index >= len(columns) or not columns[index].note:
            return ""
        return f'<office:annotation office:display="false">{paragraphs(columns[index].note)}</office:annotation>'

    def _content(self, cell: Cell, part: Part, index: int) -> tuple[str | None, str, str]:
        """The style, the value as attributes, and the text of a cell."""
        match cell:
            case None | "":
                return self._frame.text_style(part, index), "", ""
            case str():
                text = paragraphs(cell)
                return self._frame.text_style(part, index), ' office:value-type="string"', text
            case TextCell():
                held = escape(_looks.without_unholdable(cell.text)).replace("\n", "&#10;")
                text = paragraphs((cell.shown or "").strip())
                return _ods_names.TEXT, f' office:value-type="string" office:string-value="{held}"', text
            case NumberCell() if (shown := _looks.number_shown(cell)) is not None:
                value = f' office:value-type="float" office:value="{_looks.number(cell.value)}"'
                return self._frame.number_style(cell.number_format, cell.value, shown), value, paragraphs(shown)
            case BoolCell():
                truth = str(cell.value).lower()
                value = f' office:value-type="boolean" office:boolean-value="{truth}"'
                return _ods_names.TRUTH, value, f"<text:p>{truth.upper()}</text:p>"
            case DateCell():
                return _date(cell.value)
            case _:
                code = _looks.error_shown(cell)
                value = (
                    f' {_NAMESPACES} table:formula="of:={code}" office:value-type="string" office:string-value="" '
                    'calcext:value-type="error"'
                )
                return _ods_names.NUMBER, value, f"<text:p>{code}</text:p>"


def paragraphs(text: str) -> str:
    """A text, a paragraph a line."""
    lines = _BREAK.split(_looks.without_unholdable(text))
    return "".join(f"<text:p>{_SPACES.sub(_spaces, escape(line, quote=False))}</text:p>" for line in lines)


def _spaces(found: re.Match[str]) -> str:
    return "<text:tab/>" if found[0] == "\t" else f'<text:s text:c="{len(found[0])}"/>'


def _date(value: dt.datetime | dt.date | dt.time | dt.timedelta) -> tuple[str, str, str]:
    if isinstance(value, dt.datetime | dt.time):
        value = value.replace(tzinfo=None)
    if isinstance(value, dt.date):
        if isinstance(value, dt.datetime) and value.time() == dt.time():
            value = value.date()
        style = _ods_names.DATE_TIME if isinstance(value, dt.datetime) else _ods_names.DATE
        written = value.isoformat()
        return style, f' office:value-type="date" office:date-value="{written}"', f"<text:p>{written}</text:p>"
    if isinstance(value, dt.time):
        value = dt.timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
        )
    sign, value = ("-", -value) if value < dt.timedelta() else ("", value)
    hours, rest = divmod(value, dt.timedelta(hours=1))
    minutes, rest = divmod(rest, dt.timedelta(minutes=1))
    seconds = f"{rest.seconds:02}" + (f".{rest.microseconds:06}" if rest.microseconds else "")
    written = f"{sign}PT{hours:02}H{minutes:02}M{seconds}S"
    shown = f"{sign}{hours:02}:{minutes:02}:{seconds}"
    return _ods_names.TIME, f' office:value-type="time" office:time-value="{written}"', f"<text:p>{shown}</text:p>"
