"""`jobs prune`: forgets finished jobs. Who was created and invited is never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from musterroll.commands.forget import forget, to_forget
from musterroll.commands.job import working
from musterroll.errors import RefusedError, StateError
from musterroll.journal import job as jobs
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.progress import SILENT


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
        going = to_forget(pipeline, journal, records, keep=keep, days=older_than)
        if going and not confirm(len(going)):
            raise RefusedError("declined; nothing was forgotten", code="declined")
        size = journal.size()
        forget(pipeline, journal, records, going)
        if going:
            with suppress(StateError):  # no room, or somebody is looking: the next time, then
                journal.shrink()
        freed = max(0, size - journal.size())
    journal.close()
    return Pruned(tuple(going), freed)
