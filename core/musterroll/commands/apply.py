"""`apply`: carries out exactly what a saved plan says, or refuses."""

from __future__ import annotations

from pathlib import Path

from musterroll.commands.finished import ending
from musterroll.commands.job import locked
from musterroll.commands.prune import forget_old_jobs
from musterroll.commands.run import import_sheet
from musterroll.contract.translation import gettext
from musterroll.errors import SourceError
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.refusals import refuse_other_program
from musterroll.plan.run import Confirm, Run, agreed
from musterroll.plan.saved.reader import SavedPlan
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Report
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.summary import SheetSummary


def apply(
    pipeline: Pipeline,
    saved: SavedPlan,
    *,
    sheet: Path | None = None,
    rejected_to: Path | None = None,
    keep_passwords: bool = False,
    hand_over_to: Path | None = None,
    confirm: Confirm = agreed,
    progress: Progress = SILENT,
) -> Report:
    """Carries out exactly what a saved plan says, or refuses because something has changed.

    The sheet is planned again, against the portal as it is now; what comes out must be what was saved. Passwords
    come from the sheet: a saved plan has none.

    Raises:
        StalePlanError: it would come out differently; nothing was written.
    """
    header = saved.header
    with ending(pipeline, "apply", sheet or Path(header.sheet.path), rejected_to, hand_over_to) as end:
        opened = open_again(pipeline, sheet, header.sheet)
        refuse_other_program(header.made_from, pipeline, opened.source.sha256, instead=gettext("plan the sheet again"))
        journal = Journal.open(pipeline.state, pipeline.name)
        run = Run(pipeline, journal, "apply", progress, confirm, rejected_to, keep_passwords, hand_over_to)
        with locked(run):
            report = import_sheet(run, opened, saved=saved)
            forget_old_jobs(run)
        return end(report)


def open_again(pipeline: Pipeline, moved_to: Path | None, sheet: SheetSummary) -> OpenSheet:
    """Takes a sheet in that was planned before; says what to do where it is no longer where it was."""
    try:
        return OpenSheet(pipeline, moved_to or Path(sheet.path), sheet.chosen)
    except SourceError as error:
        if moved_to is not None or error.code != "source.not_found":
            raise
        raise SourceError(
            gettext("{message}; if the sheet was moved, say with --sheet where it is", message=error.message),
            code=error.code,
        ) from None
