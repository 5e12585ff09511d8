"""What a file is that is neither text nor another sheet that can be read, and what to do with it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePosixPath

from musterroll import OtherFormat, Source

_PACKED = "unpack it, and import the sheet that is in it"
_COPY = "copy its table into a spreadsheet and save that as .xlsx"
_SAVE_AS = "open it in a spreadsheet program and save it as .xlsx (giving it another name is not enough)"
_EXPORT = "export the sheet from the program that made it as .xlsx or .csv"
_PASSING = "what was wanted is a spreadsheet; choose another file"

_BINARY: tuple[tuple[bytes, OtherFormat], ...] = (
    (b"\x89PNG", OtherFormat("a PNG picture", _PASSING)),
    (b"\xff\xd8\xff", OtherFormat("a JPEG picture", _PASSING)),
    (b"GIF8", OtherFormat("a GIF picture", _PASSING)),
    (b"\xd0\xcf\x11\xe0", OtherFormat("a document of an old Office program", _COPY)),
    (b"\x09\x08", OtherFormat("a workbook of an Excel before 1997 (.xls)", _SAVE_AS)),
    (b"\x09\x04\x06\x00", OtherFormat("a workbook of an Excel before 1997 (.xls)", _SAVE_AS)),
    (b"\x09\x02\x06\x00", OtherFormat("a workbook of an Excel before 1997 (.xls)", _SAVE_AS)),
    (b"\x09\x00\x04\x00", OtherFormat("a workbook of an Excel before 1997 (.xls)", _SAVE_AS)),
    (b"SQLite format 3", OtherFormat("a SQLite database", _EXPORT)),
    (b"PAR1", OtherFormat("a Parquet file", _EXPORT)),
    (b"\x00\x01\x00\x00Standard ", OtherFormat("an Access database", _EXPORT)),
    (b"\x1f\x8b", OtherFormat("a gzip archive", _PACKED)),
    (b"BZh", OtherFormat("a bzip2 archive", _PACKED)),
    (b"\xfd7zXZ", OtherFormat("an xz archive", _PACKED)),
    (b"(\xb5/\xfd", OtherFormat("a zstd archive", _PACKED)),
    (b"7z\xbc\xaf\x27\x1c", OtherFormat("a 7z archive", _PACKED)),
    (b"Rar!\x1a", OtherFormat("a rar archive", _PACKED)),
    (b"\x7fELF", OtherFormat("a program", _PASSING)),
    (b"MZ", OtherFormat("a program", _PASSING)),
)
_PDF = OtherFormat("a PDF document", _COPY)
_RTF = OtherFormat("a text document (RTF)", _COPY)
_HTML = OtherFormat("a web page (HTML), whatever its name says", _SAVE_AS)
_MHTML = OtherFormat("a web page in one file (MHTML)", _SAVE_AS)
_XML_2003 = OtherFormat("an XML spreadsheet of Excel 2003 (SpreadsheetML)", _SAVE_AS)
_XML = OtherFormat("an XML file", _EXPORT)
_OLD_SHEET = OtherFormat("a spreadsheet in an old exchange format (SYLK or DIF)", _SAVE_AS)
_TAR = OtherFormat("a tar archive", _PACKED)

# Texts, so that a reader of texts would take them for its own.
_COMMENTS = r"(?:<!--(?:(?!-->).)*-->\s*)*"
_PAGE = re.compile(_COMMENTS + r"<(?:!doctype\s+html|html|head|body|meta|table|style)[\s>]", re.DOTALL)
_MAIL = re.compile(
    r"(?:[a-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?(?:mime-version|content-type):\s*(?:1\.0|multipart/related)"
)
_DECLARATION = re.compile(r"<\?xml\s[^>]*\?>\s*")
_OLD_TEXT = re.compile(r"id;p(?:wxl|scalc|calcooo)[\w;]*\r?\n|table\r?\n0,1\r?\n\"")
_SPREADSHEET_2003 = ("urn:schemas-microsoft-com:office:spreadsheet", 'progid="excel.sheet"')

# By a part of the zip that only they have.
_ZIPPED = (
    ("word/document.xml", OtherFormat("a Word document (.docx)", _COPY)),
    ("ppt/presentation.xml", OtherFormat("a PowerPoint presentation (.pptx)", _COPY)),
    ("visio/document.xml", OtherFormat("a Visio drawing (.vsdx)", _COPY)),
    ("META-INF/MANIFEST.MF", OtherFormat("a Java archive", _PASSING)),
)
_NUMBERS = OtherFormat(
    "a Numbers spreadsheet of Apple", "in Numbers choose File > Export To > Excel, and import the file that it makes"
)
_APPLE = {
    ".pages": OtherFormat("a Pages document of Apple", _COPY),
    ".key": OtherFormat("a Keynote presentation of Apple", _COPY),
}
_OPEN_DOCUMENT = OtherFormat("an OpenDocument file that is no spreadsheet", _COPY)
_ZIP = OtherFormat("a zip archive or a document of another program", f"{_PACKED}, or {_EXPORT}")
_SHEETS = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".ods"})


def other_format(source: Source, *, may_be_text: bool) -> OtherFormat | None:
    """Says what a file is that is no csv file; None where that is not known, or where it may be text.

    Args:
        source: the file.
        may_be_text: it has no bytes in it that text has not.
    """
    head = source.head
    text = _start_of(head)
    if text.startswith("%pdf-"):
        return _PDF
    if text.startswith("{\\rtf"):
        return _RTF
    declared = _DECLARATION.match(text)
    if _PAGE.match(text, declared.end() if declared else 0):
        return _HTML
    if text.startswith(("<?xml", "<!doctype", "<workbook")):
        return _XML_2003 if any(mark in text for mark in _SPREADSHEET_2003) else _XML
    if _MAIL.match(text):
        return _MHTML
    if _OLD_TEXT.match(text):
        return _OLD_SHEET
    if head.startswith(b"PK\x03\x04"):
        return _zipped(source)
    if head[257:262] == b"ustar" and not may_be_text:
        return _TAR
    return next(
        (one for start, one in _BINARY if head.startswith(start) and not (may_be_text and start.isascii())), None
    )


def _start_of(head: bytes) -> str:
    """The first characters in small letters, in whichever Unicode they are."""
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return head[:8192].decode(encoding, errors="replace").lstrip().lower()


def _zipped(source: Source) -> OtherFormat:
    names: Sequence[str] = ()
    with suppress(Exception), source.open() as file, zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    if any(name.endswith(".iwa") or name in {"Index.zip", "buildVersionHistory.plist"} for name in names):
        return _APPLE.get(source.path.suffix.lower(), _NUMBERS)
    for part, one in _ZIPPED:
        if part in names or part.encode() in source.head:
            return one
    if b"mimetypeapplication/vnd.oasis.opendocument." in source.head[:100]:
        return _OPEN_DOCUMENT
    sheets = [
        name for name in names if PurePosixPath(name).suffix.lower() in _SHEETS and not name.startswith("__MACOSX/")
    ]
    if sheets:
        name = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in sheets[0][:100])
        more = f" and {len(sheets) - 1} more" if len(sheets) > 1 else ""
        return OtherFormat(f"a zip archive that holds {name}{more}", _PACKED)
    return _ZIP
