"""What a document says before its cells: its styles, and its worksheets."""

from __future__ import annotations

from typing import NamedTuple

from musterroll import gettext
from musterroll_plugins.readers.ods.package import CONTENT
from musterroll_plugins.readers.ods.styles import Styles, StylesHandler
from musterroll_plugins.readers.package.worksheets import Hidden
from musterroll_plugins.readers.package.xml import Attributes, DamagedError, XmlHandler, count
from musterroll_plugins.readers.package.zip_file import Package

_STYLES = "styles.xml"
TABLE_DEPTH = 4  # document, body, spreadsheet, table: what is deeper lies inside of a cell
# Where the last column is, by program and version.
_LAST_COLUMNS = frozenset({256, 1024, 16384})
_TABLE_LIMIT = 10_000
CELLS = frozenset({"table-cell", "covered-table-cell"})
_TABLE = b"<table:table "  # the start tag of a worksheet as all programs write it


class Worksheet(NamedTuple):
    """One worksheet: its name, whether it is visible, its place among all, and which columns it hides."""

    name: str
    visible: bool
    place: int
    hidden: Hidden


class Document:
    """What a document holds besides cells.

    Attributes:
        worksheets: in their order.
        styles: those that cells refer to by name.

    Raises:
        DamagedError: it is not what it should be.
    """

    def __init__(self, package: Package) -> None:
        self._package = package
        common = StylesHandler()
        if _STYLES in package:
            with package.open(_STYLES) as stream:
                common.read(stream)
        survey = _Survey(common.styles)
        has_others = self._has_others()
        with package.open(CONTENT) as stream:
            for _ in survey.feed(stream):
                if survey.seen_cells and not has_others:
                    break
        self.worksheets = [
            Worksheet(name, not survey.styles.hides_table(style), place, hidden)
            for place, (name, style, hidden) in enumerate(survey.tables)
        ]
        self.styles = survey.styles

    def _has_others(self) -> bool:
        """Whether there may be further worksheets behind the first cell.

        Most documents have none, and need not be parsed twice. All is looked at of one with other prefixes, and of one
        that writes its tags in another way. Should it write some so and some so, `CellsHandler` finds out.
        """
        with self._package.open(CONTENT) as stream:
            return count(stream, _TABLE, most=2) != 1


class _Survey(XmlHandler):
    """Reads the styles of the content, and lists worksheets with the columns that they hide.

    Attributes:
        tables: the name, the style and what is hidden of each worksheet.
        seen_cells: whether the first cell has come.
    """

    def __init__(self, common: Styles) -> None:
        super().__init__()
        self.styles = Styles(common)
        self.tables: list[tuple[str, str | None, Hidden]] = []
        self.seen_cells = False
        self._in_styles = False
        self._column = 0

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        self.parts.clear()
        if self.depth == 1 and name != "document-content":
            raise DamagedError(gettext("its content is none"))
        if self._in_styles:
            self.styles.opened(name, attributes)
        elif name == "automatic-styles":
            self._in_styles = True
        elif name == "table" and self.depth == TABLE_DEPTH:
            self._open_table(attributes)
        elif self.tables:
            self._look_at(name, attributes, self.tables[-1][2])

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if self._in_styles:
            self.styles.closed(name, self.text())
            self._in_styles = name != "automatic-styles"
        self.parts.clear()

    def _open_table(self, attributes: Attributes) -> None:
        if len(self.tables) == _TABLE_LIMIT:
            raise DamagedError(gettext("it has more worksheets than a workbook can"))
        self.tables.append((attributes.get("table:name", ""), attributes.get("table:style-name"), Hidden()))
        self._column = 0

    def _look_at(self, name: str, attributes: Attributes, hidden: Hidden) -> None:
        if name in CELLS:
            self.seen_cells = True
        elif name == "table-column":
            first = self._column + 1
            self._column += repeated(attributes, "table:number-columns-repeated")
            # What reaches to the last column is the empty rest of the sheet.
            if attributes.get("table:visibility") == "collapse" and self._column not in _LAST_COLUMNS:
                hidden.add_columns(first, self._column)


def repeated(attributes: Attributes, name: str) -> int:
    """How often an element stands for itself."""
    value = attributes.get(name)
    if value is None:
        return 1
    number = int(value)
    if number < 1:
        raise DamagedError(gettext("a part of it is repeated less than once"))
    return number
