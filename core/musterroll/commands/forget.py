"""Which finished jobs may be forgotten, and forgetting them, with what they have left outside the journal."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from musterroll.errors import MusterrollError
from musterroll.journal import job as jobs
from musterroll.journal.job import JobKind, JobRecord, JobState
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OperationStore
from musterroll.journal.outcomes import outcome_of
from musterroll.pipeline.pipeline import Pipeline
from musterroll.pipeline.settings import days_of
from musterroll.written.rejected import remove_unchanged

_IMPORTS = frozenset({JobKind.RUN, JobKind.APPLY})
_COMPLETED = frozenset({JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS})
_WAITING = frozenset({JobState.RUNNING, JobState.QUARANTINED})
_CUT_OFF = frozenset({JobState.INTERRUPTED, JobState.PAUSED, JobState.FAILED})

_log = logging.getLogger("musterroll")


def forget_old_jobs(pipeline: Pipeline, journal: Journal) -> None:
    """Forgets the jobs that are older than `[keep] jobs` says. What goes wrong is no failure of the job that ends."""
    if pipeline.settings.keep.jobs is None:
        return
    try:
        records = list(jobs.list_jobs(journal))
        going = to_forget(pipeline, journal, records, keep=1, days=days_of(pipeline.settings.keep.jobs))
        forget(pipeline, journal, records, going)
    except MusterrollError as error:
        _log.warning("old jobs could not be forgotten: %s", error.message)


def to_forget(
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


def forget(pipeline: Pipeline, journal: Journal, records: Sequence[JobRecord], going: Collection[str]) -> None:
    """Forgets jobs: what the journal has of them, their files of rejected rows, and their messages in an outbox.

    A file that was changed since is somebody's work, and stays.
    """
    if not going:
        return
    with journal.transaction():
        for job in going:
            jobs.discard_job(journal, job)
    journal.give_room_back()
    kept = {job.rejected_file for job in records if job.id not in going}
    for record in records:
        if record.id in going and record.rejected_file not in kept:
            remove_unchanged(record)
    for instance in pipeline.notifiers:
        try:
            ((_, notifier),) = replace(pipeline, notifiers=(instance,)).build_notifiers(read_only=False)
            with notifier:
                notifier.forget(going)
        except MusterrollError as error:  # one that cannot be built now can keep nothing of value
            _log.warning("messages of forgotten jobs stay: %s", error.message)


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
