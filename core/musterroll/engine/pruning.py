"""`jobs prune`: forgets finished jobs. Who was created and invited is never forgotten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from musterroll.engine.working import working
from musterroll.errors import RefusedError, StateError
from musterroll.journal import jobs
from musterroll.journal.jobs import JobKind, JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.operation_store import OperationStore
from musterroll.journal.outcomes import outcome_of
from musterroll.model.reports import JobState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.progress import SILENT

_IMPORTS = frozenset({JobKind.RUN, JobKind.APPLY})
_COMPLETED = frozenset({JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS})
_WAITING = frozenset({JobState.RUNNING, JobState.QUARANTINED})
_CUT_OFF = frozenset({JobState.INTERRUPTED, JobState.PAUSED, JobState.FAILED})


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was forgotten.

    Attributes:
        jobs: the ids of the jobs, newest first.
        freed: by how many bytes the journal has shrunk.
    """

    jobs: tuple[str, ...]
    freed: int


def prune(
    pipeline: Pipeline, *, keep: int = 0, older_than: int = 0, confirm: Callable[[int], bool] = lambda jobs: True
) -> Pruned:
    """Forgets finished jobs, with their plans and problems.

    Kept are the last completed import, what is waiting for an approval or can be resumed, and what that depends on.
    The ledger stays whole: who is managed, who was invited, and why others were not.

    Args:
        pipeline: whose jobs.
        keep: so many of the newest jobs are kept in any case.
        older_than: only jobs that ended so many days ago.
        confirm: asked with the number of jobs, where there are any.

    Raises:
        RefusedError: the person declined, or another process is at work.
    """
    journal = Journal.open_existing(pipeline.state, pipeline.name)
    if journal is None:
        return Pruned((), 0)
    with working(pipeline, journal, progress=SILENT):
        records = list(jobs.list_jobs(journal))
        needed = set(_needed(journal, records)) | {job.id for job in records[:keep]}
        before = pipeline.clock() - dt.timedelta(days=older_than)
        going = [job.id for job in records if job.id not in needed and _ended(job) <= before]
        if going and not confirm(len(going)):
            raise RefusedError("declined; nothing was forgotten", code="declined")
        size = journal.size()
        with journal.transaction():
            for job in going:
                jobs.discard_job(journal, job)
        if going:
            with suppress(StateError):  # no room, or somebody is looking: the next time, then
                journal.shrink()
        freed = max(0, size - journal.size())
    journal.close()
    return Pruned(tuple(going), freed)


def _ended(job: JobRecord) -> dt.datetime:
    return dt.datetime.fromisoformat(job.finished or job.started)


def _needed(journal: Journal, records: Sequence[JobRecord]) -> Iterator[str]:
    """Yields the jobs that must be kept. `records` has all, newest first."""
    yield from [job.id for job in records if job.state in _COMPLETED and job.kind in _IMPORTS][:1]
    for identity in {job.identity for job in records}:
        written = [
            job for job in records if job.planned and job.identity == identity and job.kind is not JobKind.INVITE
        ]
        if written:
            # As long as the latest is known, no earlier one is taken for one that can go on.
            yield max(written, key=lambda job: job.turn).id
    for job in records:
        if job.state in _WAITING or _can_go_on(journal, records, job) or OperationStore(journal, job.id).doubtful(1):
            yield job.id
            if job.about is not None:
                yield job.about


def _can_go_on(journal: Journal, records: Sequence[JobRecord], job: JobRecord) -> bool:
    """Whether `jobs resume` has something to do."""
    if not job.planned:
        return job.state in _CUT_OFF and job.kind in (JobKind.RUN, JobKind.UNDO)
    if jobs.superseding(records, job) is not None:
        return False
    if job.state is not JobState.COMPLETED_WITH_ERRORS:
        return job.state in _CUT_OFF
    rows, invites = outcome_of(journal, job.id, executed=True)
    return bool(rows.failed or rows.unknown or rows.not_attempted or invites.failed)
