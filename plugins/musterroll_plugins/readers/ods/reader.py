"""Reads ods spreadsheets: cells keep their kinds, and rows stream.

The content's XML is read here and not through `odf.opendocument.load`, which holds all of it in memory as a tree
(2.3 GB for 100,000 users). The usual prefixes of the format's namespaces are taken for granted, as they are in the
spreadsheet programs.
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
from musterroll_plugins.readers.ods.package import SPREADSHEETS, is_encrypted, media_type
from musterroll_plugins.readers.package.zip_file import ZIP, Package, encrypted, opened, readable, unsupported

if TYPE_CHECKING:
    from musterroll_plugins.readers.ods.sheet import OdsSheet

_NONE = "no OpenDocument spreadsheet (.ods)"
_OLD = "application/vnd.sun.xml.calc"


class OdsReader:
    """Reads ods spreadsheets, and explains why it cannot read their relatives."""

    def __init__(self, options: Options, context: Context) -> None:
        pass

    def sniff(self, source: Source) -> Confidence:
        """Says CERTAIN for spreadsheets, whatever the file's name, and for those that `open` will explain.

        These are spreadsheets under a password, in one piece of XML, in OpenOffice's old format, and cut off.
        """
        if source.head.startswith(ZIP):
            return Confidence.CERTAIN if _is_spreadsheet(source) else Confidence.NO
        return Confidence.CERTAIN if _is_flat(source) else Confidence.NO

    @contextmanager
    def open(self, source: Source, worksheet: str | None = None) -> Iterator[OdsSheet]:
        """Opens one worksheet.

        Raises:
            SourceError: the file is damaged, protected or of another format, or has no such worksheet.
            AmbiguousWorksheetError: there are several visible worksheets and none was named.
        """
        if _is_flat(source):
            raise unsupported(source, "a spreadsheet in one piece of XML (.fods)", ".ods")
        if not source.head.startswith(ZIP):
            raise unsupported(source, _NONE, ".ods")
        with opened(source) as archive:
            with readable(source):
                package = Package(archive, source.size)
                kind = media_type(package)
                if kind == _OLD:
                    raise unsupported(source, "a spreadsheet of an old OpenOffice (.sxc)", ".ods")
                if kind not in SPREADSHEETS:
                    raise unsupported(source, _NONE, ".ods")
                if is_encrypted(package):
                    raise encrypted(source)
                from musterroll_plugins.readers.ods.sheet import sheet_of  # noqa: PLC0415 -- only for an ods

                sheet = sheet_of(source, package, worksheet)
            yield sheet


def _is_spreadsheet(source: Source) -> bool:
    with suppress(SourceError), readable(source), opened(source) as archive:
        return media_type(Package(archive, source.size)) in {*SPREADSHEETS, _OLD}
    # Without its directory, at the end of the file, a zip still shows the type: it comes first, and in the clear.
    return any(f"mimetype{kind}".encode() in source.head[:200] for kind in (*SPREADSHEETS, _OLD))


def _is_flat(source: Source) -> bool:
    head = source.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") and f'office:mimetype="{SPREADSHEETS[0]}'.encode() in head


def _writer(options: Options, context: Context) -> SheetWriter:
    from musterroll_plugins.readers.ods.writer import OdsWriter  # noqa: PLC0415 -- whoever reads needs none

    return OdsWriter()


def _editor(options: Options, context: Context) -> SheetEditor:
    from musterroll_plugins.readers.ods.editor import OdsEditor  # noqa: PLC0415 -- whoever reads needs none

    return OdsEditor()


@hookimpl
def musterroll_readers() -> Iterator[Component]:
    """Announces the reader."""
    yield ReaderType(
        name="ods",
        summary="Spreadsheets of LibreOffice and of other programs that save OpenDocument",
        options=Options,
        build=OdsReader,
        suffixes=(".ods",),
        writer=_writer,
        editor=_editor,
    )
