"""A job's sheet, read again for one row: by the same way through as at the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from musterroll.contract.problems import Problem
from musterroll.contract.translation import gettext, gettext_noop
from musterroll.errors import MusterrollError, SourceError
from musterroll.journal.job import JobKind, JobRecord
from musterroll.pipeline.pipeline import Pipeline
from musterroll.progress import Progress
from musterroll.sheet.checks import CELLS, CheckedRow
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.transforms import Transformed

_ELSEWHERE = gettext_noop("if it was moved, say where it is with --sheet")


class Reading:
    """The sheet, read once more for one row.

    Attributes:
        found: the row; None where there is none of that number.
        last: the number of the last row that was read.
        blank_end: the blank row that ended the import, if one did.
        transformed: what transforms have changed in the row, in order.
    """

    def __init__(self, row: int) -> None:
        self._row = row
        self._problems: dict[str, list[Problem]] = {}
        self.found: CheckedRow | None = None
        self.last = 0
        self.blank_end: int | None = None
        self.transformed: list[Transformed] = []

    def read(self, opened: OpenSheet, pipeline: Pipeline, progress: Progress) -> None:
        """Reads to the end: some rules see the whole sheet before they speak."""
        log = ProblemLog(pipeline.severities)
        progress.stage("Reading the sheet again")
        try:
            with opened.checked(log, self._take, transformed=self._take_transformed) as batches:
                for batch in batches:
                    self.last = batch[-1].number
                    self.found = next((checked for checked in batch if checked.number == self._row), self.found)
                    progress.advance(len(batch))
                    pipeline.stop_if_cancelled()
            self.blank_end = next((p.row for p in log if p.code == "row.after_blank"), None)
        finally:
            log.close()

    def _take(self, label: str, problem: Problem) -> None:
        if concerns(problem, self._row):
            self._problems.setdefault(label, []).append(problem)

    def _take_transformed(self, one: Transformed) -> None:
        # A row may be made more than once.
        if one.row == self._row and one not in self.transformed:
            self.transformed.append(one)

    def problems_of(self, rules: Sequence[str]) -> Iterator[tuple[str, tuple[Problem, ...]]]:
        """Yields what every rule said; of the cells themselves only where there is something to say."""
        for rule in (*([CELLS] if CELLS in self._problems else []), *rules):
            yield rule, tuple(self._problems.get(rule, ()))


def concerns(problem: Problem, row: int) -> bool:
    """Whether a problem is of a row, or keeps it out because of another one."""
    return problem.row == row or row in problem.also_rejects


def read_again(
    pipeline: Pipeline, job: JobRecord, path: Path, row: int, progress: Progress
) -> tuple[Reading | None, list[str]]:
    """Reads the sheet again, if it is still the same; else says why not."""
    if job.kind is JobKind.UNDO:
        return None, [gettext("this job took the job {job} back, so the sheet is not read again", job=job.undoes)]
    try:
        opened = OpenSheet(pipeline, path, job.sheet.chosen)
        if opened.source.sha256 != job.sheet.sha256:
            return None, [
                gettext(
                    "{path} has changed since, so its cells are not shown; {advice}",
                    path=path,
                    advice=gettext(_ELSEWHERE),
                )
            ]
        reading = Reading(row)
        reading.read(opened, pipeline, progress)
    except SourceError as error:
        return None, [
            gettext("{error}, so its cells are not shown; {advice}", error=error.message, advice=gettext(_ELSEWHERE))
        ]
    except MusterrollError as error:
        return None, [gettext("the sheet could not be checked again: {error}", error=error.message)]
    changed = pipeline.settings_sha256 != job.settings_sha256
    return reading, [gettext("the pipeline has changed since; the checks are those of today")] if changed else []
