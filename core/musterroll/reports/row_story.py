"""The story of one row: what stood in the sheet, what the rules said, what was planned, and what became of it.

The sheet is not kept, so it is read again, by the same way through as at the time. Where that cannot be, the story
is what the journal has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from musterroll.contract.fields import USERNAME
from musterroll.contract.problems import Problem
from musterroll.contract.rows import Origin, Row
from musterroll.contract.source import Source
from musterroll.contract.translation import gettext, gettext_noop
from musterroll.contract.users import GroupPath
from musterroll.errors import UsageError
from musterroll.journal.change import Action, Change
from musterroll.journal.job import Job, JobKind, JobRecord
from musterroll.journal.jobs import open_job
from musterroll.journal.ledger import invite_of_row
from musterroll.pipeline.pipeline import Pipeline
from musterroll.progress import SILENT, Progress
from musterroll.reports.invites import listed
from musterroll.reports.jobs import operation_name, operation_told
from musterroll.reports.sheet_again import Reading, concerns, read_again
from musterroll.reports.summaries import ListedInvite
from musterroll.sheet.checks import CheckedRow
from musterroll.sheet.summary import SheetSummary
from musterroll.sheet.transforms import Transformed

PLANNING = gettext_noop("planning")
"""The label of what only the comparison with the portal showed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryField:
    """One field of the row.

    Attributes:
        name: the field, e.g. `phone`.
        heading: as the sheet shows it.
        cell: as the person knows it, e.g. `G4`; None where it has no column.
        origin: where the value comes from.
        value: the value; None for passwords.
        raw: as it was typed; None where nothing was, and for passwords.
        is_secret: whether it is a password.
        is_given: whether there is a value.
    """

    name: str
    heading: str
    cell: str | None
    origin: Origin
    value: str | None
    raw: str | None
    is_secret: bool
    is_given: bool


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What a rule says of the row: nothing, where it is content."""

    rule: str
    problems: tuple[Problem, ...]

    @property
    def summary(self) -> str:
        """`ok`, `warning` or `error`."""
        if not self.problems:
            return "ok"
        return "error" if any(problem.is_error for problem in self.problems) else "warning"


@dataclass(frozen=True, slots=True)
class StoryOperation:
    """One thing that there was to do for the row.

    Attributes:
        operation: what was to be done.
        state: `planned`, `intent`, `done`, `noop`, `failed` or `unknown`.
        detail: why it is so.
        told: the operation in the person's language.
    """

    operation: str
    state: str
    detail: str | None
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStory:
    """The story of one row.

    Attributes:
        pipeline: the pipeline's name.
        profile: the profile that the job was started with.
        job: the job's id.
        sheet: the sheet of the job.
        row: the row number that the spreadsheet program shows.
        username: whom it is about.
        outcome: what became of it, e.g. `created`; None where the job has no such row.
        notes: what a person should know of the rest, e.g. that the sheet is gone.
        fields: the row's values; None where the sheet could not be read again.
        transformed: what transforms have made of the values; empty where the sheet could not be read again.
        results: what every rule says; where the sheet could not be read again, only what the journal has.
        made_from: the forms that the username was made by; empty where it was not made.
        groups: the groups that the row names; None where the sheet could not be read again.
        change: what the plan said; None where the row was left out.
        operations: what there was to do.
        invite: the invite that the row has earned, if any.
    """

    pipeline: str
    profile: str | None
    job: str
    sheet: SheetSummary
    row: int
    username: str
    outcome: str | None
    notes: tuple[str, ...]
    fields: tuple[StoryField, ...] | None
    transformed: tuple[Transformed, ...]
    made_from: tuple[str, ...]
    results: tuple[RuleResult, ...]
    groups: tuple[GroupPath, ...] | None
    change: Change | None
    operations: tuple[StoryOperation, ...]
    invite: ListedInvite | None


def explain_row(
    pipeline: Pipeline, job: str, row: int, *, sheet: Path | None = None, progress: Progress = SILENT
) -> RowStory:
    """Tells the story of a row.

    Raises:
        UsageError: the row holds no user.
        SourceError: there is no sheet where the person says it is.
    """
    found = open_job(pipeline.state, pipeline.name, job, look=True)
    with closing(found.journal):
        record = found.record
        _refuse_what_has_no_users(pipeline, record, row)
        if sheet is not None:
            Source(sheet)
        again, notes = read_again(pipeline, record, sheet or Path(record.sheet.path), row, progress)
        return _Story(pipeline, found, record, row).explained(again, notes)


def _refuse_what_has_no_users(pipeline: Pipeline, job: JobRecord, row: int) -> None:
    settings = pipeline.settings.sheet
    if job.kind is JobKind.INVITE:
        raise _not_there(gettext("this job sent invites; it has no sheet"))
    if row == settings.heading_row:
        raise _not_there(
            gettext("row {row} holds the headings; users start at row {first}", row=row, first=settings.first_row)
        )
    if row < settings.first_row:
        raise _not_there(
            gettext("row {row} holds no user; users start at row {first}", row=row, first=settings.first_row)
        )


def _not_there(message: str) -> UsageError:
    return UsageError(message, code="job.no_such_row")


def _groups(checked: CheckedRow, change: Change | None) -> tuple[GroupPath, ...]:
    """Returns the groups that count: those of defaults only where a user is created."""
    return checked.groups if change is None or change.action is Action.CREATE else checked.given


class _Story:
    """Puts together what the sheet and the journal say of a row."""

    def __init__(self, pipeline: Pipeline, job: Job, record: JobRecord, row: int) -> None:
        self._pipeline = pipeline
        self._job = job
        self._record = record
        self._row = row

    def explained(self, reading: Reading | None, notes: Sequence[str]) -> RowStory:
        row = self._row
        checked = reading.found if reading is not None else None
        username = self._job.plan.username_of(row)
        if checked is None and username is None:
            raise _not_there(self._why_not(reading, notes))
        change = next((one for one in self._job.plan.changes() if one.row == row), None)
        return RowStory(
            pipeline=self._record.pipeline,
            profile=self._record.profile,
            job=self._job.id,
            sheet=self._record.sheet,
            row=row,
            username=username or (checked.row[USERNAME] if checked is not None else ""),
            outcome=self._outcome(),
            notes=tuple(notes),
            fields=None if checked is None else tuple(self._fields(checked.row, username)),
            transformed=tuple(reading.transformed) if reading is not None else (),
            made_from=() if checked is None else self._made_from(checked.row),
            results=tuple(self._results(reading)),
            groups=None if checked is None else _groups(checked, change),
            change=change,
            operations=tuple(
                StoryOperation(operation_name(kind, group), state, detail, operation_told(kind, group))
                for kind, group, state, detail in self._job.operations.of_row(row)
            ),
            invite=self._invite(username or ""),
        )

    def _why_not(self, reading: Reading | None, notes: Sequence[str]) -> str:
        row = self._row
        if reading is None:
            return gettext("the journal has no user in row {row} of this job; {notes}", row=row, notes="; ".join(notes))
        if reading.blank_end is not None and row >= reading.blank_end:
            if row == reading.blank_end:
                return gettext("row {row} is blank, and ends the import", row=row)
            return gettext(
                "row {row} was not imported: the blank row {end} ends the import", row=row, end=reading.blank_end
            )
        if row > reading.last:
            return gettext(
                "the sheet ends before row {row}; its last row with a user is {last}", row=row, last=reading.last
            )
        return gettext("row {row} is blank", row=row)

    def _outcome(self) -> str | None:
        counts = asdict(self._job.outcome_of_row(self._row))
        return next((name for name, count in counts.items() if count and name != "rows"), None)

    def _made_from(self, row: Row) -> tuple[str, ...]:
        made = self._pipeline.settings.sheet.make.username
        return made.from_ if made is not None and row.value(USERNAME).origin is Origin.MADE else ()

    def _fields(self, row: Row, username: str | None) -> Iterator[StoryField]:
        for name, field in self._pipeline.fields.items():
            value, column = row.value(name), row.columns.get(name)
            if value.origin is Origin.MADE:  # what the sheet alone tells is a proposal
                value = value._replace(text=username or "")
            yield StoryField(
                name=name,
                heading=field.heading,
                cell=None if column is None else f"{column}{row.number}",
                origin=value.origin,
                value=None if field.secret else value.text,
                raw=None if field.secret else value.raw,
                is_secret=field.secret,
                is_given=value.is_filled,
            )

    def _results(self, reading: Reading | None) -> Iterator[RuleResult]:
        """Yields the rules' results, and after them what the journal has that none of them said."""
        rules = [instance.label for instance in (*self._pipeline.validators, *self._pipeline.resolvers)]
        results = [RuleResult(*said) for said in reading.problems_of(rules)] if reading is not None else []
        yield from results
        said = {(one.code, one.row, one.field) for result in results for one in result.problems}
        stored = [problem for problem in self._job.plan.problems() if concerns(problem, self._row)]
        others = tuple(one for one in stored if (one.code, one.row, one.field) not in said)
        if others:
            yield RuleResult(PLANNING if reading is not None else "", others)

    def _invite(self, username: str) -> ListedInvite | None:
        entry = invite_of_row(self._job.journal, self._job.id, self._row)
        return None if entry is None else listed(username, entry, self._pipeline.clock())
