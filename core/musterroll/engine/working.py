"""What a writing command works with, and the step from a stored plan to what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from musterroll.engine.carrying_out import carry_out
from musterroll.errors import RefusedError
from musterroll.journal import jobs
from musterroll.journal.jobs import JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.plan_store import PlanStore
from musterroll.model.reports import Report
from musterroll.pipeline.pipeline import Pipeline
from musterroll.planning.making import stop_if_cancelled
from musterroll.planning.summary import PlanSummary, summarise
from musterroll.progress import Progress
from musterroll.reporting import report_of

Confirm: TypeAlias = Callable[[PlanSummary], bool]


def agreed(summary: PlanSummary) -> bool:
    """Agrees to everything: for callers that have nobody to ask."""
    return True


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a writing command works with; the journal is locked.

    Attributes:
        pipeline: the pipeline.
        journal: its journal.
        confirm: asked once, before the first write, and only where there is something to write.
        progress: told how it goes on.
    """

    pipeline: Pipeline
    journal: Journal
    confirm: Confirm
    progress: Progress

    def go_ahead(self, job: JobRecord, sheet: Path, command: str) -> Report:
        """Asks, makes the operations of a job's stored plan, and carries them out.

        Args:
            job: the job; its whole plan is stored.
            sheet: where the sheet is now, for its passwords.
            command: the command, for the report.

        Raises:
            RefusedError: the person declined; nothing was written.
            MusterrollError: it could not even begin; nothing was written.
            KeyboardInterrupt: the person interrupted before the first write.
        """
        pipeline, journal = self.pipeline, self.journal
        stop_if_cancelled(pipeline)
        summary = summarise(journal, job.id, portal=f"{pipeline.backend.component.name} ({job.identity})")
        if summary.does_anything and not self.confirm(summary):
            raise RefusedError("declined; nothing was written", code="declined")
        with journal.transaction():
            PlanStore(journal, job.id).derive_operations()
            jobs.set_planned(journal, job.id)
        return self.carry_on(job, sheet, command)

    def carry_on(self, job: JobRecord, sheet: Path, command: str) -> Report:
        """Carries out what is open of a job's operations."""
        error = carry_out(self.pipeline, self.journal, job, sheet, self.progress)
        return report_of(self.journal, jobs.find_job(self.journal, job.id), command, error=error)


@contextmanager
def working(
    pipeline: Pipeline, journal: Journal, *, confirm: Confirm = agreed, progress: Progress
) -> Iterator[Workspace]:
    """Locks the journal and settles what a dead writer left. The journal stays open for the report.

    Raises:
        RefusedError: another process works on this state.
        StateError: the journal cannot be written.
    """
    try:
        with journal.lock():
            jobs.recover(journal)
            yield Workspace(pipeline, journal, confirm, progress)
    except BaseException:
        journal.close()
        raise
