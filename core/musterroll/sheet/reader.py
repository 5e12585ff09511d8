"""Reads the rows of a sheet: headings, guidance, blank rows, aliases, defaults and composed fields.

Whether a row is blank is decided on its cells as they are, before defaults. Readers may leave blank rows
out, so a blank row is a gap in the row numbers of the filled ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from musterroll.contract.cells import Cell, SheetRow
from musterroll.contract.fields import FieldSet
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.roles import Sheet
from musterroll.contract.rows import Origin, Row
from musterroll.contract.translation import gettext, ngettext
from musterroll.errors import MusterrollError, PluginError
from musterroll.pipeline.settings import SheetSettings
from musterroll.sheet.guessed import GuessedText
from musterroll.sheet.headings import Columns, UnheadedCells, find_columns
from musterroll.sheet.plain_text import filled_width, has_too_many, too_many_cells
from musterroll.sheet.rows import RowMaker, RowWithProblems
from musterroll.sheet.values import is_filled

_ADDRESS = re.compile(r"[^\s@,;:()<>]+@[^\s@,;:()<>]+\.[^\s@,;:()<>]+")


class RowReader:
    """Reads the rows of one sheet.

    Args:
        settings: how the sheet is laid out.
        fields: the fields of a user.
        report: takes the problems that belong to no data row.
        reasons: the heading of the reasons' column, where `fields` are not all that the sheet has.

    Attributes:
        not_read: how many filled rows were left out; complete when all rows are read.
    """

    def __init__(
        self,
        settings: SheetSettings,
        fields: FieldSet,
        report: Callable[[Problem], None],
        *,
        reasons: str | None = None,
    ) -> None:
        self._reasons = reasons
        self._settings = settings
        self._fields = fields
        self._report = report
        self.not_read = 0

    def rows(self, sheet: Sheet, reader: str) -> Iterator[RowWithProblems]:
        """Streams the data rows.

        Args:
            sheet: the open worksheet.
            reader: the reader's name, for messages.

        Raises:
            SourceError: the file is damaged.
            PluginError: the reader broke.
        """
        info = sheet.info
        for problem in info.problems:
            self._report(problem)
        if any(problem.is_error for problem in info.problems):
            return
        filled = filled_rows(sheet, reader)
        if info.guess is None:
            yield from self._users(self._data(filled, plain_text=info.is_plain_text))
            return
        watch = GuessedText(info, reader, self._settings.heading_row, self._fields)
        yield from self._users(watch.values(self._data(watch.cells(filled), plain_text=info.is_plain_text)))
        if watch.problem is not None:
            self._report(watch.problem)

    def _users(self, rows: Iterator[RowWithProblems]) -> Iterator[RowWithProblems]:
        first = next(rows, None)
        if first is None:
            message = gettext("There are no users; fill in rows from row {first} on", first=self._settings.first_row)
            self._report(Problem(code="sheet.empty", message=message))
            return
        yield first
        yield from rows

    def _data(self, filled: Iterator[SheetRow], *, plain_text: bool) -> Iterator[RowWithProblems]:
        settings = self._settings
        make: RowMaker | None = None
        width = 0  # of the headings, where a cell too many moves those behind it
        expected = settings.first_row
        anything = False
        unheaded: UnheadedCells | None = None
        reasons: int | None = None
        while (row := next(filled, None)) is not None:
            anything = True
            if row.number < settings.heading_row:
                continue
            if make is None:
                columns = self._columns(row.cells if row.number == settings.heading_row else ())
                make = RowMaker(self._fields, columns, plain_text=plain_text)
                reasons = columns.reasons
                unheaded = UnheadedCells(columns)
                if row.number == settings.heading_row:
                    width = filled_width(row.cells) if plain_text else 0
                    continue
            if row.number < settings.first_row:
                self._check_guidance(make(row).row)
                continue
            if _has_only(reasons, row):  # what is left of a rejected row is neither a user nor a blank row
                expected += row.number == expected
                continue
            if row.number > expected and not self._pass_blank(expected, row, filled, reasons):
                break
            expected = row.number + 1
            if has_too_many(row, width):
                yield make.unusable(row.number, too_many_cells(row, width))
                continue
            if unheaded is not None:
                unheaded.look(row)
            yield make(row)
        if unheaded is not None and (problem := unheaded.problem()) is not None:
            self._report(problem)
        if make is None and anything:
            self._columns(())

    def _columns(self, headings: tuple[Cell, ...]) -> Columns:
        """Finds the columns; without a heading row every one is missing."""
        columns = find_columns(headings, self._settings.heading_row, self._fields, self._reasons)
        for problem in columns.problems:
            self._report(problem)
        return columns

    def _check_guidance(self, row: Row) -> None:
        if looks_like_a_user(row):
            self.not_read += 1
            self._report(
                Problem(
                    code="row.guidance_is_data",
                    severity=Severity.WARNING,
                    row=row.number,
                    message=gettext(
                        "Row {row} is the place for guidance and is not imported, but it looks like a user; "
                        "move it to row {first} or below",
                        row=row.number,
                        first=self._settings.first_row,
                    ),
                )
            )

    def _pass_blank(self, blank: int, next_filled: SheetRow, filled: Iterator[SheetRow], reasons: int | None) -> bool:
        """Acts on blank rows that filled ones follow; returns whether the import goes on."""
        match self._settings.on_blank_row:
            case "skip":
                return True
            case "error":
                message = ngettext(
                    "Row {first} is blank; delete it or fill it in",
                    "Rows {first} to {last} are blank; delete them or fill them in",
                    next_filled.number - blank,
                    first=blank,
                    last=next_filled.number - 1,
                )
                self._report(Problem(code="row.blank", row=blank, message=message))
                return True
        after = 1 + sum(not _has_only(reasons, row) for row in filled)
        self.not_read += after
        message = ngettext(
            "Row {blank} is blank and ends the import; {count} filled row that follows is not imported. "
            'Delete the blank row to import what follows, or set on_blank_row = "skip"',
            "Row {blank} is blank and ends the import; {count} filled rows that follow are not imported. "
            'Delete the blank row to import what follows, or set on_blank_row = "skip"',
            after,
            blank=blank,
        )
        self._report(Problem(code="row.after_blank", severity=Severity.WARNING, row=blank, message=message))
        return False


def filled_rows(sheet: Sheet, reader: str) -> Iterator[SheetRow]:
    """Streams the rows that are not blank.

    Args:
        sheet: the open worksheet.
        reader: the reader's name, for messages.

    Raises:
        SourceError: the file is damaged.
        PluginError: the reader broke.
    """
    number: int | None = None
    try:
        for row in sheet.rows():
            number = row.number
            if any(map(is_filled, row.cells)):
                yield row
    except (MusterrollError, GeneratorExit):
        raise
    except Exception as error:
        raise PluginError(plugin=f"readers[{reader}]", stage="reading", cause=error, row=number) from error


def _has_only(reasons: int | None, row: SheetRow) -> bool:
    """Whether a row of a file of rejected rows was emptied but for its reasons."""
    return reasons is not None and not any(is_filled(cell) for i, cell in enumerate(row.cells) if i != reasons)


def looks_like_a_user(row: Row) -> bool:
    """Whether a row in the place of the guidance seems to be a user.

    A user has a username of one word, and besides an address that is nothing but an address, or a phone
    number, or a name and a password with a digit or sign in it. Guidance is made of words and sentences, and
    of the same word in several columns.
    """
    username = _typed(row, "username")
    if not username or len(username.split()) > 1 or len(username) > 100:
        return False
    if _ADDRESS.fullmatch(_typed(row, "email")) or _ADDRESS.fullmatch(username):
        return True
    phone = _typed(row, "phone")
    if len(phone) >= 6 and phone.isdecimal():
        return True
    forename, secret = _typed(row, "forename"), row.value("password")
    password = secret.secret.reveal() if secret.secret is not None and secret.origin is Origin.CELL else ""
    return bool(forename) and bool(password) and not password.isalpha() and " " not in password and password != username


def _typed(row: Row, name: str) -> str:
    """What the person typed, itself or for composing: a default says nothing about the row."""
    value = row.value(name)
    return "" if value.origin is Origin.DEFAULT else value.text
