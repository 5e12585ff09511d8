"""`run`: validates, plans, applies, invites, reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from musterroll.engine.beginning import begin_job, discard_unwritten, keeps_all_out, planning_backend
from musterroll.engine.working import Confirm, Workspace, agreed, working
from musterroll.intake import Intake
from musterroll.journal import jobs
from musterroll.journal.jobs import JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.journal.outcomes import count_rows, keep_outcome
from musterroll.model.reports import InviteCounts, JobState, Report
from musterroll.pipeline.pipeline import Pipeline
from musterroll.planning.making import make_plan
from musterroll.problem_log import ProblemLog
from musterroll.progress import SILENT, Progress
from musterroll.reporting import report_of


def run(pipeline: Pipeline, sheet: Path, *, confirm: Confirm = agreed, progress: Progress = SILENT) -> Report:
    """Validates, plans, applies, invites, reports: the main job.

    `confirm` is asked once, before the first write, and only where there is something to write.
    """
    intake = Intake(pipeline, sheet)
    journal = Journal.open(pipeline.state, pipeline.name)
    with working(pipeline, journal, confirm=confirm, progress=progress) as work:
        return plan_and_go_ahead(work, intake, "run")


def plan_and_go_ahead(work: Workspace, intake: Intake, command: str, *, again: JobRecord | None = None) -> Report:
    """Plans a sheet and carries the plan out. A new job that comes to nothing leaves no trace.

    `again` is a job that was cut off before anything was written: the plan is made anew, under its id.
    """
    pipeline, journal, log = work.pipeline, work.journal, ProblemLog()
    job: JobRecord | None = None
    try:
        # Closed before another instance writes: some portals let in one at a time.
        with planning_backend(pipeline) as backend:
            job = begin_job(pipeline, intake, journal, backend, again)
            make_plan(
                pipeline,
                intake,
                backend=backend,
                ledger=Ledger(journal, pipeline.name, job.identity),
                journal=journal,
                job=job,
                log=log,
                progress=work.progress,
            )
        job = replace(job, sheet=intake.summary, counts=intake.counts)
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


def end_unexecuted(work: Workspace, job: JobRecord, state: JobState) -> None:
    """Ends a job that is planned and of which nothing is to be carried out."""
    with work.journal.transaction():
        keep_outcome(work.journal, job.id, count_rows(work.journal, job.id, executed=False), InviteCounts())
        jobs.set_state(work.journal, job.id, state, finished=work.pipeline.clock().isoformat(timespec="seconds"))


def _of_this_run(report: Report, intake: Intake, log: ProblemLog) -> Report:
    """Adds to a stored job's report what the journal does not keep: the cells' values, and the path as it was typed."""
    stored = report.close

    def close() -> None:
        log.close()
        stored()

    report.sheet, report.problems, report.close = intake.summary, lambda: log, close
    return report
