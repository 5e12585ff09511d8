"""Makes reports of stored jobs."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll.contract.operations import OPERATIONS, Kind
from musterroll.contract.users import GroupPath
from musterroll.errors import MusterrollError
from musterroll.journal.change import shown_row
from musterroll.journal.invites import failed_invites
from musterroll.journal.job import JobRecord, JobState
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OperationStore, OpState
from musterroll.journal.outcomes import outcome_of
from musterroll.journal.plan import PlanStore
from musterroll.reports.report import Failure, JobSummary, Outcome, Report


def operation_name(kind: Kind, group: GroupPath) -> str:
    """Says what an operation does, e.g. `add to Region|North`."""
    return OPERATIONS[kind].label.format(target="|".join(group))


def was_executed(job: JobRecord) -> bool:
    """Whether the job came to its operations."""
    return job.planned and job.state not in (JobState.ABORTED, JobState.QUARANTINED)


def summary_of(journal: Journal, job: JobRecord) -> JobSummary:
    """Summarises a job; its failures stream from the journal, which must stay open."""
    rows, invites = outcome_of(journal, job.id, executed=was_executed(job))

    def failures() -> Iterator[Failure]:
        for row, username, kind, group, state, detail in OperationStore(journal, job.id).failures():
            # A group that is not empty is somebody else's by now: that an undo leaves it is no failure.
            kept = kind is Kind.DELETE_GROUP and state == OpState.FAILED
            yield Failure(row, username, operation_name(kind, group), "kept" if kept else state, detail)
        for row, username, channel, state, detail in failed_invites(journal, job.id):
            yield Failure(shown_row(row), username, f"invite by {channel}", state, detail)

    return JobSummary(
        id=job.id,
        kind=job.kind,
        undoes=job.about,
        plan=job.plan,
        approved=job.approved,
        rejected_file=job.rejected_file,
        state=job.state,
        started=job.started,
        finished=job.finished,
        sheet=job.sheet.path,
        counts=rows,
        invites=invites,
        failures=failures,
        error=job.error,
    )


def report_of(journal: Journal, job: JobRecord, command: str, *, error: MusterrollError | None = None) -> Report:
    """Makes the report of a stored job; closing it closes the journal."""
    plan = PlanStore(journal, job.id)
    summary = summary_of(journal, job)
    return Report(
        command=command,
        outcome=outcome(summary, errors=job.counts.errors, error=error),
        pipeline=job.pipeline,
        profile=job.profile,
        sheet=job.sheet if job.sheet.path else None,
        counts=job.counts,
        problems=plan.problems,
        changes=plan.changes,
        groups_to_create=plan.groups_to_create(),
        job=summary,
        error=error,
        close=journal.close,
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
