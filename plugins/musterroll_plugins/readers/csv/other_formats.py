"""What a file is that is neither text nor another sheet that can be read, and what to do with it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePosixPath

from musterroll import OtherFormat, Source, counted, gettext, gettext_noop

_PACKED = gettext_noop("unpack it, and import the sheet that is in it")
_COPY = gettext_noop("copy its table into a spreadsheet and save that as .xlsx")
_SAVE_AS = gettext_noop("open it in a spreadsheet program and save it as .xlsx (giving it another name is not enough)")
_EXPORT = gettext_noop("export the sheet from the program that made it as .xlsx or .csv")
_PASSING = gettext_noop("what was wanted is a spreadsheet; choose another file")

_OLD_EXCEL = OtherFormat(gettext_noop("a workbook of an Excel before 1997 (.xls)"), _SAVE_AS)
_PROGRAM = OtherFormat(gettext_noop("a program"), _PASSING)
_BINARY: tuple[tuple[bytes, OtherFormat], ...] = (
    (b"\x89PNG", OtherFormat(gettext_noop("a PNG picture"), _PASSING)),
    (b"\xff\xd8\xff", OtherFormat(gettext_noop("a JPEG picture"), _PASSING)),
    (b"GIF8", OtherFormat(gettext_noop("a GIF picture"), _PASSING)),
    (b"\xd0\xcf\x11\xe0", OtherFormat(gettext_noop("a document of an old Office program"), _COPY)),
    (b"\x09\x08", _OLD_EXCEL),
    (b"\x09\x04\x06\x00", _OLD_EXCEL),
    (b"\x09\x02\x06\x00", _OLD_EXCEL),
    (b"\x09\x00\x04\x00", _OLD_EXCEL),
    (b"SQLite format 3", OtherFormat(gettext_noop("a SQLite database"), _EXPORT)),
    (b"PAR1", OtherFormat(gettext_noop("a Parquet file"), _EXPORT)),
    (b"\x00\x01\x00\x00Standard ", OtherFormat(gettext_noop("an Access database"), _EXPORT)),
    (b"\x1f\x8b", OtherFormat(gettext_noop("a gzip archive"), _PACKED)),
    (b"BZh", OtherFormat(gettext_noop("a bzip2 archive"), _PACKED)),
    (b"\xfd7zXZ", OtherFormat(gettext_noop("an xz archive"), _PACKED)),
    (b"(\xb5/\xfd", OtherFormat(gettext_noop("a zstd archive"), _PACKED)),
    (b"7z\xbc\xaf\x27\x1c", OtherFormat(gettext_noop("a 7z archive"), _PACKED)),
    (b"Rar!\x1a", OtherFormat(gettext_noop("a rar archive"), _PACKED)),
    (b"\x7fELF", _PROGRAM),
    (b"MZ", _PROGRAM),
)
_PDF = OtherFormat(gettext_noop("a PDF document"), _COPY)
_RTF = OtherFormat(gettext_noop("a text document (RTF)"), _COPY)
_HTML = OtherFormat(gettext_noop("a web page (HTML), whatever its name says"), _SAVE_AS)
_MHTML = OtherFormat(gettext_noop("a web page in one file (MHTML)"), _SAVE_AS)
_XML_2003 = OtherFormat(gettext_noop("an XML spreadsheet of Excel 2003 (SpreadsheetML)"), _SAVE_AS)
_XML = OtherFormat(gettext_noop("an XML file"), _EXPORT)
_OLD_SHEET = OtherFormat(gettext_noop("a spreadsheet in an old exchange format (SYLK or DIF)"), _SAVE_AS)
_TAR = OtherFormat(gettext_noop("a tar archive"), _PACKED)

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
    ("word/document.xml", OtherFormat(gettext_noop("a Word document (.docx)"), _COPY)),
    ("ppt/presentation.xml", OtherFormat(gettext_noop("a PowerPoint presentation (.pptx)"), _COPY)),
    ("visio/document.xml", OtherFormat(gettext_noop("a Visio drawing (.vsdx)"), _COPY)),
    ("META-INF/MANIFEST.MF", OtherFormat(gettext_noop("a Java archive"), _PASSING)),
)
_NUMBERS = OtherFormat(
    gettext_noop("a Numbers spreadsheet of Apple"),
    gettext_noop("in Numbers choose File > Export To > Excel, and import the file that it makes"),
)
_APPLE = {
    ".pages": OtherFormat(gettext_noop("a Pages document of Apple"), _COPY),
    ".key": OtherFormat(gettext_noop("a Keynote presentation of Apple"), _COPY),
}
_OPEN_DOCUMENT = OtherFormat(gettext_noop("an OpenDocument file that is no spreadsheet"), _COPY)
_ZIP = OtherFormat(
    gettext_noop("a zip archive or a document of another program"),
    gettext_noop(
        "unpack it, and import the sheet that is in it, or export the sheet from the program that made it as .xlsx "
        "or .csv"
    ),
)
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
        rest = len(sheets) - 1
        more = gettext(" and {count} more", count=counted(rest)) if rest else ""
        return OtherFormat(gettext("a zip archive that holds {files}", files=f"{name}{more}"), _PACKED)
    return _ZIP
