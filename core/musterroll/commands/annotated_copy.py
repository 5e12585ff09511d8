"""The person's own sheet with what is wrong shown in it: marked cells, a note at each, and a worksheet that lists it.

It can be corrected and run as it is: whoever reads it passes over notes and that worksheet. Plain text gets a column of
reasons instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path

from musterroll.contract.cells import SheetRow
from musterroll.contract.codes import explanations_of
from musterroll.contract.edits import (
    CellEdit,
    CellLink,
    FrontCell,
    FrontRow,
    FrontSheet,
    SheetEdits,
    front_worksheet_name,
    is_front_worksheet,
)
from musterroll.contract.fields import Field
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.text import column_index
from musterroll.contract.translation import gettext, ngettext
from musterroll.errors import MusterrollError
from musterroll.pipeline.pipeline import Pipeline
from musterroll.sheet.headings import find_columns, heading_text, reasons_heading, secret_columns
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.plain_text import TOO_MANY
from musterroll.sheet.problem_groups import ProblemGroup, group_problems
from musterroll.sheet.shifts import SHIFTED
from musterroll.sheet.summary import SheetCounts, SheetSummary
from musterroll.written.column_guide import ColumnGuide
from musterroll.written.edited_copy import EditedCopy

_OPTION = "--annotate"
_MOST_NOTES = 5_000  # programs take long to open a workbook with more; the cells are marked all the same
_LINKS = 3
_LONGEST = 1_000  # characters of one message
_WIDTHS = (9, 7, 8, 8, 8, 56, 40, 26)


class AnnotatedCopy:
    """Where the copy goes, checked before any work is done.

    Args:
        pipeline: the pipeline.
        sheet: the file.
        path: the copy.
        keep_passwords: whether it holds the passwords; else their cells are emptied.
        replace: whether to write over a file that is there.
        called: what the sheet is called in the copy; None for the name of its file.

    Raises:
        UsageError: it cannot go there, or nothing edits the sheet's format.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        sheet: Path,
        path: Path,
        *,
        keep_passwords: bool = False,
        replace: bool = False,
        called: str | None = None,
    ) -> None:
        self._pipeline, self._keep_passwords = pipeline, keep_passwords
        self._opened = OpenSheet(pipeline, sheet)
        self._copy = EditedCopy(pipeline, self._opened, path, kind="annotated", option=_OPTION, replace=replace)
        self.path, self._called = path, called or self._opened.source.name

    def write(self, sheet: SheetSummary, counts: SheetCounts, problems: Callable[[], Iterable[Problem]]) -> None:
        """Writes what a command has found into the copy.

        Args:
            sheet: the sheet, as it was read.
            counts: its rows and problems.
            problems: streams the problems in the order of the sheet; called several times.

        Raises:
            MusterrollError: it cannot be written.
            RefusedError: the sheet has changed since.
        """
        layout = self._layout(sheet.sha256)
        annotations = _Annotations(layout, problems, counts, encoding=sheet.encoding)
        front = None
        if not layout.is_plain_text and not is_front_worksheet(layout.worksheet):
            front = _front(group_problems(problems()), self._called, annotations.has_more_than_notes)
        edits = SheetEdits(
            worksheet=layout.worksheet,
            cells=annotations.reasons if layout.is_plain_text else annotations.cells,
            blanked=frozenset(layout.secrets),
            blanked_from=self._pipeline.settings.sheet.heading_row + 1,
            front=front,
            drops_earlier_notes=True,
        )
        self._copy.write(edits, private=self._keep_passwords)

    def _layout(self, sha256: str) -> _Layout:
        """Finds out what is where in the sheet."""
        settings, fields = self._pipeline.settings.sheet, self._pipeline.fields
        with self._opened.as_it_is(sha256) as (info, rows):
            top = _top(rows, settings.first_row)
        headings = top.get(settings.heading_row, SheetRow(settings.heading_row, ())).cells
        found = find_columns(headings, settings.heading_row, fields)
        titles = [heading_text(cell) for cell in headings]
        while titles and not titles[-1]:
            titles.pop()
        secrets: dict[int, Field | None] = {}
        if not self._keep_passwords:
            of_column = {index: fields[name] for name, index in found.indexes.items()}
            meant = {field.heading for field in fields.values() if field.secret}
            near = {column_index(p.column) for p in found.problems if p.column and p.suggestion in meant}
            secrets = {index: of_column.get(index) for index in secret_columns(headings, fields) | near}
            if not secrets and any(field.secret and field.needs_column for field in fields.values()):
                raise MusterrollError(
                    gettext(
                        "{option} {path}: the headings do not say which column holds the passwords, so they cannot "
                        "be left out; correct the headings first, or use --keep-passwords",
                        option=_OPTION,
                        path=self.path,
                    ),
                    code="output.unsupported",
                )
        guide = ColumnGuide(self._pipeline)
        guidance = {
            number: {
                index: guide.instead_of(row.cells[index], field)
                for index, field in secrets.items()
                if index < len(row.cells) and row.cells[index]
            }
            for number, row in sorted(top.items())
            if settings.heading_row < number < settings.first_row
        }
        return _Layout(
            worksheet=info.worksheet,
            is_plain_text=info.is_plain_text,
            heading_row=settings.heading_row,
            titles=tuple(titles),
            secrets=secrets,
            guidance=guidance,
            reasons=len(titles) if found.reasons is None else found.reasons,
            reasons_heading=reasons_heading(fields),
            has_reasons=found.reasons is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """What is where in the sheet.

    Attributes:
        worksheet: the worksheet's name.
        is_plain_text: whether the file is plain text.
        heading_row: the row of the headings.
        titles: the headings, from column A on.
        secrets: the columns whose cells are emptied.
        guidance: what is to stand in them between the headings and the users instead.
        reasons: the column of the reasons.
        reasons_heading: its heading.
        has_reasons: whether the sheet has that column already.
    """

    worksheet: str | None
    is_plain_text: bool
    heading_row: int
    titles: tuple[str, ...]
    secrets: Mapping[int, Field | None]
    guidance: Mapping[int, Mapping[int, str]]
    reasons: int
    reasons_heading: str
    has_reasons: bool


def _top(rows: Iterable[SheetRow], first_row: int) -> dict[int, SheetRow]:
    """The rows above the users."""
    top: dict[int, SheetRow] = {}
    for row in rows:
        if row.number >= first_row:
            break
        top[row.number] = row
    return top


class _Annotations:
    """What is said of each cell."""

    def __init__(
        self,
        layout: _Layout,
        problems: Callable[[], Iterable[Problem]],
        counts: SheetCounts,
        *,
        encoding: str | None,
    ) -> None:
        self._layout, self._problems, self._encoding = layout, problems, encoding or "utf-8"
        self._filled = counts.rows + counts.not_read
        self.has_more_than_notes = next(islice(self._noted(), _MOST_NOTES, None), None) is not None

    def cells(self) -> Iterator[CellEdit]:
        """Yields marks and notes, for workbooks."""
        notes = 0
        for number, problems in self._rows():
            edits = {index: CellEdit(number, index, text) for index, text in self._withheld(number, problems).items()}
            for index, found in groupby(problems, key=_column_of):
                of_cell = list(found)
                notes += 1
                edit = edits.get(index, CellEdit(number, index))
                edits[index] = edit._replace(
                    mark=min((one.severity for one in of_cell), key=list(Severity).index),
                    note=_note(of_cell) if notes <= _MOST_NOTES else None,
                )
            yield from (edits[index] for index in sorted(edits))

    def reasons(self) -> Iterator[CellEdit]:
        """Yields the cells of the column of reasons, for plain text."""
        layout = self._layout
        last = layout.heading_row
        yield CellEdit(layout.heading_row, layout.reasons, layout.reasons_heading)
        for number, problems in self._rows():
            if number <= layout.heading_row:
                continue
            yield from self._earlier(last, number)
            last = number
            edits = dict(self._withheld(number, problems))
            if problems:
                told = "\n".join(self._told(one) for one in problems)
                edits[layout.reasons] = told.encode(self._encoding, "replace").decode(self._encoding)
            yield from (CellEdit(number, index, edits[index]) for index in sorted(edits))
        yield from self._earlier(last, last + self._filled + 1)

    def _earlier(self, after: int, before: int) -> Iterator[CellEdit]:
        """Takes away what an earlier copy said of rows that nothing is wrong with now."""
        if self._layout.has_reasons:
            yield from (CellEdit(number, self._layout.reasons, "") for number in range(after + 1, before))

    def _told(self, problem: Problem) -> str:
        index = None if problem.column is None else column_index(problem.column)
        title = self._layout.titles[index] if index is not None and index < len(self._layout.titles) else ""
        where = f"{title} ({problem.column}): " if title else ""
        return f"{where}{_said(problem)}"

    def _noted(self) -> Iterator[tuple[int | None, int]]:
        for (row, index), _ in groupby(self._problems(), key=lambda one: (one.row, _column_of(one))):
            if row is not None:
                yield row, index

    def _rows(self) -> Iterator[tuple[int, list[Problem]]]:
        """Yields the rows of which something is to be said, in order."""
        guidance = iter(self._layout.guidance)
        pending = next(guidance, None)
        for row, found in groupby(self._problems(), key=attrgetter("row")):
            if row is None:
                continue
            while pending is not None and pending < row:
                yield pending, []
                pending = next(guidance, None)
            if pending == row:
                pending = next(guidance, None)
            yield row, list(found)
        while pending is not None:
            yield pending, []
            pending = next(guidance, None)

    def _withheld(self, row: int, problems: Iterable[Problem]) -> Mapping[int, str]:
        """The cells of a row that are emptied besides, or get another text: any of them may be the password."""
        if row in self._layout.guidance:
            return self._layout.guidance[row]
        codes = {problem.code for problem in problems}
        if self._layout.secrets and TOO_MANY in codes:
            return dict.fromkeys(range(2 * len(self._layout.titles) + 1), "")
        if SHIFTED in codes:
            return {index + by: "" for index in self._layout.secrets for by in (-1, 0, 1) if index + by >= 0}
        return {}


def _column_of(problem: Problem) -> int:
    """The column of the cell that shows a problem: the first one for those of a whole row."""
    return 0 if problem.column is None else column_index(problem.column)


def _said(problem: Problem) -> str:
    message = problem.message if len(problem.message) <= _LONGEST else f"{problem.message[: _LONGEST - 1]}…"
    if problem.suggestion is None:
        return message
    return gettext("{message}. Suggestion: {suggestion}", message=message, suggestion=problem.suggestion)


def _note(problems: Iterable[Problem]) -> str:
    return "\n".join(f"{_kind(problem.severity)}: {_said(problem)}" for problem in problems)


def _kind(severity: Severity) -> str:
    return gettext("Error") if severity is Severity.ERROR else gettext("Warning")


def _front(groups: Sequence[ProblemGroup], name: str, has_more_than_notes: bool) -> FrontSheet:
    """The worksheet that lists the problems by their causes."""
    title = ngettext(
        "{count} problem in {name}. Correct the marked cells and import this file: this worksheet and the notes are "
        "passed over.",
        "{count} problems in {name}. Correct the marked cells and import this file: this worksheet and the notes are "
        "passed over.",
        sum(group.count for group in groups),
        name=name,
    )
    if has_more_than_notes:
        title += " " + gettext("Only the first {count} cells have a note; all are marked.", count=_MOST_NOTES)
    headings = (
        gettext("What"),
        gettext("Count"),
        gettext("First cells"),
        "",
        "",
        gettext("What is wrong"),
        gettext("What to do"),
        gettext("Suggestion"),
    )
    rows = tuple(FrontRow(_front_cells(group), group.severity) for group in groups)
    return FrontSheet(name=front_worksheet_name(), title=title, headings=headings, rows=rows, widths=_WIDTHS)


def _front_cells(group: ProblemGroup) -> tuple[FrontCell, ...]:
    links: list[FrontCell] = [CellLink(cell) for cell in group.first_cells[:_LINKS]]
    links += [""] * (_LINKS - len(links))
    advice = next((said.translated().advice for said in explanations_of(group.code) if said.advice), None) or ""
    advice = advice[:1].upper() + advice[1:]
    return (
        _kind(group.severity),
        group.count,
        *links,
        group.message,
        advice.replace("`", ""),
        group.suggestion or "",
    )
