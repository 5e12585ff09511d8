"""Every built-in reader keeps the published contract."""

from __future__ import annotations

import csv as csv_module
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

from musterroll import Reader
from musterroll.testing import ReaderContract, build_reader
from musterroll_plugins.readers.csv import reader as csv
from musterroll_plugins.readers.ods import reader as ods
from musterroll_plugins.readers.xlsx import reader as xlsx


class TestCsv(ReaderContract):
    has_worksheets = False

    def open_reader(self) -> Reader:
        return build_reader(csv, "csv")

    def write(self, path: Path, rows: Sequence[Sequence[str]]) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv_module.writer(file).writerows(rows)


class TestXlsx(ReaderContract):
    def open_reader(self) -> Reader:
        return build_reader(xlsx, "xlsx")

    def write(self, path: Path, rows: Sequence[Sequence[str]]) -> None:
        workbook = Workbook()
        sheet = workbook.active
        assert sheet is not None
        for number, row in enumerate(rows, 1):
            for column, text in enumerate(row, 1):
                sheet.cell(number, column).value = text
                sheet.cell(number, column).data_type = "s"
        workbook.save(path)


class TestOds(ReaderContract):
    def open_reader(self) -> Reader:
        return build_reader(ods, "ods")

    def write(self, path: Path, rows: Sequence[Sequence[str]]) -> None:
        from odf.opendocument import OpenDocumentSpreadsheet
        from odf.table import Table, TableCell, TableRow
        from odf.text import P

        document, table = OpenDocumentSpreadsheet(), Table(name="Users")
        for texts in rows:
            row = TableRow()
            for text in texts:
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=text))
                row.addElement(cell)
            table.addElement(row)
        document.spreadsheet.addElement(table)
        with path.open("wb") as file:
            document.write(file)
