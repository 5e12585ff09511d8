"""How rejected rows look in their file: as they were, without passwords, and with a column that says why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from musterroll.contract.cells import Cell, SheetRow
from musterroll.contract.drafts import DraftColumn
from musterroll.contract.fields import FieldSet
from musterroll.contract.text import column_letter
from musterroll.journal.rejected_rows import Reason, RejectedRow
from musterroll.pipeline.settings import SheetSettings
from musterroll.sheet.headings import find_columns, heading_text, reasons_heading, secret_columns
from musterroll.sheet.plain_text import filled_width, has_too_many, meant_cell
from musterroll.sheet.shifts import SHIFTED
from musterroll.written.column_guide import ColumnGuide
from musterroll.written.new_sheet import draft_column

_GUIDANCE = "Why the row was not imported. Correct the row here and import this file; this column is ignored."
_WIDTH = 60
_LONGEST_LINE = 1000  # characters; all reasons together must fit into a cell of Excel, which holds 32,767


class RejectedSheet:
    """Makes the rows of the file from those of the sheet.

    Args:
        headings: the cells of the heading row.
        settings: how the sheet is laid out.
        fields: the fields of a user.
        guide: knows the guidance of the fields.
        source: the name of the sheet's file.
        plain_text: whether that file is plain text.
        translated: whether it is, and the rows go to a file that is not: then cells become what they mean.
    """

    def __init__(
        self,
        headings: tuple[Cell, ...],
        settings: SheetSettings,
        fields: FieldSet,
        guide: ColumnGuide,
        source: str,
        *,
        plain_text: bool = False,
        translated: bool = False,
    ) -> None:
        self._settings, self._guide, self._source = settings, guide, source
        self._width = filled_width(headings) if plain_text else 0
        self._translated = translated
        self._titles = [heading_text(cell) for cell in headings]
        while self._titles and not self._titles[-1]:
            self._titles.pop()
        self._by_letter = {column_letter(index): title for index, title in enumerate(self._titles)}
        found = find_columns(headings, settings.heading_row, fields)
        # A file of rejected rows that is run again has the column already. What stands behind the last heading,
        # and so belongs to no column, moves one place to the right.
        self._reasons = len(self._titles) if found.reasons is None else found.reasons
        self._rest = self._reasons if found.reasons is None else found.reasons + 1
        self._title = reasons_heading(fields)
        self._of_column = {index: fields[name] for name, index in found.indexes.items()}
        self._secrets = {index: self._of_column.get(index) for index in secret_columns(headings, fields)}

    @property
    def columns(self) -> tuple[DraftColumn, ...]:
        """The columns, the reasons' among them."""
        columns = [
            draft_column(self._of_column[index]) if index in self._of_column else DraftColumn(heading=title)
            for index, title in enumerate(self._titles)
        ]
        columns[self._reasons : self._rest] = [DraftColumn(heading=self._title, width=_WIDTH)]
        return tuple(columns)

    def rows(self, rows: Iterable[SheetRow], rejected: Iterable[RejectedRow]) -> Iterator[SheetRow]:
        """Yields what stands above the data as it is, and the rejected rows one below the other.

        Args:
            rows: the rows of the sheet, from its first one on.
            rejected: which are wanted, in the same order.
        """
        heading_row, place = self._settings.heading_row, self._settings.first_row
        guidance: str | None = _GUIDANCE
        wanted = iter(rejected)
        following = next(wanted, None)
        for number, cells in rows:
            if number < heading_row:
                yield SheetRow(number, cells)
            elif number == heading_row:
                yield SheetRow(number, self._with(cells, self._title))
            elif number < self._settings.first_row:
                yield SheetRow(number, self._with(self._guidance(cells), guidance))
                guidance = None
            elif following is None:
                return
            elif number == following.number:
                # Where cells stand in wrong columns, any of them may be the password.
                hidden = bool(self._secrets) and has_too_many(SheetRow(number, cells), self._width)
                told = self._reasons_of(following, () if hidden else cells, hidden=hidden)
                reasons = "\n".join(_shortened(line) for line in told)
                kept = () if hidden else self._corrigible(cells, self._withheld(following))
                yield SheetRow(place, self._with(kept, reasons))
                place += 1
                following = next(wanted, None)

    def _with(self, cells: tuple[Cell, ...], reasons: str | None) -> tuple[Cell, ...]:
        before = cells[: self._reasons] + (None,) * (self._reasons - len(cells))
        return (*before, reasons, *cells[self._rest :])

    def _corrigible(self, cells: tuple[Cell, ...], withheld: Set[int]) -> tuple[Cell, ...]:
        if self._translated:
            cells = tuple(cell if index in self._secrets else meant_cell(cell) for index, cell in enumerate(cells))
        return tuple(None if index in withheld else cell for index, cell in enumerate(cells))

    def _withheld(self, row: RejectedRow) -> Set[int]:
        """The columns that are left out: those of passwords, and of a shifted row what stands beside them."""
        if not any(reason.code == SHIFTED and reason.row == row.number for reason in row.reasons):
            return self._secrets.keys()
        return {index + by for index in self._secrets for by in (-1, 0, 1)}

    def _guidance(self, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Blanks the passwords: in the place of guidance a user may stand by mistake, so ours is written there."""
        if not self._secrets:
            return cells
        kept = list(cells)
        for index, field in self._secrets.items():
            if index < len(kept) and kept[index]:
                kept[index] = self._guide.column(field).guidance if field is not None else None
        return tuple(kept)

    def _reasons_of(self, row: RejectedRow, cells: tuple[Cell, ...], *, hidden: bool) -> Iterator[str]:
        for reason in row.reasons:
            yield self._reason_text(reason, row.number)
        if row.more:
            yield f"and {row.more:,} more"
        if hidden:
            yield f"Its cells were left out of this file, since one may be the password; correct it in {self._source}"
        told = {reason.column for reason in row.reasons if reason.row == row.number}
        for index in sorted(self._withheld(row)):
            letter = column_letter(index)
            if 0 <= index < len(cells) and cells[index] and letter not in told:
                title = self._by_letter.get(letter) or "Column"
                yield f"{title} ({letter}): it was left out of this file; type it again"
        yield f"(row {row.number} of {self._source})"

    def _reason_text(self, reason: Reason, number: int) -> str:
        title = self._by_letter.get(reason.column or "")
        where = f"{title} ({reason.column}): " if title else ""
        elsewhere = f"row {reason.row} of {self._source}: " if reason.row != number else ""
        suggestion = f"; suggestion: {reason.suggestion}" if reason.suggestion else ""
        return f"{elsewhere}{where}{reason.message}{suggestion}"


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
