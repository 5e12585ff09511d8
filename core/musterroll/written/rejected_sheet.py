"""How rejected rows look in their file: with a column that says why, without passwords unless they are wanted.

What can be meant in one way only is filled in already; beside it stands what was there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import chain
from typing import NamedTuple

from musterroll.contract.cells import Cell, SheetRow
from musterroll.contract.drafts import DraftColumn
from musterroll.contract.edits import CellEdit
from musterroll.contract.fields import FieldSet
from musterroll.contract.problems import Severity
from musterroll.contract.text import column_index, column_letter
from musterroll.contract.translation import counted, gettext, gettext_noop
from musterroll.journal.rejected_rows import Reason, RejectedRow
from musterroll.pipeline.sheet_settings import SheetSettings
from musterroll.sheet.headings import find_columns, heading_text, reasons_heading, secret_columns
from musterroll.sheet.plain_text import filled_width, has_too_many, meant_cell
from musterroll.sheet.shifts import SHIFTED
from musterroll.sheet.values import shown
from musterroll.written.column_guide import ColumnGuide
from musterroll.written.new_sheet import draft_column

_GUIDANCE = gettext_noop(
    "Why the row was not imported. Correct the row here and import this file; this column is ignored."
)
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
        keep_passwords: whether passwords stay in their cells.
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
        keep_passwords: bool = False,
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
        secrets = frozenset[int]() if keep_passwords else secret_columns(headings, fields)
        self._secrets = {index: self._of_column.get(index) for index in secrets}
        self._fields, self._indexes = fields, found.indexes

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
        heading_row = self._settings.heading_row
        guidance: str | None = gettext(_GUIDANCE)
        rows = iter(rows)
        for number, cells in rows:
            if number < heading_row:
                yield SheetRow(number, cells)
            elif number == heading_row:
                yield SheetRow(number, self._with(cells, self._title))
            elif number < self._settings.first_row:
                yield SheetRow(number, self._with(self._guidance(cells), guidance))
                guidance = None
            else:
                rows = chain((SheetRow(number, cells),), rows)
                break
        else:
            return
        for place, cells, row in self._matched(rows, rejected):
            # Where cells stand in wrong columns, any of them may be the password.
            hidden = bool(self._secrets) and has_too_many(SheetRow(row.number, cells), self._width)
            filled = {} if hidden else self._filled_in(row, cells)
            told = self._reasons_of(row, () if hidden else cells, filled, hidden=hidden)
            reasons = "\n".join(_shortened(line) for line in told)
            kept = () if hidden else self._corrigible(cells, self._withheld(row), filled)
            yield SheetRow(place, self._with(kept, reasons))

    def marks(self, rows: Iterable[SheetRow], rejected: Iterable[RejectedRow]) -> Iterator[CellEdit]:
        """Yields the cells that are to be seen, with what is wrong and what was there, as `rows` places them."""
        for place, cells, row in self._matched(rows, rejected):
            filled = self._filled_in(row, cells)
            notes: dict[int, list[str]] = {}
            for reason in row.reasons:
                if reason.row == row.number and reason.column is not None:
                    notes.setdefault(column_index(reason.column), []).append(_said(reason))
            for index, text in filled.items():
                notes.setdefault(index, []).append(_was(text.before))
            for index in sorted(notes):
                mark = Severity.WARNING if index in filled else Severity.ERROR
                yield CellEdit(place, self._moved(index), None, mark, "\n".join(map(_shortened, notes[index])))

    def _matched(
        self, rows: Iterable[SheetRow], rejected: Iterable[RejectedRow]
    ) -> Iterator[tuple[int, tuple[Cell, ...], RejectedRow]]:
        """Yields where each rejected row goes, its cells, and why it was rejected."""
        place, wanted = self._settings.first_row, iter(rejected)
        following = next(wanted, None)
        for number, cells in rows:
            if following is None:
                return
            if number == following.number:
                yield place, cells, following
                place += 1
                following = next(wanted, None)

    def _filled_in(self, row: RejectedRow, cells: tuple[Cell, ...]) -> dict[int, _Filled]:
        """The cells that get the only text that can be meant: a suggestion whole, or nothing of it."""
        filled: dict[int, _Filled] = {}
        for reason in row.reasons:
            if not reason.is_safe or reason.suggestion is None or reason.row != row.number:
                continue
            texts = {self._indexes.get(name): (name, text) for name, text in reason.also}
            texts[self._indexes.get(reason.field or "")] = (reason.field or "", reason.suggestion)
            if any(index is None or index in filled or self._fields[name].secret for index, (name, _) in texts.items()):
                continue
            if column_letter(self._indexes[reason.field or ""]) != reason.column:
                continue  # it is of what was composed of this cell
            for index, (_, text) in texts.items():
                assert index is not None
                before = cells[index] if index < len(cells) else None
                filled[index] = _Filled(text, shown(before) or "")
        return filled

    def _moved(self, index: int) -> int:
        """Where a column of the sheet stands in the file."""
        return index if index < self._reasons else index - self._rest + self._reasons + 1

    def _with(self, cells: tuple[Cell, ...], reasons: str | None) -> tuple[Cell, ...]:
        before = cells[: self._reasons] + (None,) * (self._reasons - len(cells))
        return (*before, reasons, *cells[self._rest :])

    def _corrigible(
        self, cells: tuple[Cell, ...], withheld: Set[int], filled: Mapping[int, _Filled]
    ) -> tuple[Cell, ...]:
        if self._translated:
            cells = tuple(cell if index in self._secrets else meant_cell(cell) for index, cell in enumerate(cells))
        cells += (None,) * (max(filled, default=-1) + 1 - len(cells))
        kept = (filled[index].text if index in filled else cell for index, cell in enumerate(cells))
        return tuple(None if index in withheld else cell for index, cell in enumerate(kept))

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
                kept[index] = self._guide.instead_of(kept[index], field) or None
        return tuple(kept)

    def _reasons_of(
        self, row: RejectedRow, cells: tuple[Cell, ...], filled: Mapping[int, _Filled], *, hidden: bool
    ) -> Iterator[str]:
        for reason in row.reasons:
            yield self._reason_text(reason, row.number, filled)
        if row.more:
            yield gettext("and {count} more", count=counted(row.more))
        if hidden:
            yield gettext(
                "Its cells were left out of this file, since one may be the password; correct it in {source}",
                source=self._source,
            )
        told = {reason.column for reason in row.reasons if reason.row == row.number}
        for index in sorted(self._withheld(row)):
            letter = column_letter(index)
            if 0 <= index < len(cells) and cells[index] and letter not in told:
                yield gettext(
                    "{title} ({column}): it was left out of this file; type it again",
                    title=self._by_letter.get(letter) or gettext("Column"),
                    column=letter,
                )
        yield gettext("(row {row} of {source})", row=row.number, source=self._source)

    def _reason_text(self, reason: Reason, number: int, filled: Mapping[int, _Filled]) -> str:
        title = self._by_letter.get(reason.column or "")
        where = f"{title} ({reason.column}): " if title else ""
        done = filled.get(self._indexes.get(reason.field or "", -1))
        if done is not None and reason.row == number and done.text == reason.suggestion:
            return f"{where}{reason.message}; {_was(done.before)}"
        if reason.row != number:
            where = f"{gettext('row {row} of {source}', row=reason.row, source=self._source)}: {where}"
        return f"{where}{_said(reason)}"


class _Filled(NamedTuple):
    """What was filled into a cell, and what stood there."""

    text: str
    before: str


def _was(before: str) -> str:
    if not before:
        return gettext("filled in already; it was empty")
    return gettext('filled in already; it was "{before}"', before=before)


def _said(reason: Reason) -> str:
    if not reason.suggestion:
        return reason.message
    return gettext("{message}; suggestion: {suggestion}", message=reason.message, suggestion=reason.suggestion)


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
