"""`jobs undo`: takes back what a job did, as a job of its own."""

from __future__ import annotations

from pathlib import Path

from musterroll.commands.finished import ending
from musterroll.commands.job import execute_plan, locked, new_job
from musterroll.contract.fields import FieldType
from musterroll.contract.translation import gettext
from musterroll.errors import RefusedError
from musterroll.journal.job import Job, JobKind, JobRecord, JobState
from musterroll.journal.jobs import open_job
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.limits import Limits
from musterroll.plan.make import count_users
from musterroll.plan.privileged import count_privileged
from musterroll.plan.run import Confirm, NewPlan, Run, agreed
from musterroll.plan.undo import UndoPlanner
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Report
from musterroll.sheet.summary import SheetCounts

_NOTHING_WRITTEN = frozenset({JobState.ABORTED, JobState.QUARANTINED})


def undo(pipeline: Pipeline, job: str, *, confirm: Confirm = agreed, progress: Progress = SILENT) -> Report:
    """Takes back what a job did, wherever the portal still is as the job left it.

    What was changed since is kept, and listed as an error (`undo.kept`); passwords and sent invites are beyond
    recall, and listed as warnings.
    """
    with ending(pipeline, "jobs undo", None) as end:
        found = open_job(pipeline.state, pipeline.name, job)
        run = Run(pipeline, found.journal, "jobs undo", progress, confirm)
        with locked(run):
            _refuse_what_cannot_be_undone(found.record)
            report = undo_job(run, found)
        return end(report)


def undo_job(run: Run, former: Job, *, again: Job | None = None) -> Report:
    """Plans the undo of a job and carries it out. An undo that comes to nothing leaves no trace.

    `again` is an undo that was cut off before anything was written: the plan is made anew, under its id.
    """
    was = former.record

    def make(plan: NewPlan) -> None:
        _refuse_other_portal(was, plan.job.record)
        if not _make_plan(plan, former):
            raise RefusedError(
                gettext("this job has changed nothing; there is nothing to take back"), code="undo.nothing"
            )
        plan.log.close()

    with new_job(run, was.sheet, make, kind=JobKind.UNDO, undoes=former.id, again=again) as plan:
        return execute_plan(run, plan.job, Path(was.sheet.path))


def _refuse_what_cannot_be_undone(job: JobRecord) -> None:
    if job.state in _NOTHING_WRITTEN or not job.planned:
        raise RefusedError(gettext("this job has written nothing; there is nothing to take back"), code="undo.nothing")
    if job.kind is JobKind.INVITE:
        raise RefusedError(gettext("sent invites cannot be called back"), code="undo.impossible")
    if job.kind is JobKind.UNDO:
        raise RefusedError(
            gettext("an undo cannot be taken back: a deleted user is gone; run the sheet again instead"),
            code="undo.impossible",
        )
    if job.state is JobState.UNDONE:
        raise RefusedError(gettext("this job is undone already"), code="undo.nothing")


def _refuse_other_portal(former: JobRecord, job: JobRecord) -> None:
    if job.identity != former.identity:
        raise RefusedError(
            gettext(
                "the job wrote to another portal ({former}, now {portal})",
                former=former.identity,
                portal=job.identity,
            ),
            code="backend.changed",
        )


def _make_plan(plan: NewPlan, former: Job) -> bool:
    """Plans what takes the former job back; returns whether it has done anything."""
    counts = SheetCounts()
    journal, store, settings = plan.job.journal, plan.job.plan, plan.run.pipeline.settings
    planner = UndoPlanner(
        portal=plan.portal,
        settings=settings,
        store=store,
        log=plan.log,
        people=plan.run.pipeline.fields.of_type(FieldType.USER),
    )
    plan.run.progress.stage("Planning")
    try:
        counts.rows = plan.store_batches(planner.plan(journal, former.id))
        with journal.transaction():
            pipeline = plan.run.pipeline
            users = count_users(pipeline, plan.portal, Limits.of_the_rest(pipeline))
            privileged = count_privileged(plan.job, settings.privileged.groups)
            store.add_totals(users=users, groups=0, privileged=privileged)
            plan.store_problems(counts, with_others=False)
        return bool(counts.rows) or planner.deletes_groups
    finally:
        journal.commit()
