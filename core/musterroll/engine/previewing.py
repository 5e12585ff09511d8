"""`plan`: what would change, and nothing written."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from musterroll.engine.beginning import keeps_all_out, new_job, planning_backend
from musterroll.intake import Intake
from musterroll.journal import jobs
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.journal.plan_store import PlanStore
from musterroll.model.reports import Outcome, Report
from musterroll.pipeline.pipeline import Pipeline
from musterroll.planning.making import make_plan
from musterroll.problem_log import ProblemLog
from musterroll.progress import SILENT, Progress


def plan(pipeline: Pipeline, sheet: Path, *, progress: Progress = SILENT) -> Report:
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
        with planning_backend(pipeline) as backend:
            job = new_job(pipeline, intake, backend)
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
            keeps_all_out=keeps_all_out(pipeline, log),
            close=stack.pop_all().close,
        )
