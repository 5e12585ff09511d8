"""`validate`: every problem that the sheet alone shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.spellings import GroupSpellings
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Outcome, Report
from musterroll.sheet.identities import makes_usernames
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.problem_log import ProblemLog

if TYPE_CHECKING:
    from musterroll.plan.proposed_names import ProposedNames


def validate(pipeline: Pipeline, sheet: Path, *, progress: Progress = SILENT) -> Report:
    """Finds every problem that the sheet alone shows; needs no backend."""
    opened, log, spellings = OpenSheet(pipeline, sheet), ProblemLog(pipeline.severities), GroupSpellings()
    names = _names(pipeline, log)
    progress.stage("Checking")
    with opened.checked(log) as batches:
        for batch in batches:
            if names is not None:
                names.make(batch)
            spellings.note(batch.groups, batch.rows)
            progress.advance(len(batch))
            pipeline.stop_if_cancelled()
    for problem in spellings.problems():
        log.add(problem)
    log.count_into(opened.counts, with_others=pipeline.settings.on_error == "skip")
    report = Report(
        command="validate",
        outcome=Outcome.PROBLEMS if log.errors else Outcome.OK,
        pipeline=pipeline.name,
        profile=pipeline.profile,
        sheet=opened.summary,
        counts=opened.counts,
        problems=lambda: log,
        usernames=names,
        close=log.close,
    )
    if names is not None:
        report.also_close(names.close)
    return report


def _names(pipeline: Pipeline, log: ProblemLog) -> ProposedNames | None:
    if not makes_usernames(pipeline.fields):
        return None
    from musterroll.plan.proposed_names import ProposedNames  # noqa: PLC0415 -- the journal's part is seldom needed

    return ProposedNames(pipeline.fields, pipeline.settings.match, log)
