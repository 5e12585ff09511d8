"""OpenDocument files made part by part, for what no spreadsheet program would write."""

from __future__ import annotations

import zipfile
from pathlib import Path

SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"
_NAMES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "number": "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
}
_MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
NAMESPACES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMES.items())


def table(rows: str, *, name: str = "Users", style: str = "", columns: str = "") -> str:
    """A worksheet."""
    styled = f' table:style-name="{style}"' if style else ""
    return f'<table:table table:name="{name}"{styled}>{columns}{rows}</table:table>'


def text(*paragraphs: str, attributes: str = "") -> str:
    """A cell that holds a text; the paragraphs are XML."""
    inner = "".join(f"<text:p>{paragraph}</text:p>" for paragraph in paragraphs)
    return f'<table:table-cell office:value-type="string" {attributes}>{inner}</table:table-cell>'


def number(value: object, attributes: str = "", kind: str = "float") -> str:
    """A cell that holds a number."""
    return f'<table:table-cell office:value-type="{kind}" office:value="{value}" {attributes}/>'


def empty(columns: int = 1) -> str:
    """Cells without content."""
    return f'<table:table-cell table:number-columns-repeated="{columns}"/>'


def row(*cells: str, attributes: str = "") -> str:
    """A row."""
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def parts(
    *tables: str, styles: str = "", common: str = "", kind: str = SPREADSHEET, entries: str = "", before: str = ""
) -> dict[str, str]:
    """The parts of a document.

    Args:
        tables: its worksheets.
        styles: the automatic styles.
        common: the styles of styles.xml.
        kind: the media type.
        entries: what the manifest's entry of the content holds.
        before: what stands before the worksheets.
    """
    return {
        "mimetype": kind,
        "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_MANIFEST}">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        f'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">{entries}'
        "</manifest:file-entry></manifest:manifest>",
        "styles.xml": f"<office:document-styles {NAMESPACES}><office:styles>{common}</office:styles>"
        "</office:document-styles>",
        "content.xml": f"<office:document-content {NAMESPACES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:spreadsheet>{before}{''.join(tables)}"
        "</office:spreadsheet></office:body></office:document-content>",
    }


def save(path: Path, contents: dict[str, str]) -> Path:
    """Packs parts into a file, the type first and in the clear."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return path
