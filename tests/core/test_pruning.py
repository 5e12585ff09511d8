"""`jobs prune`: what may be forgotten, and what never."""

from __future__ import annotations

import pytest

from musterroll import CreateUser, SentStatus, engine
from musterroll.errors import PipelineError, RefusedError, UsageError
from musterroll.journal.job import JobState
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from support.faults import Fault, on
from support.pipelines import Work, addressed, told, user
from support.processes import start, wait_for


def ids(pipeline: Pipeline) -> list[str]:
    """The jobs, newest first."""
    return [job.id for job in engine.list_jobs(pipeline)]


def invites(pipeline: Pipeline) -> dict[str, tuple[str, str | None]]:
    found = engine.list_invites(pipeline)
    try:
        return {line.username: (line.state.value, line.reason) for line in found.invites}
    finally:
        found.close()


def test_the_last_import_stays_and_the_ledger_whole(work: Work) -> None:
    work.portal.add("old", forename="Old")
    work.post.status = lambda message: (
        SentStatus.UNKNOWN if message.recipient and message.recipient.username == "bo" else SentStatus.SENT
    )
    pipeline = work.pipeline('password.on_existing = "reset"')
    first = work.sheet(addressed("ana"), addressed("bo"), user("cy"), user("old"), name="first.csv")
    work.run(pipeline, first)
    work.run(pipeline, work.sheet(addressed("ana")))
    work.run(pipeline, work.sheet(addressed("ana")))
    before, (last, *earlier) = invites(pipeline), ids(pipeline)
    pruned = engine.prune(pipeline)
    assert list(pruned.jobs) == earlier
    assert ids(pipeline) == [last]
    assert (
        invites(pipeline)
        == before
        == {
            "ana": ("sent", None),
            "bo": ("held", "the post office said no"),
            "cy": ("never", "no address or number that a notifier can use"),
            "old": ("never", "not new"),
        }
    )
    with pytest.raises(UsageError, match="no job"):
        engine.show_job(pipeline, earlier[0])
    # Whom it created, whom it invited and whose password it reset is known as before.
    assert work.run(pipeline, first).reasons == {
        3: "already invited",
        4: "the last invite is held",
        5: "no address or number that a notifier can use",
        6: "not new",
    }
    assert work.run(pipeline, first).rows == {"unchanged": 4}
    work.post.status = lambda message: SentStatus.SENT
    told(engine.release_invites(pipeline, ["bo"]))
    assert invites(pipeline)["bo"] == ("sent", None)
    assert len({message.id for message in work.post.sent if message.recipient and message.recipient.ref}) == 2


def test_by_number_and_age(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"))
    for _ in range(5):
        work.run(pipeline, sheet)
        work.clock.pass_days(10)
    jobs = ids(pipeline)
    asked: list[int] = []

    def decline(count: int) -> bool:
        asked.append(count)
        return False

    with pytest.raises(RefusedError, match="declined"):
        engine.prune(pipeline, keep=2, confirm=decline)
    assert (asked, ids(pipeline)) == ([3], jobs)
    assert list(engine.prune(pipeline, older_than=35).jobs) == jobs[3:]
    assert list(engine.prune(pipeline, keep=2).jobs) == jobs[2:3]
    assert engine.prune(pipeline, keep=2).jobs == ()
    assert list(engine.prune(pipeline).jobs) == jobs[1:2]


def test_what_can_go_on_and_what_keeps_it_from_going_on_stay(work: Work) -> None:
    pipeline = work.pipeline()
    work.portal.fault = on(CreateUser, Fault.UNAVAILABLE, username="bo", times=1)
    paused = work.run(pipeline, work.sheet(addressed("ana"), addressed("bo")))
    assert paused.state is JobState.PAUSED
    work.run(work.pipeline("[limits]\ncreate = 0"), work.sheet(addressed("dee"), name="dee.csv"))  # quarantined
    quarantined, first = ids(pipeline)
    assert engine.prune(pipeline).jobs == ()
    assert work.resume(pipeline, first).rows == {"created": 2}
    assert engine.prune(pipeline).jobs == ()

    work.portal.fault = on(CreateUser, Fault.FAILED, times=1)
    work.run(pipeline, work.sheet(addressed("eve"), name="eve.csv"))
    failed = ids(pipeline)[0]
    assert list(engine.prune(pipeline).jobs) == [first]
    assert ids(pipeline) == [failed, quarantined]
    # A later job keeps it from going on; then it may go, and as long as it is there the later one may not.
    work.run(pipeline, work.sheet(addressed("eve"), name="eve.csv"))
    later = ids(pipeline)[0]
    work.run(pipeline, work.sheet(user("gus", email="nonsense")))
    aborted = ids(pipeline)[0]
    assert list(engine.prune(pipeline).jobs) == [aborted, failed]
    assert ids(pipeline) == [later, quarantined]


def test_an_earlier_job_does_not_come_alive_because_a_later_one_is_forgotten(work: Work) -> None:
    pipeline = work.pipeline(tables='[invites]\nsend_to = "none"')
    work.run(pipeline, work.sheet(addressed("ana")))
    work.portal.fault = on(CreateUser, Fault.UNKNOWN, username="bo")
    work.portal.doubt = lambda op: True
    work.run(pipeline, work.sheet(addressed("bo"), name="bo.csv"))
    doubtful = ids(pipeline)[0]
    work.portal.fault = lambda op: None
    work.run(pipeline, work.sheet(addressed("cy"), name="cy.csv"))
    told(engine.undo(pipeline, "last"))
    assert work.run(work.pipeline(), work.sheet(user("dee", email="nonsense"), name="dee.csv")).state == "aborted"
    engine.prune(pipeline)
    # Nobody knows yet whether it created its user, so it is not forgotten; and it cannot go on.
    assert doubtful in ids(pipeline)
    with pytest.raises(RefusedError, match="later job"):
        engine.resume(pipeline, doubtful)


def test_nothing_is_forgotten_while_a_job_is_running(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"))
    work.run(pipeline, sheet)
    work.run(pipeline, sheet)
    code = """
from musterroll.journal.journal import Journal
with Journal.open(folder / ".musterroll", "acme").lock():
    print("locked", flush=True)
    sys.stdin.read()
"""
    with start(code, work.folder) as other:
        wait_for(other, "locked")
        with pytest.raises(RefusedError, match="another musterroll"):
            engine.prune(pipeline)
        other.kill()


def test_the_file_shrinks(work: Work) -> None:
    pipeline = work.pipeline(tables='[invites]\nsend_to = "none"')
    work.run(pipeline, work.sheet(*(addressed(f"user{number}") for number in range(2000))))
    small = work.sheet(addressed("user1"))
    work.run(pipeline, small)
    size = work.journal.stat().st_size
    pruned = engine.prune(pipeline)
    assert len(pruned.jobs) == 1
    assert pruned.freed > size / 3
    assert work.journal.stat().st_size < size * 2 / 3


def test_somebody_who_looks_is_not_disturbed(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(*(addressed(f"user{number}") for number in range(300)))
    work.run(pipeline, sheet)
    work.run(pipeline, sheet)
    with engine.show_job(pipeline, ids(pipeline)[1]) as report:
        assert report.changes is not None
        changes = iter(report.changes())
        next(changes)
        assert len(engine.prune(pipeline).jobs) == 1
        assert sum(1 for _ in changes) == 299


def test_without_any_job(work: Work) -> None:
    assert engine.prune(work.pipeline()) == engine.Pruned((), 0)
    assert not work.state.exists()


def _bad_nights(work: Work, nights: int) -> Pipeline:
    pipeline = work.pipeline('on_error = "skip"', '[keep]\njobs = "12w"')
    sheet = work.sheet(addressed("ana"), user("bo", email="nonsense"))
    for _ in range(nights):
        assert work.run(pipeline, sheet).outcome == "problems"
        work.clock.pass_days(1)
    return pipeline


def test_a_pipeline_that_says_so_forgets_by_itself(work: Work) -> None:
    pipeline = work.pipeline(tables='[keep]\njobs = "12w"')
    sheet = work.sheet(addressed("ana"))
    for _ in range(3):
        work.run(pipeline, sheet)
        work.clock.pass_days(40)
    assert len(ids(pipeline)) == 3
    work.run(pipeline, sheet)
    assert len(ids(pipeline)) == 3  # the first has ended 120 days ago, the second 80
    assert invites(pipeline)["ana"][0] == "expired"


@pytest.mark.parametrize("text", ["90", "0d", "-1d", "3 months", "d", "1.5w"])
def test_what_is_no_duration(work: Work, text: str) -> None:
    with pytest.raises(PipelineError, match=r"keep\.jobs: .*90d"):
        work.pipeline(tables=f'[keep]\njobs = "{text}"')


def test_rejected_rows_that_say_the_same_are_not_written_anew(work: Work) -> None:
    pipeline = _bad_nights(work, 3)
    assert [file.name for file in work.folder.glob("*rejected*")] == ["staff.rejected.csv"]
    file = str(work.folder / "staff.rejected.csv")
    assert [job.rejected_file for job in engine.list_jobs(pipeline)] == [file] * 3
    # Something else is wrong now, or somebody is at work with the file: a new one.
    other = work.sheet(addressed("ana"), user("bo", email="other nonsense"))
    work.run(pipeline, other)
    (work.folder / "staff.rejected-2.csv").write_text("corrected", encoding="utf-8")
    work.run(pipeline, other)
    names = {file.name for file in work.folder.glob("*rejected*")}
    assert names == {"staff.rejected.csv", "staff.rejected-2.csv", "staff.rejected-3.csv"}
    assert (work.folder / "staff.rejected-2.csv").read_text(encoding="utf-8") == "corrected"


def test_a_job_that_comes_to_nothing_leaves_the_file_of_an_earlier_one(work: Work) -> None:
    pipeline = _bad_nights(work, 1)
    sheet = work.sheet(addressed("ana"), user("bo", email="nonsense"), addressed("cy"))
    with pytest.raises(RefusedError, match="declined"):
        work.run(pipeline, sheet, confirm=lambda summary: False)
    work.portal.fault = on(CreateUser, Fault.UNAVAILABLE)
    work.run(pipeline, sheet)
    assert [file.name for file in work.folder.glob("*rejected*")] == ["staff.rejected.csv"]


def test_rejected_files_and_the_outbox_are_pruned_with_their_jobs(work: Work) -> None:
    out = '[[notifiers]]\nname = "box"\nuse = "outbox"\noptions = { folder = "out" }'
    work.post.reaches = lambda user: False
    pipeline = work.pipeline('on_error = "skip"\n', out)
    work.run(pipeline, work.sheet(addressed("ana"), user("bo", email="nonsense"), name="one.csv"))
    work.run(pipeline, work.sheet(addressed("cy"), user("bo", email="nonsense, too"), name="two.csv"))
    work.run(pipeline, work.sheet(addressed("dee"), user("bo", email="nonsense, three"), name="three.csv"))
    (work.folder / "two.rejected.csv").write_text("somebody is at work", encoding="utf-8")
    assert len(list((work.folder / "out").glob("*.eml"))) == 3
    assert len(engine.prune(pipeline).jobs) == 2
    assert {file.name for file in work.folder.glob("*rejected*")} == {"two.rejected.csv", "three.rejected.csv"}
    (left,) = (work.folder / "out").glob("*.eml")
    assert left.name.startswith(ids(pipeline)[0])


def test_rejected_files_are_pruned_in_a_folder_that_was_moved(work: Work) -> None:
    pipeline = work.pipeline('on_error = "skip"\n')
    for name in ("one", "two", "three"):
        work.run(pipeline, work.sheet(addressed(name), user("bo", email=f"nonsense {name}"), name=f"{name}.csv"))
    (work.folder / "two.rejected.csv").write_text("somebody is at work", encoding="utf-8")
    moved = work.folder.rename(work.folder.with_name(f"{work.folder.name}-moved"))
    assert len(engine.prune(load_pipeline(moved / "acme.toml")).jobs) == 2
    assert {file.name for file in moved.glob("*rejected*")} == {"two.rejected.csv", "three.rejected.csv"}
