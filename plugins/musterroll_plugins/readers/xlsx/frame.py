"""The workbook around the rows that are written: columns, styles, choices and print setup, all made by openpyxl.

Import this module when something is written, and not before: openpyxl is slow to import.
"""

from __future__ import annotations

import io
import re
import zipfile

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from musterroll import Draft, DraftColumn, column_letter
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.looks import Part
from musterroll_plugins.readers.package.xml import MAX_ROW

_TEXT = "@"
_STYLES, CELLS = "xl/styles.xml", "xl/worksheets/sheet1.xml"
# Nothing but the cells that have notes.
_ROWS = re.compile(r"<sheetData\s*/>|<sheetData>.*?</sheetData>", re.DOTALL)
_EXTENT = re.compile(r"<dimension[^>]*/>")
_NO_NAME = re.compile(r"[\\/*?:\[\]\0-\x1f\ufffe\uffff]")
_LONGEST_NAME, _LONGEST_FORMAT = 31, 255
_MOST_FORMATS = 200
_AUTHOR = "musterroll"  # of notes, which Excel wants
_CHOICES = "Choices"
# What cannot stand in a list that is part of the rule, and how long that list can be.
_NO_LIST = re.compile(r'[,"\0-\x1f\ufffe\uffff]|^\s|\s$|^$')
_LONGEST_LIST = 255


class Frame:
    """The workbook around the rows, and the styles that they refer to by number."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._book = Workbook()
        self._sheet = self._book.worksheets[0]
        self._sheet.title = _NO_NAME.sub(" ", draft.worksheet or "").strip("' ")[:_LONGEST_NAME] or _looks.WORKSHEET
        self._lists: Worksheet | None = None
        self._formats: dict[str, int] = {}
        self._required = self._heading_style(_looks.REQUIRED_FILL, _looks.REQUIRED_TEXT)
        self._optional = self._heading_style(_looks.OPTIONAL_FILL, _looks.OPTIONAL_TEXT)
        self._guidance = self._style(
            _TEXT,
            font=Font(name=_looks.FONT, size=_looks.FONT_SIZE - 1, italic=True, color=_looks.GUIDANCE_TEXT),
            alignment=Alignment(vertical="top", wrap_text=True),
            border=Border(bottom=Side(style="thin", color=_looks.LINE)),
        )
        self._wrapped = self._style(_TEXT, alignment=Alignment(vertical="top", wrap_text=True))
        self._lay_out()
        self._set_up_printing()
        self._add_checks()
        self._add_notes()

    def text_style(self, part: Part, index: int, *, several_lines: bool = False) -> int:
        """The number of the style of a text in a column, from 0."""
        if part is Part.GUIDANCE:
            return self._guidance
        if part is Part.HEADINGS:
            columns = self._draft.columns
            return self._required if index < len(columns) and columns[index].required else self._optional
        return self._wrapped if several_lines else self.format_style(_TEXT)

    def format_style(self, code: str) -> int:
        """The number of the style that has a number format and nothing else."""
        if code not in self._formats:
            self._formats[code] = self._style(code, alignment=Alignment(vertical="top"))
        return self._formats[code]

    def has_room(self, code: str) -> bool:
        """Whether Excel opens a workbook that has this number format as well."""
        return code in self._formats or (len(code) <= _LONGEST_FORMAT and len(self._formats) < _MOST_FORMATS)

    def copy_to(self, package: zipfile.ZipFile) -> tuple[str, str]:
        """Copies every part but cells and styles; returns the XML that stands before and after the rows."""
        with self._saved() as saved:
            for entry in saved.infolist():
                if entry.filename not in {_STYLES, CELLS}:
                    package.writestr(entry.filename, saved.read(entry))
            head, tail = _ROWS.split(_EXTENT.sub("", saved.read(CELLS).decode("utf-8")))
        # Digits are meant to be text here; Excel would put a green corner on each.
        cells = f"A1:{column_letter(max(len(self._draft.columns), 1) - 1)}{MAX_ROW}"
        calm = f'<ignoredErrors><ignoredError sqref="{cells}" numberStoredAsText="1"/></ignoredErrors>'
        return head, tail.replace("</worksheet>", f"{calm}</worksheet>")

    def copy_styles_to(self, package: zipfile.ZipFile) -> None:
        """Copies the styles, once the last of them is known."""
        with self._saved() as saved:
            package.writestr(_STYLES, saved.read(_STYLES))

    def _saved(self) -> zipfile.ZipFile:
        file = io.BytesIO()
        self._book.save(file)
        return zipfile.ZipFile(file)

    def _heading_style(self, fill: str, ink: str) -> int:
        return self._style(
            _TEXT,
            font=Font(name=_looks.FONT, size=_looks.FONT_SIZE, bold=True, color=ink),
            fill=PatternFill("solid", fgColor=fill),
            alignment=Alignment(vertical="center"),
            border=Border(right=Side(style="thin", color="FFFFFF")),
        )

    def _style(self, code: str, **looks: object) -> int:
        cell = Cell(self._sheet, 1, 1)
        cell.number_format = code
        for name, value in looks.items():
            setattr(cell, name, value)
        return cell.style_id

    def _lay_out(self) -> None:
        for index, column in enumerate(self._draft.columns):
            found = self._sheet.column_dimensions[column_letter(index)]
            found.width = _looks.column_width(column)
            # The whole column, so that what is typed below the last row keeps its digits too.
            found.number_format = _TEXT
        self._sheet.freeze_panes = f"A{self._draft.first_row}"

    def _set_up_printing(self) -> None:
        sheet = self._sheet
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        sheet.print_title_rows = f"{self._draft.heading_row}:{self._draft.heading_row}"
        sheet.page_margins.left = sheet.page_margins.right = 0.4
        sheet.page_margins.top = sheet.page_margins.bottom = 0.7
        sheet.page_margins.footer = 0.3
        if sheet.oddFooter is not None:
            sheet.oddFooter.right.text = "&P / &N"

    def _add_checks(self) -> None:
        for index, column in enumerate(self._draft.columns):
            check = _looks.check_of(column)
            if check is None:
                continue
            rule = DataValidation(allow_blank=True, showErrorMessage=True, showInputMessage=True)
            if column.choices:
                rule.type, rule.formula1 = "list", self._choices(index, column)
            else:
                rule.type = "custom"
                rule.formula1 = _looks.check_formula(self._draft, index, reference=str, comma=",")
            rule.errorStyle = "stop" if check.stops else "warning"
            rule.promptTitle = rule.errorTitle = check.title
            rule.prompt, rule.error = check.prompt, check.error
            letter = column_letter(index)
            rule.add(f"{letter}{self._draft.first_row}:{letter}{MAX_ROW}")
            self._sheet.add_data_validation(rule)

    def _choices(self, index: int, column: DraftColumn) -> str:
        """The formula that names the choices: themselves, or where they are listed."""
        among = ",".join(column.choices)
        if len(among) <= _LONGEST_LIST and not any(_NO_LIST.search(choice) for choice in column.choices):
            return f'"{among}"'
        if self._lists is None:
            self._lists = self._book.create_sheet(_CHOICES)  # openpyxl renames it where the users' is called so
            self._lists.sheet_state = "hidden"
        return _listed(self._lists, index, column)

    def _add_notes(self) -> None:
        for index, column in enumerate(self._draft.columns):
            if column.note:
                text = _looks.without_unholdable(column.note)
                note = Comment(text, _AUTHOR)
                note.width, note.height = _looks.NOTE_WIDTH * 96 // 72, _looks.note_height(text) * 96 // 72  # in pixels
                self._sheet.cell(self._draft.heading_row, index + 1).comment = note


def _listed(lists: Worksheet, index: int, column: DraftColumn) -> str:
    letter = column_letter(index)
    for number, choice in enumerate(column.choices, 1):
        cell = lists[f"{letter}{number}"]
        cell.value = _looks.without_unholdable(choice)
        cell.data_type, cell.number_format = "s", _TEXT
    return f"'{lists.title}'!${letter}$1:${letter}${len(column.choices)}"
