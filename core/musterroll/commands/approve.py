"""`jobs approve`: lets a job past the limits that it exceeds, if it is still the one that was stopped."""

from __future__ import annotations

from pathlib import Path

from musterroll.commands.apply import open_again
from musterroll.commands.carry_out import settle_former_jobs
from musterroll.commands.finished import tell_the_end
from musterroll.commands.job import Confirm, Workspace, agreed, working
from musterroll.commands.plan import plan_aside
from musterroll.errors import RefusedError
from musterroll.journal import job as jobs
from musterroll.journal.job import Approval, JobRecord, JobState
from musterroll.journal.operations import OperationStore
from musterroll.journal.outcomes import forget_outcome
from musterroll.journal.plan import PlanStore
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.refusals import refuse_other_program, refuse_stale_job
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Report
from musterroll.sheet.open_sheet import Intake
from musterroll.sheet.problem_log import ProblemLog
from musterroll.written.rejected import check_place, remove_rejected_file

_COMMAND = "jobs approve"


def approve(
    pipeline: Pipeline,
    job: str,
    *,
    by: str,
    sheet: Path | None = None,
    rejected_to: Path | None = None,
    confirm: Confirm = agreed,
    progress: Progress = SILENT,
) -> Report:
    """Carries out the plan of a job that exceeds a limit: exactly that plan, or none.

    Args:
        pipeline: the job's pipeline.
        job: the job's id, or an unambiguous part of it.
        by: who approves, for the record.
        sheet: where the sheet is now, if it was moved.
        rejected_to: the file for rejected rows; None for a new one beside the sheet.
        confirm: asked before the first write.
        progress: told how it goes on.

    Raises:
        StalePlanError: the plan would come out differently now; nothing was written.
        RefusedError: the job does not wait for an approval.
    """

    def work_on_it() -> Report:
        check_place(pipeline, rejected_to)
        journal, record = jobs.open_with_job(pipeline.state, pipeline.name, job)
        with working(pipeline, journal, confirm=confirm, progress=progress, rejected_to=rejected_to) as work:
            stopped = jobs.find_job(journal, record.id)
            _refuse_what_waits_for_nothing(stopped)
            intake = open_again(pipeline, sheet, stopped.sheet.path)
            _refuse_stale(work, stopped, intake)
            return _let_through(work, stopped, intake, by)

    return tell_the_end(pipeline, _COMMAND, sheet, work_on_it)


def _refuse_what_waits_for_nothing(job: JobRecord) -> None:
    if job.state is JobState.QUARANTINED:
        return
    state = job.state.replace("_", " ")
    if job.approved is not None:
        raise RefusedError(
            f"this job was approved by {job.approved.by} already and is {state}; `musterroll jobs show {job.id}` tells "
            "what became of it",
            code="approve.nothing",
        )
    raise RefusedError(
        f"this job is {state}; only one that a limit has stopped can be approved", code="approve.nothing"
    )


def _refuse_stale(work: Workspace, job: JobRecord, intake: Intake) -> None:
    pipeline, journal = work.pipeline, work.journal
    refuse_other_program(job.basis, pipeline, intake.source.sha256, instead="run the sheet again")
    # Users of jobs that were cut off count as created, as they do when a job begins.
    with pipeline.build_backend(read_only=True) as backend:
        settle_former_jobs(pipeline, journal, job, backend)
    problems = ProblemLog()
    try:
        with plan_aside(pipeline, intake, journal, problems, work.progress) as aside:
            now = PlanStore(aside.journal, aside.job.id)
            refuse_stale_job(PlanStore(journal, job.id), job.basis, now, aside.job.basis)
    finally:
        problems.close()


def _let_through(work: Workspace, job: JobRecord, intake: Intake, by: str) -> Report:
    pipeline, journal = work.pipeline, work.journal
    with journal.transaction():
        jobs.set_approved(journal, job.id, Approval(by, pipeline.clock().isoformat(timespec="microseconds")))
        jobs.set_state(journal, job.id, JobState.RUNNING, finished=None)
        forget_outcome(journal, job.id)
    try:
        return work.go_ahead(jobs.find_job(journal, job.id), intake.source.path, _COMMAND, approved=True)
    except BaseException:
        if not OperationStore(journal, job.id).anything_handed_over():
            _stop_again(work, job)
        raise


def _stop_again(work: Workspace, job: JobRecord) -> None:
    """Puts a job back of which nothing was written after all."""
    journal = work.journal
    remove_rejected_file(journal, job.id)
    with journal.transaction():
        PlanStore(journal, job.id).forget_operations()
        jobs.set_rejected_file(journal, job.id, None)
        jobs.set_approved(journal, job.id, None)
        jobs.set_unplanned(journal, job.id)
        jobs.set_state(journal, job.id, job.state, finished=job.finished, error=job.error)
