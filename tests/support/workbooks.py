"""Workbooks made part by part, for what no spreadsheet program would write."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def worksheet(rows: str, before: str = "", after: str = "") -> str:
    """The XML of a worksheet with these rows, and what stands before and after them."""
    return f'<worksheet xmlns="{_MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def parts(
    *sheets: str, names: str = "", texts: str | None = None, styles: str | None = None, date1904: bool = False
) -> dict[str, str]:
    """The parts of a workbook.

    Args:
        sheets: the XML of each worksheet; they are called Sheet1, Sheet2, …
        names: the `<sheet>` elements, where those of the visible worksheets will not do.
        texts: the `<si>` elements of the shared texts.
        styles: what stands inside `<styleSheet>`.
        date1904: count days from 1904.
    """
    listed = names or "".join(
        f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in range(1, len(sheets) + 1)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    found = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}">'
        f'<workbookPr date1904="{int(date1904)}"/><sheets>{listed}</sheets></workbook>',
    }
    for number, sheet in enumerate(sheets, 1):
        found[f"xl/worksheets/sheet{number}.xml"] = sheet
    if texts is not None:
        links += f'<Relationship Id="rIdT" Type="{_REL}/sharedStrings" Target="sharedStrings.xml"/>'
        found["xl/sharedStrings.xml"] = f'<sst xmlns="{_MAIN}">{texts}</sst>'
    if styles is not None:
        links += f'<Relationship Id="rIdS" Type="{_REL}/styles" Target="/xl/styles.xml"/>'
        found["xl/styles.xml"] = f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>'
    found["xl/_rels/workbook.xml.rels"] = f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'
    return found


def save(path: Path, contents: dict[str, str]) -> Path:
    """Packs parts into a file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    return path


def compound_file(*streams: str, filler: int = 0) -> bytes:
    """An OLE compound file whose directory names these streams, after `filler` sectors of something else."""
    entries = ["Root Entry", *streams]
    directory = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 2 * len(name) + 2) + bytes(62) for name in entries
    )
    blocks = [directory[at : at + 512].ljust(512, b"\0") for at in range(0, len(directory), 512)]
    tables = -(-(filler + len(blocks)) // 126)  # sectors of the allocation table, of 128 entries, come first
    first = tables + filler
    chain = [0xFFFFFFFD] * tables + [0xFFFFFFFF] * filler + [first + n + 1 for n in range(len(blocks))]
    chain[-1] = 0xFFFFFFFE
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<II", header, 44, tables, first)
    header[76:512] = struct.pack(f"<{tables}I", *range(tables)).ljust(436, b"\xff")
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(512 * tables, b"\xff")
    return bytes(header) + table + bytes(512 * filler) + b"".join(blocks)
