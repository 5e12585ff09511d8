"""The styles of a workbook, and some more: of marked cells, and of the worksheet in front."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from musterroll import Severity
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.package.patching import Patcher, with_attributes
from musterroll_plugins.readers.package.xml import Attributes

NO_STYLES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs></styleSheet>'
)
_LISTS = ("fonts", "fills", "borders", "cellXfs")


class _Lists(Patcher):
    """Finds the lists of a styles part: how long they are, and the formats of cells as they stand there."""

    def __init__(self) -> None:
        super().__init__(lambda data: None)
        self.counts = dict.fromkeys(_LISTS, 0)
        self.formats: list[tuple[bytes, bytes]] = []  # the start tag, and what follows up to the end of the element
        self.prefix = ""
        self._list = ""
        self._start = 0

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        if self.depth == 1:
            self.prefix = self.start_tag(self.place)[1:].decode("ascii", "replace").partition("styleSheet")[0]
        elif self.depth == 2 and name in _LISTS:  # below the root
            self._list = name
        elif self.depth == 3 and self._list:
            self._start = self.held = self.place

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if self.depth == 1:
            self._list = ""
        elif self.depth == 2 and self._list:
            self.counts[self._list] += 1
            if self._list == "cellXfs":
                tag = self.start_tag(self._start)
                self.formats.append((tag, self.raw(self._start + len(tag), self.end_of(self._start))))
            self.held = None


class EditedStyles:
    """Styles to which some are added.

    Args:
        data: the styles part.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._lists = data, _Lists()
        self._lists.copy(BytesIO(data))
        self._added: dict[str, list[str]] = {name: [] for name in _LISTS}
        self._marked: dict[tuple[int, Severity], int] = {}
        self._fills: dict[Severity, int] = {}

    def marked(self, style: int, mark: Severity) -> int:
        """Returns the number of a style that is like another one, and shows a mark."""
        known = self._marked.get((style, mark))
        if known is None:
            formats = self._lists.formats
            tag, rest = formats[style] if style < len(formats) else formats[0] if formats else (b"<xf/>", b"")
            head = with_attributes(tag, fillId=str(self._fill(mark)), applyFill="1")
            known = self._marked[style, mark] = self._add("cellXfs", head + rest.decode("utf-8"))
        return known

    def text(
        self,
        *,
        bold: bool = False,
        link: bool = False,
        wraps: bool = True,
        lined: bool = True,
        mark: Severity | None = None,
    ) -> int:
        """Returns the number of a style of text."""
        p = self._lists.prefix
        colour = f'<{p}color rgb="FF0563C1"/>' if link else ""
        shape = f"<{p}b/>" if bold else f"<{p}u/>" if link else ""
        face = f'<{p}sz val="{_looks.FONT_SIZE}"/>{colour}<{p}name val="{_looks.FONT}"/><{p}family val="2"/>'
        font = self._add("fonts", f"<{p}font>{shape}{face}</{p}font>")
        fill = 0 if mark is None else self._fill(mark)
        below = f'<{p}bottom style="thin"><{p}color rgb="FF{_looks.LINE}"/></{p}bottom>'
        line = f"<{p}border><{p}left/><{p}right/><{p}top/>{below}<{p}diagonal/></{p}border>"
        border = self._add("borders", line) if lined else 0
        look = f'numFmtId="49" fontId="{font}" fillId="{fill}" borderId="{border}" xfId="0"'
        return self._add(
            "cellXfs",
            f'<{p}xf {look} applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1">'
            f'<{p}alignment vertical="top" wrapText="{int(wraps)}"/></{p}xf>',
        )

    def _fill(self, mark: Severity) -> int:
        if mark not in self._fills:
            p = self._lists.prefix
            colour = f'<{p}fgColor rgb="FF{_looks.MARKS[mark]}"/><{p}bgColor indexed="64"/>'
            fill = f'<{p}fill><{p}patternFill patternType="solid">{colour}</{p}patternFill></{p}fill>'
            self._fills[mark] = self._add("fills", fill)
        return self._fills[mark]

    def _add(self, name: str, element: str) -> int:
        added = self._added[name]
        if element in added:
            return self._lists.counts[name] + added.index(element)
        added.append(element)
        return self._lists.counts[name] + len(added) - 1

    def made(self) -> bytes:
        """The styles part with what was added."""
        written: list[bytes] = []
        _Additions(written.append, self._lists.counts, self._added).copy(BytesIO(self._data))
        return b"".join(written)


class _Additions(Patcher):
    """Adds elements to the lists of a styles part."""

    def __init__(self, write: Callable[[bytes], object], counts: dict[str, int], added: dict[str, list[str]]) -> None:
        super().__init__(write)
        self._counts, self._to_add = counts, added

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        if self.depth == 2 and self._to_add.get(name):
            tag = self.start_tag(self.place)
            number = self._counts[name] + len(self._to_add[name])
            self.replace(self.place, self.place + len(tag), with_attributes(tag, count=str(number)))

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if self.depth == 1 and self._to_add.get(name):
            self.replace(self.place, self.place, "".join(self._to_add[name]))
