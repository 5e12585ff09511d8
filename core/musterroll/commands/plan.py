"""`plan`: what would change, and nothing written but the plan itself, where it is to be kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from musterroll.commands.beginning import keeps_all_out, new_job
from musterroll.journal import job as jobs
from musterroll.journal.job import JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.journal.plan import PlanStore
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.limits import limit_refusal
from musterroll.plan.make import make_plan
from musterroll.plan.saved.target import PlanTarget, save_plan
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Outcome, Report
from musterroll.sheet.open_sheet import Intake
from musterroll.sheet.problem_log import ProblemLog

_GOING_ON = "`run` will refuse this, and say how to let it through"


@dataclass(frozen=True, slots=True)
class PlanAside:
    """A plan that was made beside the journal: in a temporary one, which leaves no trace.

    Attributes:
        journal: the temporary journal.
        job: the job that the plan would be of.
        ledger: who was created and invited before.
    """

    journal: Journal
    job: JobRecord
    ledger: Ledger


def plan(pipeline: Pipeline, sheet: Path, *, save_to: PlanTarget | None = None, progress: Progress = SILENT) -> Report:
    """Says what would change against the live backend; writes nothing.

    Args:
        pipeline: how.
        sheet: the file.
        save_to: where the plan is kept, to be applied later; not one whose errors keep everything out.
        progress: told how it goes on.
    """
    if save_to is not None:
        save_to.check()
    intake = Intake(pipeline, sheet)
    with ExitStack() as stack:
        log = ProblemLog()
        stack.callback(log.close)
        state = Journal.look(pipeline.state, pipeline.name)
        if state is not None:
            stack.callback(state.close)
        aside = stack.enter_context(plan_aside(pipeline, intake, state, log, progress))
        store = PlanStore(aside.journal, aside.job.id)
        refusal, saved, all_out = None, None, keeps_all_out(pipeline, log)
        if not all_out:
            refusal = limit_refusal(
                pipeline.settings.limits, aside.journal, aside.job.id, aside.ledger.roster, _GOING_ON
            )
            if save_to is not None:
                saved = save_plan(save_to, pipeline, aside.job, log, store)
        return Report(
            command="plan",
            outcome=Outcome.REFUSED if refusal else Outcome.PROBLEMS if log.errors else Outcome.OK,
            error=refusal,
            pipeline=pipeline.name,
            profile=pipeline.profile,
            sheet=intake.summary,
            counts=intake.counts,
            problems=lambda: log,
            changes=store.changes,
            groups_to_create=store.groups_to_create(),
            keeps_all_out=all_out,
            saved=saved,
            close=stack.pop_all().close,
        )


@contextmanager
def plan_aside(
    pipeline: Pipeline, intake: Intake, state: Journal | None, log: ProblemLog, progress: Progress
) -> Iterator[PlanAside]:
    """Plans a sheet against the live backend, in a temporary journal.

    Args:
        pipeline: how.
        intake: the sheet.
        state: the pipeline's journal, which is only looked at; None where there is none yet.
        log: takes the problems.
        progress: told how it goes on.
    """
    journal = Journal.temporary()
    try:
        with pipeline.build_backend(read_only=True) as backend:
            job = new_job(pipeline, intake, backend)
            jobs.insert_job(journal, job)
            ledger = Ledger(state or journal, pipeline.name, job.identity)
            make_plan(
                pipeline, intake, portal=backend, ledger=ledger, journal=journal, job=job, log=log, progress=progress
            )
        sheet = replace(intake.summary, path=job.sheet.path)
        yield PlanAside(journal, replace(job, sheet=sheet, counts=intake.counts), ledger)
    finally:
        journal.close()
