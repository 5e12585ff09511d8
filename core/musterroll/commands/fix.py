"""`validate --fix`: a corrected copy of the sheet, and what is left to be done by hand."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from musterroll.commands.validate import validate
from musterroll.contract.edits import CellEdit, SheetEdits
from musterroll.contract.text import column_index
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.spellings import GroupSpellings
from musterroll.progress import SILENT, Progress
from musterroll.reports.report import Fixed, Report
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.repairs import Fix, Repair, RepairChoice
from musterroll.written.edited_copy import EditedCopy, RepairStore


def fix(
    pipeline: Pipeline,
    sheet: Path,
    *,
    guesses: bool = False,
    to: Path | None = None,
    diff: bool = False,
    replace_file: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Takes the suggestions of a sheet's problems into a copy of it, and finds every problem of that copy.

    Args:
        pipeline: the pipeline.
        sheet: the file.
        guesses: whether suggestions are taken that may not be what is meant.
        to: the copy; None for a file beside the sheet.
        diff: whether nothing is kept but the list of changes.
        replace_file: whether to write over a file that is there.
        progress: told how it goes on.

    Raises:
        UsageError: the copy cannot go there, or nothing edits the sheet's format.
        MusterrollError: it cannot be written.
    """
    with ExitStack() as stack:
        opened = OpenSheet(pipeline, sheet)
        store = RepairStore()
        stack.callback(store.close)
        if diff:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="musterroll-")))
            to = folder / f"fixed{sheet.suffix}"
        copy = EditedCopy(pipeline, opened, to, kind="fixed", option="-o", replace=replace_file)
        codes, total = _take(pipeline, opened, store, guesses=guesses, progress=progress)
        fixed = Fixed(
            path=None if diff or not codes else str(copy.path),
            cells=len(store),
            problems=codes.total(),
            of=total,
            by_code=dict(codes.most_common()),
            changes=(lambda: iter(store)) if diff else None,
        )
        corrected = sheet
        if codes:
            edits = SheetEdits(worksheet=opened.summary.sheet, cells=lambda: _edits(store))
            corrected = copy.write(edits, private=True)  # it holds passwords
        report = validate(pipeline, corrected, progress=progress)
        report.fixed = fixed
        if diff and report.sheet is not None:
            report.sheet = replace(report.sheet, path=str(sheet))
        report.also_close(stack.pop_all().close)
        return report


def _edits(store: RepairStore) -> Iterator[CellEdit]:
    return (CellEdit(one.row, one.column, one.text) for one in store)


def _take(
    pipeline: Pipeline, opened: OpenSheet, store: RepairStore, *, guesses: bool, progress: Progress
) -> tuple[Counter[str], int]:
    """Stores what is to be repaired; returns how many problems of each code that solves, and of how many in all."""
    log, spellings = ProblemLog(pipeline.severities), GroupSpellings()
    codes: Counter[str] = Counter()
    progress.stage("Correcting")
    try:
        with opened.checked(log, fix=Fix(RepairChoice(guesses=guesses), store.add)) as batches:
            for batch in batches:
                spellings.note(batch.groups, batch.rows)
                progress.advance(len(batch))
                pipeline.stop_if_cancelled()
        if log.headings_fail:  # nobody knows what the cells are
            store.clear()
            return codes, log.errors + log.warnings
        codes.update(problem.code for problem in log if problem.is_repaired)
        for problem in spellings.problems():
            if log.add(problem) is None or not guesses or problem.column is None or problem.row is None:
                continue
            column = column_index(problem.column)
            if problem.suggestion and not store.has(problem.row, column):
                field, before = problem.field or "", problem.value
                store.add(Repair(problem.row, column, field, before, problem.suggestion, problem.code))
                codes[problem.code] += 1
        return codes, log.errors + log.warnings
    finally:
        log.close()
