"""The worksheet in front of an annotated document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

from musterroll import CellLink, FrontSheet, Severity
from musterroll_plugins.readers.ods.edited_styles import FRONT_PAGE, EditedStyles
from musterroll_plugins.readers.ods.writer import paragraphs
from musterroll_plugins.readers.package.patching import Patcher, xml_text
from musterroll_plugins.readers.package.xml import Attributes

_XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
# One page wide, and as high as need be.
_LAYOUT = (
    f'<style:page-layout xmlns:fo="{_OASIS}:xsl-fo-compatible:1.0" style:name="{FRONT_PAGE}">'
    '<style:page-layout-properties fo:page-width="29.7cm" fo:page-height="21cm" style:print-orientation="landscape" '
    'fo:margin-top="1.2cm" fo:margin-bottom="1cm" fo:margin-left="1cm" fo:margin-right="1cm" style:scale-to-X="1" '
    'style:scale-to-Y="0"/><style:footer-style><style:header-footer-properties fo:min-height="0.7cm" '
    'fo:margin-top="0.2cm"/></style:footer-style></style:page-layout>'
)
_PAGE = (
    f'<style:master-page style:name="{FRONT_PAGE}" style:page-layout-name="{FRONT_PAGE}">'
    f'<style:footer><text:p xmlns:text="{_OASIS}:text:1.0"><text:page-number>1</text:page-number> / '
    "<text:page-count>1</text:page-count></text:p></style:footer></style:master-page>"
)


def front_table(front: FrontSheet, worksheet: str, styles: EditedStyles) -> str:
    """The XML of the worksheet.

    Args:
        front: what it says.
        worksheet: the name of the one that its links lead to.
        styles: takes the styles that it needs.
    """
    quoted = worksheet.replace("'", "''")
    usual, bold = styles.text(), styles.text(bold=True, wraps=False)
    title = styles.text(bold=True, wraps=False, lined=False)

    def cell(content: str | int | CellLink, style: str) -> str:
        if isinstance(content, int):
            value = f'office:value-type="float" office:value="{content}"'
            return f'<table:table-cell table:style-name="{style}" {value}><text:p>{content}</text:p></table:table-cell>'
        if isinstance(content, CellLink):
            target = xml_text(f"#'{quoted}'.{content.cell}")
            link = f'<text:a {_XLINK} xlink:type="simple" xlink:href="{target}">{xml_text(content.cell)}</text:a>'
            text = f"<text:p>{link}</text:p>"
        else:
            text = paragraphs(content) if content else ""
        kind = ' office:value-type="string"' if content else ""
        return f'<table:table-cell table:style-name="{style}"{kind}>{text}</table:table-cell>'

    def row(cells: tuple[str | int | CellLink, ...], style: str, mark: Severity | None = None) -> Iterator[str]:
        first = style if mark is None else styles.text(mark=mark)
        yield "<table:table-row>"
        for index, content in enumerate(cells):
            yield cell(content, first if index == 0 else style)
        yield "</table:table-row>"

    made = [f'<table:table table:name="{xml_text(front.name)}" table:style-name="{styles.table()}">']
    made += [f'<table:table-column table:style-name="{styles.column(width)}"/>' for width in front.widths]
    made += row((front.title,), title)
    made.append("<table:table-row><table:table-cell/></table:table-row>")
    made += ("<table:table-header-rows>", *row(front.headings, bold), "</table:table-header-rows>")
    for one in front.rows:
        made += row(one.cells, usual, one.mark)
    made.append("</table:table>")
    return "".join(made)


def with_front_page(data: bytes) -> bytes:
    """The styles of a document with the kind of pages that the worksheet in front is printed on."""
    if f'style:name="{FRONT_PAGE}"'.encode() in data:  # of an earlier annotated copy
        return data
    written: list[bytes] = []
    _PagesPatcher(written.append).copy(BytesIO(data))
    return b"".join(written)


class _PagesPatcher(Patcher):
    """Adds our kind of pages, at the end of both lists that it is made of."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        super().__init__(write)
        self._left = {"automatic-styles": _LAYOUT, "master-styles": _PAGE}

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        if self.depth == 2 and name in self._left:  # below the root
            if name == "master-styles":
                self._add_missing("automatic-styles")
            tag = self.start_tag(self.place)
            if tag.endswith(b"/>"):
                self.replace(self.place, self.place + len(tag), self._list(name))

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if self.depth == 1 and name in self._left:
            self.replace(self.place, self.place, self._left.pop(name))
        elif self.depth == 0:
            self._add_missing(*self._left)

    def _add_missing(self, *names: str) -> None:
        for name in names:
            if name in self._left:
                self.replace(self.place, self.place, self._list(name))

    def _list(self, name: str) -> str:
        return f"<office:{name}>{self._left.pop(name)}</office:{name}>"
