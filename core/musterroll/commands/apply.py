"""`apply`: carries out exactly what a saved plan says, or refuses."""

from __future__ import annotations

from pathlib import Path

from musterroll.commands.finished import tell_the_end
from musterroll.commands.forget import forget_old_jobs
from musterroll.commands.job import Confirm, agreed, working
from musterroll.commands.run import plan_and_go_ahead
from musterroll.errors import SourceError
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.refusals import refuse_other_program
from musterroll.plan.saved.reader import SavedPlan
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Report
from musterroll.sheet.open_sheet import Intake
from musterroll.written.rejected import check_place


def apply(
    pipeline: Pipeline,
    saved: SavedPlan,
    *,
    sheet: Path | None = None,
    rejected_to: Path | None = None,
    confirm: Confirm = agreed,
    progress: Progress = SILENT,
) -> Report:
    """Carries out exactly what a saved plan says, or refuses because something has changed.

    The sheet is planned again, against the portal as it is now; what comes out must be what was saved. Passwords
    come from the sheet: a saved plan has none.

    Args:
        pipeline: the plan's pipeline, with its profile and `--set` texts.
        saved: the plan.
        sheet: where the sheet is now, if it was moved.
        rejected_to: the file for rejected rows; None for a new one beside the sheet.
        confirm: asked once, before the first write, and only where there is something to write.
        progress: told how it goes on.

    Raises:
        StalePlanError: it would come out differently; nothing was written.
    """

    def work_on_it() -> Report:
        check_place(pipeline, rejected_to)
        intake = open_again(pipeline, sheet, saved.header.sheet.path)
        refuse_other_program(saved.header.basis, pipeline, intake.source.sha256, instead="plan the sheet again")
        journal = Journal.open(pipeline.state, pipeline.name)
        with working(pipeline, journal, confirm=confirm, progress=progress, rejected_to=rejected_to) as work:
            report = plan_and_go_ahead(work, intake, "apply", saved=saved)
            forget_old_jobs(pipeline, journal)
            return report

    return tell_the_end(pipeline, "apply", sheet or Path(saved.header.sheet.path), work_on_it)


def open_again(pipeline: Pipeline, moved_to: Path | None, path: str) -> Intake:
    """Takes a sheet in that was planned before; says what to do where it is no longer where it was."""
    try:
        return Intake(pipeline, moved_to or Path(path))
    except SourceError as error:
        if moved_to is not None or error.code != "source.not_found":
            raise
        raise SourceError(
            f"{error.message}; if the sheet was moved, say with --sheet where it is", code=error.code
        ) from None
