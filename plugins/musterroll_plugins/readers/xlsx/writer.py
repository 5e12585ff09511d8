"""Writes xlsx workbooks for people to fill in or to correct.

openpyxl makes everything but the rows. They are written here, straight into the package: openpyxl's write-only mode
keeps them in the clear in a file of its own until the end, and rejected rows hold passwords; and it takes a text for
a formula or an error by its looks.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from html import escape
from typing import TYPE_CHECKING, BinaryIO

from musterroll import BoolCell, Cell, DateCell, Draft, NumberCell, SheetRow, TextCell, column_letter
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.looks import Part

if TYPE_CHECKING:
    from musterroll_plugins.readers.xlsx.frame import Frame

_GENERAL = "General"
# `_x000D_` and its like stand for characters that XML cannot hold or would change; so a text that looks like one is
# escaped itself.
_TO_ESCAPE = re.compile(f"[{_looks.UNHOLDABLE}\r]|_(?=x[0-9A-Fa-f]{{4}}[_{_looks.UNHOLDABLE}\r])")


class XlsxWriter:
    """Writes xlsx workbooks. A text above the 32,767 characters that Excel can hold loses its end."""

    def write(self, draft: Draft, target: BinaryIO) -> None:
        """Writes one worksheet, and a hidden one where choices do not fit into a rule.

        Raises:
            MusterrollError: a workbook has no place for a row.
        """
        from musterroll_plugins.readers.xlsx import frame as _xlsx_frame  # noqa: PLC0415 -- slow to import

        frame = _xlsx_frame.Frame(draft)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
            head, tail = frame.copy_to(package)
            with package.open(_xlsx_frame.CELLS, "w", force_zip64=True) as stream:
                stream.write(f"{head}<sheetData>".encode())
                for row in _looks.rows_of(draft):
                    stream.write(_row(draft, row, frame).encode())
                stream.write(f"</sheetData>{tail}".encode())
            frame.copy_styles_to(package)


def _row(draft: Draft, row: SheetRow, frame: Frame) -> str:
    part = _looks.part_of(draft, row.number)
    height = ""
    if part is Part.HEADINGS:
        height = f' ht="{_looks.HEADING_POINTS}" customHeight="1"'
    elif part is Part.GUIDANCE or any(isinstance(cell, str) and "\n" in cell for cell in row.cells):
        height = f' ht="{_looks.wrapped_height(draft, row)}" customHeight="1"'
    cells = "".join(
        _cell(cell, f'r="{column_letter(index)}{row.number}"', frame, part, index)
        for index, cell in enumerate(_looks.cells_of(draft, row))
        if part is not Part.DATA or not _looks.is_blank(cell)
    )
    return f'<row r="{row.number}"{height}>{cells}</row>'


def _cell(cell: Cell, place: str, frame: Frame, part: Part, index: int) -> str:
    if _looks.is_blank(cell):
        return f'<c {place} s="{frame.text_style(part, index)}"/>'
    if isinstance(cell, str):
        # Inline, so it is a text whatever it begins with.
        text_style = frame.text_style(part, index, several_lines="\n" in cell)
        text = escape(escaped(cell[: _looks.LONGEST_TEXT]), quote=False)
        return f'<c {place} s="{text_style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    match cell:
        case TextCell() if frame.has_room(cell.number_format):
            text = escape(escaped(cell.text[: _looks.LONGEST_TEXT]), quote=False)
            look = frame.format_style(cell.number_format)
            return f'<c {place} s="{look}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
        case NumberCell() if _looks.is_number(cell.value) and frame.has_room(cell.number_format):
            look = frame.format_style(cell.number_format or _GENERAL)
            return f'<c {place} s="{look}"><v>{_looks.number(cell.value)}</v></c>'
        case DateCell():
            code, serial = _date(cell.value)
            return f'<c {place} s="{frame.format_style(code)}"><v>{serial!r}</v></c>'
        case BoolCell():
            return f'<c {place} s="{frame.format_style(_GENERAL)}" t="b"><v>{int(cell.value)}</v></c>'
        case _:
            return f'<c {place} s="{frame.format_style(_GENERAL)}" t="e"><v>{_looks.error_shown(cell)}</v></c>'


def _date(value: dt.datetime | dt.date | dt.time | dt.timedelta) -> tuple[str, float]:
    """The number format and the number of a date."""
    from openpyxl.utils.datetime import to_excel  # noqa: PLC0415 -- slow to import

    if isinstance(value, dt.datetime | dt.time):
        value = value.replace(tzinfo=None)
    if isinstance(value, dt.timedelta):
        code = "[hh]:mm:ss"
    elif isinstance(value, dt.time):
        code = "hh:mm:ss"
    else:
        code = "yyyy-mm-dd hh:mm:ss" if isinstance(value, dt.datetime) and value.time() != dt.time() else "yyyy-mm-dd"
    serial: float = to_excel(value)  # type: ignore[no-untyped-call]
    return code, serial


def escaped(text: str) -> str:
    """The text as a workbook holds it."""
    return _TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", _looks.HALVES.sub("\ufffd", text))
