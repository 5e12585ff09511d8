"""Carries a stored plan out: opens the backend for writing, executes, invites, and says how it ended."""

from __future__ import annotations

from pathlib import Path

from musterroll.errors import BackendUnavailableError, MusterrollError, RefusedError, as_error
from musterroll.execute.answers import JobContext
from musterroll.execute.executor import Executor, settle_former_creations
from musterroll.execute.passwords import Passwords
from musterroll.invites.sender import InviteSender, open_senders
from musterroll.journal import job as jobs
from musterroll.journal.job import JobKind, JobRecord, JobState
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.journal.operations import OperationStore
from musterroll.journal.outcomes import InviteCounts, JobCounts, count_invites, count_rows, keep_outcome
from musterroll.journal.roster import Roster
from musterroll.journal.unchanged import pack_unchanged
from musterroll.pipeline.pipeline import Pipeline
from musterroll.portal.portal import Portal
from musterroll.progress import Progress
from musterroll.sheet.open_sheet import Intake

_ENDED = frozenset({JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS})
# Jobs in these states have no operation without an answer, so there is no need to look through all of them.
_WITHOUT_DOUBT = frozenset({JobState.COMPLETED, JobState.ABORTED, JobState.QUARANTINED})


def carry_out(
    pipeline: Pipeline, journal: Journal, job: JobRecord, sheet: Path, progress: Progress
) -> MusterrollError | None:
    """Carries out what is open of a job's plan, and stores how it ended.

    Args:
        pipeline: the job's pipeline.
        journal: where the plan is; the caller holds its lock.
        job: the job.
        sheet: where the sheet is now, for its passwords.
        progress: told how it goes on.

    Returns:
        What stopped it, where something did.

    Raises:
        MusterrollError: it could not even begin; nothing was written.
    """
    store = OperationStore(journal, job.id)
    error: MusterrollError | None = None
    has_ended = False
    try:
        with (
            pipeline.build_backend(read_only=False) as portal,
            Passwords(lambda: Intake(pipeline, sheet).passwords(job.sheet.sha256)) as passwords,
            open_senders(pipeline, portal, read_only=False) as senders,
        ):
            context = _context(pipeline, journal, job, portal)
            try:
                Executor(context, journal, portal, passwords, progress).run()
                InviteSender(pipeline, journal, context.identity, progress).run_job(job.id, senders)
            except Exception as stopped:
                journal.commit()
                if not store.anything_handed_over():
                    raise
                error = as_error(stopped)
            rows, invites = count_rows(journal, job.id, executed=True), count_invites(journal, job.id)
            with journal.transaction():
                state = final_state(journal, job, rows, invites, error, interrupted=pipeline.cancelled.is_set())
                keep_outcome(journal, job.id, rows, invites)
                ledger = Ledger(journal, context.pipeline, context.identity)
                ledger.keep_job(job.id, is_undo=job.kind is JobKind.UNDO)
                _keep_sheet(ledger.roster, job, state)
                finished = pipeline.clock().isoformat(timespec="microseconds")
                jobs.set_state(journal, job.id, state, finished=finished, error=error.message if error else None)
                if job.about is not None:
                    jobs.set_undone(journal, job.about, by=state)
                if state in _ENDED and job.kind is not JobKind.INVITE:
                    pack_unchanged(journal, job.id)
            journal.give_room_back()
            has_ended = True
    except MusterrollError as failed:
        if not has_ended:
            raise
        return error or failed  # one of them could not be closed
    return error


def _context(pipeline: Pipeline, journal: Journal, job: JobRecord, backend: Portal) -> JobContext:
    identity = backend.identity()
    if identity != job.identity:
        # A directory gets its identity when it is created, which is now; afterwards it must not differ.
        if OperationStore(journal, job.id).anything_handed_over():
            raise RefusedError(
                f"this job was begun on another portal ({job.identity}, now {identity})", code="backend.changed"
            )
        with journal.transaction():
            jobs.set_identity(journal, job.id, identity)
    return _job_context(pipeline, job, identity)


def _job_context(pipeline: Pipeline, job: JobRecord, identity: str) -> JobContext:
    return JobContext(
        job=job.id,
        pipeline=pipeline.name,
        identity=identity,
        sheet_sha256=job.sheet.sha256,
        resets=pipeline.settings.password.on_existing == "reset",
        clock=pipeline.clock,
        cancelled=pipeline.cancelled,
    )


def final_state(
    journal: Journal,
    job: JobRecord,
    rows: JobCounts,
    invites: InviteCounts,
    error: MusterrollError | None,
    *,
    interrupted: bool,
) -> JobState:
    """Says where a job stands that has gone as far as it could."""
    if isinstance(error, BackendUnavailableError):
        return JobState.PAUSED
    if error is not None:
        return JobState.FAILED
    if interrupted:
        return JobState.INTERRUPTED
    bad = rows.rejected or rows.failed or rows.unknown or invites.failed or invites.held or job.counts.errors
    bad = bad or OperationStore(journal, job.id).any_failed()  # a group that could not be deleted is no row's
    return JobState.COMPLETED_WITH_ERRORS if bad else JobState.COMPLETED


def _keep_sheet(roster: Roster, job: JobRecord, state: JobState) -> None:
    """The sheet of a job that went to its end is the last completed one; that of a job that was taken back is not."""
    if state not in _ENDED:
        return
    if job.kind in (JobKind.RUN, JobKind.APPLY):
        roster.take_over(job.id)
    elif job.kind is JobKind.UNDO and job.about is not None:
        roster.forget(job.about)


def settle_former_jobs(pipeline: Pipeline, journal: Journal, job: JobRecord, backend: Portal) -> None:
    """Finds out which users the jobs created that were cut off before they heard the answer."""
    for former in list(jobs.list_jobs(journal)):
        if former.identity != job.identity or former.state in _WITHOUT_DOUBT:
            continue
        settle_former_creations(journal, _job_context(pipeline, former, former.identity), backend)
