"""An open worksheet of an xlsx workbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from musterroll import Block, SheetInfo, SheetRow, Source
from musterroll_plugins.readers.package.blocks import one_by_one
from musterroll_plugins.readers.package.worksheets import Hidden, choose
from musterroll_plugins.readers.package.zip_file import readable
from musterroll_plugins.readers.xlsx.cells import CellsHandler
from musterroll_plugins.readers.xlsx.package import XlsxPackage
from musterroll_plugins.readers.xlsx.values import Values
from musterroll_plugins.readers.xlsx.workbook import Styles, Workbook, Worksheet


class XlsxSheet:
    """An open worksheet."""

    def __init__(self, source: Source, package: XlsxPackage, workbook: Workbook, worksheet: Worksheet) -> None:
        self._source, self._package, self._workbook, self._worksheet = source, package, workbook, worksheet
        self._hidden = Hidden()

    @property
    def info(self) -> SheetInfo:
        """What was opened. What it hides is known when its rows were read."""
        return SheetInfo("xlsx", self._worksheet.name, self._hidden.notes())

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
        with readable(self._source), self._package.open(self._worksheet.part) as stream:
            handler = CellsHandler(Values(lambda: self._texts, lambda: self._styles))
            self._hidden = handler.hidden
            yield from handler.blocks(stream)

    @cached_property
    def _texts(self) -> Sequence[str]:
        return self._workbook.texts()

    @cached_property
    def _styles(self) -> Styles:
        return self._workbook.styles()


def sheet_of(source: Source, package: XlsxPackage, part: str, worksheet: str | None) -> XlsxSheet:
    """Opens a worksheet.

    Args:
        source: the file.
        package: its parts.
        part: the part that is the workbook.
        worksheet: the worksheet's name, where the person names one.

    Raises:
        SourceError: there is no such worksheet.
        AmbiguousWorksheetError: there are several visible worksheets and none was named.
        DamagedError: a part is not what it should be.
    """
    workbook = Workbook(package, part)
    return XlsxSheet(source, package, workbook, choose(source, workbook.worksheets, worksheet))
