"""`jobs resume`: goes on with a job that was cut off."""

from __future__ import annotations

from pathlib import Path

from musterroll.commands.apply import open_again
from musterroll.commands.finished import ending
from musterroll.commands.hand_over import refuse_untold
from musterroll.commands.job import continue_plan, locked
from musterroll.commands.run import import_sheet
from musterroll.commands.undo import undo_job
from musterroll.contract.terms import term
from musterroll.contract.translation import gettext
from musterroll.errors import RefusedError
from musterroll.journal.job import Job, JobKind, JobRecord, JobState
from musterroll.journal.jobs import open_job, superseding
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.run import Confirm, Run, agreed
from musterroll.progress import SILENT, Progress
from musterroll.reports.jobs import report_of
from musterroll.reports.report import Report
from musterroll.sheet.open_sheet import OpenSheet

_COMMAND = "jobs resume"


def resume(
    pipeline: Pipeline,
    job: str,
    *,
    sheet: Path | None = None,
    rejected_to: Path | None = None,
    keep_passwords: bool = False,
    hand_over_to: Path | None = None,
    confirm: Confirm = agreed,
    progress: Progress = SILENT,
) -> Report:
    """Goes on with a job that was interrupted, paused or failed.

    It is asked, and rejected rows go where a person wants them, only if it was cut off before its plan was agreed to.
    """
    with ending(pipeline, _COMMAND, sheet, rejected_to, hand_over_to) as end:
        found = open_job(pipeline.state, pipeline.name, job)
        run = Run(pipeline, found.journal, _COMMAND, progress, confirm, rejected_to, keep_passwords, hand_over_to)
        with locked(run):
            report = _go_on(run, found, sheet)
        return end(report)


def _go_on(run: Run, job: Job, sheet: Path | None) -> Report:
    record = job.record
    if _is_done(job, record):
        report = report_of(job, _COMMAND)
        report.nothing_left = True
        return report
    _refuse_what_cannot_go_on(record)
    if record.kind is JobKind.UNDO and not record.planned:
        return undo_job(run, Job(job.journal, record.undoes or ""), again=job)
    path = sheet or Path(record.sheet.path)
    if not record.planned:
        # It was cut off before anything was written, so the plan is made anew.
        _refuse_changed(run, record, sheet)
        return import_sheet(run, OpenSheet(run.pipeline, path, record.sheet.chosen), again=job)
    _refuse_superseded(job, record)
    if job.operations.needs_passwords():
        _refuse_changed(run, record, sheet)
    refuse_untold(run, job)
    with job.journal.transaction():
        job.operations.retry_failed()
        job.go_on()
    return continue_plan(run, job, path)


def _is_done(job: Job, record: JobRecord) -> bool:
    """Whether nothing is left that could be tried again."""
    if record.state is not JobState.COMPLETED_WITH_ERRORS:
        return record.state is JobState.COMPLETED
    return not (job.outcome.is_unfinished or job.operations.any_failed())


def _refuse_what_cannot_go_on(job: JobRecord) -> None:
    if job.state is JobState.ABORTED and not job.planned and job.error is not None:
        raise RefusedError(gettext("this job did nothing: {error}", error=job.error))
    if job.state is JobState.ABORTED:
        raise RefusedError(gettext("this job was aborted because of errors in the sheet; correct it and run it again"))
    if job.state is JobState.QUARANTINED:
        raise RefusedError(
            gettext(
                "this job exceeds a limit; if that is meant, `musterroll jobs approve {job}` lets it through",
                job=job.id,
            )
        )
    if job.state not in (JobState.INTERRUPTED, JobState.PAUSED, JobState.FAILED, JobState.COMPLETED_WITH_ERRORS):
        raise RefusedError(gettext("this job is {state}; it cannot go on", state=term(job.state)))


def _refuse_superseded(job: Job, record: JobRecord) -> None:
    """Refuses where a later job has written to the same portal: what this one saw there is out of date."""
    other = superseding(job.journal, record)
    if other is not None:
        again = gettext("send the invites again") if record.kind is JobKind.INVITE else gettext("run the sheet again")
        raise RefusedError(
            gettext("the later job {other} has worked on the same portal; {again} instead", other=other, again=again),
            code="job.superseded",
        )


def _refuse_changed(run: Run, job: JobRecord, moved_to: Path | None) -> None:
    source = open_again(run.pipeline, moved_to, job.sheet).source
    if source.sha256 != job.sheet.sha256:
        raise RefusedError(
            gettext("{sheet} has changed since it was planned; run it again", sheet=source.called),
            code="source.changed",
        )
