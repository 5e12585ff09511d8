"""Makes reports of stored jobs."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll.errors import MusterrollError
from musterroll.journal.invite_store import InviteStore
from musterroll.journal.jobs import JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.kinds import Kind
from musterroll.journal.operation_store import OperationStore
from musterroll.journal.outcomes import outcome_of
from musterroll.journal.plan_store import PlanStore
from musterroll.model.reports import Failure, JobState, JobSummary, Outcome, Report

_OPERATIONS = {
    Kind.CREATE_GROUP: "create the group {group}",
    Kind.CREATE_USER: "create the user",
    Kind.UPDATE_USER: "update the user",
    Kind.REACTIVATE: "reactivate the user",
    Kind.ADD_MEMBERS: "add to {group}",
    Kind.REMOVE_MEMBERS: "remove from {group}",
}


def summary_of(journal: Journal, job: JobRecord) -> JobSummary:
    """Summarises a job; its failures stream from the journal, which must stay open."""
    executed = job.planned and job.state not in (JobState.ABORTED, JobState.QUARANTINED)
    rows, invites = outcome_of(journal, job.id, executed=executed)

    def failures() -> Iterator[Failure]:
        for row, username, kind, group, state, detail in OperationStore(journal, job.id).failures():
            yield Failure(row, username, _OPERATIONS[kind].format(group="|".join(group)), state, detail)
        for row, username, channel, state, detail in InviteStore(
            journal, job.id, job.pipeline, job.identity
        ).failures():
            yield Failure(row, username, f"invite by {channel}", state, detail)

    return JobSummary(
        id=job.id,
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
        sheet=job.sheet,
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
    return Outcome.PROBLEMS if errors else Outcome.OK
