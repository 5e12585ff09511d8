"""`jobs approve`: lets a job past the limits that it exceeds, if it is still the one that was stopped."""

from __future__ import annotations

from pathlib import Path

from musterroll.commands.apply import open_again
from musterroll.commands.carry_out import settle_former_jobs
from musterroll.commands.finished import ending
from musterroll.commands.job import execute_plan, locked
from musterroll.commands.plan import temporary_plan_of_sheet
from musterroll.contract.terms import term
from musterroll.contract.translation import gettext
from musterroll.errors import RefusedError
from musterroll.journal.job import Job, JobRecord, JobState
from musterroll.journal.jobs import open_job
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.refusals import refuse_other_program, refuse_stale_job
from musterroll.plan.run import Confirm, Run, agreed
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Report
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.written.rejected import remove_rejected_file

_COMMAND = "jobs approve"


def approve(
    pipeline: Pipeline,
    job: str,
    *,
    by: str,
    sheet: Path | None = None,
    rejected_to: Path | None = None,
    keep_passwords: bool = False,
    hand_over_to: Path | None = None,
    confirm: Confirm = agreed,
    progress: Progress = SILENT,
) -> Report:
    """Carries out the plan of a job that exceeds a limit: exactly that plan, or none. Who approves is kept (`by`).

    Raises:
        StalePlanError: the plan would come out differently now; nothing was written.
        RefusedError: the job does not wait for an approval.
    """
    with ending(pipeline, _COMMAND, sheet, rejected_to, hand_over_to) as end:
        found = open_job(pipeline.state, pipeline.name, job)
        run = Run(pipeline, found.journal, _COMMAND, progress, confirm, rejected_to, keep_passwords, hand_over_to)
        with locked(run):
            stopped = found.record
            _refuse_what_waits_for_nothing(stopped)
            opened = open_again(pipeline, sheet, stopped.sheet)
            refuse_other_program(
                stopped.made_from, pipeline, opened.source.sha256, instead=gettext("run the sheet again")
            )
            _refuse_stale(run, found, opened)
            report = _let_through(run, found, opened, by)
        return end(report)


def _refuse_what_waits_for_nothing(job: JobRecord) -> None:
    if job.state is JobState.QUARANTINED:
        return
    state = term(job.state)
    if job.approved is not None:
        raise RefusedError(
            gettext(
                "this job was approved by {by} already and is {state}; `musterroll jobs show {job}` tells what "
                "became of it",
                by=job.approved.by,
                state=state,
                job=job.id,
            ),
            code="approve.nothing",
        )
    raise RefusedError(
        gettext("this job is {state}; only one that a limit has stopped can be approved", state=state),
        code="approve.nothing",
    )


def _refuse_stale(run: Run, job: Job, sheet: OpenSheet) -> None:
    # Users of jobs that were cut off count as created, as they do when a job begins.
    with run.pipeline.build_backend(read_only=True) as backend:
        settle_former_jobs(run, job.record.identity, backend)
    with temporary_plan_of_sheet(run.pipeline, sheet, run.progress, earlier=run.journal) as now:
        refuse_stale_job(job, now.job)


def _let_through(run: Run, job: Job, sheet: OpenSheet, by: str) -> Report:
    stopped = job.record
    with job.journal.transaction():
        job.set_approved(by, run.pipeline.clock())
        job.go_on()
    try:
        return execute_plan(run, job, sheet.source.path, approved=True)
    except BaseException:
        if not job.operations.anything_handed_over():
            remove_rejected_file(job)
            with job.journal.transaction():
                job.withdraw(stopped)
        raise
