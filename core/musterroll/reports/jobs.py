"""Stored jobs, as they are listed, shown and reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from musterroll.contract.operations import OPERATIONS, Kind
from musterroll.contract.terms import term
from musterroll.contract.translation import gettext
from musterroll.contract.users import GroupPath
from musterroll.errors import MusterrollError
from musterroll.journal.change import shown_row
from musterroll.journal.first_passwords import FirstPasswords
from musterroll.journal.invites import failed_invites
from musterroll.journal.job import Job, JobRecord, JobState, read_jobs
from musterroll.journal.jobs import open_job
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OpState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import Failure, JobSummary


def operation_name(kind: Kind, group: GroupPath) -> str:
    """Says what an operation does, e.g. `add to Region|North`."""
    return OPERATIONS[kind].label.format(target="|".join(group))


def operation_told(kind: Kind, group: GroupPath) -> str:
    """Says it in the person's language."""
    return gettext(OPERATIONS[kind].label, target="|".join(group))


def list_jobs(pipeline: Pipeline) -> Sequence[JobSummary]:
    """The jobs of this pipeline, newest first."""
    journal = Journal.look(pipeline.state, pipeline.name)
    if journal is None:
        return []
    with closing(journal):
        return [_summary(Job(journal, record.id), record) for record in list(read_jobs(journal))]


def show_job(pipeline: Pipeline, job: str) -> Report:
    """One job, with its problems, changes and failures."""
    found = open_job(pipeline.state, pipeline.name, job, look=True)
    try:
        report = report_of(found, "jobs show")
    except BaseException:
        found.journal.close()
        raise
    report.outcome = Outcome.OK
    return report


def job_settings(state: Path, name: str, job: str) -> tuple[str | None, tuple[str, ...]]:
    """Returns the profile and the `--set` texts that a job was started with, to load its pipeline again."""
    found = open_job(state, name, job, look=True)
    with closing(found.journal):
        record = found.record
    return record.profile, record.set_options


def _summary(job: Job, record: JobRecord) -> JobSummary:
    """Summarises a job; its failures and files stream from the journal, which must stay open."""
    rows, invites = job.outcome

    def failures() -> Iterator[Failure]:
        for row, username, kind, group, state, detail in job.operations.failures():
            # A group that is not empty is somebody else's by now: that an undo leaves it is no failure.
            kept = kind is Kind.DELETE_GROUP and state == OpState.FAILED
            status, told = "kept" if kept else state, operation_told(kind, group)
            yield Failure(row, username, operation_name(kind, group), status, detail, told)
        for row, username, channel, state, detail in failed_invites(job.journal, job.id):
            told = gettext("invite by {channel}", channel=term(channel))
            yield Failure(shown_row(row), username, f"invite by {channel}", state, detail, told)

    first = FirstPasswords(job.journal, job.id)
    return JobSummary(
        id=record.id,
        kind=record.kind,
        undoes=record.undoes,
        plan=record.plan,
        approved=record.approved,
        rejected_file=record.rejected_file,
        state=record.state,
        started=record.started,
        finished=record.finished,
        sheet=record.sheet.path,
        counts=rows,
        invites=invites,
        failures=failures,
        handed_over=first.files,
        lost_passwords=first.lost,
        error=record.error,
    )


def report_of(job: Job, command: str, *, error: MusterrollError | None = None) -> Report:
    """Makes the report of a stored job; closing it closes the journal."""
    record = job.record
    summary = _summary(job, record)
    return Report(
        command=command,
        outcome=outcome(summary, errors=record.counts.errors, error=error),
        pipeline=record.pipeline,
        profile=record.profile,
        sheet=record.sheet if record.sheet.path else None,
        counts=record.counts,
        problems=job.plan.problems,
        changes=job.plan.changes,
        groups_to_create=job.plan.groups_to_create(),
        privileged=job.plan.privileged(),
        hand_edits=job.plan.hand_edits(),
        job=summary,
        error=error,
        close=job.journal.close,
    )


def outcome(job: JobSummary, *, errors: int, error: MusterrollError | None = None) -> Outcome:
    """Says how a job ended. Where several fit: interrupted, then failed, then refused, then problems."""
    if job.state is JobState.RUNNING and error is not None:  # its end could not be noted
        return Outcome.FAILED
    match job.state:
        case JobState.INTERRUPTED | JobState.RUNNING:
            return Outcome.INTERRUPTED
        case JobState.FAILED | JobState.PAUSED:
            return Outcome.FAILED
        case JobState.QUARANTINED:
            return Outcome.REFUSED
        case _ if error is not None:
            return Outcome.FAILED
        case _ if job.counts.failed or job.counts.unknown or job.invites.failed or job.invites.held:
            return Outcome.FAILED
    return Outcome.PROBLEMS if errors or job.state is JobState.COMPLETED_WITH_ERRORS else Outcome.OK
