"""Whoever wants to know how an import ended hears of every end, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from musterroll import CreateUser, engine
from musterroll.contract.messages import Message, Purpose, SentStatus
from musterroll.errors import JobInterrupted, MusterrollError, NotifierError, RefusedError
from musterroll.journal.job import JobState
from musterroll.reports.report import Outcome
from support.faults import Fault, no_post, on
from support.pipelines import Work, addressed, told, user


def ends(work: Work) -> list[Message]:
    """The messages about how a command ended, so far."""
    return [message for message in work.post.sent if message.purpose is Purpose.FINISHED]


def the_end(work: Work) -> dict[str, str]:
    (message,) = ends(work)
    return dict(message.values)


def test_a_completed_run_says_what_became_of_the_rows_and_how_long_it_took(work: Work) -> None:
    work.run(work.pipeline(), work.sheet(addressed("bo"), user("cy")))
    end = the_end(work)
    assert (end["state"], end["outcome"], end["command"], end["reason"]) == ("completed", "ok", "run", "")
    assert (end["rows"], end["created"], end["sent"], end["held"], end["not_read"]) == ("2", "2", "1", "0", "0")
    assert end["duration"] == "0:00:00"
    assert end["job"]


def test_a_bad_sheet(work: Work) -> None:
    work.run(work.pipeline(), work.sheet(user("bo", email="no address")))
    end = the_end(work)
    assert (end["state"], end["outcome"], end["errors"], end["rejected"]) == ("aborted", "problems", "1", "1")
    assert "correct the sheet" in end["next_step"]


def test_an_empty_sheet(work: Work) -> None:
    work.run(work.pipeline(), work.sheet())
    assert (the_end(work)["state"], the_end(work)["errors"]) == ("aborted", "1")


def test_a_missing_sheet(work: Work) -> None:
    with pytest.raises(MusterrollError):
        engine.run(work.pipeline(), work.folder / "away.csv")
    end = the_end(work)
    assert (end["state"], end["outcome"]) == ("error", "error")
    assert end["sheet"].endswith("away.csv")
    assert "does not exist" in end["reason"]


def test_a_limit_comes_with_the_line_that_lets_it_through(work: Work) -> None:
    pipeline = work.pipeline(tables="[limits]\ncreate = 1")
    job = work.run(pipeline, work.sheet(user("bo"), user("cy"))).job
    end = the_end(work)
    assert job is not None
    assert (end["state"], end["outcome"]) == ("quarantined", "refused")
    assert f"musterroll jobs approve {job.id} -p {pipeline.file}" in end["next_step"]
    assert "create" in end["reason"]
    told(engine.approve(pipeline, "last", by="ana"))
    assert [(m.values["command"], m.values["state"]) for m in ends(work)[1:]] == [("jobs approve", "completed")]


def test_a_portal_that_is_down_before_and_after_the_first_write(work: Work) -> None:
    pipeline = work.pipeline()
    work.portal.fault = on(CreateUser, Fault.UNAVAILABLE)
    work.run(pipeline, work.sheet(user("bo")))
    end = the_end(work)
    assert (end["state"], end["outcome"]) == ("paused", "failed")
    assert f"musterroll jobs resume {end['job']}" in end["next_step"]
    work.portal.fault = lambda op: None
    work.resume(pipeline)
    first, second = ends(work)
    assert (second.values["command"], second.values["state"]) == ("jobs resume", "completed")
    assert first.id != second.id  # the same id would be taken for the same message


def test_a_job_of_which_nothing_is_left_is_not_told_of_again(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("bo")))
    with engine.resume(pipeline, "last") as report:
        assert report.nothing_left
    assert len(ends(work)) == 1


def test_an_interruption(work: Work) -> None:
    pipeline = work.pipeline()
    pipeline.cancelled.set()
    with pytest.raises(KeyboardInterrupt):
        engine.run(pipeline, work.sheet(user("bo")))
    assert (the_end(work)["state"], the_end(work)["outcome"]) == ("interrupted", "interrupted")


def test_a_second_interruption_says_how_to_go_on(work: Work) -> None:
    pipeline = work.pipeline()

    def twice(op: object) -> Fault | None:
        pipeline.cancelled.set()
        raise KeyboardInterrupt

    work.portal.fault = twice
    with pytest.raises(JobInterrupted) as stopped:
        engine.run(pipeline, work.sheet(user("bo")))
    end = the_end(work)
    assert end["job"] == stopped.value.job
    assert f"jobs resume {stopped.value.job}" in end["next_step"]
    pipeline = work.pipeline()
    work.portal.fault = lambda op: None
    assert work.resume(pipeline, stopped.value.job).state is JobState.COMPLETED


def test_nobody_hears_of_a_person_who_declines(work: Work) -> None:
    with pytest.raises(RefusedError):
        engine.run(work.pipeline(), work.sheet(user("bo")), confirm=lambda summary: False)

    def leave(summary: object) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run(work.pipeline(), work.sheet(user("bo")), confirm=leave)
    assert ends(work) == []


@pytest.mark.parametrize("failure", [lambda message: no_post(), lambda message: SentStatus.FAILED])
def test_an_end_that_nobody_hears_of_is_a_failure_but_hides_no_other(
    work: Work, failure: Callable[[Message], SentStatus | Exception | None]
) -> None:
    work.post.status = failure
    done = work.run(work.pipeline(), work.sheet(user("bo")))
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.COMPLETED)
    assert isinstance(done.error, NotifierError)
    with pytest.raises(MusterrollError, match="does not exist"):
        engine.run(work.pipeline(), work.folder / "away.csv")
