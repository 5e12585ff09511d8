"""The worksheet in front of an annotated document."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll import CellLink, FrontSheet, Severity
from musterroll_plugins.readers.ods.edited_styles import EditedStyles
from musterroll_plugins.readers.ods.writer import paragraphs
from musterroll_plugins.readers.package.patching import xml_text

_XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


def front_table(front: FrontSheet, worksheet: str, styles: EditedStyles) -> str:
    """The XML of the worksheet.

    Args:
        front: what it says.
        worksheet: the name of the one that its links lead to.
        styles: takes the styles that it needs.
    """
    quoted = worksheet.replace("'", "''")
    usual, bold, title = styles.text(), styles.text(bold=True), styles.text(bold=True, wraps=False)

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

    made = [f'<table:table table:name="{xml_text(front.name)}">']
    made += [f'<table:table-column table:style-name="{styles.column(width)}"/>' for width in front.widths]
    made += row((front.title,), title)
    made.append("<table:table-row><table:table-cell/></table:table-row>")
    made += row(front.headings, bold)
    for one in front.rows:
        made += row(one.cells, usual, one.mark)
    made.append("</table:table>")
    return "".join(made)
