"""The document around the rows that are written: columns, styles, choices and page setup, all made by odfpy.

Import this module when something is written, and not before: odfpy is slow to import.
"""

from __future__ import annotations

import io
import zipfile

from odf import config, number, style, table
from odf.element import Element
from odf.namespaces import STYLENS
from odf.opendocument import OpenDocumentSpreadsheet
from odf.text import P

from musterroll import PLAIN_FORMATS, Draft, column_letter
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.looks import Part
from musterroll_plugins.readers.number_formats import show_number
from musterroll_plugins.readers.ods import formats as _ods_formats
from musterroll_plugins.readers.ods import names as _ods_names

CONTENT, _STYLES = "content.xml", "styles.xml"
_ROWS = b"<table:table-row/>"
_MOST_FORMATS = 5000  # a document of more is slow to open


class Frame:
    """The document around the rows, and the styles that they refer to by name.

    Args:
        draft: the sheet.
        guidance_points: how high the guidance rows are.
    """

    def __init__(self, draft: Draft, guidance_points: int) -> None:
        self._draft = draft
        self._document = OpenDocumentSpreadsheet()
        self._name = _looks.without_unholdable(draft.worksheet or _looks.WORKSHEET)
        self._formats: dict[str, str] = {}
        self._digits: dict[str, _ods_formats.DigitStyle | None] = {}
        self._add_text_styles()
        self._add_value_styles()
        self._set_up_printing()
        self._add_table(guidance_points)
        self._freeze()

    def text_style(self, part: Part, index: int) -> str | None:
        """The name of the style of a text in a column, from 0; None for that of the column."""
        if part is Part.GUIDANCE:
            return _ods_names.GUIDANCE
        if part is Part.HEADINGS:
            columns = self._draft.columns
            return _ods_names.HEADING_NEEDED if index < len(columns) and columns[index].required else _ods_names.HEADING
        return None if index < len(self._draft.columns) else _ods_names.TEXT

    def number_style(self, code: str, value: int | float, shown: str) -> str:
        """The name of the style that shows a number.

        Args:
            code: the format code.
            value: the number.
            shown: what the code shows of it.
        """
        if code == _ods_formats.TEXT:
            return _ods_names.TEXT
        digits = self._digits.get(code)
        if digits is None and code not in self._digits:
            digits = self._digits[code] = _ods_formats.parse(code)
        if code in PLAIN_FORMATS or (digits is not None and show_number(value, _ods_formats.code(digits)) == shown):
            return self._add_number_style(code, digits)
        # What is shown stands in the style itself where there is no other way to say it.
        return self._add_number_style(_ods_formats.text_code(shown), _ods_formats.DigitStyle(before=shown, empty=True))

    def _add_number_style(self, code: str, digits: _ods_formats.DigitStyle | None) -> str:
        found = self._formats.get(code)
        if found is None:
            if digits is None or len(self._formats) == _MOST_FORMATS:
                return _ods_names.NUMBER
            found = self._formats[code] = f"{_ods_names.NUMBER}{len(self._formats) + 1}"
            self._add_cell_style(found, _number_style(digits, f"{found}Format"))
        return found

    def rule(self, index: int) -> str | None:
        """The name of the rule that checks a column, from 0; None where it has none."""
        columns = self._draft.columns
        return f"check-{index + 1}" if index < len(columns) and _looks.check_of(columns[index]) else None

    def copy_to(self, package: zipfile.ZipFile) -> tuple[bytes, bytes]:
        """Copies every part but cells and styles; returns the XML that stands before and after the rows."""
        with self._saved() as saved:
            for entry in saved.infolist():  # the first is the type of the file, and must be
                if entry.filename not in {CONTENT, _STYLES}:
                    package.writestr(entry, saved.read(entry))
            head, tail = saved.read(CONTENT).split(_ROWS)
        return head, tail

    def copy_styles_to(self, package: zipfile.ZipFile) -> None:
        """Copies the styles, once the last of them is known."""
        with self._saved() as saved:
            package.writestr(_STYLES, saved.read(_STYLES))

    def _saved(self) -> zipfile.ZipFile:
        file = io.BytesIO()
        self._document.write(file)
        return zipfile.ZipFile(file)

    def _add_text_styles(self) -> None:
        default = style.Style(name="Default", family="table-cell")
        default.addElement(style.TextProperties(fontfamily=_looks.FONT, fontsize=f"{_looks.FONT_SIZE}pt"))
        default.addElement(style.TableCellProperties(verticalalign="top"))
        self._document.styles.addElement(default)
        texts = number.TextStyle(name="TextFormat")
        texts.addElement(number.TextContent())
        self._add_cell_style(_ods_names.TEXT, texts)
        for name, fill, ink in (
            (_ods_names.HEADING_NEEDED, _looks.REQUIRED_FILL, _looks.REQUIRED_TEXT),
            (_ods_names.HEADING, _looks.OPTIONAL_FILL, _looks.OPTIONAL_TEXT),
        ):
            self._add_cell_style(
                name,
                texts,
                style.TableCellProperties(
                    backgroundcolor=f"#{fill}", verticalalign="middle", borderright="0.75pt solid #ffffff"
                ),
                style.TextProperties(fontweight="bold", color=f"#{ink}"),
            )
        self._add_cell_style(
            _ods_names.GUIDANCE,
            texts,
            style.TableCellProperties(
                wrapoption="wrap", verticalalign="top", borderbottom=f"0.75pt solid #{_looks.LINE}"
            ),
            style.TextProperties(
                fontstyle="italic", fontsize=f"{_looks.FONT_SIZE - 1}pt", color=f"#{_looks.GUIDANCE_TEXT}"
            ),
        )

    def _add_value_styles(self) -> None:
        truth = number.BooleanStyle(name="TruthFormat")
        truth.addElement(number.Boolean())
        self._add_cell_style(_ods_names.TRUTH, truth)
        general = number.NumberStyle(name="NumberFormat")
        general.addElement(number.Number(minintegerdigits=1))
        self._add_cell_style(_ods_names.NUMBER, general)
        self._add_cell_style(_ods_names.DATE, _spelled(number.DateStyle(name="DateFormat"), "Y-M-D"))
        self._add_cell_style(_ods_names.DATE_TIME, _spelled(number.DateStyle(name="DateTimeFormat"), "Y-M-D h:m:s"))
        endless = number.TimeStyle(name="TimeFormat", truncateonoverflow="false")
        self._add_cell_style(_ods_names.TIME, _spelled(endless, "h:m:s"))

    def _add_cell_style(self, name: str, data: Element, *properties: Element) -> None:
        if data.parentNode is None:
            self._document.styles.addElement(data)
        found = style.Style(
            name=name,
            family="table-cell",
            parentstylename="Default",
            datastylename=data.getAttribute("name"),
        )
        for one in properties:
            found.addElement(one)
        self._document.styles.addElement(found)

    def _set_up_printing(self) -> None:
        layout = style.PageLayout(name="landscape")
        page = style.PageLayoutProperties(
            printorientation="landscape",
            pagewidth="29.7cm",
            pageheight="21cm",
            margintop="1.5cm",
            marginbottom="1.5cm",
            marginleft="1cm",
            marginright="1cm",
        )
        # One page wide, and as high as need be; newer than what odfpy checks names against.
        page.setAttrNS(STYLENS, "scale-to-X", "1")
        page.setAttrNS(STYLENS, "scale-to-Y", "0")
        layout.addElement(page)
        self._document.automaticstyles.addElement(layout)
        self._document.masterstyles.addElement(style.MasterPage(name="Default", pagelayoutname=layout))

    def _add_table(self, guidance_points: int) -> None:
        visible = self._automatic("table", "users", masterpagename="Default")
        visible.addElement(style.TableProperties(display="true"))
        for name, points in (
            (_ods_names.HEADING_ROW, _looks.HEADING_POINTS),
            (_ods_names.GUIDANCE_ROW, guidance_points),
        ):
            self._automatic("table-row", name).addElement(
                style.TableRowProperties(rowheight=f"{points}pt", useoptimalrowheight="false")
            )
        users = table.Table(name=self._name, stylename="users")
        for index, column in enumerate(self._draft.columns):
            width = self._automatic("table-column", f"column-{index + 1}")
            width.addElement(
                style.TableColumnProperties(columnwidth=f"{_looks.column_width(column) * 0.21 + 0.2:.2f}cm")
            )
            # The whole column, so that what is typed below the last row keeps its digits too.
            users.addElement(table.TableColumn(stylename=f"column-{index + 1}", defaultcellstylename=_ods_names.TEXT))
        users.addElement(table.TableRow())
        rules = self._rules()
        if rules.hasChildNodes():
            self._document.spreadsheet.addElement(rules)
        self._document.spreadsheet.addElement(users)

    def _automatic(self, family: str, name: str, **attributes: str) -> Element:
        made = style.Style(name=name, family=family, **attributes)
        self._document.automaticstyles.addElement(made)
        return made

    def _rules(self) -> Element:
        rules = table.ContentValidations()
        sheet = self._name.replace("'", "''")
        for index, column in enumerate(self._draft.columns):
            check = _looks.check_of(column)
            if check is None:
                continue
            if column.choices:
                among = ";".join(map(_looks.quoted, column.choices))
                condition = f"of:cell-content-is-in-list({among})"
            else:
                formula = _looks.check_formula(self._draft, index, reference=_reference, comma=";")
                condition = f"of:is-true-formula({formula})"
            rule = table.ContentValidation(
                name=self.rule(index),
                condition=condition,
                allowemptycell="true",
                displaylist="unsorted",
                basecelladdress=f"'{sheet}'.{column_letter(index)}{self._draft.first_row}",
            )
            prompt = table.HelpMessage(display="true", title=check.title)
            prompt.addElement(P(text=check.prompt))
            rule.addElement(prompt)
            kind = "stop" if check.stops else "warning"
            error = table.ErrorMessage(display="true", messagetype=kind, title=check.title)
            error.addElement(P(text=check.error))
            rule.addElement(error)
            rules.addElement(rule)
        return rules

    def _freeze(self) -> None:
        """Keeps headings and guidance in sight; programs read this from settings of their own."""
        top = str(self._draft.first_row - 1)
        sheet = config.ConfigItemMapEntry(name=self._name)
        for name, kind, value in (
            ("HorizontalSplitMode", "short", "0"),
            ("VerticalSplitMode", "short", "2"),
            ("VerticalSplitPosition", "int", top),
            ("ActiveSplitRange", "short", "2"),
            ("PositionTop", "int", "0"),
            ("PositionBottom", "int", top),
        ):
            sheet.addElement(config.ConfigItem(name=name, type=kind, text=value))
        sheets = config.ConfigItemMapNamed(name="Tables")
        sheets.addElement(sheet)
        view = config.ConfigItemMapEntry()
        view.addElement(config.ConfigItem(name="ViewId", type="string", text="view1"))
        view.addElement(sheets)
        view.addElement(config.ConfigItem(name="ActiveTable", type="string", text=self._name))
        views = config.ConfigItemMapIndexed(name="Views")
        views.addElement(view)
        settings = config.ConfigItemSet(name="ooo:view-settings")
        settings.addElement(views)
        self._document.settings.addElement(settings)


def _reference(cells: str) -> str:
    """A reference as formulas of this format have it, e.g. `[.B$3:.B$9]`."""
    return f"[.{cells.replace(':', ':.')}]"


def _number_style(digits: _ods_formats.DigitStyle, name: str) -> Element:
    made = (number.PercentageStyle if digits.percent else number.NumberStyle)(name=name)
    if digits.before or digits.empty:
        made.addElement(number.Text(text=digits.before))
    if digits.empty:
        return made
    shown = number.Number(minintegerdigits=digits.least, decimalplaces=digits.decimals)
    if digits.grouping:
        shown.setAttribute("grouping", "true")
    for position, text in digits.between.items():
        shown.addElement(number.EmbeddedText(position=position, text=text))
    made.addElement(shown)
    after = ("%" if digits.percent else "") + digits.after
    if after:
        made.addElement(number.Text(text=after))
    return made


def _spelled(made: Element, pattern: str) -> Element:
    """Adds the pieces of a date's format, e.g. `Y-M-D`."""
    pieces = {
        "Y": lambda: number.Year(style="long"),
        "M": lambda: number.Month(style="long"),
        "D": lambda: number.Day(style="long"),
        "h": lambda: number.Hours(style="long"),
        "m": lambda: number.Minutes(style="long"),
        "s": lambda: number.Seconds(style="long"),
    }
    for character in pattern:
        made.addElement(pieces[character]() if character in pieces else number.Text(text=character))
    return made
