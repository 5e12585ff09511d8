"""`run`: validates, plans, applies, invites, reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from musterroll.commands.finished import ending
from musterroll.commands.job import end_unexecuted, execute_plan, locked, new_job
from musterroll.commands.prune import forget_old_jobs
from musterroll.journal.job import Job, JobKind, JobState
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.expected import Expected
from musterroll.plan.make import make_plan
from musterroll.plan.refusals import refuse_stale_plan
from musterroll.plan.run import Confirm, Run, agreed
from musterroll.plan.saved.reader import SavedPlan
from musterroll.progress import SILENT, Progress
from musterroll.reports.jobs import report_of
from musterroll.reports.report import Report
from musterroll.sheet.chosen import ChosenRows
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.summary import SheetSummary


def run(
    pipeline: Pipeline,
    sheet: Path,
    *,
    rejected_to: Path | None = None,
    keep_passwords: bool = False,
    hand_over_to: Path | None = None,
    chosen: ChosenRows | None = None,
    expected: Sequence[Expected] = (),
    confirm: Confirm = agreed,
    progress: Progress = SILENT,
) -> Report:
    """Validates, plans, applies, invites, reports: the main job.

    With `chosen` it is one of some rows only: the others are left alone, and the sheet is not the last complete one.
    With `expected` it is refused where the plan comes to something else.
    """
    with ending(pipeline, "run", sheet, rejected_to, hand_over_to) as end:
        opened = OpenSheet(pipeline, sheet, chosen)
        journal = Journal.open(pipeline.state, pipeline.name)
        this = Run(
            pipeline, journal, "run", progress, confirm, rejected_to, keep_passwords, hand_over_to, tuple(expected)
        )
        with locked(this):
            report = import_sheet(this, opened)
            forget_old_jobs(this)
        return end(report)


def import_sheet(run: Run, sheet: OpenSheet, *, again: Job | None = None, saved: SavedPlan | None = None) -> Report:
    """Plans a sheet and carries the plan out.

    Args:
        run: the command.
        sheet: the sheet.
        again: a job that was cut off before anything was written: the plan is made anew, under its id.
        saved: the plan that must come out.
    """
    kind, saved_id = (JobKind.RUN, None) if saved is None else (JobKind.APPLY, saved.header.id)
    summary = lasting_summary(sheet)
    with new_job(run, summary, lambda new: make_plan(new, sheet), kind=kind, saved=saved_id, again=again) as plan:
        if saved is not None:
            refuse_stale_plan(saved, plan.job)
        if plan.keeps_all_out:
            end_unexecuted(run, plan.job, JobState.ABORTED)
            report = report_of(plan.job, run.command)
        else:
            report = execute_plan(run, plan.job, sheet.source.path)
        # What the journal does not keep: the cells' values, and the path as it was typed.
        report.sheet, report.problems = sheet.summary, lambda: plan.log
        report.also_close(plan.log.close)
        return report


def lasting_summary(sheet: OpenSheet) -> SheetSummary:
    """What a job keeps of its sheet: with the absolute path, so that it can go on from any folder."""
    return replace(sheet.summary, path=sheet.source.called_everywhere)
