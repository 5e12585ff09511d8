"""Reads the rows of a sheet: headings, guidance, blank rows, aliases, defaults and composed fields.

Whether a row is blank is decided on its cells as they are, before defaults. Readers may leave blank rows
out, so a blank row is a gap in the row numbers of the filled ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from musterroll.errors import MusterrollError, PluginError
from musterroll.model.cells import Cell, SheetRow
from musterroll.model.fields import Field, FieldSet
from musterroll.model.rows import ABSENT, BLANK, Origin, Row, Value
from musterroll.pipeline.settings import SheetSettings
from musterroll.plugin.roles import Sheet
from musterroll.problems import Problem, Severity
from musterroll.secret import Secret
from musterroll.sheet.guidance import looks_like_a_user
from musterroll.sheet.headings import Columns, find_columns
from musterroll.sheet.values import Fault, cell_value
from musterroll.text import clean


class ReadRow(NamedTuple):
    """A row, and what is wrong with its cells."""

    row: Row
    problems: tuple[Problem, ...]


class RowReader:
    """Reads the rows of one sheet.

    Args:
        settings: how the sheet is laid out.
        fields: the fields of a user.
        report: takes the problems that belong to no data row.
    """

    def __init__(self, settings: SheetSettings, fields: FieldSet, report: Callable[[Problem], None]) -> None:
        self._settings = settings
        self._fields = fields
        self._report = report

    def rows(self, sheet: Sheet, reader: str) -> Iterator[ReadRow]:
        """Streams the data rows.

        Args:
            sheet: the open worksheet.
            reader: the reader's name, for messages.

        Raises:
            SourceError: the file is damaged.
            PluginError: the reader broke.
        """
        filled = (row for row in _guarded(sheet.rows(), reader) if not _is_blank(row.cells))
        found = 0
        for row in self._data(filled):
            found += 1
            yield row
        if not found:
            self._report(
                Problem(
                    code="sheet.empty",
                    message=f"There are no users; fill in rows from row {self._settings.first_row} on",
                )
            )

    def _data(self, filled: Iterator[SheetRow]) -> Iterator[ReadRow]:
        settings = self._settings
        make: _RowMaker | None = None
        expected = settings.first_row
        anything = False
        for row in filled:
            anything = True
            if row.number < settings.heading_row:
                continue
            if make is None:
                make = self._row_maker(row.cells if row.number == settings.heading_row else ())
                if row.number == settings.heading_row:
                    continue
            if row.number < settings.first_row:
                self._check_guidance(make(row).row)
                continue
            if row.number > expected and not self._pass_blank(expected, row, filled):
                return
            expected = row.number + 1
            yield make(row)
        if make is None and anything:
            self._row_maker(())

    def _row_maker(self, headings: tuple[Cell, ...]) -> _RowMaker:
        """Finds the columns; without a heading row every one is missing."""
        columns = find_columns(headings, self._settings.heading_row, self._fields)
        for problem in columns.problems:
            self._report(problem)
        return _RowMaker(self._fields, columns)

    def _check_guidance(self, row: Row) -> None:
        if looks_like_a_user(row):
            self._report(
                Problem(
                    code="row.guidance_is_data",
                    severity=Severity.WARNING,
                    row=row.number,
                    message=f"Row {row.number} is the place for guidance and is not imported, but it looks like "
                    f"a user; move it to row {self._settings.first_row} or below",
                )
            )

    def _pass_blank(self, blank: int, next_filled: SheetRow, filled: Iterator[SheetRow]) -> bool:
        """Acts on blank rows that filled ones follow; returns whether the import goes on."""
        match self._settings.on_blank_row:
            case "skip":
                return True
            case "error":
                last = next_filled.number - 1
                rows = f"Row {blank} is" if last == blank else f"Rows {blank} to {last} are"
                self._report(Problem(code="row.blank", row=blank, message=f"{rows} blank; delete or fill in"))
                return True
        after = 1 + sum(1 for _ in filled)
        rows = "1 filled row that follows is" if after == 1 else f"{after} filled rows that follow are"
        self._report(
            Problem(
                code="row.after_blank",
                severity=Severity.WARNING,
                row=blank,
                message=f"Row {blank} is blank and ends the import; {rows} not imported. Delete the blank row "
                f'to import what follows, or set on_blank_row = "skip"',
            )
        )
        return False


def _guarded(rows: Iterator[SheetRow], reader: str) -> Iterator[SheetRow]:
    number: int | None = None
    try:
        for row in rows:
            number = row.number
            yield row
    except (MusterrollError, GeneratorExit):
        raise
    except Exception as error:
        raise PluginError(plugin=f"readers[{reader}]", stage="reading", cause=error, row=number) from error


def _is_blank(cells: tuple[Cell, ...]) -> bool:
    return not any(cell.strip() if isinstance(cell, str) else cell is not None for cell in cells)


class _RowMaker:
    """Makes rows of values from rows of cells, for one layout of columns."""

    def __init__(self, fields: FieldSet, columns: Columns) -> None:
        self._columns = columns.letters
        self._plan = [
            (field, columns.indexes.get(field.name)) for field in fields.values() if field.compose is None
        ] + [(field, columns.indexes.get(field.name)) for field in fields.values() if field.compose is not None]
        self._defaults = [field for field in fields.values() if field.default is not None and not field.omitted]
        self._defaults += [field for field in fields.values() if field.default is not None and field.omitted]

    def __call__(self, source: SheetRow) -> ReadRow:
        cells = source.cells
        width = len(cells)
        values: dict[str, Value] = {}
        problems: list[Problem] = []
        for field, index in self._plan:
            value: Value | Fault
            if index is None:
                value = ABSENT
            elif index >= width:
                value = BLANK
            else:
                value = cell_value(cells[index], secret=field.secret)
                if type(value) is Fault:
                    problems.append(self._problem(source.number, field, value, cells[index]))
                    value = ABSENT
            assert type(value) is Value
            if field.compose is not None and (index is None or value.is_blank):
                value = _composed(field, values)
            values[field.name] = value
        for field in self._defaults:
            value = values[field.name]
            if (value.is_blank or field.omitted) and not (
                field.name == "calling_code" and "phone" in values and not values["phone"].is_filled
            ):
                values[field.name] = _default(field)
        return ReadRow(Row(source.number, values, self._columns), tuple(problems))

    def _problem(self, number: int, field: Field, fault: Fault, cell: Cell) -> Problem:
        shown = cell if isinstance(cell, str) else getattr(cell, "value", None)
        return Problem(
            code=fault.code,
            message=fault.message,
            row=number,
            column=self._columns.get(field.name),
            field=field.name,
            value=None if field.secret or shown is None else str(shown),
            suggestion=None if field.secret else fault.suggestion,
        )


def _composed(field: Field, values: dict[str, Value]) -> Value:
    """Fills a field's template; blank if all of its sources are, absent if one of them is."""
    assert field.compose is not None
    sources = [values[name] for name in field.compose.names]
    if any(source.origin is Origin.ABSENT for source in sources):
        return ABSENT
    if not any(source.is_filled for source in sources):
        return BLANK
    text = field.compose.fill({name: values[name].text for name in field.compose.names})
    return Value("", Origin.COMPOSED, None, Secret(text)) if field.secret else Value(clean(text), Origin.COMPOSED)


def _default(field: Field) -> Value:
    if isinstance(field.default, Secret):
        return Value("", Origin.DEFAULT, None, field.default)
    return Value(clean(field.default or ""), Origin.DEFAULT)
