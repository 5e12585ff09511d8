"""`validate`: every problem that the sheet alone shows."""

from __future__ import annotations

from pathlib import Path

from musterroll.intake import Intake
from musterroll.model.reports import Outcome, Report
from musterroll.pipeline.pipeline import Pipeline
from musterroll.planning.making import stop_if_cancelled
from musterroll.planning.spellings import GroupSpellings
from musterroll.problem_log import ProblemLog
from musterroll.progress import SILENT, Progress


def validate(pipeline: Pipeline, sheet: Path, *, progress: Progress = SILENT) -> Report:
    """Finds every problem that the sheet alone shows; needs no backend."""
    intake, log, spellings = Intake(pipeline, sheet), ProblemLog(), GroupSpellings()
    progress.stage("Checking")
    with intake.checked(log) as rows:
        for checked in rows:
            spellings.note(checked.row, checked.groups)
            progress.advance()
            stop_if_cancelled(pipeline)
    for problem in spellings.problems():
        log.add(problem)
    log.count_into(intake.counts, condemned=pipeline.settings.on_error == "skip")
    return Report(
        command="validate",
        outcome=Outcome.PROBLEMS if log.errors else Outcome.OK,
        pipeline=pipeline.name,
        profile=pipeline.profile,
        sheet=intake.summary,
        counts=intake.counts,
        problems=lambda: log,
        close=log.close,
    )
