"""One job of the journal: read by its id alone, and what is said of it while others come and go."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace

import pytest

from musterroll import engine
from musterroll.errors import StateError, UsageError
from musterroll.journal.job import Approval, Job, JobKind, JobState, insert_job, read_jobs
from musterroll.journal.jobs import find_job, last_applied, open_job, superseding
from musterroll.journal.journal import Journal
from support.pipelines import Work, told, user


@pytest.fixture
def jobs(work: Work) -> Iterator[tuple[Job, Job]]:
    """Two jobs, in a journal that is open to be written: the older one first."""
    pipeline = work.pipeline()
    for name in ("ana", "bo"):
        assert work.run(pipeline, work.sheet(user(name))).state is JobState.COMPLETED
    with closing(Journal.open(work.state, "acme")) as journal, journal.lock():
        newer, older = (Job(journal, record.id) for record in list(read_jobs(journal)))
        yield older, newer


def test_a_damaged_job_keeps_no_other_from_being_shown_but_nothing_is_written(work: Work) -> None:
    pipeline = work.pipeline()
    ids = [job.id for name in ("ana", "bo") if (job := work.run(pipeline, work.sheet(user(name))).job) is not None]
    with closing(sqlite3.connect(work.journal)) as db, db:
        db.execute("UPDATE job SET plugins = 'nonsense' WHERE id = ?", (ids[0],))
    assert told(engine.show_job(pipeline, "last")).state is JobState.COMPLETED
    with pytest.raises(StateError, match="damaged"):
        engine.show_job(pipeline, ids[0])
    with pytest.raises(StateError, match="damaged"):
        engine.resume(pipeline, ids[1])


def test_a_record_comes_back_as_it_was_written(jobs: tuple[Job, Job]) -> None:
    _, newer = jobs
    given = replace(
        newer.record,
        id="20260301-100000-copy",
        kind=JobKind.APPLY,
        undoes=newer.id,
        plan="a-plan",
        set_options=("on_error=skip", "confirm=false"),
        error="a fault",
        finished=None,
    )
    with newer.journal.transaction():
        copy = insert_job(newer.journal, given)
    assert copy.record == replace(given, number=given.number + 1, turn=given.number + 1)
    assert find_job(newer.journal, "last").id == find_job(newer.journal, "copy").id == copy.id


def test_two_jobs_of_one_second_never_share_an_id(jobs: tuple[Job, Job]) -> None:
    _, newer = jobs
    with newer.journal.transaction():
        copies = [insert_job(newer.journal, newer.record) for _ in range(3)]
    assert len({newer.id, *(copy.id for copy in copies)}) == 4
    assert {copy.id[:15] for copy in copies} == {newer.id[:15]}


def test_what_is_said_of_a_job_is_read_from_the_journal(jobs: tuple[Job, Job]) -> None:
    job, other = jobs
    before = job.record
    with job.journal.transaction():
        job.set_approved("Ana", dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
        job.go_on()
    approved = job.record
    assert (approved.state, approved.finished) == (JobState.RUNNING, None)
    assert approved.approved == Approval("Ana", "2026-03-01T00:00:00.000000+00:00")
    assert approved.turn > other.record.turn  # what is approved later writes later
    assert superseding(job.journal, other.record) == job.id
    with job.journal.transaction():
        job.withdraw(before)
    assert job.record == replace(before, planned=False)
    assert superseding(job.journal, other.record) is None
    assert superseding(job.journal, job.record) == other.id


@pytest.mark.parametrize(
    ("undo", "state"),
    [
        (JobState.COMPLETED, JobState.UNDONE),
        (JobState.COMPLETED_WITH_ERRORS, JobState.PARTIALLY_UNDONE),
        (JobState.INTERRUPTED, JobState.COMPLETED),
    ],
)
def test_how_far_a_job_is_taken_back(jobs: tuple[Job, Job], undo: JobState, state: JobState) -> None:
    job, _ = jobs
    with job.journal.transaction():
        job.set_undone(by=undo)
    assert job.record.state is state


def test_an_outcome_is_the_same_whether_it_was_kept_or_is_counted(jobs: tuple[Job, Job]) -> None:
    job, _ = jobs
    kept = job.outcome
    with job.journal.transaction():
        job.go_on()
    assert job.outcome == kept
    assert job.outcome.rows.created == 1
    assert sum(asdict(job.outcome_of_row(2)).values()) == 0


def test_a_job_that_was_forgotten_meanwhile(jobs: tuple[Job, Job]) -> None:
    job, other = jobs
    with job.journal.transaction():
        job.discard()
    with pytest.raises(UsageError, match="there is no job"):
        _ = job.record
    assert [record.id for record in read_jobs(job.journal)] == [other.id]
    assert last_applied(job.journal, "a-plan") is None


def test_looking_at_a_job_opens_nothing_for_writing(work: Work) -> None:
    work.run(work.pipeline(), work.sheet(user("ana")))
    job = open_job(work.state, "acme", "last", look=True)
    with closing(job.journal), pytest.raises(StateError):
        job.set_state(JobState.FAILED)
