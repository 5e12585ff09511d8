"""What the workbook says of its worksheets, and what its styles say of numbers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

from musterroll_plugins.readers._xlsx_package import XlsxPackage
from musterroll_plugins.readers._xml import (
    TEXT_LIMIT,
    Attributes,
    DamagedError,
    ElementHandler,
    XmlHandler,
    truth,
)

_GENERAL = "General"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TABLE_LIMIT = 1 << 28  # characters of the shared texts of one workbook


class Worksheet(NamedTuple):
    """One worksheet: its name, the part that holds it, and whether it is visible."""

    name: str
    part: str
    visible: bool


class Workbook:
    """What a workbook holds besides cells.

    Attributes:
        worksheets: in their order; chart sheets are none.
        epoch_1904: whether days count from 1904.
    """

    def __init__(self, package: XlsxPackage, part: str) -> None:
        self.worksheets: list[Worksheet] = []
        self.epoch_1904 = False
        self._package = package
        relationships = package.relationships(part)
        self._parts = dict(relationships.values())

        def opened(name: str, attributes: Attributes) -> None:
            if name == "workbookPr":
                self.epoch_1904 = truth(attributes.get("date1904"))
            elif name == "sheet":
                # The prefix of the relationships' namespace is the program's choice.
                rid = next((value for key, value in attributes.items() if key.endswith(":id")), "")
                kind, target = relationships.get(rid, ("worksheet", ""))
                if kind == "worksheet":
                    visible = attributes.get("state", "visible") == "visible"
                    self.worksheets.append(Worksheet(unescape(attributes.get("name", "")), target, visible))

        with package.open(part) as stream:
            ElementHandler(opened).read(stream)

    def texts(self) -> Sequence[str]:
        """Reads the texts that cells refer to by number."""
        part = self._parts.get("sharedStrings")
        if part is None or part not in self._package:
            return ()
        table = _Texts()
        with self._package.open(part) as stream:
            table.read(stream)
        return table.texts

    def styles(self) -> Styles:
        """Reads the number formats that cells refer to by number."""
        part = self._parts.get("styles")
        formats: dict[int, str] = {}
        cells: list[int] = []
        inside = False

        def opened(name: str, attributes: Attributes) -> None:
            nonlocal inside
            if name in {"cellXfs", "cellStyleXfs", "dxfs"}:
                inside = name == "cellXfs"
            elif name == "xf" and inside:
                cells.append(int(attributes.get("numFmtId", "0")))
            elif name == "numFmt" and not cells:  # those of conditional formats come later and do not count
                formats[int(attributes.get("numFmtId", "-1"))] = attributes.get("formatCode", _GENERAL)

        if part is not None and part in self._package:
            with self._package.open(part) as stream:
                ElementHandler(opened).read(stream)
        return Styles(formats, cells, epoch_1904=self.epoch_1904)


class Styles:
    """Tells what a number means by the style of its cell."""

    def __init__(self, formats: dict[int, str], cells: list[int], *, epoch_1904: bool) -> None:
        self._formats, self._cells, self._epoch_1904 = formats, cells, epoch_1904
        self._known: dict[str | None, tuple[str, bool, bool]] = {None: (_GENERAL, False, False)}

    def of(self, style: str | None) -> tuple[str, bool, bool]:
        """Returns the format code of a style, whether it shows dates, and whether it shows durations."""
        known = self._known.get(style)
        if known is None and style is not None:
            index = int(style)
            known = self._known[style] = self._judge(self._cells[index] if 0 <= index < len(self._cells) else 0)
        return known or (_GENERAL, False, False)

    def date(self, number: float, *, duration: bool) -> dt.datetime | dt.time | dt.timedelta | None:
        """Returns the date or time that a number means; None where no spreadsheet program shows one."""
        from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel  # noqa: PLC0415 -- slow to import

        try:
            found = from_excel(number, MAC_EPOCH if self._epoch_1904 else WINDOWS_EPOCH, timedelta=duration)
        except (OverflowError, ValueError):
            return None
        return found if isinstance(found, dt.datetime | dt.time | dt.timedelta) else None

    def _judge(self, number: int) -> tuple[str, bool, bool]:
        if number == 0:
            return _GENERAL, False, False
        from openpyxl.styles.numbers import (  # noqa: PLC0415 -- slow to import, and most sheets need none of it
            BUILTIN_FORMATS,
            is_date_format,
            is_timedelta_format,
        )

        if number in range(27, 37) or number in range(50, 59):  # built-in dates of East Asian Excels
            return self._formats.get(number, "yyyy/m/d"), True, False
        code = self._formats.get(number) or BUILTIN_FORMATS.get(number, _GENERAL)
        return code, is_date_format(code), is_timedelta_format(code)


class _Texts(XmlHandler):
    """Gathers the shared texts: plain ones, and rich ones without their formatting and pronunciation."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._runs: list[str] = []
        self._size = self._text_size = 0
        self._phonetic = False

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        self.parts.clear()
        if name == "si":
            self._runs.clear()
            self._text_size = 0
        elif name == "rPh":
            self._phonetic = True

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if name == "t" and not self._phonetic:
            text = self.text()
            self._text_size += len(text)
            if self._text_size > TEXT_LIMIT:
                raise DamagedError("a text in it is longer than it can be")
            self._runs.append(text)
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            self._size += self._text_size + 8
            if self._size > _TABLE_LIMIT:
                raise DamagedError("it holds more text than a sheet can")
            self.texts.append(unescape("".join(self._runs)))


def unescape(text: str) -> str:
    """Resolves `_x000D_` and its like, by which workbooks hold characters that XML cannot."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code <= 0xDFFF else chr(code)  # half a surrogate pair is no character
