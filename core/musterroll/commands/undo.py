"""`jobs undo`: takes back what a job did, as a job of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from musterroll.commands.beginning import discard_unwritten, enter_job, job_record
from musterroll.commands.finished import tell_the_end
from musterroll.commands.job import Confirm, Workspace, agreed, working
from musterroll.errors import RefusedError
from musterroll.journal import job as jobs
from musterroll.journal.job import JobKind, JobRecord, JobState
from musterroll.journal.plan import PlanStore
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.make import count_users, stop_if_cancelled
from musterroll.plan.undo import UndoPlanner
from musterroll.portal.portal import Portal
from musterroll.portal.protection import Protection
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Report
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.summary import SheetCounts

_NOTHING_WRITTEN = frozenset({JobState.ABORTED, JobState.QUARANTINED})


def undo(pipeline: Pipeline, job: str, *, confirm: Confirm = agreed, progress: Progress = SILENT) -> Report:
    """Takes back what a job did, wherever the portal still is as the job left it.

    What was changed since is kept, and listed as an error (`undo.kept`); passwords and sent invites are beyond
    recall, and listed as warnings.

    Args:
        pipeline: the job's pipeline.
        job: the job's id, or an unambiguous part of it.
        confirm: asked before the first write.
        progress: told how it goes on.
    """

    def work_on_it() -> Report:
        journal, record = jobs.open_with_job(pipeline.state, pipeline.name, job)
        with working(pipeline, journal, confirm=confirm, progress=progress) as work:
            former = jobs.find_job(journal, record.id)
            _refuse_what_cannot_be_undone(former)
            return plan_undo_and_go_ahead(work, former, "jobs undo")

    return tell_the_end(pipeline, "jobs undo", None, work_on_it)


def plan_undo_and_go_ahead(
    work: Workspace, former: JobRecord, command: str, *, again: JobRecord | None = None
) -> Report:
    """Plans the undo of a job and carries it out. An undo that comes to nothing leaves no trace.

    `again` is an undo that was cut off before anything was written: the plan is made anew, under its id.
    """
    pipeline, journal, log = work.pipeline, work.journal, ProblemLog()
    job: JobRecord | None = None
    try:
        with pipeline.build_backend(read_only=True) as backend:
            begun = job_record(pipeline, backend, former.sheet, SheetCounts(), kind=JobKind.UNDO, about=former.id)
            _refuse_other_portal(former, begun)
            job = enter_job(pipeline, journal, begun, backend, again)
            counts = _make_plan(work, backend, former, job, log)
        if counts.rows == 0:
            raise RefusedError("this job has changed nothing; there is nothing to take back", code="undo.nothing")
        return work.go_ahead(replace(job, counts=counts), Path(former.sheet.path), command)
    except BaseException:
        if job is not None and again is None:
            discard_unwritten(journal, job)
        raise
    finally:
        log.close()


def _refuse_what_cannot_be_undone(job: JobRecord) -> None:
    if job.state in _NOTHING_WRITTEN or not job.planned:
        raise RefusedError("this job has written nothing; there is nothing to take back", code="undo.nothing")
    if job.kind is JobKind.INVITE:
        raise RefusedError("sent invites cannot be called back", code="undo.impossible")
    if job.kind is JobKind.UNDO:
        raise RefusedError(
            "an undo cannot be taken back: a deleted user is gone; run the sheet again instead", code="undo.impossible"
        )
    if job.state is JobState.UNDONE:
        raise RefusedError("this job is undone already", code="undo.nothing")


def _refuse_other_portal(former: JobRecord, job: JobRecord) -> None:
    if job.identity != former.identity:
        raise RefusedError(
            f"the job wrote to another portal ({former.identity}, now {job.identity})", code="backend.changed"
        )


def _make_plan(work: Workspace, backend: Portal, former: JobRecord, job: JobRecord, log: ProblemLog) -> SheetCounts:
    journal, store, counts = work.journal, PlanStore(work.journal, job.id), SheetCounts()
    settings = work.pipeline.settings
    planner = UndoPlanner(
        portal=backend, created=settings.undo.created, protection=Protection(settings.protect), store=store, log=log
    )
    work.progress.stage("Planning")
    journal.begin()
    try:
        for done in planner.plan(journal, former.id):
            journal.commit()
            counts.rows += done
            work.progress.advance(done)
            stop_if_cancelled(work.pipeline)
            journal.begin()
        with journal.transaction():
            store.add_totals(users=count_users(work.pipeline, backend), groups=0)
            log.count_into(counts, condemned=False)
            store.add_problems(log)
            store.add_counts(counts)
    finally:
        journal.commit()
    return counts
