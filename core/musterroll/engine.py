"""The one way through: what the commands call.

    reader → sheet → validators → group resolvers → planner → executor → notifiers → report

Each function returns a `Report`; it raises `MusterrollError` where it could not do its work before anything
was written (a report with `error` tells of what went wrong afterwards).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from musterroll.errors import RefusedError
from musterroll.intake import Intake
from musterroll.journal import jobs
from musterroll.journal.jobs import JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.journal.operation_store import OperationStore
from musterroll.journal.outcomes import count_rows, forget_outcome, keep_outcome
from musterroll.journal.plan_store import PlanStore
from musterroll.model.reports import InviteCounts, JobState, Outcome, Report
from musterroll.model.source import Source
from musterroll.pipeline.pipeline import Pipeline
from musterroll.planning.making import make_plan, stop_if_cancelled
from musterroll.planning.summary import PlanSummary, summarise
from musterroll.plugin.guarding import guarded
from musterroll.plugin.roles import UserBackend
from musterroll.problem_log import ProblemLog
from musterroll.progress import Progress, Silent
from musterroll.reporting import report_of
from musterroll.running import carry_out, settle_former_jobs

__all__ = ["PlanSummary", "plan", "resume", "run", "validate"]

_SILENT = Silent()


def validate(pipeline: Pipeline, sheet: Path, *, progress: Progress = _SILENT) -> Report:
    """Finds every problem that the sheet alone shows; needs no backend."""
    intake, log = Intake(pipeline, sheet), ProblemLog()
    progress.stage("Checking")
    with intake.checked(log) as rows:
        for _ in rows:
            progress.advance()
            stop_if_cancelled(pipeline)
    log.count_into(intake.counts, condemned=pipeline.settings.on_error == "skip")
    return Report(
        command="validate",
        outcome=Outcome.PROBLEMS if log.errors else Outcome.OK,
        pipeline=pipeline.name,
        profile=pipeline.profile,
        sheet=intake.summary,
        counts=intake.counts,
        problems=lambda: log,
        close=log.close,
    )


def plan(pipeline: Pipeline, sheet: Path, *, progress: Progress = _SILENT) -> Report:
    """Says what would change against the live backend; writes nothing."""
    intake = Intake(pipeline, sheet)
    with ExitStack() as stack:
        log = ProblemLog()
        stack.callback(log.close)
        staging = Journal.temporary()
        stack.callback(staging.close)
        state = Journal.open_existing(pipeline.state, pipeline.name)
        if state is not None:
            stack.callback(state.close)
        with _planning_backend(pipeline) as backend:
            job = _new_job(pipeline, intake, backend)
            jobs.insert_job(staging, job)
            ledger = Ledger(state, pipeline.name, job.identity)
            make_plan(
                pipeline, intake, backend=backend, ledger=ledger, journal=staging, job=job, log=log, progress=progress
            )
        store = PlanStore(staging, job.id)
        return Report(
            command="plan",
            outcome=Outcome.PROBLEMS if log.errors else Outcome.OK,
            pipeline=pipeline.name,
            profile=pipeline.profile,
            sheet=intake.summary,
            counts=intake.counts,
            problems=lambda: log,
            changes=store.changes,
            groups_to_create=store.groups_to_create(),
            keeps_all_out=_keeps_all_out(pipeline, log),
            close=stack.pop_all().close,
        )


def run(
    pipeline: Pipeline,
    sheet: Path,
    *,
    confirm: Callable[[PlanSummary], bool] = lambda summary: True,
    progress: Progress = _SILENT,
) -> Report:
    """Validates, plans, applies, invites, reports: the main job.

    `confirm` is asked once, before the first write, and only where there is something to write.
    """
    intake = Intake(pipeline, sheet)
    with ExitStack() as stack:
        journal = Journal.open(pipeline.state, pipeline.name)
        stack.callback(journal.close)
        with journal.lock():
            jobs.recover(journal)
            report = _plan_and_carry_out(pipeline, intake, journal, confirm, progress)
        stack.pop_all()
        return report


def _plan_and_carry_out(
    pipeline: Pipeline,
    intake: Intake,
    journal: Journal,
    confirm: Callable[[PlanSummary], bool],
    progress: Progress,
    *,
    again: JobRecord | None = None,
) -> Report:
    """Plans a job and carries the plan out. A new job that comes to nothing leaves no trace.

    `again` is a job that was cut off before anything was written: the plan is made anew, under its id.
    """
    log = ProblemLog()
    job: JobRecord | None = None
    try:
        # Closed before another instance writes: some portals let in one at a time.
        with _planning_backend(pipeline) as backend:
            job = _begin_job(pipeline, intake, journal, backend, again)
            ledger = Ledger(journal, pipeline.name, job.identity)
            make_plan(
                pipeline, intake, backend=backend, ledger=ledger, journal=journal, job=job, log=log, progress=progress
            )
        job = replace(job, sheet=intake.summary, counts=intake.counts)
        if _keeps_all_out(pipeline, log):
            job = _end_unexecuted(pipeline, journal, job, JobState.ABORTED)
            return _of_this_run(report_of(journal, job, "run"), intake, log)
        stop_if_cancelled(pipeline)
        summary = summarise(journal, job.id, portal=f"{pipeline.backend.component.name} ({job.identity})")
        if summary.does_anything and not confirm(summary):
            raise RefusedError("declined; nothing was written", code="declined")
        with journal.transaction():
            PlanStore(journal, job.id).derive_operations()
            jobs.set_planned(journal, job.id)
        error = carry_out(pipeline, journal, job, intake.source.path, progress)
        report = report_of(journal, jobs.find_job(journal, job.id), "run", error=error)
        return _of_this_run(report, intake, log)
    except BaseException:
        log.close()
        if job is not None and again is None:
            _discard_unwritten(journal, job)
        raise


def resume(
    pipeline: Pipeline,
    job: str,
    *,
    sheet: Path | None = None,
    confirm: Callable[[PlanSummary], bool] = lambda summary: True,
    progress: Progress = _SILENT,
) -> Report:
    """Goes on with a job that was interrupted, paused or failed.

    Args:
        pipeline: the job's pipeline.
        job: the job's id, or an unambiguous part of it.
        sheet: where the sheet is now, if it was moved.
        confirm: asked where the job was cut off before its plan was agreed to.
        progress: told how it goes on.
    """
    with ExitStack() as stack:
        journal = Journal.open_existing(pipeline.state, pipeline.name)
        if journal is not None:
            stack.callback(journal.close)
        record = jobs.find_job(journal, job)
        assert journal is not None
        with journal.lock():
            jobs.recover(journal)
            report = _go_on(pipeline, journal, jobs.find_job(journal, record.id), sheet, confirm, progress)
        stack.pop_all()
        return report


def _go_on(
    pipeline: Pipeline,
    journal: Journal,
    job: JobRecord,
    sheet: Path | None,
    confirm: Callable[[PlanSummary], bool],
    progress: Progress,
) -> Report:
    if job.state is JobState.COMPLETED:
        return report_of(journal, job, "jobs resume")
    if job.state is JobState.ABORTED:
        raise RefusedError("this job was aborted because of errors in the sheet; correct it and run it again")
    if job.state not in (JobState.INTERRUPTED, JobState.PAUSED, JobState.FAILED, JobState.COMPLETED_WITH_ERRORS):
        raise RefusedError(f"this job is {job.state.value}; it cannot go on")
    newer = [other for other in jobs.list_jobs(journal) if other.identity == job.identity and other.planned]
    newer = [other for other in newer if (other.started, other.id) > (job.started, job.id)]
    if job.planned and newer:
        raise RefusedError(
            f"the later job {newer[0].id} has written to the same portal; run the sheet again instead",
            code="job.superseded",
        )
    path = sheet or Path(job.sheet.path)
    if not job.planned:
        # It was cut off before anything was written, so the plan is made anew.
        _refuse_changed(path, job)
        intake = Intake(pipeline, path)
        report = _plan_and_carry_out(pipeline, intake, journal, confirm, progress, again=job)
        report.command = "jobs resume"
        return report
    if OperationStore(journal, job.id).needs_passwords():
        _refuse_changed(path, job)
    with journal.transaction():
        OperationStore(journal, job.id).retry_failed()
        forget_outcome(journal, job.id)
        jobs.set_state(journal, job.id, JobState.RUNNING, finished=None)
    error = carry_out(pipeline, journal, job, path, progress)
    return report_of(journal, jobs.find_job(journal, job.id), "jobs resume", error=error)


def _refuse_changed(path: Path, job: JobRecord) -> None:
    if Source(path).sha256 != job.sheet.sha256:
        raise RefusedError(f"{path} has changed since; run it anew", code="source.changed")


def _keeps_all_out(pipeline: Pipeline, log: ProblemLog) -> bool:
    """Whether the errors keep good rows out as well: those of the headings always do."""
    return log.file_errors > 0 or (log.errors > 0 and pipeline.settings.on_error == "abort")


def _begin_job(
    pipeline: Pipeline, intake: Intake, journal: Journal, backend: UserBackend, again: JobRecord | None
) -> JobRecord:
    job = _new_job(pipeline, intake, backend)
    settle_former_jobs(pipeline, journal, job, backend)
    with journal.transaction():
        if again is not None:
            job = replace(job, id=again.id)
            jobs.discard_job(journal, again.id)
        jobs.insert_job(journal, job)
    return job


def _new_job(pipeline: Pipeline, intake: Intake, backend: UserBackend) -> JobRecord:
    with guarded("backend", "saying which portal it is"):
        identity = backend.identity()
    now = pipeline.clock()
    # The path is kept absolute, so that the job can go on from any folder.
    return JobRecord(
        id=jobs.new_job_id(now),
        state=JobState.RUNNING,
        planned=False,
        started=now.isoformat(timespec="microseconds"),
        finished=None,
        pipeline=pipeline.name,
        profile=pipeline.profile,
        sets=pipeline.sets,
        fingerprint=pipeline.fingerprint,
        identity=identity,
        sheet=replace(intake.summary, path=str(intake.source.path.absolute())),
        counts=intake.counts,
        error=None,
    )


def _end_unexecuted(pipeline: Pipeline, journal: Journal, job: JobRecord, state: JobState) -> JobRecord:
    with journal.transaction():
        keep_outcome(journal, job.id, count_rows(journal, job.id, executed=False), InviteCounts(skipped=0))
        jobs.set_state(journal, job.id, state, finished=pipeline.clock().isoformat(timespec="seconds"))
    return jobs.find_job(journal, job.id)


def _of_this_run(report: Report, intake: Intake, log: ProblemLog) -> Report:
    """Adds to a stored job's report what the journal does not keep: the cells' values, and the path as it was typed."""
    stored = report.close

    def close() -> None:
        log.close()
        stored()

    report.sheet, report.problems, report.close = intake.summary, lambda: log, close
    return report


def _discard_unwritten(journal: Journal, job: JobRecord) -> None:
    """Forgets a job that has handed nothing to the backend; any other stays and can be resumed."""
    if not OperationStore(journal, job.id).anything_handed_over():
        with journal.transaction():
            jobs.discard_job(journal, job.id)


@contextmanager
def _planning_backend(pipeline: Pipeline) -> Iterator[UserBackend]:
    backend = pipeline.build_backend(read_only=True)
    try:
        yield backend
    finally:
        with guarded("backend", "closing"):
            backend.close()
