"""An open worksheet of an ods spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll import Block, SheetInfo, SheetRow, Source
from musterroll_plugins.readers.ods.cells import CellsHandler
from musterroll_plugins.readers.ods.document import Document, Worksheet
from musterroll_plugins.readers.ods.package import CONTENT
from musterroll_plugins.readers.package.blocks import one_by_one
from musterroll_plugins.readers.package.worksheets import choose
from musterroll_plugins.readers.package.zip_file import Package, readable


class OdsSheet:
    """An open worksheet."""

    def __init__(self, source: Source, package: Package, document: Document, worksheet: Worksheet) -> None:
        self._source, self._package, self._document, self._worksheet = source, package, document, worksheet

    @property
    def info(self) -> SheetInfo:
        """What was opened. Which rows it hides is known when they were read."""
        return SheetInfo("ods", self._worksheet.name, self._worksheet.hidden.notes())

    def rows(self) -> Iterator[SheetRow]:
        """Streams the rows that have content.

        Raises:
            SourceError: the file is damaged.
        """
        return one_by_one(self.blocks())

    def blocks(self) -> Iterator[Block]:
        """Streams the rows that have content, a block at a time.

        Raises:
            SourceError: the file is damaged.
        """
        with readable(self._source), self._package.open(CONTENT) as stream:
            document, worksheet = self._document, self._worksheet
            handler = CellsHandler(worksheet.place, len(document.worksheets), document.styles, worksheet.hidden)
            yield from handler.blocks(stream)


def sheet_of(source: Source, package: Package, worksheet: str | None) -> OdsSheet:
    """Opens a worksheet.

    Args:
        source: the file.
        package: its parts.
        worksheet: the worksheet's name, where the person names one.

    Raises:
        SourceError: there is no such worksheet.
        AmbiguousWorksheetError: there are several visible worksheets and none was named.
        DamagedError: a part is not what it should be.
    """
    document = Document(package)
    return OdsSheet(source, package, document, choose(source, document.worksheets, worksheet))
