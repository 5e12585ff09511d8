"""A job of the journal: what it is, its plan, its operations, and what became of it."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from musterroll.contract.translation import gettext
from musterroll.errors import UsageError
from musterroll.journal.damage import decoded, refuse_other_than_text, storable
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OperationStore
from musterroll.journal.outcomes import InviteCounts, JobCounts, JobOutcome, count_invites, count_rows, kept_outcome
from musterroll.journal.plan import PlanStore
from musterroll.pipeline.made_from import MadeFrom, PluginsUsed
from musterroll.sheet.summary import SheetCounts, SheetSummary

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters that are taken for others


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


CUT_OFF = frozenset({JobState.INTERRUPTED, JobState.PAUSED, JobState.FAILED})
"""Where a job stands that did not come to its end."""


class JobKind(StrEnum):
    """What a job does."""

    RUN = "run"
    APPLY = "apply"  # a saved plan
    UNDO = "undo"  # takes another job back
    INVITE = "invite"  # sends invites only


@dataclass(frozen=True, slots=True)
class Approval:
    """By whom a job was let past the limits, and when (ISO 8601, UTC)."""

    by: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """What the journal says of a job as a whole. Times are ISO 8601 in UTC.

    `undoes` is the job that an undo takes back, `plan` the saved plan that is applied. `number` counts the jobs, and
    `turn` says from when on one may have written: when it was approved, or began. Clocks can be set back.
    """

    id: str
    kind: JobKind = JobKind.RUN
    undoes: str | None = None
    plan: str | None = None
    approved: Approval | None = None
    state: JobState
    planned: bool
    started: str
    finished: str | None
    pipeline: str
    profile: str | None
    set_options: tuple[str, ...]
    settings_sha256: str
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
    def made_from(self) -> MadeFrom:
        """What its plan was made from."""
        return MadeFrom(
            sheet=self.sheet.sha256, pipeline=self.settings_sha256, plugins=self.plugins, identity=self.identity
        )

    @property
    def was_executed(self) -> bool:
        """Whether the job came to its operations."""
        return self.planned and self.state not in (JobState.ABORTED, JobState.QUARANTINED)


# An attribute of the record is a column of its name, but for these.
_NAMED = {"undoes": "about", "set_options": "sets", "settings_sha256": "fingerprint"}
_ATTRIBUTES = tuple(one.name for one in fields(JobRecord))
_COLUMNS = ", ".join(_NAMED.get(name, name) for name in _ATTRIBUTES)
_TEXTS = ("id", "undoes", "plan", "profile", "settings_sha256", "identity", "error", "rejected_says")


class Job:
    """One job of a journal. It is made once and handed on.

    Attributes:
        journal: where it is kept.
        id: its id.
        plan: what is to happen to every row.
        operations: what is handed to the portal.
        planned_on: the state of the portal that its plan was made on, where it is worth to note how the job leaves it;
            only the process that has made the plan knows.
    """

    def __init__(self, journal: Journal, id_: str) -> None:
        self.journal = journal
        self.id = id_
        self.plan = PlanStore(journal, id_)
        self.operations = OperationStore(journal, id_)
        self.planned_on: str | None = None

    @property
    def record(self) -> JobRecord:
        """What the journal says of it now.

        Raises:
            UsageError: it was forgotten meanwhile.
        """
        for record in list(read_jobs(self.journal, "id = ?", (self.id,))):
            return record
        raise no_such_job(self.id)

    @property
    def outcome(self) -> JobOutcome:
        """What became of its rows and invites: as it was kept, or counted now."""
        return kept_outcome(self.journal, self.id) or self._counted()

    def outcome_of_row(self, row: int) -> JobCounts:
        """What became of one row: one of the counts is 1, and none where the job has no such row."""
        return count_rows(self.journal, self.id, executed=self.record.was_executed, row=row)

    def keep_outcome(self) -> JobOutcome:
        """Counts what became of its rows and invites, and keeps that, so that a list of jobs need not count again."""
        outcome = self._counted()
        self._set(outcome=json.dumps({"rows": asdict(outcome.rows), "invites": asdict(outcome.invites)}))
        return outcome

    def _counted(self) -> JobOutcome:
        executed = self.record.was_executed
        rows = count_rows(self.journal, self.id, executed=executed)
        return JobOutcome(rows, count_invites(self.journal, self.id) if executed else InviteCounts())

    def set_state(self, state: JobState) -> None:
        """Says where it stands."""
        self._set(state=state)

    def end(self, state: JobState, at: dt.datetime, error: str | None = None) -> None:
        """Says that nobody works on it any more, and what stopped it, where something did."""
        self._set(state=state, finished=time_text(at), error=None if error is None else storable(error))

    def go_on(self) -> None:
        """Says that it is worked on again; what had become of it is forgotten."""
        self._set(state=JobState.RUNNING, finished=None, error=None, outcome=None)

    def set_undone(self, *, by: JobState) -> None:
        """Says how far it is taken back, from where its undo stands."""
        if by in (JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS):
            self.set_state(JobState.UNDONE if by is JobState.COMPLETED else JobState.PARTIALLY_UNDONE)

    def set_approved(self, by: str, at: dt.datetime) -> None:
        """Notes who let it past the limits. What is approved later writes later."""
        self._set(approved=json.dumps(asdict(Approval(by, time_text(at)))), turn=self.journal.next_turn())

    def withdraw(self, was: JobRecord) -> None:
        """Makes it what it was before it was approved: nothing of it was written after all."""
        self.plan.forget_operations()
        self._set(approved=None, turn=was.number, planned=False, rejected_file=None, rejected_says=None)
        self._set(state=was.state, finished=was.finished, error=was.error)

    def set_identity(self, identity: str) -> None:
        """Notes which portal it writes to; known for certain only when the portal is opened for writing."""
        self._set(identity=identity)

    def set_sheet(self, sheet: SheetSummary) -> None:
        """Notes which sheet was read."""
        self._set(sheet=json.dumps(sheet.stored()))

    def set_planned(self) -> None:
        """Makes the operations of its plan, which is stored whole: from now on the job may write."""
        self.plan.derive_operations()
        self._set(planned=True)

    def set_rejected_file(self, path: Path, says: str) -> None:
        """Notes where the rejected rows are, and what the file says. The path is absolute."""
        is_text = storable(str(path)) == str(path)
        self._set(rejected_file=str(path) if is_text else os.fsencode(path), rejected_says=says)

    def shares_rejected_file(self) -> bool:
        """Whether another job has the same file of rejected rows."""
        query = "SELECT 1 FROM job WHERE id <> ?1 AND rejected_file = (SELECT rejected_file FROM job WHERE id = ?1)"
        return self.journal.execute(query, (self.id,)).fetchone() is not None

    def discard(self) -> None:
        """Forgets it, with its plan."""
        self.plan.clear()
        self.journal.execute("DELETE FROM job WHERE id = ?", (self.id,))

    def _set(self, **columns: object) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self.journal.execute(f"UPDATE job SET {names} WHERE id = ?", (*columns.values(), self.id))  # noqa: S608 -- constants


def time_text(time: dt.datetime) -> str:
    """Returns a time as records have it."""
    return time.isoformat(timespec="microseconds")


def new_job_id(now: dt.datetime) -> str:
    """Makes an id that sorts by time and can be read out on the telephone."""
    return f"{now:%Y%m%d-%H%M%S}-{''.join(secrets.choice(_ALPHABET) for _ in range(4))}"


def insert_job(journal: Journal, record: JobRecord) -> Job:
    """Writes a new job; it is the latest. Where another one of this second has its id, it gets another."""
    while next(read_jobs(journal, "id = ?", [record.id]), None) is not None:
        record = replace(record, id=new_job_id(dt.datetime.fromisoformat(record.started)))
    turn = journal.next_turn()
    values = {**asdict(replace(record, number=turn, turn=turn)), "sheet": record.sheet.stored()}.values()
    # JSON in ASCII: paths may hold bytes that are no text.
    stored = [json.dumps(value) if isinstance(value, dict | tuple) else value for value in values]
    journal.execute(f"INSERT INTO job ({_COLUMNS}) VALUES ({', '.join('?' * len(stored))})", stored)  # noqa: S608 -- constants
    return Job(journal, record.id)


@decoded
def read_jobs(journal: Journal, where: str = "TRUE", values: Sequence[object] = ()) -> Iterator[JobRecord]:
    """Streams jobs, newest first. One that runs although nobody works on it was interrupted."""
    abandoned = not journal.is_locked()
    query = f"SELECT {_COLUMNS} FROM job WHERE {where} ORDER BY number DESC, id DESC"  # noqa: S608 -- constants
    for row in journal.stream(query, values):
        record = _record(dict(zip(_ATTRIBUTES, row, strict=True)))
        was_cut_off = abandoned and record.state is JobState.RUNNING
        yield replace(record, state=JobState.INTERRUPTED) if was_cut_off else record


def _record(stored: dict[str, Any]) -> JobRecord:
    refuse_other_than_text(*(stored[name] for name in _TEXTS))
    for time in (stored["started"], stored["finished"] or stored["started"]):
        dt.datetime.fromisoformat(time)  # whatever else it is makes no sense
    approved, file = stored["approved"], stored["rejected_file"]
    return JobRecord(
        **stored
        | {
            "kind": JobKind(stored["kind"]),
            "approved": Approval(**json.loads(approved)) if approved else None,
            "state": JobState(stored["state"]),
            "planned": bool(stored["planned"]),
            "set_options": tuple(json.loads(stored["set_options"])),
            "plugins": PluginsUsed(**json.loads(stored["plugins"])),
            "sheet": SheetSummary.of(json.loads(stored["sheet"])),
            "counts": SheetCounts(**json.loads(stored["counts"])),
            # A name whose bytes are no text is kept as bytes.
            "rejected_file": os.fsdecode(file) if file is not None else None,
            "number": int(stored["number"]),
            "turn": int(stored["turn"]),
        }
    )


def no_such_job(wanted: str) -> UsageError:
    """The error that there is no such job, or no more."""
    return UsageError(
        gettext('there is no job "{job}"; `musterroll jobs list` shows all', job=wanted), code="job.not_found"
    )
