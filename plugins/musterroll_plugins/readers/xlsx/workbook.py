"""What the workbook says of its worksheets, and what its styles say of numbers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence, Sized
from typing import NamedTuple

from musterroll import gettext
from musterroll_plugins.readers.looks import HALVES
from musterroll_plugins.readers.number_formats import show_text
from musterroll_plugins.readers.package.skimming import TEXT, Found, SkimmingHandler, texts_of
from musterroll_plugins.readers.package.xml import (
    TEXT_LIMIT,
    Attributes,
    DamagedError,
    ElementHandler,
    memory_of,
    memory_of_all,
    truth,
)
from musterroll_plugins.readers.xlsx.package import XlsxPackage

_GENERAL = "General"
_SAMPLE = "x"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PAIR = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")
_TABLE_LIMIT = 1 << 28  # bytes of memory for the shared texts of one workbook
_LIST_LIMIT = 100_000  # worksheets, formats and styles; Excel's own limit is 65,490 styles
# Built-in formats of Thai Excels that openpyxl does not know; the digits of some are Thai, but not by their number.
_THAI = {59: 1, 60: 2, 61: 3, 62: 4, 67: 9, 68: 10, 69: 12, 70: 13, **dict.fromkeys(range(71, 82), 14)}


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
                    title = HALVES.sub("\ufffd", unescape(attributes.get("name", "")))
                    self.worksheets.append(Worksheet(title, target, visible))
                    _check_length(self.worksheets)

        with package.open(part) as stream:
            ElementHandler(opened).read(stream)

    def texts(self) -> Sequence[str]:
        """Reads the texts that cells refer to by number."""
        part = self._parts.get("sharedStrings")
        if part is None or part not in self._package:
            return ()
        table = _Texts()
        with self._package.open(part) as stream:
            for _ in table.skim(stream):
                pass
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
                cells.append(_whole(attributes.get("numFmtId")))
                _check_length(cells)
            elif name == "numFmt" and not cells:  # those of conditional formats come later and do not count
                formats[_whole(attributes.get("numFmtId"), -1)] = attributes.get("formatCode", _GENERAL)
                _check_length(formats)

        if part is not None and part in self._package:
            with self._package.open(part) as stream:
                ElementHandler(opened).read(stream)
        return Styles(formats, cells, epoch_1904=self.epoch_1904)


class Styles:
    """Tells what a number means by the style of its cell."""

    def __init__(self, formats: dict[int, str], cells: list[int], *, epoch_1904: bool) -> None:
        self._formats, self._cells, self._epoch_1904 = formats, cells, epoch_1904
        self._known: dict[str, tuple[str, bool, bool]] = {}
        self._texts: dict[str, str | None] = {}

    def of(self, style: str) -> tuple[str, bool, bool]:
        """Returns the format code of a style, whether it shows dates, and whether it shows durations.

        A style that there is not is the first one, which is that of cells without any.
        """
        known = self._known.get(style)
        if known is None:
            index = _whole(style)
            index = index if 0 <= index < len(self._cells) else 0
            known = self._judge(self._cells[index] if self._cells else 0)
            if len(self._known) < _LIST_LIMIT:
                self._known[style] = known
        return known

    def text_format(self, style: str) -> str | None:
        """Returns the format code of a style that shows something else of texts; None for all others."""
        if style not in self._texts:
            index = _whole(style)
            # Those that are built in show texts as they are.
            code = self._formats.get(self._cells[index]) if 0 <= index < len(self._cells) else None
            shown = show_text(_SAMPLE, code) if code is not None else _SAMPLE
            found = None if shown is not None and shown.strip() == _SAMPLE else code
            if len(self._texts) == _LIST_LIMIT:
                raise DamagedError(gettext("its cells have more styles than a workbook can"))
            self._texts[style] = found
        return self._texts[style]

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
        code = self._formats.get(number) or BUILTIN_FORMATS.get(_THAI.get(number, number), _GENERAL)
        return code, is_date_format(code), is_timedelta_format(code)


class _Texts(SkimmingHandler):
    """Gathers the shared texts: plain ones, and rich ones without their formatting and pronunciation."""

    def __init__(self) -> None:
        super().__init__("si")
        self.texts: list[str] = []
        self._runs: list[str] = []
        self._size = self._text_size = 0
        self._phonetic = False
        self._taken: list[str] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        """Hears of a start tag first."""
        if self.names[tag] == "si":
            self.note_start(tag)
        super().start(tag, attributes)

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
                raise DamagedError(gettext("a text in it is longer than it can be"))
            if text:
                self._runs.append(text)
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            whole = unescape("".join(self._runs))
            self.texts.append(whole)
            self._size += memory_of(whole)
            if self._size > _TABLE_LIMIT:
                raise DamagedError(gettext("it holds more text than a sheet can"))
            self.note_end()

    def pattern(self, space: str) -> re.Pattern[str]:
        """What matches one plain text."""
        # Where people write Chinese or Japanese, nearly every text says how it is pronounced.
        x = re.escape(self.prefix)
        part = rf"<{x}t>[^]<&\x00-\x08\x0b-\x1f\ufffe\uffff]*+</{x}t>{space}"
        spoken = rf'(?:<{x}rPh sb="[0-9]{{1,5}}" eb="[0-9]{{1,5}}">{space}{part}</{x}rPh>{space})*+'
        manner = r'(?: fontId="[0-9]{1,5}")?+(?: type="\w*+")?+(?: alignment="\w*+")?+'
        rest = f"{spoken}(?:<{x}phoneticPr{manner}/>{space})?+"
        return re.compile(rf'<{x}si>{space}<{x}t(?: xml:space="preserve")?>({TEXT})</{x}t>{space}{rest}</{x}si>{space}')

    def is_settled(self) -> bool:
        """Whether no other text is open, and no pronunciation."""
        return self.depth == 1 and not self._phonetic

    def take(self, found: Found, stride: int) -> None:
        """Takes the texts that the pattern has found."""
        self._taken = unescaped(texts_of(found[1::stride]))

    def accept(self, start: int, stop: int, size: int) -> bool:
        """Gathers texts that were taken, unless they are too many: the parser then finds the one too many."""
        texts = self._taken[start:stop]
        size = self._size + memory_of_all(texts)
        if size > _TABLE_LIMIT:
            return False
        self._size = size
        self.texts += texts
        return True


def unescape(text: str) -> str:
    """Resolves `_x000D_` and its like, by which workbooks hold characters that XML cannot.

    A character beyond the first 65,536 is escaped in two halves. A half that stands alone stays one, which is no
    character.
    """
    if "_x" not in text:
        return text
    return _PAIR.sub(_joined, _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))


def unescaped(texts: Found) -> Found:
    """Resolves many texts like `unescape`, and leaves None as it is."""
    if "_x" not in "".join(filter(None, texts)):
        return texts
    return [unescape(text) if text else text for text in texts]


def _joined(found: re.Match[str]) -> str:
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16")


def _whole(text: str | None, otherwise: int = 0) -> int:
    """Reads a whole number that matters only where it is one."""
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else otherwise


def _check_length(what: Sized) -> None:
    if len(what) > _LIST_LIMIT:
        raise DamagedError(gettext("it has more worksheets or styles than a workbook can"))
