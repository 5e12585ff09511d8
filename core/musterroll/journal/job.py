"""The jobs of a journal: to begin one, to find one, to list them."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from musterroll.errors import UsageError
from musterroll.journal.damage import decoded, refuse_other_than_text, storable
from musterroll.journal.journal import Journal
from musterroll.journal.plan import PlanStore
from musterroll.pipeline.made_from import Basis, PluginsUsed
from musterroll.sheet.summary import SheetCounts, SheetSummary


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    ABORTED = "aborted"
    QUARANTINED = "quarantined"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    UNDONE = "undone"
    PARTIALLY_UNDONE = "partially_undone"


@dataclass(frozen=True, slots=True)
class Approval:
    """By whom a job was let past the limits, and when (ISO 8601, UTC)."""

    by: str
    at: str


_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters that are taken for others


class JobKind(StrEnum):
    """What a job does."""

    RUN = "run"
    APPLY = "apply"  # a saved plan
    UNDO = "undo"  # takes another job back
    INVITE = "invite"  # sends invites only


# What is said of jobs that were killed before their plan was stored, and that cannot be planned once more.
_CUT_OFF = {
    JobKind.APPLY: "it was cut off before anything was written; apply its plan again",
    JobKind.INVITE: "it was cut off before anything was sent; send the invites again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """What the journal says of a job as a whole. Times are ISO 8601 in UTC.

    `about` is the job that an undo takes back, `plan` the saved plan that is applied. `number` counts the jobs, and
    `turn` says from when on one may have written: when it was approved, or began. Clocks can be set back.
    """

    id: str
    kind: JobKind = JobKind.RUN
    about: str | None = None
    plan: str | None = None
    approved: Approval | None = None
    state: JobState
    planned: bool
    started: str
    finished: str | None
    pipeline: str
    profile: str | None
    sets: tuple[str, ...]
    fingerprint: str
    plugins: PluginsUsed
    identity: str
    sheet: SheetSummary
    counts: SheetCounts
    error: str | None
    rejected_file: str | None = None
    rejected_says: str | None = None
    number: int = 0
    turn: int = 0

    @property
    def basis(self) -> Basis:
        """What its plan rests on."""
        return Basis(sheet=self.sheet.sha256, pipeline=self.fingerprint, plugins=self.plugins, identity=self.identity)


_COLUMNS = (
    "id, kind, about, plan, approved, state, planned, started, finished, "
    "pipeline, profile, sets, fingerprint, plugins, identity, sheet, counts, error, "
    "rejected_file, rejected_says, number, turn"
)


def new_job_id(now: dt.datetime) -> str:
    """Makes an id that sorts by time and can be read out on the telephone."""
    return f"{now:%Y%m%d-%H%M%S}-{''.join(secrets.choice(_ALPHABET) for _ in range(4))}"


def insert_job(journal: Journal, job: JobRecord) -> None:
    """Writes a new job; it is the latest."""
    number = journal.next_turn()
    journal.execute(
        f"INSERT INTO job ({_COLUMNS}) VALUES ({', '.join('?' * len(_COLUMNS.split()))})",  # noqa: S608 -- constants
        (
            job.id,
            job.kind,
            job.about,
            job.plan,
            json.dumps(asdict(job.approved)) if job.approved else None,
            job.state,
            job.planned,
            job.started,
            job.finished,
            job.pipeline,
            job.profile,
            json.dumps(job.sets),
            job.fingerprint,
            json.dumps(asdict(job.plugins)),  # in ASCII: paths may hold bytes that are no text
            job.identity,
            json.dumps(asdict(job.sheet)),
            json.dumps(asdict(job.counts)),
            job.error,
            job.rejected_file,
            job.rejected_says,
            number,
            number,
        ),
    )


def find_job(journal: Journal | None, wanted: str) -> JobRecord:
    """Finds a job by its id, an unambiguous part of it, or `last`.

    Raises:
        UsageError: there is none, or there are several.
    """
    jobs = list(list_jobs(journal)) if journal is not None else []
    if not jobs:
        raise UsageError("there are no jobs here yet; is this the folder of the pipeline file?", code="job.not_found")
    found = jobs[:1] if wanted == "last" else [job for job in jobs if job.id == wanted]
    found = found or [job for job in jobs if job.id.startswith(wanted) or job.id.endswith(f"-{wanted}")]
    if not found:
        raise UsageError(f'there is no job "{wanted}"; `musterroll jobs list` shows all', code="job.not_found")
    if len(found) > 1:
        raise UsageError(f'"{wanted}" may be any of {", ".join(job.id for job in found)}', code="job.ambiguous")
    return found[0]


def open_with_job(state: Path, pipeline: str, wanted: str, *, look: bool = False) -> tuple[Journal, JobRecord]:
    """Opens the journal of a pipeline and finds a job in it; the caller closes. To `look` needs no right to write.

    Raises:
        UsageError: there is none, or there are several.
        StateError: the journal cannot be used.
    """
    journal = (Journal.look if look else Journal.open_existing)(state, pipeline)
    try:
        record = find_job(journal, wanted)
    except BaseException:
        if journal is not None:
            journal.close()
        raise
    assert journal is not None
    return journal, record


@decoded
def list_jobs(journal: Journal) -> Iterator[JobRecord]:
    """Streams the jobs, newest first. One that runs although nobody works on it was interrupted."""
    abandoned = not journal.is_locked()
    for record in journal.stream(f"SELECT {_COLUMNS} FROM job ORDER BY number DESC, id DESC"):  # noqa: S608 -- constants
        (id_, kind, about, plan, approved, state, planned, started, finished, *_) = record
        (pipeline, profile, sets, print_, plugins, identity, sheet, counts, error, *rest) = record[9:]
        (rejected_file, rejected_says, number, turn) = rest
        refuse_other_than_text(id_, about, plan, profile, print_, identity, error, rejected_says)
        state = JobState(state)
        if abandoned and state is JobState.RUNNING:
            state = JobState.INTERRUPTED
        yield JobRecord(
            id=id_,
            kind=JobKind(kind),
            about=about,
            plan=plan,
            approved=Approval(**json.loads(approved)) if approved else None,
            state=state,
            planned=bool(planned),
            started=_time(started),
            finished=_time(finished) if finished is not None else None,
            pipeline=pipeline,
            profile=profile,
            sets=tuple(json.loads(sets)),
            fingerprint=print_,
            plugins=PluginsUsed(**json.loads(plugins)),
            identity=identity,
            sheet=SheetSummary(**{**json.loads(sheet), "notes": ()}),
            counts=SheetCounts(**json.loads(counts)),
            error=error,
            # A name whose bytes are no text is kept as bytes.
            rejected_file=os.fsdecode(rejected_file) if rejected_file is not None else None,
            rejected_says=rejected_says,
            number=int(number),
            turn=int(turn),
        )


def _time(text: str) -> str:
    dt.datetime.fromisoformat(text)  # whatever else it is makes no sense
    return text


def find_applied(journal: Journal, plan: str) -> JobRecord | None:
    """Returns the latest job that has applied a saved plan."""
    return next((job for job in list_jobs(journal) if job.plan == plan and job.planned), None)


def superseding(records: Iterable[JobRecord], job: JobRecord) -> JobRecord | None:
    """Returns a later job that makes out of date what this one saw of the same portal, if there is one.

    Invites change nothing in a portal; that nobody is invited twice is seen to when an invite is due.
    """
    for other in records:
        later = other.turn > job.turn
        matters = other.kind is not JobKind.INVITE or job.kind is JobKind.INVITE
        if later and matters and other.planned and other.identity == job.identity:
            return other
    return None


def set_state(journal: Journal, job: str, state: JobState, *, finished: str | None, error: str | None = None) -> None:
    """Says where a job stands."""
    error = None if error is None else storable(error)
    journal.execute("UPDATE job SET state = ?, finished = ?, error = ? WHERE id = ?", (state, finished, error, job))


def set_approved(journal: Journal, job: str, approved: Approval | None) -> None:
    """Notes who let a job past the limits, or that nobody has. What is approved later writes later."""
    if approved is None:
        journal.execute("UPDATE job SET approved = NULL, turn = number WHERE id = ?", (job,))
        return
    said = json.dumps(asdict(approved))
    journal.execute("UPDATE job SET approved = ?, turn = ? WHERE id = ?", (said, journal.next_turn(), job))


def set_undone(journal: Journal, job: str, *, by: JobState) -> None:
    """Says how far a job is taken back, from where its undo stands."""
    if by in (JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS):
        undone = JobState.UNDONE if by is JobState.COMPLETED else JobState.PARTIALLY_UNDONE
        journal.execute("UPDATE job SET state = ? WHERE id = ?", (undone, job))


def set_identity(journal: Journal, job: str, identity: str) -> None:
    """Notes which backend a job writes to; known for certain only when the backend is opened for writing."""
    journal.execute("UPDATE job SET identity = ? WHERE id = ?", (identity, job))


def set_sheet(journal: Journal, job: str, sheet: SheetSummary) -> None:
    """Notes which sheet was read."""
    journal.execute("UPDATE job SET sheet = ? WHERE id = ?", (json.dumps(asdict(sheet)), job))


def set_planned(journal: Journal, job: str) -> None:
    """Notes that the whole plan is stored: from now on the job may write."""
    journal.execute("UPDATE job SET planned = 1 WHERE id = ?", (job,))


def set_rejected_file(journal: Journal, job: str, path: Path | None, says: str | None = None) -> None:
    """Notes where the rejected rows are, and what the file says. The path is absolute."""
    text: str | bytes | None = None if path is None else str(path)
    if path is not None and storable(str(path)) != str(path):
        text = os.fsencode(path)
    journal.execute("UPDATE job SET rejected_file = ?, rejected_says = ? WHERE id = ?", (text, says, job))


def set_unplanned(journal: Journal, job: str) -> None:
    """Notes that a job must not write after all."""
    journal.execute("UPDATE job SET planned = 0 WHERE id = ?", (job,))


def discard_job(journal: Journal, job: str) -> None:
    """Forgets a job that came to nothing, with its plan."""
    PlanStore(journal, job).clear()
    journal.execute("DELETE FROM job WHERE id = ?", (job,))


def recover(journal: Journal) -> None:
    """Settles what a dead writer left: its job was interrupted, and what it was sending is held.

    One that cannot go on, because nothing was planned yet and its plan is not here, has come to nothing: it must not
    be called interrupted for ever.

    The caller holds the lock, so no writer lives.
    """
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
