"""`jobs approve`: a job that a limit has stopped goes on, if it is still the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from musterroll import CreateUser, engine
from musterroll.errors import BackendError, RefusedError, StalePlanError
from musterroll.journal.job import Approval, JobState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome
from musterroll.reports.summaries import JobSummary
from support.faults import Fault, on
from support.pipelines import DIRECTORY, Told, Work, addressed, told, user
from support.processes import start, wait_for

LIMITED = "[limits]\ncreate = 1"


def approve(pipeline: Pipeline, job: str = "last", **options: object) -> Told:
    return told(engine.approve(pipeline, job, by="ana", **options))  # type: ignore[arg-type]


def stopped(work: Work) -> Pipeline:
    """A job of three new users, which exceeds a limit of one."""
    pipeline = work.pipeline(tables=LIMITED)
    done = work.run(pipeline, work.sheet(addressed("bo"), addressed("cy", groups="A|B"), user("dee")))
    assert (done.outcome, done.state) == (Outcome.REFUSED, JobState.QUARANTINED)
    return pipeline


def last(pipeline: Pipeline) -> JobSummary:
    return engine.list_jobs(pipeline)[0]


def test_exactly_the_stored_plan_is_carried_out_under_its_own_id(work: Work) -> None:
    pipeline = stopped(work)
    before = told(engine.show_job(pipeline, "last"))
    assert before.job is not None
    done = approve(pipeline)
    assert (done.outcome, done.state, done.rows) == (Outcome.OK, JobState.COMPLETED, {"created": 3})
    assert done.planned_changes == before.planned_changes
    assert done.job is not None
    assert done.job.id == before.job.id
    assert work.portal.groups_of("cy") == {"A|B"}
    assert work.post.invited() == ["bo", "cy"]
    assert [job.id for job in engine.list_jobs(pipeline)] == [before.job.id]
    assert done.job.approved is not None
    assert done.job.approved.by == "ana"
    assert done.job.approved.at > done.job.started
    # Nothing is left to do, and nothing to approve.
    handed = len(work.portal.handed)
    assert work.resume(pipeline).outcome is Outcome.OK
    with pytest.raises(RefusedError, match="approved by ana already and is completed"):
        approve(pipeline)
    assert len(work.portal.handed) == handed


def _sheet(work: Work, pipeline: Pipeline) -> Pipeline:
    work.sheet(addressed("bo"), addressed("cy", groups="A|B"), user("eve"))
    return pipeline


def _settings(work: Work, pipeline: Pipeline) -> Pipeline:
    return work.pipeline(tables="[limits]\ncreate = 2")


def _plugin(work: Work, pipeline: Pipeline) -> Pipeline:
    with (work.folder / "faults.py").open("a") as file:
        file.write("# changed\n")
    return work.pipeline(tables=LIMITED)


def _portal(work: Work, pipeline: Pipeline) -> Pipeline:
    work.portal.add("cy")
    return pipeline


def _another_portal(work: Work, pipeline: Pipeline) -> Pipeline:
    work.portal.store.name = "another"
    return pipeline


@pytest.mark.parametrize("change", [_sheet, _settings, _plugin, _portal, _another_portal])
def test_no_other_plan_is_let_through(work: Work, change: Callable[[Work, Pipeline], Pipeline]) -> None:
    pipeline = stopped(work)
    changed = change(work, pipeline)
    writes = work.portal.store.writes
    with pytest.raises(StalePlanError) as error:
        approve(changed)
    assert "run the sheet again" in error.value.message
    assert (work.portal.store.writes, work.portal.handed, work.post.invited()) == (writes, [], [])
    assert (last(pipeline).state, last(pipeline).approved) == (JobState.QUARANTINED, None)


def test_what_does_not_wait_for_an_approval_is_refused(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana")))
    with pytest.raises(RefusedError, match="completed; only one that a limit has stopped"):
        approve(pipeline)


def test_a_job_that_waits_for_an_approval_is_not_just_resumed(work: Work) -> None:
    pipeline = stopped(work)
    with pytest.raises(RefusedError, match=f"jobs approve {last(pipeline).id}"):
        work.resume(pipeline)
    assert work.portal.handed == []


def test_what_is_declined_after_all_waits_on(work: Work) -> None:
    pipeline = stopped(work)
    before = last(pipeline)
    with pytest.raises(RefusedError, match="declined"):
        approve(pipeline, confirm=lambda summary: False)
    after = last(pipeline)
    assert (after.state, after.approved, after.error) == (JobState.QUARANTINED, None, before.error)
    assert (after.finished, after.counts) == (before.finished, before.counts)


def test_a_portal_that_cannot_be_written_to_leaves_it_waiting(work: Work) -> None:
    pipeline = stopped(work)
    work.portal.refuses_to_start = True
    for _ in range(2):
        with pytest.raises(BackendError):
            approve(pipeline)
        assert (last(pipeline).state, last(pipeline).approved) == (JobState.QUARANTINED, None)
    work.portal.refuses_to_start = False
    assert approve(pipeline).rows == {"created": 3}


def test_what_fails_on_the_way_is_resumed_and_stays_approved(work: Work) -> None:
    pipeline = stopped(work)
    work.portal.fault = on(CreateUser, Fault.UNAVAILABLE, username="cy")
    assert approve(pipeline).state is JobState.PAUSED
    work.portal.fault = lambda op: None
    done = work.resume(pipeline)
    assert (done.state, done.rows) == (JobState.COMPLETED, {"created": 3})
    assert done.job is not None
    assert isinstance(done.job.approved, Approval)


def test_what_was_approved_later_wrote_later(work: Work) -> None:
    pipeline = stopped(work)
    waiting = last(pipeline).id
    work.portal.fault = on(CreateUser, Fault.FAILED)
    work.run(pipeline, work.sheet(user("zoe"), name="other.csv"))
    other = last(pipeline).id
    assert other != waiting
    work.portal.fault = on(CreateUser, Fault.UNAVAILABLE, username="dee")
    assert approve(pipeline, waiting).state is JobState.PAUSED
    work.portal.fault = lambda op: None
    # The job that began later is the one that is out of date by now.
    with pytest.raises(RefusedError, match=f"later job {waiting}"):
        work.resume(pipeline, other)
    assert work.resume(pipeline, waiting).rows == {"created": 3}


def test_killed_before_it_wrote_it_is_stopped_again(work: Work) -> None:
    pipeline = work.pipeline(tables=LIMITED, backend=DIRECTORY)
    work.run(pipeline, work.sheet(user("ana"), user("bo")))
    code = f"""
from support.pipelines import DIRECTORY, Work
from musterroll import engine

def confirm(summary):
    print("asking", flush=True)
    sys.stdin.read()

pipeline = Work(folder, id={work.id!r}).pipeline(tables={LIMITED!r}, backend=DIRECTORY)
engine.approve(pipeline, "last", by="bo", confirm=confirm)
"""
    with start(code, work.folder) as other:
        wait_for(other, "asking")
        with pytest.raises(RefusedError, match="another musterroll"):
            approve(pipeline)
        other.kill()
        other.wait()
    assert work.resume(pipeline).state is JobState.QUARANTINED
    assert not (work.folder / "users.db").exists()
    assert approve(pipeline).rows == {"created": 2}
