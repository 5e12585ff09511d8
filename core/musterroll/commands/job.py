"""What a writing command works with, and the step from a stored plan to what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from musterroll.commands.carry_out import carry_out
from musterroll.errors import JobInterrupted, MusterrollError, RefusedError, StateError, as_error
from musterroll.journal import job as jobs
from musterroll.journal.job import JobKind, JobRecord, JobState
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OperationStore
from musterroll.journal.outcomes import InviteCounts, count_rows, keep_outcome
from musterroll.journal.plan import PlanStore
from musterroll.journal.roster import Roster
from musterroll.journal.unchanged import pack_unchanged
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.limits import limit_refusal
from musterroll.plan.make import stop_if_cancelled
from musterroll.plan.summary import PlanSummary, summarise
from musterroll.progress import Progress
from musterroll.reports.of_a_job import report_of
from musterroll.reports.report import Report
from musterroll.written.rejected import rejected_file

Confirm: TypeAlias = Callable[[PlanSummary], bool]
# A sheet can be planned again, to see that it is still the plan that was approved.
_APPROVABLE = frozenset({JobKind.RUN, JobKind.APPLY})


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
        rejected_to: the file for rejected rows; None for a new one beside the sheet.
    """

    pipeline: Pipeline
    journal: Journal
    confirm: Confirm
    progress: Progress
    rejected_to: Path | None = None

    def go_ahead(self, job: JobRecord, sheet: Path, command: str, *, approved: bool = False) -> Report:
        """Holds the plan against the limits, asks, makes the operations of a job's stored plan, and carries them out.

        A plan that exceeds a limit is put into quarantine: nothing is written, and the report says why.

        Args:
            job: the job; its whole plan is stored.
            sheet: where the sheet is now, for its passwords.
            command: the command, for the report.
            approved: whether a person has let this very plan through, past the limits.

        Raises:
            RefusedError: the person declined, or a limit is exceeded by what is no sheet; nothing was written.
            MusterrollError: it could not even begin; nothing was written.
            KeyboardInterrupt: the person interrupted before the first write.
        """
        pipeline, journal = self.pipeline, self.journal
        stop_if_cancelled(pipeline)
        if not approved and (refusal := self._refusal(job)) is not None:
            if job.kind not in _APPROVABLE:
                raise refusal
            end_unexecuted(self, job, JobState.QUARANTINED, error=refusal)
            return report_of(journal, jobs.find_job(journal, job.id), command, error=refusal)
        summary = summarise(journal, job.id, portal=f"{pipeline.backend.component.name} ({job.identity})")
        if summary.does_anything and not self.confirm(summary):
            raise RefusedError("declined; nothing was written", code="declined")
        keeping = rejected_file(pipeline, journal, job, sheet, self.rejected_to) if summary.rejected else nullcontext()
        with keeping as rejected, journal.transaction():
            PlanStore(journal, job.id).derive_operations()
            jobs.set_planned(journal, job.id)
            if rejected is not None:
                jobs.set_rejected_file(journal, job.id, rejected.path, rejected.says)
        return self.carry_on(job, sheet, command)

    def _refusal(self, job: JobRecord) -> RefusedError | None:
        """What the limits say."""
        limits = self.pipeline.settings.limits
        roster = Roster(self.journal, self.pipeline.name, job.identity)
        going_on = f"if that is meant, `musterroll jobs approve {job.id}` lets this plan through"
        if job.kind not in _APPROVABLE:  # it has no sheet that could differ from the last one
            limits = limits.model_copy(update={"rows_changed": None})
            going_on = "if that is meant, raise the limit for this time with --set, e.g. --set limits.deactivate=500"
        return limit_refusal(limits, self.journal, job.id, roster, going_on)

    def carry_on(self, job: JobRecord, sheet: Path, command: str) -> Report:
        """Carries out what is open of a job's operations."""
        error: MusterrollError | None
        try:
            error = carry_out(self.pipeline, self.journal, job, sheet, self.progress)
        except KeyboardInterrupt:
            if self._has_written(job):
                raise JobInterrupted(job.id) from None
            raise
        except BaseException as failed:
            could_not_begin = isinstance(failed, MusterrollError) and not isinstance(failed, StateError)
            if could_not_begin or not self._has_written(job):
                raise
            error = as_error(failed)  # not even its end could be noted; the portal has been written to all the same
        try:
            return report_of(self.journal, jobs.find_job(self.journal, job.id), command, error=error)
        except Exception as failed:
            error = error or as_error(failed)
            error.after_write = self._has_written(job)
            raise error from failed

    def _has_written(self, job: JobRecord) -> bool:
        """Whether anything was handed over. Where the journal cannot say, it has to be taken for written."""
        try:
            return OperationStore(self.journal, job.id).anything_handed_over()
        except StateError:
            return True


def end_unexecuted(work: Workspace, job: JobRecord, state: JobState, *, error: MusterrollError | None = None) -> None:
    """Ends a job that is planned and of which nothing is carried out now."""
    journal, finished = work.journal, work.pipeline.clock().isoformat(timespec="microseconds")
    with journal.transaction():
        keep_outcome(journal, job.id, count_rows(journal, job.id, executed=False), InviteCounts())
        jobs.set_state(journal, job.id, state, finished=finished, error=error.message if error else None)
        if state is JobState.ABORTED:  # nothing of it will be carried out, or be compared with another sheet
            PlanStore(journal, job.id).forget_digests()
            pack_unchanged(journal, job.id)
    journal.give_room_back()


@contextmanager
def working(
    pipeline: Pipeline,
    journal: Journal,
    *,
    confirm: Confirm = agreed,
    progress: Progress,
    rejected_to: Path | None = None,
) -> Iterator[Workspace]:
    """Locks the journal and settles what a dead writer left. The journal stays open for the report.

    Raises:
        RefusedError: another process works on this state.
        StateError: the journal cannot be written.
    """
    try:
        with journal.lock():
            jobs.recover(journal)
            yield Workspace(pipeline, journal, confirm, progress, rejected_to)
    except BaseException:
        journal.close()
        raise
