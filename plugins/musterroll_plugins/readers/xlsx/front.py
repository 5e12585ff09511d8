"""The worksheet in front of an annotated workbook."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from musterroll import CellLink, Draft, DraftColumn, FrontRow, FrontSheet, SheetRow, column_letter
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.package.patching import xml_text
from musterroll_plugins.readers.xlsx.edited_cells import inline_text
from musterroll_plugins.readers.xlsx.edited_styles import EditedStyles

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEADINGS_AT = 3
# One page wide, and as high as need be.
_PRINTED = (
    '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>'
    '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
    "<headerFooter><oddFooter>&amp;C&amp;P / &amp;N</oddFooter></headerFooter>"
)


def printed_headings(name: str) -> str:
    """The rows of the worksheet that stand on every page that is printed, as workbooks name them."""
    quoted = name.replace("'", "''")
    return f"'{quoted}'!${_HEADINGS_AT}:${_HEADINGS_AT}"


def front_worksheet(front: FrontSheet, worksheet: str, styles: EditedStyles) -> str:
    """The XML of the worksheet.

    Args:
        front: what it says.
        worksheet: the name of the one that its links lead to.
        styles: takes the styles that it needs.
    """
    quoted = worksheet.replace("'", "''")
    links: list[str] = []

    def cells(number: int, row: FrontRow, style: int, first: int, link: int) -> Iterator[str]:
        for index, cell in enumerate(row.cells):
            place = f'r="{column_letter(index)}{number}"'
            look = first if index == 0 else link if isinstance(cell, CellLink) else style
            if isinstance(cell, int):
                yield f'<c {place} s="{look}"><v>{cell}</v></c>'
                continue
            if isinstance(cell, CellLink):
                target = xml_text(f"'{quoted}'!{cell.cell}")
                shown = xml_text(cell.cell)
                links.append(f'<hyperlink ref="{column_letter(index)}{number}" location="{target}" display="{shown}"/>')
            text = cell.cell if isinstance(cell, CellLink) else cell
            yield f'<c {place} s="{look}" t="inlineStr">{inline_text(text)}</c>' if text else f'<c {place} s="{look}"/>'

    usual, bold, link = styles.text(), styles.text(bold=True, wraps=False), styles.text(link=True)
    title = styles.text(bold=True, wraps=False, lined=False)
    rows = [f'<row r="1"><c r="A1" s="{title}" t="inlineStr">{inline_text(front.title)}</c></row>']
    headings = FrontRow(tuple(front.headings))
    rows.append(f'<row r="{_HEADINGS_AT}">{"".join(cells(_HEADINGS_AT, headings, bold, bold, bold))}</row>')
    for number, row in enumerate(front.rows, _HEADINGS_AT + 1):
        first = usual if row.mark is None else styles.text(mark=row.mark)
        height = f'ht="{_height(front, row)}" customHeight="1"'
        rows.append(f'<row r="{number}" {height}>{"".join(cells(number, row, usual, first, link))}</row>')
    widths = "".join(
        f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
        for number, width in enumerate(front.widths, 1)
    )
    below = f'topLeftCell="A{_HEADINGS_AT + 1}" activePane="bottomLeft" state="frozen"'
    head = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{_MAIN}">'
        '<sheetPr><tabColor rgb="FFC00000"/><pageSetUpPr fitToPage="1"/></sheetPr>'
        '<sheetViews><sheetView tabSelected="1" showGridLines="0" workbookViewId="0">'
        f'<pane ySplit="{_HEADINGS_AT}" {below}/>'
        f"</sheetView></sheetViews><cols>{widths}</cols><sheetData>"
    )
    linked = f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else ""
    tail = f"</sheetData>{linked}{_PRINTED}</worksheet>"
    return "".join(chain((head,), rows, (tail,)))


def _height(front: FrontSheet, row: FrontRow) -> int:
    """How many points high a row is, so that its wrapped texts can be read: not every program finds that out itself."""
    columns = tuple(DraftColumn(heading="", width=width) for width in front.widths)
    texts = tuple(cell if isinstance(cell, str) else None for cell in row.cells)
    draft = Draft(columns=columns, heading_row=1, first_row=1, rows=())
    return _looks.wrapped_height(draft, SheetRow(1, texts))
