"""`run`: validates, plans, applies, invites, reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from musterroll.commands.beginning import discard_unwritten, enter_job, keeps_all_out, new_job
from musterroll.commands.finished import tell_the_end
from musterroll.commands.forget import forget_old_jobs
from musterroll.commands.job import Confirm, Workspace, agreed, end_unexecuted, working
from musterroll.journal import job as jobs
from musterroll.journal.job import JobRecord, JobState
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.make import make_plan
from musterroll.plan.refusals import refuse_stale_plan
from musterroll.plan.saved.reader import SavedPlan
from musterroll.progress import SILENT, Progress
from musterroll.reports.of_a_job import report_of
from musterroll.reports.report import Report
from musterroll.sheet.open_sheet import Intake
from musterroll.sheet.problem_log import ProblemLog
from musterroll.written.rejected import check_place


def run(
    pipeline: Pipeline,
    sheet: Path,
    *,
    rejected_to: Path | None = None,
    confirm: Confirm = agreed,
    progress: Progress = SILENT,
) -> Report:
    """Validates, plans, applies, invites, reports: the main job.

    Args:
        pipeline: how.
        sheet: the file.
        rejected_to: the file for rejected rows; None for a new one beside the sheet.
        confirm: asked once, before the first write, and only where there is something to write.
        progress: told how it goes on.
    """

    def work_on_it() -> Report:
        check_place(pipeline, rejected_to)
        intake = Intake(pipeline, sheet)
        journal = Journal.open(pipeline.state, pipeline.name)
        with working(pipeline, journal, confirm=confirm, progress=progress, rejected_to=rejected_to) as work:
            report = plan_and_go_ahead(work, intake, "run")
            forget_old_jobs(pipeline, journal)
            return report

    return tell_the_end(pipeline, "run", sheet, work_on_it)


def plan_and_go_ahead(
    work: Workspace,
    intake: Intake,
    command: str,
    *,
    again: JobRecord | None = None,
    saved: SavedPlan | None = None,
) -> Report:
    """Plans a sheet and carries the plan out. A new job that comes to nothing leaves no trace.

    Args:
        work: what the command works with.
        intake: the sheet.
        command: the command, for the report.
        again: a job that was cut off before anything was written: the plan is made anew, under its id.
        saved: the plan that must come out.
    """
    pipeline, journal, log = work.pipeline, work.journal, ProblemLog()
    job: JobRecord | None = None
    try:
        # Closed before another instance writes: some portals let in one at a time.
        with pipeline.build_backend(read_only=True) as backend:
            begun = new_job(pipeline, intake, backend, plan=saved.header.id if saved is not None else None)
            job = enter_job(pipeline, journal, begun, backend, again)
            make_plan(
                pipeline,
                intake,
                portal=backend,
                ledger=Ledger(journal, pipeline.name, job.identity),
                journal=journal,
                job=job,
                log=log,
                progress=work.progress,
            )
        job = replace(job, sheet=intake.summary, counts=intake.counts)
        if saved is not None:
            refuse_stale_plan(saved, journal, job)
        if keeps_all_out(pipeline, log):
            end_unexecuted(work, job, JobState.ABORTED)
            report = report_of(journal, jobs.find_job(journal, job.id), command)
        else:
            report = work.go_ahead(job, intake.source.path, command)
        return _of_this_run(report, intake, log)
    except BaseException:
        log.close()
        if job is not None and again is None:
            discard_unwritten(journal, job)
        raise


def _of_this_run(report: Report, intake: Intake, log: ProblemLog) -> Report:
    """Adds to a stored job's report what the journal does not keep: the cells' values, and the path as it was typed."""
    stored = report.close

    def close() -> None:
        log.close()
        stored()

    report.sheet, report.problems, report.close = intake.summary, lambda: log, close
    return report
