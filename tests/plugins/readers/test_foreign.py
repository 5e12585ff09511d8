"""Files of other programs: each is named, and it is said what to do, in one line."""

from __future__ import annotations

import gzip
import io
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Confidence, Options, Reader, Source, SourceError
from musterroll.sheet.readers import choose_reader
from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader
from musterroll_plugins.readers.ods.reader import OdsReader
from musterroll_plugins.readers.xlsx.reader import XlsxReader
from support.rows import context


def zipped(*names: str, mimetype: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, b"content")
    return file.getvalue()


TABLE = "<table><tr><td>Email</td><td>Username</td></tr></table>"
XML_2003 = '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
FOREIGN = [
    (f'<html><meta charset="utf-8">{TABLE}</html>'.encode(), "web page (HTML)", "save it as .xlsx"),
    (TABLE.encode(), "web page (HTML)", "save it as .xlsx"),
    (f"\ufeff \r\n<!-- a --><!-- b -->\n<!DOCTYPE HTML>\n{TABLE}".encode(), "web page (HTML)", "save it as .xlsx"),
    (f"<html>{TABLE}</html>".encode("utf-16"), "web page (HTML)", "save it as .xlsx"),
    (f'<?xml version="1.0"?>\n<html xmlns="x">{TABLE}</html>'.encode(), "web page (HTML)", "save it as .xlsx"),
    (b"MIME-Version: 1.0\r\nX-A: b\r\n\r\n", "web page in one file (MHTML)", "save it as .xlsx"),
    (
        b"From: <Saved by Excel>\r\nContent-Type: multipart/related;\r\n boundary=x\r\n",
        "web page in one file (MHTML)",
        "save it as .xlsx",
    ),
    (
        f'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>{XML_2003}'.encode(),
        "XML spreadsheet of Excel 2003",
        "save it as .xlsx",
    ),
    (f'<?xml version="1.0" encoding="UTF-16"?>{XML_2003}'.encode("utf-16"), "Excel 2003", "save it as .xlsx"),
    (XML_2003.encode(), "XML spreadsheet of Excel 2003", "save it as .xlsx"),
    (b"<?xml version='1.0'?><users/>", "an XML file", "export"),
    (b"%PDF-1.4\n%%EOF", "a PDF document", "copy its table"),
    (b"{\\rtf1 Ana}", "a text document (RTF)", "copy its table"),
    (zipped("Index/Document.iwa", "preview.jpg"), "a Numbers spreadsheet of Apple", "Export To > Excel"),
    (zipped("[Content_Types].xml", "word/document.xml"), "a Word document (.docx)", "copy its table"),
    (zipped("[Content_Types].xml", "ppt/presentation.xml"), "a PowerPoint presentation", "copy its table"),
    (zipped(mimetype="application/vnd.oasis.opendocument.text"), "no spreadsheet", "copy its table"),
    (zipped("a/staff.csv"), "a zip archive that holds a/staff.csv;", "unpack it"),
    (zipped("a.csv", "__MACOSX/a.csv", "b.xlsx"), "a zip archive that holds a.csv and 1 more;", "unpack it"),
    (zipped("photo.png"), "a zip archive", "unpack it"),
    (b'TABLE\r\n0,1\r\n"EXCEL"\r\n', "SYLK or DIF", "save it as .xlsx"),
    (b"ID;PWXL;N;E\r\nP;PGeneral\r\n", "SYLK or DIF", "save it as .xlsx"),
    (gzip.compress(b"Email,Username\n", mtime=0), "a gzip archive", "unpack it"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture", "choose another file"),
    (bytes(range(1, 60)), "no spreadsheet", "choose another file"),
    (b"\x09\x08\x10\x00\x00\x06", "a workbook of an Excel before 1997", "save it as .xlsx"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office program", "copy its table"),
]


@pytest.mark.parametrize(("content", "kind", "advice"), FOREIGN)
def test_a_file_of_another_program_is_named_with_advice(tmp_path: Path, content: bytes, kind: str, advice: str) -> None:
    (tmp_path / "staff.xls").write_bytes(content)
    readers: list[tuple[str, Reader]] = [
        ("csv", CsvReader(CsvOptions(), context())),
        ("ods", OdsReader(Options(), context())),
        ("xlsx", XlsxReader(Options(), context())),
    ]
    with pytest.raises(SourceError) as caught:
        choose_reader(Source(tmp_path / "staff.xls"), readers)
    assert caught.value.code == "source.unsupported"
    assert kind in caught.value.message
    assert advice in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "content",
    [
        b"MZ;Name\n",
        b"From: me;x\n",
        b"<b>Email</b>,Username\n",
        b"PK,Name\n",
        b"ID;Password\n",
        b"TABLE\n0,2\n",
        b"content-type,mime-version\n",
        b"BZh,x\n",
    ],
)
def test_a_text_is_a_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "staff").write_bytes(content)
    assert CsvReader(CsvOptions(), context()).sniff(Source(tmp_path / "staff")) is Confidence.PERHAPS


@given(st.text('<!-> \n?xmlhtbody"=/:a', max_size=300) | st.binary(max_size=300))
def test_what_a_file_is_is_said_at_once(content: str | bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "staff")
        path.write_bytes((content.encode() if isinstance(content, str) else content) * 200)
        began = time.monotonic()
        CsvReader(CsvOptions(), context()).sniff(Source(path))
        assert time.monotonic() - began < 1
