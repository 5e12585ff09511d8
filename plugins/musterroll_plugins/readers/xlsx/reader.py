"""Reads xlsx workbooks (also .xlsm, .xltx): cells keep their kinds, and rows stream.

The worksheet's XML is read here and not through `openpyxl.load_workbook(read_only=True)`. That keeps the
attributes of every row (596 MB for a sheet of phantom rows), has to go through a sheet twice, in step, to see a
formula without a result, refuses a workbook over a style that it does not know, and takes four times as long.
Which formats are dates, and what dates mean, is openpyxl's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from musterroll import (
    Component,
    Confidence,
    Context,
    Options,
    ReaderType,
    SheetEditor,
    SheetWriter,
    Source,
    SourceError,
    hookimpl,
)
from musterroll_plugins.readers.package.ole import OleKind, ole_kind
from musterroll_plugins.readers.package.zip_file import ZIP, encrypted, opened, readable, unsupported
from musterroll_plugins.readers.xlsx.package import XlsxPackage

if TYPE_CHECKING:
    from musterroll_plugins.readers.xlsx.sheet import XlsxSheet

_NONE = "no Excel workbook (.xlsx)"


class XlsxReader:
    """Reads xlsx workbooks, and explains why it cannot read their relatives."""

    def __init__(self, options: Options, context: Context) -> None:
        pass

    def sniff(self, source: Source) -> Confidence:
        """Says CERTAIN for workbooks, whatever the file's name, and for those that `open` will explain.

        These are workbooks under a password, Excel 97-2003 and binary ones, and ones that are cut off.
        """
        if source.head.startswith(ZIP):
            return Confidence.CERTAIN if _is_workbook(source) else Confidence.NO
        return Confidence.CERTAIN if ole_kind(source) in {OleKind.ENCRYPTED, OleKind.XLS} else Confidence.NO

    @contextmanager
    def open(self, source: Source, worksheet: str | None = None) -> Iterator[XlsxSheet]:
        """Opens one worksheet.

        Raises:
            SourceError: the file is damaged, protected or of another format, or has no such worksheet.
            AmbiguousWorksheetError: there are several visible worksheets and none was named.
        """
        _refuse_relatives(source)
        with opened(source) as archive:
            with readable(source):
                package = XlsxPackage(archive, source.size)
                part = package.workbook()
                if part is None:
                    raise unsupported(source, _NONE, ".xlsx")
                if part.lower().endswith(".bin"):
                    raise unsupported(source, "a binary Excel workbook (.xlsb)", ".xlsx")
                from musterroll_plugins.readers.xlsx.sheet import sheet_of  # noqa: PLC0415 -- only for an xlsx

                sheet = sheet_of(source, package, part, worksheet)
            yield sheet


def _is_workbook(source: Source) -> bool:
    with suppress(SourceError), readable(source), opened(source) as archive:
        return XlsxPackage(archive, source.size).workbook() is not None
    # Without its directory, at the end of the file, a zip still shows names between its contents.
    marks = (b"xl/", b"[Content_Types].xml")
    return any(mark in source.head for mark in marks) and not any(
        mark in source.head for mark in (b"word/", b"ppt/", b"mimetypeapplication/vnd.oasis")
    )


def _refuse_relatives(source: Source) -> None:
    kind = ole_kind(source)
    if kind is OleKind.ENCRYPTED:
        raise encrypted(source)
    if kind is OleKind.XLS:
        raise unsupported(source, "an Excel 97-2003 workbook (.xls)", ".xlsx")
    if not source.head.startswith(ZIP):
        raise unsupported(source, _NONE, ".xlsx")


def _writer(options: Options, context: Context) -> SheetWriter:
    from musterroll_plugins.readers.xlsx.writer import XlsxWriter  # noqa: PLC0415 -- whoever reads needs none

    return XlsxWriter()


def _editor(options: Options, context: Context) -> SheetEditor:
    from musterroll_plugins.readers.xlsx.editor import XlsxEditor  # noqa: PLC0415 -- whoever reads needs none

    return XlsxEditor()


@hookimpl
def musterroll_readers() -> Iterator[Component]:
    """Announces the reader."""
    yield ReaderType(
        name="xlsx",
        summary="Workbooks of Excel and of programs that save its format",
        options=Options,
        build=XlsxReader,
        suffixes=(".xlsx",),
        writer=_writer,
        editor=_editor,
    )
