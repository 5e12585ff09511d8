"""`plan`: what would change, and nothing written but the plan itself, where it is to be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from musterroll.commands.job import new_job
from musterroll.commands.run import lasting_summary
from musterroll.journal.job import JobKind
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.limits import Limits, limit_refusal
from musterroll.plan.make import make_plan
from musterroll.plan.run import NewPlan, Run
from musterroll.plan.saved.target import PlanTarget, save_plan
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Outcome, Report
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.summary import SheetSummary

_GOING_ON = "`run` will refuse this, and say how to let it through"


def plan(pipeline: Pipeline, sheet: Path, *, save_to: PlanTarget | None = None, progress: Progress = SILENT) -> Report:
    """Says what would change against the live backend; writes nothing.

    With `save_to` the plan is kept, to be applied later; not one whose errors keep everything out.
    """
    if save_to is not None:
        save_to.check()
    opened = OpenSheet(pipeline, sheet)
    with ExitStack() as stack:
        made = stack.enter_context(temporary_plan_of_sheet(pipeline, opened, progress))
        refusal, saved, all_out = None, None, made.keeps_all_out
        if not all_out:
            refusal = limit_refusal(Limits.of_sheet(pipeline), made.job, made.ledger.roster, _GOING_ON)
            if save_to is not None:
                saved = save_plan(save_to, pipeline, made.job, made.log)
        return Report(
            command="plan",
            outcome=Outcome.REFUSED if refusal else Outcome.PROBLEMS if made.log.errors else Outcome.OK,
            error=refusal,
            pipeline=pipeline.name,
            profile=pipeline.profile,
            sheet=opened.summary,
            counts=opened.counts,
            problems=lambda: made.log,
            changes=made.job.plan.changes,
            groups_to_create=made.job.plan.groups_to_create(),
            privileged=made.job.plan.privileged(),
            keeps_all_out=all_out,
            saved=saved,
            close=stack.pop_all().close,
        )


def temporary_plan_of_sheet(
    pipeline: Pipeline, sheet: OpenSheet, progress: Progress, *, earlier: Journal | None = None
) -> AbstractContextManager[NewPlan]:
    """Plans a sheet as `temporary_plan` does."""
    summary = lasting_summary(sheet)
    return temporary_plan(pipeline, summary, lambda plan: make_plan(plan, sheet), progress, earlier=earlier)


@contextmanager
def temporary_plan(
    pipeline: Pipeline,
    sheet: SheetSummary,
    make: Callable[[NewPlan], object],
    progress: Progress,
    *,
    kind: JobKind = JobKind.RUN,
    earlier: Journal | None = None,
) -> Iterator[NewPlan]:
    """Makes a plan against the live backend in a temporary journal, which leaves no trace.

    Args:
        pipeline: how.
        sheet: what the plan is of.
        make: makes it.
        progress: told how it goes on.
        kind: what the job would do.
        earlier: the pipeline's journal, where it is open; else it is looked at.
    """
    with ExitStack() as stack:
        journal = Journal.temporary()
        stack.callback(journal.close)
        if earlier is None and (earlier := Journal.look(pipeline.state, pipeline.name)) is not None:
            stack.callback(earlier.close)
        run = Run(pipeline, journal, "plan", progress, earlier=earlier)
        made = stack.enter_context(new_job(run, sheet, make, kind=kind))
        stack.callback(made.log.close)
        yield made
