"""`jobs resume`: goes on with a job that was cut off."""

from __future__ import annotations

from pathlib import Path

from musterroll.commands.apply import open_again
from musterroll.commands.finished import tell_the_end
from musterroll.commands.job import Confirm, Workspace, agreed, working
from musterroll.commands.run import plan_and_go_ahead
from musterroll.commands.undo import plan_undo_and_go_ahead
from musterroll.errors import RefusedError
from musterroll.journal import job as jobs
from musterroll.journal.job import JobKind, JobRecord, JobState
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OperationStore
from musterroll.journal.outcomes import forget_outcome, outcome_of
from musterroll.pipeline.pipeline import Pipeline
from musterroll.progress import SILENT, Progress
from musterroll.reports.of_a_job import report_of
from musterroll.reports.report import Report
from musterroll.sheet.open_sheet import Intake
from musterroll.written.rejected import check_place

_COMMAND = "jobs resume"


def resume(
    pipeline: Pipeline,
    job: str,
    *,
    sheet: Path | None = None,
    rejected_to: Path | None = None,
    confirm: Confirm = agreed,
    progress: Progress = SILENT,
) -> Report:
    """Goes on with a job that was interrupted, paused or failed.

    Args:
        pipeline: the job's pipeline.
        job: the job's id, or an unambiguous part of it.
        sheet: where the sheet is now, if it was moved.
        rejected_to: the file for rejected rows, where the job was cut off before it was written.
        confirm: asked where the job was cut off before its plan was agreed to.
        progress: told how it goes on.
    """

    def work_on_it() -> Report:
        check_place(pipeline, rejected_to)
        journal, record = jobs.open_with_job(pipeline.state, pipeline.name, job)
        with working(pipeline, journal, confirm=confirm, progress=progress, rejected_to=rejected_to) as work:
            return _go_on(work, jobs.find_job(journal, record.id), sheet)

    return tell_the_end(pipeline, _COMMAND, sheet, work_on_it)


def _go_on(work: Workspace, job: JobRecord, sheet: Path | None) -> Report:
    journal = work.journal
    if _is_done(journal, job):
        report = report_of(journal, job, _COMMAND)
        report.nothing_left = True
        return report
    if job.state is JobState.ABORTED and not job.planned and job.error is not None:
        raise RefusedError(f"this job did nothing: {job.error}")
    if job.state is JobState.ABORTED:
        raise RefusedError("this job was aborted because of errors in the sheet; correct it and run it again")
    if job.state is JobState.QUARANTINED:
        raise RefusedError(
            f"this job exceeds a limit; if that is meant, `musterroll jobs approve {job.id}` lets it through"
        )
    if job.state not in (JobState.INTERRUPTED, JobState.PAUSED, JobState.FAILED, JobState.COMPLETED_WITH_ERRORS):
        raise RefusedError(f"this job is {job.state.value}; it cannot go on")
    path = sheet or Path(job.sheet.path)
    if job.kind is JobKind.UNDO and not job.planned:
        return plan_undo_and_go_ahead(work, jobs.find_job(journal, job.about or ""), _COMMAND, again=job)
    if not job.planned:
        # It was cut off before anything was written, so the plan is made anew.
        _refuse_changed(work, job, sheet)
        return plan_and_go_ahead(work, Intake(work.pipeline, path), _COMMAND, again=job)
    _refuse_superseded(journal, job)
    if OperationStore(journal, job.id).needs_passwords():
        _refuse_changed(work, job, sheet)
    with journal.transaction():
        OperationStore(journal, job.id).retry_failed()
        forget_outcome(journal, job.id)
        jobs.set_state(journal, job.id, JobState.RUNNING, finished=None)
    return work.carry_on(job, path, _COMMAND)


def _is_done(journal: Journal, job: JobRecord) -> bool:
    """Whether nothing is left that could be tried again."""
    if job.state is not JobState.COMPLETED_WITH_ERRORS:
        return job.state is JobState.COMPLETED
    rows, invites = outcome_of(journal, job.id, executed=True)
    open_rows = rows.failed + rows.unknown + rows.not_attempted
    return not (open_rows or invites.failed or OperationStore(journal, job.id).any_failed())


def _refuse_superseded(journal: Journal, job: JobRecord) -> None:
    """Refuses where a later job has written to the same portal: what this one saw there is out of date."""
    other = jobs.superseding(list(jobs.list_jobs(journal)), job)
    if other is not None:
        again = "send the invites again" if job.kind is JobKind.INVITE else "run the sheet again"
        raise RefusedError(
            f"the later job {other.id} has worked on the same portal; {again} instead", code="job.superseded"
        )


def _refuse_changed(work: Workspace, job: JobRecord, moved_to: Path | None) -> None:
    source = open_again(work.pipeline, moved_to, job.sheet.path).source
    if source.sha256 != job.sheet.sha256:
        raise RefusedError(f"{source.path} has changed since it was planned; run it again", code="source.changed")
