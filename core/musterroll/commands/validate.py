"""`validate`: every problem that the sheet alone shows."""

from __future__ import annotations

from pathlib import Path

from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.spellings import GroupSpellings
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Outcome, Report
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.problem_log import ProblemLog


def validate(pipeline: Pipeline, sheet: Path, *, progress: Progress = SILENT) -> Report:
    """Finds every problem that the sheet alone shows; needs no backend."""
    opened, log, spellings = OpenSheet(pipeline, sheet), ProblemLog(pipeline.severities), GroupSpellings()
    progress.stage("Checking")
    with opened.checked(log) as batches:
        for batch in batches:
            spellings.note(batch.groups, batch.rows)
            progress.advance(len(batch))
            pipeline.stop_if_cancelled()
    for problem in spellings.problems():
        log.add(problem)
    log.count_into(opened.counts, with_others=pipeline.settings.on_error == "skip")
    return Report(
        command="validate",
        outcome=Outcome.PROBLEMS if log.errors else Outcome.OK,
        pipeline=pipeline.name,
        profile=pipeline.profile,
        sheet=opened.summary,
        counts=opened.counts,
        problems=lambda: log,
        close=log.close,
    )
