"""Jobs: their history, and which of them can go on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from musterroll import CreateUser, engine
from musterroll.errors import BackendError, RefusedError, UsageError
from musterroll.journal.job import JobState
from musterroll.reports.report import Outcome
from support.faults import Fault, on
from support.pipelines import DIRECTORY, Work, addressed, told, user
from support.processes import start, wait_for

# The process dies without a word at the answer of that number: it and some more are written by the portal already.
CRASH = """
from itertools import count
from support.pipelines import Work
from musterroll import engine
from musterroll_plugins.backends.directory.backend import DirectoryBackend

answers = count(1)
def execute(self, ops, do=DirectoryBackend.execute):
    for result in do(self, ops):
        if next(answers) == {deadly}:
            os._exit(9)
        yield result

DirectoryBackend.execute = execute
engine.run(Work(folder).pipeline(backend={backend!r}), folder / "staff.csv")
"""


def test_listed_newest_first_and_shown(work: Work) -> None:
    pipeline = work.pipeline()
    assert engine.list_jobs(pipeline) == []
    first = work.run(pipeline, work.sheet(user("ana")))
    second = work.run(pipeline, work.sheet(user("bo", email="nonsense")))
    assert first.job is not None
    assert second.job is not None
    listed = engine.list_jobs(pipeline)
    assert [job.id for job in listed] == [second.job.id, first.job.id]
    assert [job.state for job in listed] == [JobState.ABORTED, JobState.COMPLETED]
    assert [job.counts.rows for job in listed] == [1, 1]
    assert Path(listed[0].sheet).is_absolute()
    shown = told(engine.show_job(pipeline, first.job.id))
    assert (shown.outcome, shown.rows, shown.changes) == (Outcome.OK, first.rows, first.changes)
    # The values of cells are not kept.
    shown = told(engine.show_job(pipeline, "last"))
    assert shown.codes == second.codes
    assert [problem.value for problem in shown.problems] == [None]


def test_named_by_a_part_of_the_id(work: Work) -> None:
    pipeline = work.pipeline()
    ids = []
    for name in ("ana", "bo"):
        done = work.run(pipeline, work.sheet(user(name)))
        assert done.job is not None
        ids.append(done.job.id)
    assert re.fullmatch(r"\d{8}-\d{6}-[a-z2-9]{4}", ids[0])
    shown = told(engine.show_job(pipeline, ids[0].rpartition("-")[2]))
    assert shown.job is not None
    assert shown.job.id == ids[0]
    with pytest.raises(UsageError, match="may be any of"):
        engine.show_job(pipeline, "2026")
    with pytest.raises(UsageError, match="no job"):
        engine.show_job(pipeline, "nonsense")


def test_an_empty_id_is_no_job_even_where_there_is_one_only(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana")))
    with pytest.raises(UsageError, match="no job"):
        work.undo(pipeline, "")
    assert work.undo(pipeline).state is JobState.COMPLETED  # nothing was taken back before


def test_without_any_job(work: Work) -> None:
    pipeline = work.pipeline()
    for command in (engine.show_job, engine.resume):
        with pytest.raises(UsageError, match="no jobs here"):
            command(pipeline, "last")
    assert not work.state.exists()


def test_what_is_completed_has_nothing_left(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(addressed("ana")))
    handed = len(work.portal.handed)
    again = work.resume(pipeline)
    assert (again.outcome, again.rows) == (Outcome.OK, {"created": 1})
    assert len(work.portal.handed) == handed
    assert work.post.invited() == ["ana"]


def test_what_was_aborted_cannot_go_on(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana", email="nonsense")))
    with pytest.raises(RefusedError, match="aborted"):
        engine.resume(pipeline, "last")


def test_what_is_superseded_cannot_go_on(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.FAILED, username="bo")
    pipeline = work.pipeline()
    first = work.run(pipeline, work.sheet(user("ana"), user("bo")))
    assert first.job is not None
    work.portal.fault = lambda op: None
    work.run(pipeline, work.sheet(user("bo"), name="other.csv"))
    with pytest.raises(RefusedError) as refused:
        engine.resume(pipeline, first.job.id)
    assert refused.value.code == "job.superseded"


def test_a_changed_sheet_is_refused_and_the_job_stays_as_it_is(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.UNAVAILABLE, username="bo")
    pipeline = work.pipeline()
    sheet = work.sheet(user("ana"), user("bo"))
    right = sheet.read_bytes()
    work.run(pipeline, sheet)
    work.portal.fault = lambda op: None
    work.sheet(user("ana"), user("eve"))
    with pytest.raises(RefusedError) as refused:
        engine.resume(pipeline, "last")
    assert refused.value.code == "source.changed"
    assert [job.state for job in engine.list_jobs(pipeline)] == [JobState.PAUSED]
    # The right one may have been moved.
    moved = work.folder / "moved.csv"
    moved.write_bytes(right)
    assert work.resume(pipeline, sheet=moved).rows == {"created": 2}
    assert work.portal.names() == ["ana", "bo"]


def test_the_sheet_is_not_needed_where_no_password_is(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.UNAVAILABLE, username="bo")
    tables = """
        [password]
        required = "never"
    """
    pipeline = work.pipeline(tables=tables)
    sheet = work.sheet(user("ana", password=""), user("bo", password=""))
    work.run(pipeline, sheet)
    work.portal.fault = lambda op: None
    sheet.unlink()
    assert work.resume(pipeline).rows == {"created": 2}


def test_a_sheet_that_changes_while_it_is_imported(work: Work) -> None:
    names = [f"user{number}x" for number in range(100)]
    sheet = work.sheet(*map(user, names))

    def confirm(_: object) -> bool:
        work.sheet(*map(user, reversed(names)))
        return True

    with pytest.raises(RefusedError) as refused:
        engine.run(work.pipeline(), sheet, confirm=confirm)
    assert refused.value.code == "source.changed"
    assert work.portal.names() == []


def test_a_declined_question_leaves_nothing(work: Work) -> None:
    asked: list[object] = []
    pipeline = work.pipeline()

    def confirm(summary: engine.PlanSummary) -> bool:
        asked.append((summary.actions, summary.groups, summary.memberships, summary.invites))
        return False

    with pytest.raises(RefusedError, match="declined"):
        engine.run(pipeline, work.sheet(addressed("ana", groups="A|B")), confirm=confirm)
    assert asked == [({"create": 1}, 2, 1, 1)]
    assert work.portal.handed == []
    assert engine.list_jobs(pipeline) == []


def test_nothing_is_asked_where_there_is_nothing_to_do(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"))
    work.run(pipeline, sheet)
    assert work.run(pipeline, sheet, confirm=lambda summary: False).rows == {"unchanged": 1}


def test_cut_off_while_planning(work: Work) -> None:
    """The plan is made anew, under the same id; what the portal is by then counts."""
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"), addressed("bo"))
    _cut_off_while_planning(work)
    (job,) = engine.list_jobs(pipeline)
    assert job.state is JobState.INTERRUPTED
    work.portal.add("bo", forename="Bo")
    work.portal.refuses_to_start = True
    for _ in range(2):  # a portal that is down makes it no worse
        with pytest.raises(BackendError):
            engine.resume(pipeline, job.id)
        assert [(job.id, job.state) for job in engine.list_jobs(pipeline)] == [(job.id, JobState.INTERRUPTED)]
    work.portal.refuses_to_start = False
    done = work.resume(pipeline, job.id)
    assert done.rows == {"created": 1, "updated": 1}
    assert done.job is not None
    assert done.job.id == job.id
    assert work.portal.names() == ["ana", "bo"]

    work.sheet(addressed("eve"))
    _cut_off_while_planning(work)
    sheet.write_text("another", encoding="utf-8")
    with pytest.raises(RefusedError, match="has changed"):
        engine.resume(pipeline, "last")


def test_a_job_that_is_planned_anew_is_the_latest(work: Work) -> None:
    pipeline = work.pipeline()
    work.sheet(addressed("ana"))
    _cut_off_while_planning(work)
    old = engine.list_jobs(pipeline)[0].id
    work.portal.fault = on(CreateUser, Fault.FAILED)
    failed = work.run(pipeline, work.sheet(user("bo"), name="other.csv"))
    assert failed.job is not None
    assert work.resume(pipeline, old).rows == {"failed": 1}
    work.portal.fault = lambda op: None
    with pytest.raises(RefusedError) as refused:
        engine.resume(pipeline, failed.job.id)
    assert refused.value.code == "job.superseded"
    assert work.resume(pipeline, old).rows == {"created": 1}


@pytest.mark.parametrize("deadly", [1, 70, 100])
def test_killed_while_writing(work: Work, deadly: int) -> None:
    """Resumed: every user once, everybody invited once, and nobody is thought to have been there before."""
    names = [f"user{number}x" for number in range(150)]
    sheet = work.sheet(*(addressed(name, groups=f"G{number % 3}") for number, name in enumerate(names)))
    _kill(work, deadly)
    pipeline = work.pipeline(backend=DIRECTORY)
    assert [job.state for job in engine.list_jobs(pipeline)] == [JobState.INTERRUPTED]
    done = work.resume(pipeline)
    assert done.outcome is Outcome.OK
    assert done.rows == {"created": 150}
    assert done.invites == {"sent": 150}
    assert sorted(work.post.invited()) == sorted(names)
    assert work.run(pipeline, sheet).rows == {"unchanged": 150}


def test_killed_and_run_again(work: Work) -> None:
    """The users that the dead job created count as created by this pipeline, so they are invited."""
    names = [f"user{number}x" for number in range(20)]
    sheet = work.sheet(*map(addressed, names))
    _kill(work, deadly=5)
    work.clock.pass_days(1)
    pipeline = work.pipeline(backend=DIRECTORY)
    done = work.run(pipeline, sheet)
    assert done.outcome is Outcome.OK
    assert done.invites == {"sent": 20}
    assert sorted(work.post.invited()) == sorted(names)
    with pytest.raises(RefusedError, match="later job"):
        engine.resume(pipeline, engine.list_jobs(pipeline)[1].id)


def test_an_invite_that_was_cut_off_is_held(work: Work) -> None:
    work.sheet(addressed("ana"), addressed("bo"))
    code = """
from support.pipelines import Work
from musterroll import engine
work = Work(folder)
work.post.status = lambda message: os._exit(9)
engine.run(work.pipeline(backend={backend!r}), folder / "staff.csv")
"""
    with start(code.format(backend=DIRECTORY), work.folder) as other:
        assert other.wait() == 9
    pipeline = work.pipeline(backend=DIRECTORY)
    done = work.resume(pipeline)
    assert done.outcome is Outcome.FAILED
    # Both had been noted; nobody knows how far the notifier came.
    assert done.invites == {"held": 2}
    assert work.post.invited() == []
    assert {failure.status for failure in done.failures} == {"held"}


def test_two_at_once(work: Work) -> None:
    sheet = work.sheet(addressed("ana"))
    code = """
from musterroll.journal.journal import Journal
with Journal.open(folder / ".musterroll", "acme").lock():
    print("locked", flush=True)
    sys.stdin.read()
"""
    pipeline = work.pipeline()
    with start(code, work.folder) as other:
        wait_for(other, "locked")
        with pytest.raises(RefusedError) as refused:
            engine.run(pipeline, sheet)
        assert refused.value.code == "state.locked"
        assert work.plan(pipeline, sheet).outcome is Outcome.OK  # looking is free
        other.kill()
        other.wait()
    assert work.run(pipeline, sheet).rows == {"created": 1}


def _kill(work: Work, deadly: int) -> None:
    with start(CRASH.format(deadly=deadly, backend=DIRECTORY), work.folder) as other:
        assert other.wait() == 9


def _cut_off_while_planning(work: Work) -> None:
    code = """
from support.pipelines import Work
from support.faults import FaultyBackend
from musterroll import engine
FaultyBackend.groups = lambda self: os._exit(9)
work = Work(folder, id={id!r})
work.portal.store.name = {store!r}
work.clock.now = __import__("datetime").datetime.fromisoformat({now!r})
engine.run(work.pipeline(), folder / "staff.csv")
"""
    text = code.format(id=work.id, store=work.portal.store.name, now=str(work.clock.now))
    with start(text, work.folder) as other:
        assert other.wait() == 9
