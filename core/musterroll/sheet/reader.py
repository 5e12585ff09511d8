"""Reads the rows of a sheet: headings, guidance, blank rows, aliases, defaults and composed fields.

Whether a row is blank is decided on its cells as they are, before defaults. Readers may leave blank rows
out, so a blank row is a gap in the row numbers of the filled ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from musterroll.contract.cells import Block, Cell, CellColumns, SheetRow
from musterroll.contract.fields import FieldSet
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.roles import Sheet
from musterroll.contract.rows import Origin, Row
from musterroll.contract.translation import gettext, ngettext
from musterroll.pipeline.sheet_settings import SheetSettings
from musterroll.sheet.batch import RowBatch
from musterroll.sheet.blocks import filled_blocks, rows_of
from musterroll.sheet.existing_users import is_for_existing_users, keeps_inactive
from musterroll.sheet.guessed import GuessedText
from musterroll.sheet.headings import Columns, UnheadedCells, find_columns
from musterroll.sheet.plain_text import filled_width, has_too_many, too_many_cells
from musterroll.sheet.rows import RowMaker, RowWithProblems
from musterroll.sheet.transforms import Transforms
from musterroll.sheet.values import is_filled

_ADDRESS = late_pattern(r"[^\s@,;:()<>]+@[^\s@,;:()<>]+\.[^\s@,;:()<>]+")


class RowReader:
    """Reads the rows of one sheet.

    Args:
        settings: how the sheet is laid out.
        fields: the fields of a user.
        report: takes the problems that belong to no data row.
        everything: all fields that the sheet has, where `fields` are only some of them.
        transforms: make values as they should be.

    Attributes:
        not_read: how many filled rows were left out; complete when all rows are read.
        for_existing_users: whether the guidance says that the passwords of users who exist may stay empty; known with
            the first rows.
    """

    def __init__(
        self,
        settings: SheetSettings,
        fields: FieldSet,
        report: Callable[[Problem], object],
        *,
        everything: FieldSet | None = None,
        transforms: Transforms | None = None,
    ) -> None:
        self._everything, self._transforms = everything, transforms
        self._settings = settings
        self._fields = fields
        self._report = report
        self.not_read = 0
        self.for_existing_users = False
        self.keeps_inactive = False

    def batches(self, sheet: Sheet, reader: str) -> Iterator[RowBatch]:
        """Streams the data rows, many at once.

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
        blocks = filled_blocks(sheet, reader)
        if info.guess is None:
            yield from self._users(self._data(blocks, plain_text=info.is_plain_text))
            return
        watch = GuessedText(info, reader, self._settings.heading_row, self._fields)
        yield from self._users(watch.values(self._data(watch.cells(blocks), plain_text=info.is_plain_text)))
        if watch.problem is not None:
            self._report(watch.problem)

    def rows(self, sheet: Sheet, reader: str) -> Iterator[RowWithProblems]:
        """Streams the data rows one by one. See `batches`."""
        for batch in self.batches(sheet, reader):
            yield from map(batch.made, range(len(batch)))

    def _users(self, batches: Iterator[RowBatch]) -> Iterator[RowBatch]:
        first = next(batches, None)
        if first is None:
            message = gettext("There are no users; fill in rows from row {first} on", first=self._settings.first_row)
            self._report(Problem(code="sheet.empty", message=message))
            return
        yield first
        yield from batches

    def _data(self, blocks: Iterator[Block], *, plain_text: bool) -> Iterator[RowBatch]:
        settings = self._settings
        layout: _Layout | None = None
        goes_on, anything = True, False
        while goes_on and (block := next(blocks, None)) is not None:
            anything = True
            if layout is not None and layout.holds_users_only(block):
                layout.expected = block.numbers[-1] + 1
                yield RowBatch(block.numbers, block.rows, layout.make)
                continue
            numbers: list[int] = []
            cells: list[Sequence[Cell]] = []
            unusable: dict[int, Problem] = {}
            rows = rows_of(iter((block,)))
            for row in rows:
                if row.number < settings.heading_row:
                    continue
                if layout is None:
                    layout = self._layout(row, plain_text=plain_text)
                    if row.number == settings.heading_row:
                        continue
                if row.number < settings.first_row:
                    self._check_guidance(layout.make.guidance(row))
                    continue
                if _has_only(layout.reasons, row):  # what is left of a rejected row is neither a user nor a blank row
                    layout.expected += row.number == layout.expected
                    continue
                if row.number > layout.expected:
                    goes_on = self._pass_blank(layout, row, chain(rows, rows_of(blocks)))
                    if not goes_on:
                        break
                layout.expected = row.number + 1
                if has_too_many(row, layout.width):
                    unusable[len(numbers)] = too_many_cells(row, layout.width)
                else:
                    layout.unheaded.look(row)
                numbers.append(row.number)
                cells.append(row.cells)
            if layout is not None and numbers:
                yield RowBatch(numbers, cells, layout.make, unusable)
        if layout is not None and (problem := layout.unheaded.problem()) is not None:
            self._report(problem)
        if layout is None and anything:
            self._columns(())

    def _layout(self, first: SheetRow, *, plain_text: bool) -> _Layout:
        """Says how the sheet is laid out, by the first row that is not above its headings."""
        is_heading = first.number == self._settings.heading_row
        columns = self._columns(first.cells if is_heading else ())
        return _Layout(
            make=RowMaker(self._fields, columns, plain_text=plain_text, transforms=self._transforms),
            width=filled_width(first.cells) if plain_text and is_heading else 0,
            unheaded=UnheadedCells(columns),
            reasons=columns.reasons,
            expected=self._settings.first_row,
        )

    def _columns(self, headings: Sequence[Cell]) -> Columns:
        """Finds the columns; without a heading row every one is missing."""
        columns = find_columns(headings, self._settings.heading_row, self._fields, self._everything)
        for problem in columns.problems:
            self._report(problem)
        return columns

    def _check_guidance(self, row: Row) -> None:
        self.for_existing_users |= is_for_existing_users(row)
        self.keeps_inactive |= keeps_inactive(row, self._fields)
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

    def _pass_blank(self, layout: _Layout, next_filled: SheetRow, rest: Iterator[SheetRow]) -> bool:
        """Acts on blank rows that filled ones follow; returns whether the import goes on."""
        blank = layout.expected
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
        after = 1 + sum(not _has_only(layout.reasons, row) for row in rest)
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


@dataclass(slots=True)
class _Layout:
    """How the sheet is laid out, and how far it was read.

    Attributes:
        make: makes its rows.
        width: of the headings, where a cell too many moves those behind it; else 0.
        unheaded: takes note of cells under no heading.
        reasons: the column of the reasons in a file of rejected rows.
        expected: the number that the next row has if there is no blank one.
    """

    make: RowMaker
    width: int
    unheaded: UnheadedCells
    reasons: int | None
    expected: int

    def holds_users_only(self, block: Block) -> bool:
        """Whether its rows follow without a gap, and nothing stands in them but under headings: most blocks do."""
        first, last = block.numbers[0], block.numbers[-1]
        follows = first == self.expected and last - first + 1 == len(block.numbers) and self.reasons is None
        if not follows or not self.unheaded.only_behind:
            return False
        width, rows = self.unheaded.width, block.rows
        if isinstance(rows, CellColumns):
            return not any(map(any, rows.columns[width:]))
        return max(map(len, rows)) <= width or not any(any(cells[width:]) for cells in rows)


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
