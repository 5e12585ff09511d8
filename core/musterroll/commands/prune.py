"""`jobs prune`, and `[keep] jobs`: forgets finished jobs. Who was created and invited is never forgotten."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from musterroll.commands.job import locked
from musterroll.contract.translation import gettext
from musterroll.errors import MusterrollError, RefusedError, StateError
from musterroll.journal.job import CUT_OFF, Job, JobKind, JobRecord, JobState, read_jobs
from musterroll.journal.jobs import superseding
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.pipeline.setting_types import days_of
from musterroll.plan.run import Run
from musterroll.written.rejected import remove_unchanged

_IMPORTS = frozenset({JobKind.RUN, JobKind.APPLY})
_COMPLETED = frozenset({JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS})
_WAITING = frozenset({JobState.RUNNING, JobState.QUARANTINED})

_log = logging.getLogger("musterroll")


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was forgotten.

    Attributes:
        jobs: the ids of the jobs, newest first.
        freed: by how many bytes the journal has shrunk.
    """

    jobs: tuple[str, ...]
    freed: int

    def members(self) -> dict[str, Any]:
        """Its members of the JSON document."""
        return {"pruned": list(self.jobs), "freed_bytes": self.freed}


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
    with locked(Run(pipeline, journal, "jobs prune")):
        records = list(read_jobs(journal))
        going = _to_forget(pipeline, journal, records, keep=keep, days=older_than)
        if going and not confirm(len(going)):
            raise RefusedError(gettext("declined; nothing was forgotten"), code="declined")
        size = journal.size()
        _forget(pipeline, journal, records, going)
        if going:
            with suppress(StateError):  # no room, or somebody is looking: the next time, then
                journal.shrink()
        freed = max(0, size - journal.size())
    journal.close()
    return Pruned(tuple(going), freed)


def forget_old_jobs(run: Run) -> None:
    """Forgets the jobs that are older than `[keep] jobs` says. What goes wrong is no failure of the job that ends."""
    pipeline, journal = run.pipeline, run.journal
    if pipeline.settings.keep.jobs is None:
        return
    try:
        records = list(read_jobs(journal))
        going = _to_forget(pipeline, journal, records, keep=1, days=days_of(pipeline.settings.keep.jobs))
        _forget(pipeline, journal, records, going)
    except MusterrollError as error:
        _log.warning("old jobs could not be forgotten: %s", error.message)


def _to_forget(
    pipeline: Pipeline, journal: Journal, records: Sequence[JobRecord], *, keep: int, days: int
) -> Sequence[str]:
    """Returns the jobs that may be forgotten, newest first.

    Args:
        pipeline: whose jobs.
        journal: where they are.
        records: all of them, newest first.
        keep: so many of the newest are kept in any case.
        days: only jobs that ended so many days ago.
    """
    needed = set(_needed(journal, records)) | {job.id for job in records[:keep]}
    before = pipeline.clock() - dt.timedelta(days=days)
    return [job.id for job in records if job.id not in needed and _ended(job) <= before]


def _forget(pipeline: Pipeline, journal: Journal, records: Sequence[JobRecord], going: Collection[str]) -> None:
    """Forgets jobs: what the journal has of them, their files of rejected rows, and their messages in an outbox.

    A file that was changed since is somebody's work, and stays.
    """
    if not going:
        return
    with journal.transaction():
        for job in going:
            Job(journal, job).discard()
    journal.give_room_back()
    kept = {job.rejected_file for job in records if job.id not in going}
    for record in records:
        if record.id in going and record.rejected_file not in kept:
            remove_unchanged(journal, record)
    for instance in pipeline.notifiers:
        try:
            with pipeline.build_notifier(instance, read_only=False) as notifier:
                notifier.forget(going)
        except MusterrollError as error:  # one that cannot be built now can keep nothing of value
            _log.warning("messages of forgotten jobs stay: %s", error.message)


def _ended(job: JobRecord) -> dt.datetime:
    return dt.datetime.fromisoformat(job.finished or job.started)


def _needed(journal: Journal, records: Sequence[JobRecord]) -> Iterator[str]:
    """Yields the jobs that must be kept. `records` has all, newest first."""
    whole = (job for job in records if job.kind in _IMPORTS and job.sheet.chosen is None)
    yield from [job.id for job in whole if job.state in _COMPLETED][:1]
    for identity in {job.identity for job in records}:
        written = [
            job for job in records if job.planned and job.identity == identity and job.kind is not JobKind.INVITE
        ]
        if written:
            # As long as the latest is known, no earlier one is taken for one that can go on.
            yield max(written, key=lambda job: job.turn).id
    for job in records:
        if job.state in _WAITING or _can_go_on(journal, job) or Job(journal, job.id).operations.doubtful(1):
            yield job.id
            if job.undoes is not None:
                yield job.undoes


def _can_go_on(journal: Journal, job: JobRecord) -> bool:
    """Whether `jobs resume` has something to do."""
    if not job.planned:
        return job.state in CUT_OFF and job.kind in (JobKind.RUN, JobKind.UNDO)
    if superseding(journal, job) is not None:
        return False
    if job.state is not JobState.COMPLETED_WITH_ERRORS:
        return job.state in CUT_OFF
    return Job(journal, job.id).outcome.is_unfinished
