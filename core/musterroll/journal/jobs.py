"""The jobs of a journal: how one is found, which of them matter to another, and what a dead writer left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from musterroll.contract.translation import gettext
from musterroll.errors import UsageError
from musterroll.journal.damage import decoded, refuse_other_than_text
from musterroll.journal.job import Job, JobKind, JobRecord, JobState, no_such_job, read_jobs
from musterroll.journal.journal import Journal

# What is said of jobs that were killed before their plan was stored, and that cannot be planned once more.
_CUT_OFF = {
    JobKind.APPLY: "it was cut off before anything was written; apply its plan again",
    JobKind.INVITE: "it was cut off before anything was sent; send the invites again",
}
# Jobs in these states have no operation without an answer, so there is no need to look through all of them.
_WITHOUT_DOUBT = (JobState.COMPLETED, JobState.ABORTED, JobState.QUARANTINED)


@decoded
def list_jobs(journal: Journal, where: str = "TRUE", values: Sequence[object] = ()) -> list[Job]:
    """Returns jobs, newest first."""
    query = f"SELECT id FROM job WHERE {where} ORDER BY number DESC, id DESC"  # noqa: S608 -- constants
    ids = [id_ for (id_,) in journal.execute(query, values)]
    refuse_other_than_text(*ids)
    return [Job(journal, id_) for id_ in ids]


def find_job(journal: Journal | None, wanted: str) -> Job:
    """Finds a job by its id, an unambiguous part of it, or `last`.

    Raises:
        UsageError: there is none, or there are several.
    """
    jobs = list_jobs(journal) if journal is not None else []
    if not jobs:
        raise UsageError(
            gettext("there are no jobs here yet; is this the folder of the pipeline file?"), code="job.not_found"
        )
    found = jobs[:1] if wanted == "last" else [job for job in jobs if job.id == wanted]
    if wanted and not found:  # an empty text is a script's variable that is not set, and every id begins with it
        found = [job for job in jobs if job.id.startswith(wanted) or job.id.endswith(f"-{wanted}")]
    if not found:
        raise no_such_job(wanted)
    if len(found) > 1:
        raise UsageError(
            gettext('"{job}" may be any of {jobs}', job=wanted, jobs=", ".join(job.id for job in found)),
            code="job.ambiguous",
        )
    return found[0]


def open_job(state: Path, pipeline: str, wanted: str, *, look: bool = False) -> Job:
    """Opens the journal of a pipeline and finds a job in it; the caller closes. To `look` needs no right to write.

    Raises:
        UsageError: there is none, or there are several.
        StateError: the journal cannot be used.
    """
    journal = (Journal.look if look else Journal.open_existing)(state, pipeline)
    try:
        return find_job(journal, wanted)
    except BaseException:
        if journal is not None:
            journal.close()
        raise


def last_applied(journal: Journal, plan: str) -> JobRecord | None:
    """Returns the latest job that has applied a saved plan."""
    return next(iter(list(read_jobs(journal, "plan = ? AND planned", (plan,)))), None)


def superseding(journal: Journal, job: JobRecord) -> str | None:
    """Returns a later job that makes out of date what this one saw of the same portal, if there is one.

    Invites change nothing in a portal; that nobody is invited twice is seen to when an invite is due.
    """
    where = "turn > ? AND planned AND identity = ? AND (kind <> ? OR ?)"
    values = (job.turn, job.identity, JobKind.INVITE, job.kind is JobKind.INVITE)
    return next((other.id for other in list_jobs(journal, where, values)), None)


def perhaps_in_doubt(journal: Journal, identity: str) -> list[Job]:
    """Returns the jobs on a portal that may have been cut off before they heard an answer."""
    where = f"identity = ? AND state NOT IN ({', '.join('?' * len(_WITHOUT_DOUBT))})"
    return list_jobs(journal, where, (identity, *_WITHOUT_DOUBT))


def recover(journal: Journal) -> None:
    """Settles what a dead writer left: its job was interrupted, and what it was sending is held.

    One that cannot go on, because nothing was planned yet and its plan is not here, has come to nothing: it must not
    be called interrupted for ever.

    The caller holds the lock, so no writer lives.

    Raises:
        StateError: a job's record makes no sense: the journal is damaged, and is not written to.
    """
    for _ in read_jobs(journal):
        pass
    with journal.transaction():
        for kind, why in _CUT_OFF.items():
            journal.execute(
                "UPDATE job SET state = ?, error = ? WHERE state IN ('running', 'interrupted') AND kind = ? "
                "AND NOT planned",
                (JobState.ABORTED, why, kind),
            )
        journal.execute("UPDATE job SET state = 'interrupted' WHERE state = 'running'")
        journal.execute(
            "UPDATE invite SET state = 'held', detail = 'cut off while it was being sent' WHERE state = 'sending'"
        )
