"""How a command begins a job, goes ahead with its plan, and ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from musterroll.commands.carry_out import carry_out, settle_former_jobs
from musterroll.commands.hand_over import refuse_untold
from musterroll.contract.translation import gettext
from musterroll.errors import JobInterrupted, MusterrollError, RefusedError, StateError, as_error
from musterroll.journal.job import Job, JobKind, JobRecord, JobState, insert_job, new_job_id, time_text
from musterroll.journal.jobs import recover
from musterroll.journal.roster import Roster
from musterroll.journal.unchanged import pack_unchanged
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.expected import unexpected
from musterroll.plan.limits import Limits, limit_refusal
from musterroll.plan.run import NewPlan, Run, asks
from musterroll.plan.summary import summarise
from musterroll.portal.portal import Portal
from musterroll.reports.jobs import report_of
from musterroll.reports.report import Report
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.summary import SheetCounts, SheetSummary
from musterroll.written.rejected import rejected_file, remove_rejected_file

# A sheet can be planned again, to see that it is still the plan that was approved.
_APPROVABLE = frozenset({JobKind.RUN, JobKind.APPLY})


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Locks the journal and settles what a dead writer left. The journal stays open for the report.

    Raises:
        RefusedError: another process works on this state.
        StateError: the journal cannot be written.
    """
    try:
        with run.journal.lock(run.pipeline.lock_wait, run.pipeline.stop_if_cancelled):
            recover(run.journal)
            yield
    except BaseException:
        run.journal.close()
        raise


@contextmanager
def new_job(
    run: Run,
    sheet: SheetSummary,
    make: Callable[[NewPlan], object],
    *,
    kind: JobKind = JobKind.RUN,
    undoes: str | None = None,
    saved: str | None = None,
    again: Job | None = None,
) -> Iterator[NewPlan]:
    """Begins a job and makes its plan. One that fails before anything is handed over leaves no trace.

    Args:
        run: the command that begins it.
        sheet: what it is of; its path is absolute, so that the job can go on from any folder.
        make: makes the plan and stores it.
        kind: what it does.
        undoes: the job that it takes back.
        saved: the id of the saved plan that it applies.
        again: a job that was cut off before anything was written: the plan is made anew, under its id.
    """
    job: Job | None = None
    log = ProblemLog(run.pipeline.severities)
    try:
        # Closed before another instance writes: some portals let in one at a time.
        with run.pipeline.build_backend(read_only=True) as portal:
            record = replace(_record(run.pipeline, portal, sheet), kind=kind, undoes=undoes, plan=saved)
            # Users whom jobs that were cut off created after all count as theirs.
            settle_former_jobs(run, record.identity, portal)
            with run.journal.transaction():
                if again is not None:
                    record = replace(record, id=again.id)
                    again.discard()
                job = insert_job(run.journal, record)
            plan = NewPlan(run, job, portal, run.ledger(record.identity), log)
            make(plan)
        yield plan
    except BaseException:
        log.close()
        if job is not None and again is None and not job.operations.anything_handed_over():
            remove_rejected_file(job)
            with run.journal.transaction():
                job.discard()
        raise


def _record(pipeline: Pipeline, portal: Portal, sheet: SheetSummary) -> JobRecord:
    now = pipeline.clock()
    return JobRecord(
        id=new_job_id(now),
        state=JobState.RUNNING,
        planned=False,
        started=time_text(now),
        finished=None,
        pipeline=pipeline.name,
        profile=pipeline.profile,
        set_options=pipeline.set_options,
        settings_sha256=pipeline.settings_sha256,
        plugins=pipeline.plugins,
        identity=portal.identity(),
        sheet=sheet,
        counts=SheetCounts(),
        error=None,
    )


def execute_plan(run: Run, job: Job, sheet: Path, *, approved: bool = False) -> Report:
    """Holds a job's stored plan against the limits, asks, makes its operations, and carries them out.

    A plan that exceeds a limit is put into quarantine: nothing is written, and the report says why.

    Args:
        run: the command.
        job: the job; its whole plan is stored.
        sheet: where the sheet is now, for its passwords.
        approved: whether a person has let this very plan through, past the limits.

    Raises:
        RefusedError: the person declined, or a limit is exceeded by what is no sheet; nothing was written.
        MusterrollError: it could not even begin; nothing was written.
        KeyboardInterrupt: the person interrupted before the first write.
    """
    run.pipeline.stop_if_cancelled()
    record = job.record
    if (surprise := unexpected(run.expected, job)) is not None:
        raise surprise
    if not approved and (refusal := _refusal(run, job, record)) is not None:
        if record.kind not in _APPROVABLE:
            raise refusal
        end_unexecuted(run, job, JobState.QUARANTINED, error=refusal)
        return report_of(job, run.command, error=refusal)
    refuse_untold(run, job)
    summary = summarise(job, portal=f"{run.pipeline.backend.component.name} ({record.identity})")
    if summary.does_anything and not run.confirm(summary):
        raise RefusedError(gettext("declined; nothing was written"), code="declined")
    keeping = (
        rejected_file(run.pipeline, job, sheet, run.rejected_to, keep_passwords=run.keep_passwords)
        if summary.rejected
        else nullcontext()
    )
    with keeping as rejected, job.journal.transaction():
        job.set_planned()
        if rejected is not None:
            job.set_rejected_file(rejected.path, rejected.says)
    return continue_plan(run, job, sheet)


def _refusal(run: Run, job: Job, record: JobRecord) -> RefusedError | None:
    """What the limits say."""
    limits = Limits.of_sheet(run.pipeline)
    going_on = gettext("if that is meant, `musterroll jobs approve {job}` lets this plan through", job=job.id)
    if record.kind not in _APPROVABLE:
        limits = Limits.of_the_rest(run.pipeline)
        going_on = gettext(
            "if that is meant, raise the limit for this time with --set, e.g. --set limits.deactivate=500"
        )
    if not asks(run.confirm):
        limits = limits.where_nobody_is_asked()
    return limit_refusal(limits, job, Roster(job.journal, record.pipeline, record.identity), going_on)


def continue_plan(run: Run, job: Job, sheet: Path) -> Report:
    """Carries out what is open of a job's operations."""
    error: MusterrollError | None
    try:
        error = carry_out(run, job, sheet)
    except KeyboardInterrupt:
        if _has_written(job):
            raise JobInterrupted(job.id) from None
        raise
    except BaseException as failed:
        could_not_begin = isinstance(failed, MusterrollError) and not isinstance(failed, StateError)
        if could_not_begin or not _has_written(job):
            raise
        error = as_error(failed)  # not even its end could be noted; the portal has been written to all the same
    try:
        return report_of(job, run.command, error=error)
    except Exception as failed:
        error = error or as_error(failed)
        error.after_write = _has_written(job)
        raise error from failed


def _has_written(job: Job) -> bool:
    """Whether anything was handed over. Where the journal cannot say, it has to be taken for written."""
    try:
        return job.operations.anything_handed_over()
    except StateError:
        return True


def end_unexecuted(run: Run, job: Job, state: JobState, *, error: MusterrollError | None = None) -> None:
    """Ends a job that is planned and of which nothing is carried out now."""
    with job.journal.transaction():
        job.keep_outcome()
        job.end(state, run.pipeline.clock(), error.message if error else None)
        if state is JobState.ABORTED:  # nothing of it will be carried out, or be compared with another sheet
            job.plan.forget_digests()
            pack_unchanged(job.journal, job.id)
    job.journal.give_room_back()
