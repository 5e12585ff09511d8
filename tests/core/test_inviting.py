"""`invites send` and `invites release`: the ledger at work, without a sheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from musterroll import CreateUser, Message, Purpose, SendInvite, SentStatus, engine
from musterroll.errors import BackendError, RefusedError, UsageError
from musterroll.journal.invites import InviteState
from musterroll.journal.job import JobState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import ListedInvite
from support.faults import Fault, no_post, on
from support.pipelines import DIRECTORY, Clock, Told, Work, addressed, told, user
from support.processes import start

OFF = '[invites]\nsend_to = "none"'
EVERYBODY = '[invites]\nsend_to = "all"'


def lines(report: Report) -> tuple[dict[str, tuple[str, str | None]], Told]:
    """Where the users of a report stand, and why; and the report, closed."""
    assert report.invites is not None
    found = {line.username: (line.state.value, line.reason) for line in report.invites()}
    return found, told(report)


def send(pipeline: Pipeline, *names: str, **options: Any) -> tuple[dict[str, tuple[str, str | None]], Told]:
    return lines(engine.send_invites(pipeline, users=names, **options))


def release(pipeline: Pipeline, *names: str, **options: Any) -> tuple[dict[str, tuple[str, str | None]], Told]:
    return lines(engine.release_invites(pipeline, names, **options))


def ledger(pipeline: Pipeline, state: InviteState | None = None) -> list[ListedInvite]:
    found = engine.list_invites(pipeline, state=state)
    try:
        return list(found.invites)
    finally:
        found.close()


def standing(pipeline: Pipeline) -> dict[str, str]:
    return {line.username: line.state.value for line in ledger(pipeline)}


def answering(**statuses: SentStatus | None) -> Callable[[Message], SentStatus | None]:
    """A post that answers so for these users, and that it has sent to everybody else."""

    def status(message: Message) -> SentStatus | None:
        return statuses.get(message.recipient.username if message.recipient else "", SentStatus.SENT)

    return status


def ids(work: Work, username: str) -> list[str]:
    """The ids of the messages that went to a user."""
    return [one.id for one in work.post.sent if one.recipient is not None and one.recipient.username == username]


def test_the_ledger_tells_where_everybody_stands(work: Work) -> None:
    work.portal.add("old", forename="Old", email="old@example.com")
    work.portal.add("eve", forename="Eve", email="eve@example.com", active=False)
    work.post.status = answering(fay=SentStatus.FAILED, hal=SentStatus.UNKNOWN)
    pipeline = work.pipeline('on_inactive = "update"')
    work.run(pipeline, work.sheet(addressed("Zed"), *map(addressed, ("old", "eve", "ana", "fay", "hal")), user("cy")))
    assert ledger(pipeline) == [
        _line("ana", "sent", "email", 0),
        _line("cy", "never", why="no address or number that a notifier can use"),
        _line("eve", "never", why="inactive"),
        _line("fay", "failed", "email", why="the post office said no"),
        _line("hal", "held", "email", why="the post office said no"),
        _line("old", "never", why="not new"),
        _line("Zed", "sent", "email", 0),
    ]
    assert [line.username for line in ledger(pipeline, InviteState.NEVER)] == ["cy", "eve", "old"]
    work.clock.pass_days(14.1)
    assert standing(pipeline) | {"ana": "expired", "Zed": "expired"} == standing(pipeline)


def _line(name: str, state: str, channel: str | None = None, day: int | None = None, why: str | None = None) -> object:
    times = (None, None) if day is None else ("2026-03-01T10:00:00+00:00", "2026-03-15T10:00:00+00:00")
    return ListedInvite(
        username=name, channel=channel, state=InviteState(state), sent=times[0], expires=times[1], reason=why
    )


def test_the_ledger_is_that_of_the_portal_of_the_pipeline(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.faults import FaultyBackend

    work.run(work.pipeline(), work.sheet(addressed("ana")))
    other = Work(work.folder)
    pipeline = other.pipeline()
    assert ledger(pipeline) == []
    assert send(pipeline)[0] == {}
    other.run(pipeline, work.sheet(addressed("bo")))
    assert list(standing(pipeline)) == ["bo"]

    def unreachable(self: FaultyBackend) -> str:
        raise BackendError("nobody answers")

    monkeypatch.setattr(FaultyBackend, "identity", unreachable)
    found = engine.list_invites(pipeline)
    assert found.unreachable is not None
    assert len(found.identities) == 2  # of both portals, the journal cannot know which is meant
    assert [line.username for line in found.invites] == ["ana", "bo"]
    found.close()


def test_without_any_job_nobody_is_known(work: Work) -> None:
    pipeline = work.pipeline()
    assert ledger(pipeline) == []
    assert send(pipeline)[0] == {}
    assert release(pipeline)[1].outcome is Outcome.OK
    with pytest.raises(UsageError, match="no user"):
        engine.send_invites(pipeline, users=["ana"])
    assert not work.state.exists()


def test_those_are_invited_whom_the_import_did_not_invite(work: Work) -> None:
    work.portal.add("old", forename="Old", email="old@example.com")
    pipeline = work.pipeline(tables=OFF)
    work.run(pipeline, work.sheet(*map(addressed, ("ana", "old")), user("cy")))
    found, done = send(pipeline)
    assert found == {"ana": ("sent", None), "cy": ("never", "no address or number that a notifier can use")}
    assert (done.outcome, done.state, done.rows) == (Outcome.OK, JobState.COMPLETED, {"unchanged": 2})
    assert done.invites == {"sent": 1, "skipped": 1}
    assert work.post.invited() == ["ana"]
    assert [message.purpose for message in work.post.sent].count(Purpose.FINISHED) == 1  # that of the import
    jobs = engine.list_jobs(pipeline)
    assert [(job.kind, job.sheet) for job in jobs] == [("invite", ""), ("run", str(work.folder / "staff.csv"))]

    # Nothing is left to do, and that makes no job; but whoever has an address by now is invited.
    assert send(pipeline)[0] == {"cy": ("never", "no address or number that a notifier can use")}
    assert len(engine.list_jobs(pipeline)) == 2
    work.portal.user("cy").fields["email"] = "cy@example.com"
    assert send(pipeline)[0] == {"cy": ("sent", None)}
    assert work.post.sent[-1].recipient is not None
    assert work.post.sent[-1].recipient.email == "cy@example.com"
    # The sheet again: both have been invited.
    assert work.run(work.pipeline(), work.sheet(*map(addressed, ("ana", "cy")))).reasons == {
        3: "already invited",
        4: "already invited",
    }


def test_where_the_pipeline_invites_everybody_those_who_were_there_before_are_meant_too(work: Work) -> None:
    work.portal.add("old", forename="Old")
    pipeline = work.pipeline(tables=EVERYBODY)
    work.run(pipeline, work.sheet(user("old")))
    work.portal.user("old").fields["email"] = "old@example.com"
    assert send(work.pipeline())[0] == {}
    assert send(work.pipeline(), "OLD")[0] == {"old": ("sent", None)}  # who is named is meant
    work.clock.pass_days(15)
    assert send(work.pipeline())[0] == {"old": ("sent", None)}


def test_nobody_gets_a_second_invite_while_one_is_alive_unless_it_is_asked_for(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(addressed("ana"), addressed("bo")))
    work.clock.pass_days(13.9)
    assert send(pipeline)[0] == {}
    assert send(pipeline, "ana")[0] == {"ana": ("sent", "already invited")}
    assert send(pipeline, "ana", resend=True)[0] == {"ana": ("sent", None)}
    work.clock.pass_days(0.2)
    assert send(pipeline)[0] == {"bo": ("sent", None)}  # that of ana has been renewed
    assert work.post.invited() == ["ana", "bo", "ana", "bo"]
    all_ids = [message.id for message in work.post.sent]
    assert len(set(all_ids)) == len(all_ids)


def test_what_failed_is_sent_again_and_what_is_held_is_not(work: Work) -> None:
    work.post.status = answering(ana=SentStatus.FAILED, bo=SentStatus.UNKNOWN)
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(addressed("ana"), addressed("bo")))
    found, done = send(pipeline)
    assert found == {"ana": ("failed", "the post office said no"), "bo": ("held", "the last invite is held")}
    assert (done.outcome, done.state, done.invites) == (
        Outcome.FAILED,
        JobState.COMPLETED_WITH_ERRORS,
        {"failed": 1, "skipped": 1},
    )
    (failure,) = done.failures
    assert (failure.row, failure.username, failure.detail) == (None, "ana", "the post office said no")
    work.post.status = answering()
    assert work.resume(pipeline).invites == {"sent": 1, "skipped": 1}
    assert len(set(ids(work, "ana"))) == 2  # the run's, and that of the job that went on
    assert send(pipeline, "bo", resend=True)[0] == {"bo": ("held", "the last invite is held")}
    assert len(ids(work, "bo")) == 1


def test_people_who_are_not_there_any_more_are_not_invited(work: Work) -> None:
    pipeline = work.pipeline(tables=OFF)
    work.run(pipeline, work.sheet(*map(addressed, ("ana", "bo", "cy", "dee"))))
    work.portal.store.take(work.portal.user("ana").ref)
    work.portal.user("bo").active = False
    work.portal.store.take(work.portal.user("cy").ref)
    work.portal.add("CY", email="another@example.com")
    work.portal.ignores_filters = True
    assert send(pipeline)[0] == {
        "ana": ("never", "the portal has no user of this name any more"),
        "bo": ("never", "inactive"),
        "cy": ("never", "another user has this name now"),
        "dee": ("sent", None),
    }
    assert work.post.invited() == ["dee"]
    assert [line.reason for line in ledger(pipeline, InviteState.NEVER)][1] == "inactive"


def test_protected_users_are_not_invited(work: Work) -> None:
    work.run(work.pipeline(tables=OFF), work.sheet(addressed("ana"), addressed("admin1")))
    found, _ = send(work.pipeline('protect = ["admin*"]', OFF))
    assert found == {"ana": ("sent", None), "admin1": ("never", "protected")}


def test_a_renamed_user_is_invited_under_the_new_name(work: Work) -> None:
    top = 'match = ["staff", "username"]'
    tables = '[[sheet.fields]]\nname = "staff"\nheading = "staff"\n'
    work.run(work.pipeline(top, tables + OFF), work.sheet(addressed("ana", staff="1"), others=["staff"]))
    pipeline = work.pipeline(top, tables + EVERYBODY)
    assert work.run(pipeline, work.sheet(addressed("anna", staff="1"), others=["staff"])).invites == {"sent": 1}
    assert work.post.invited() == ["anna"]
    # Renamed once more while the invite is alive: the ledger knows the new name all the same.
    work.run(pipeline, work.sheet(addressed("hannah", staff="1"), others=["staff"]))
    assert standing(pipeline) == {"hannah": "sent"}
    work.clock.pass_days(15)
    assert send(pipeline)[0] == {"hannah": ("sent", None)}


def test_the_portal_itself_invites(work: Work) -> None:
    work.portal.can = {"invite": True}
    pipeline = work.pipeline(tables='[invites]\nby = "backend"')
    work.portal.fault = on(SendInvite, Fault.UNKNOWN_NOT_DONE, times=1)
    work.run(pipeline, work.sheet(addressed("ana"), addressed("bo")))
    assert standing(pipeline) == {"ana": "held", "bo": "sent"}
    assert release(pipeline)[0] == {"ana": ("sent", None)}
    work.clock.pass_days(15)
    assert send(pipeline)[0] == {"ana": ("sent", None), "bo": ("sent", None)}
    operations = [op.id for op in work.portal.handed if isinstance(op, SendInvite)]
    assert operations[0] == operations[2]  # what was released is the same invite
    assert len(set(operations)) == len(operations) - 1
    assert work.post.invited() == []


def test_a_dry_run_says_the_same_and_does_nothing(work: Work) -> None:
    pipeline = work.pipeline(tables=OFF)
    work.run(pipeline, work.sheet(addressed("ana"), user("bo")))
    before, writes = work.journal.read_bytes(), work.portal.store.writes
    with engine.preview_invites(pipeline) as report:
        assert report.invites is not None
        assert [(line.username, line.channel, line.state, line.reason) for line in report.invites()] == [
            ("ana", "email", "never", None),
            ("bo", None, "never", "no address or number that a notifier can use"),
        ]
    assert (work.journal.read_bytes(), work.portal.store.writes, work.post.invited()) == (before, writes, [])


def test_names_are_folded_and_unknown_ones_refused_before_anything_is_sent(work: Work) -> None:
    pipeline = work.pipeline(tables=OFF)
    work.run(pipeline, work.sheet(addressed("Straße"), addressed("bo")))
    with pytest.raises(UsageError, match=r'"strase".*did you mean "Straße"') as refused:
        engine.send_invites(pipeline, users=["bo", "strase"])
    assert refused.value.code == "invite.unknown_user"
    assert work.post.invited() == []
    assert send(pipeline, "STRASSE", "straße")[0] == {"Straße": ("sent", None)}


def test_a_declined_question_leaves_nothing(work: Work) -> None:
    pipeline = work.pipeline(tables=OFF)
    work.run(pipeline, work.sheet(addressed("ana"), user("bo")))
    asked: list[int] = []

    def decline(summary: engine.PlanSummary) -> bool:
        asked.append(summary.invites)
        return False

    with pytest.raises(RefusedError, match="declined"):
        engine.send_invites(pipeline, confirm=decline)
    assert asked == [1]
    assert (work.post.invited(), len(engine.list_jobs(pipeline))) == ([], 1)


def test_a_notifier_that_cannot_go_on_is_gone_on_with(work: Work) -> None:
    pipeline = work.pipeline(tables=OFF)
    work.run(pipeline, work.sheet(*map(addressed, ("ana", "bo"))))
    work.post.status = lambda message: no_post()
    found, done = send(pipeline)
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.FAILED)
    # The first was handed over; the second never was, so it is as it was before.
    assert found == {"ana": ("held", "no answer: it may or may not have gone out"), "bo": ("never", None)}
    work.post.status = answering()
    assert work.resume(pipeline).invites == {"held": 1, "sent": 1}
    assert (len(ids(work, "ana")), len(ids(work, "bo"))) == (1, 1)


@pytest.mark.parametrize(("status", "state"), [(SentStatus.SENT, "sent"), (SentStatus.UNKNOWN, "held")])
def test_what_goes_on_minds_whom_another_job_has_invited_in_between(work: Work, status: SentStatus, state: str) -> None:
    pipeline = work.pipeline()
    work.portal.fault = on(CreateUser, Fault.UNAVAILABLE, username="dee", times=1)
    work.run(pipeline, work.sheet(addressed("ana"), addressed("dee")))
    first = engine.list_jobs(pipeline)[0]
    assert (first.state, work.post.invited()) == (JobState.PAUSED, [])
    work.post.status = answering(ana=status)
    assert send(pipeline)[0]["ana"][0] == state
    # The first job comes to its invites only now.
    assert work.resume(pipeline, first.id).invites == {"sent": 1, "skipped": 1}
    assert work.post.invited() == ["ana", "dee"]


def test_invites_do_not_go_on_after_an_import(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"))
    work.run(work.pipeline(tables=OFF), sheet)
    work.post.status = answering(ana=SentStatus.FAILED)
    send(pipeline)
    work.run(pipeline, sheet)
    with pytest.raises(RefusedError, match="send the invites again"):
        engine.resume(pipeline, engine.list_jobs(pipeline)[1].id)


CUT_OFF = """
from support.pipelines import Work
from musterroll import engine
work = Work(folder)
work.clock.pass_days({days})
sent = []
def status(message):
    sent.append(message)
    return os._exit(9) if len(sent) == {deadly} else "sent"
work.post.status = status
engine.{command}(work.pipeline(backend={backend!r}))
"""


def _cut_off(work: Work, command: str, deadly: int) -> None:
    """The process dies without a word when it is handed a message, a day later by everybody's clock."""
    work.clock.pass_days(1)
    days = (work.clock.now - Clock().now).days
    with start(CUT_OFF.format(command=command, deadly=deadly, backend=DIRECTORY, days=days), work.folder) as other:
        assert other.wait() == 9
    work.clock.pass_days(0.01)


@pytest.mark.parametrize("deadly", [1, 3])
def test_killed_while_sending(work: Work, deadly: int) -> None:
    names = [f"u{number}" for number in range(5)]
    pipeline = work.pipeline(tables=OFF, backend=DIRECTORY)
    work.run(pipeline, work.sheet(*map(addressed, names)))
    _cut_off(work, "send_invites", deadly)
    pipeline = work.pipeline(backend=DIRECTORY)
    assert engine.list_jobs(pipeline)[0].state is JobState.INTERRUPTED
    done = work.resume(pipeline)
    assert done.invites.get("sent", 0) == deadly - 1
    assert done.invites["held"] == 5 - (deadly - 1)  # noted together, so nobody knows how far it came
    assert work.post.invited() == []
    # Released, and cut off once more: what was handed over is held again, and nothing is lost.
    _cut_off(work, "release_invites", 2)
    assert sorted(standing(pipeline).values()) == ["held"] * (5 - deadly) + ["sent"] * deadly
    found, released = release(pipeline)
    assert set(found.values()) == {("sent", None)}
    assert released.outcome is Outcome.OK
    assert len(work.post.invited()) == 5 - deadly
    assert set(standing(pipeline).values()) == {"sent"}


class TestRelease:
    @pytest.fixture
    def pipeline(self, work: Work) -> Pipeline:
        """With three invites of which nobody knows whether they have gone out."""
        work.post.status = lambda message: None if message.recipient is not None else SentStatus.SENT
        pipeline = work.pipeline()
        work.run(pipeline, work.sheet(*map(addressed, ("ana", "bo", "cy"))))
        work.post.status = answering()
        assert set(standing(pipeline).values()) == {"held"}
        return pipeline

    def test_it_is_sent_again_as_the_same_message(self, work: Work, pipeline: Pipeline) -> None:
        work.portal.user("ana").fields["email"] = "new@example.com"
        found, done = release(pipeline, "ANA")
        assert (found, done.outcome) == ({"ana": ("sent", None)}, Outcome.OK)
        assert len(ids(work, "ana")) == 2
        assert len(set(ids(work, "ana"))) == 1
        assert work.post.sent[-1].recipient is not None
        assert work.post.sent[-1].recipient.email == "new@example.com"
        assert standing(pipeline) == {"ana": "sent", "bo": "held", "cy": "held"}
        assert release(pipeline)[0] == {"bo": ("sent", None), "cy": ("sent", None)}
        # The job of these invites has nothing wrong with it any more.
        (job,) = engine.list_jobs(pipeline)
        assert (job.state, job.invites.sent, job.invites.held) == (JobState.COMPLETED, 3, 0)

    def test_it_has_arrived(self, work: Work, pipeline: Pipeline) -> None:
        before = len(work.post.sent)
        work.portal.store.take(work.portal.user("bo").ref)
        found, _ = release(pipeline, "ana", "bo", as_sent=True)
        assert found == {"ana": ("sent", None), "bo": ("sent", None)}
        assert len(work.post.sent) == before
        assert send(pipeline, "ana")[0] == {"ana": ("sent", "already invited")}

    def test_it_has_arrived_though_the_portal_cannot_be_asked(
        self, work: Work, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from support.faults import FaultyBackend

        def unreachable(self: FaultyBackend) -> str:
            raise BackendError("nobody answers")

        monkeypatch.setattr(FaultyBackend, "identity", unreachable)
        assert set(release(pipeline, as_sent=True)[0].values()) == {("sent", None)}

    def test_who_is_not_held_is_refused_and_those_who_are_listed(self, work: Work, pipeline: Pipeline) -> None:
        before = len(work.post.sent)
        with pytest.raises(UsageError, match='"dee" is held; held are those of ana, bo, cy') as refused:
            release(pipeline, "ana", "dee")
        assert refused.value.code == "invite.not_held"
        assert len(work.post.sent) == before

    def test_who_cannot_be_told_stays_held(self, work: Work, pipeline: Pipeline) -> None:
        work.portal.user("ana").active = False
        del work.portal.user("bo").fields["email"]
        work.post.status = answering(cy=SentStatus.FAILED)
        found, done = release(pipeline)
        assert found == {
            "ana": ("held", "inactive"),
            "bo": ("held", "no address or number that a notifier can use"),
            # The first message may have arrived all the same.
            "cy": ("held", "not sent again: the post office said no"),
        }
        assert done.outcome is Outcome.FAILED
        assert set(standing(pipeline).values()) == {"held"}

    def test_a_notifier_that_cannot_go_on_leaves_the_rest_held(self, work: Work, pipeline: Pipeline) -> None:
        work.post.status = lambda message: no_post()
        found, done = release(pipeline)
        assert {state for state, _ in found.values()} == {"held"}
        assert done.outcome is Outcome.FAILED
        assert done.error is not None

    def test_a_declined_question_sends_nothing(self, work: Work, pipeline: Pipeline) -> None:
        before = len(work.post.sent)
        with pytest.raises(RefusedError, match="declined"):
            engine.release_invites(pipeline, confirm=lambda invites: invites != 3)
        assert len(work.post.sent) == before
