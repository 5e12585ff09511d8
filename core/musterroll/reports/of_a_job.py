"""Makes reports of stored jobs."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll.contract.users import GroupPath
from musterroll.errors import MusterrollError
from musterroll.journal.invites import failed_invites
from musterroll.journal.job import Job, JobRecord, JobState
from musterroll.journal.kinds import Kind, OpState, shown_row
from musterroll.reports.report import Failure, JobSummary, Outcome, Report

_OPERATIONS = {
    Kind.CREATE_GROUP: "create the group {group}",
    Kind.CREATE_USER: "create the user",
    Kind.UPDATE_USER: "update the user",
    Kind.REACTIVATE: "reactivate the user",
    Kind.DEACTIVATE: "deactivate the user",
    Kind.DELETE_USER: "delete the user",
    Kind.DELETE_GROUP: "delete the group {group}",
    Kind.ADD_MEMBERS: "add to {group}",
    Kind.REMOVE_MEMBERS: "remove from {group}",
}


def operation_name(kind: Kind, group: GroupPath) -> str:
    """Says what an operation does, e.g. `add to Region|North`."""
    return _OPERATIONS[kind].format(group="|".join(group))


def summary_of(job: Job) -> JobSummary:
    """Summarises a job; its failures stream from the journal, which must stay open."""
    return _summary(job, job.record)


def _summary(job: Job, record: JobRecord) -> JobSummary:
    rows, invites = job.outcome

    def failures() -> Iterator[Failure]:
        for row, username, kind, group, state, detail in job.operations.failures():
            # A group that is not empty is somebody else's by now: that an undo leaves it is no failure.
            kept = kind is Kind.DELETE_GROUP and state == OpState.FAILED
            yield Failure(row, username, operation_name(kind, group), "kept" if kept else state, detail)
        for row, username, channel, state, detail in failed_invites(job.journal, job.id):
            yield Failure(shown_row(row), username, f"invite by {channel}", state, detail)

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
