"""Who is invited, and who is not, and why."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from musterroll import Message, SentStatus
from musterroll.commands.plan import plan
from musterroll.journal.job import JobState
from musterroll.pipeline.settings import SendTo
from musterroll.reports.report import Outcome
from support.faults import no_post
from support.pipelines import Work, addressed, user


def _send_to(choice: str, days: int = 14, *, limit: int = 1000) -> str:
    return f"""
        [limits]
        invite = {limit}
        [invites]
        send_to = "{choice}"
        valid_days = {days}
    """


def _existing(work: Work, *names: str) -> None:
    for name in names:
        work.portal.add(name, forename=name.title(), email=f"{name}@example.com")


def test_new(work: Work) -> None:
    _existing(work, "ana")
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"), addressed("bo"), user("cy"))
    done = work.run(pipeline, sheet)
    assert done.reasons == {3: "not new", 4: None, 5: "no address or number that a notifier can use"}
    assert done.change(4).invite.channel == "email"
    assert done.invites == {"sent": 1, "skipped": 2}
    (message,) = (message for message in work.post.sent if message.recipient is not None)
    assert message.recipient is not None
    assert message.recipient.ref == work.portal.user("bo").ref
    assert message.recipient.email == "bo@example.com"
    assert message.values["expires"] == "2026-03-15"
    assert message.id not in {op.id for op in work.portal.handed}

    again = work.run(pipeline, sheet)
    assert again.outcome is Outcome.OK
    assert again.reasons == {3: "not new", 4: "already invited", 5: "no address or number that a notifier can use"}
    assert work.post.invited() == ["bo"]

    # Expired, and still it was for a new user once.
    work.clock.pass_days(15)
    assert work.run(pipeline, sheet).reasons[4] == "already invited"
    # Created by this pipeline and never invited, because there was no address.
    assert work.run(pipeline, work.sheet(addressed("cy"))).invites == {"sent": 1}


@pytest.mark.parametrize("choice", ["all", "pending"])
def test_everybody_but_nobody_twice_while_an_invite_is_alive(work: Work, choice: str) -> None:
    _existing(work, "ana")
    work.portal.add("eve", forename="Eve", email="eve@example.com", active=False)
    pipeline = work.pipeline('on_inactive = "update"', _send_to(choice, days=3))
    sheet = work.sheet(addressed("ana"), addressed("bo"), addressed("eve"))
    assert work.run(pipeline, sheet).reasons == {3: None, 4: None, 5: "inactive"}
    work.clock.pass_days(2.9)
    assert work.run(pipeline, sheet).reasons == {3: "already invited", 4: "already invited", 5: "inactive"}
    work.clock.pass_days(0.2)
    assert work.run(pipeline, sheet).invites == {"sent": 2, "skipped": 1}
    assert work.post.invited() == ["ana", "bo"] * 2
    assert len({message.id for message in work.post.sent}) == len(work.post.sent)


def test_none_and_later_all_the_same(work: Work) -> None:
    sheet = work.sheet(addressed("ana"))
    done = work.run(work.pipeline(tables=_send_to("none")), sheet)
    assert done.reasons == {3: "invites are off"}
    assert done.invites == {"skipped": 1}
    assert work.run(work.pipeline(), sheet).invites == {"sent": 1}


def test_what_failed_is_sent_again(work: Work) -> None:
    work.post.status = lambda message: SentStatus.FAILED
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"))
    done = work.run(pipeline, sheet)
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.COMPLETED_WITH_ERRORS)
    assert done.invites == {"failed": 1}
    (failure,) = done.failures
    assert (failure.row, failure.username, failure.status, failure.detail) == (
        3,
        "ana",
        "failed",
        "the post office said no",
    )
    work.post.status = lambda message: SentStatus.SENT
    assert work.resume(pipeline).invites == {"sent": 1}
    assert work.run(pipeline, sheet).reasons == {3: "already invited"}
    ids = [message.id for message in work.post.sent if message.recipient is not None]
    assert len(ids) == 2
    assert len(set(ids)) == 1  # the same message, sent again


def test_what_failed_is_sent_by_the_next_run(work: Work) -> None:
    work.post.status = lambda message: SentStatus.FAILED
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"))
    work.run(pipeline, sheet)
    work.post.status = lambda message: SentStatus.SENT
    assert work.run(pipeline, sheet).invites == {"sent": 1}


def test_what_may_have_been_sent_is_held(work: Work) -> None:
    def status(message: Message) -> SentStatus | None:
        assert message.recipient is not None or message.purpose == "finished"
        name = message.recipient.username if message.recipient else ""
        return {"ana": SentStatus.UNKNOWN, "bo": None}.get(name, SentStatus.SENT)

    work.post.status = status
    pipeline, sheet = work.pipeline(tables=_send_to("all")), work.sheet(*map(addressed, ("ana", "bo", "cy")))
    done = work.run(pipeline, sheet)
    assert done.outcome is Outcome.FAILED
    assert done.invites == {"held": 2, "sent": 1}
    assert {(failure.username, failure.status) for failure in done.failures} == {("ana", "held"), ("bo", "held")}
    work.clock.pass_days(100)
    again = work.run(pipeline, sheet)
    assert again.reasons == {3: "the last invite is held", 4: "the last invite is held", 5: None}
    assert work.post.invited().count("ana") == work.post.invited().count("bo") == 1


def test_a_rehearsal_does_not_count_as_having_invited_anybody(work: Work) -> None:
    sheet = work.sheet(addressed("ana"))
    assert work.run(work.pipeline(), sheet).invites == {"sent": 1}
    other = Work(work.folder)  # the same pipeline and state, another portal
    other.portal.add("ana", forename="Ana", email="ana@example.com")
    pipeline = other.pipeline(tables=_send_to("all"))
    assert other.run(pipeline, sheet).invites == {"sent": 1}
    assert other.run(pipeline, sheet).reasons == {3: "already invited"}


def test_the_first_notifier_that_can_reach_invites(work: Work) -> None:
    other = Work(work.folder)
    other.post.reaches = lambda user: bool(user.phone)
    tables = f"""
        [[notifiers]]
        name = "text"
        use = "recorder"
        options = {{ post = "{other.id}" }}
    """
    rows = [addressed("ana", phone="7712345678", calling_code="44"), user("bo", phone="7712345679", calling_code="44")]
    done = work.run(work.pipeline(tables=tables), work.sheet(*rows))
    assert done.invites == {"sent": 2}
    assert work.post.invited() == ["ana"]
    assert other.post.invited() == ["bo"]
    assert other.post.sent[0].recipient is not None
    assert other.post.sent[0].recipient.phone == "447712345679"


def test_the_portal_itself_invites(work: Work) -> None:
    from musterroll import SendInvite

    work.portal.can = {"invite": True}
    tables = """
        [invites]
        by = "backend"
    """
    pipeline = work.pipeline(tables=tables)
    sheet = work.sheet(addressed("ana"), *(user(name) for name in ("bo", "cy", "dee", "eve")))
    done = work.run(pipeline, sheet)
    assert done.invites == {"sent": 1, "skipped": 4}
    assert done.change(3).invite.channel == "portal"
    (op,) = (op for op in work.portal.handed if isinstance(op, SendInvite))
    assert op.user.ref == work.portal.user("ana").ref
    assert [op.id for op in work.portal.handed].count(op.id) == 1
    assert work.post.invited() == []
    assert work.run(pipeline, sheet).reasons[3] == "already invited"


def test_addresses_are_those_after_the_import(work: Work) -> None:
    work.portal.add("ana", forename="Ana", email="old@example.com")
    pipeline = work.pipeline(tables=_send_to("all"))
    work.run(pipeline, work.sheet(user("ana", email="new@example.com")))
    assert work.post.sent[0].recipient is not None
    assert work.post.sent[0].recipient.email == "new@example.com"


def test_another_purpose_is_another_invite(work: Work) -> None:
    pipeline, sheet = work.pipeline(tables=_send_to("all")), work.sheet(addressed("ana"))
    work.run(pipeline, sheet)
    with closing(sqlite3.connect(work.journal)) as db, db:
        db.execute("UPDATE invite SET purpose = 'survey'")
    assert work.run(pipeline, sheet).invites == {"sent": 1}
    assert work.run(pipeline, sheet).reasons == {3: "already invited"}


def test_an_invite_that_cannot_go_out_again_is_what_it_was_before(work: Work) -> None:
    work.post.status = lambda message: SentStatus.FAILED
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(addressed("ana"), addressed("bo")))
    work.post.status = lambda message: no_post()
    # The message of bo was noted with that of ana, and never handed over.
    details = {failure.username: (failure.status, failure.detail) for failure in work.resume(pipeline).failures}
    assert details == {
        "ana": ("held", "no answer: it may or may not have gone out"),
        "bo": ("failed", "the post office said no"),
    }


@pytest.mark.parametrize("usual", ["none", "new", "all", "pending"])
def test_one_plan_counts_what_every_choice_would_send(work: Work, usual: SendTo) -> None:
    _existing(work, "ana", "ben")
    work.run(work.pipeline(_send_to("new")), work.sheet(addressed("bo"), user("cy"), addressed("dee")))
    work.clock.pass_days(8)
    work.run(work.pipeline(_send_to("none")), work.sheet(addressed("eve")))
    work.clock.pass_days(7)  # the invites of bo and dee have expired
    work.run(work.pipeline(_send_to("pending")), work.sheet(addressed("dee")))
    people = ("ana", "ben", "bo", "cy", "dee", "eve", "fay", "fay", "gus")  # fay is twice in it
    sheet = work.sheet(*map(addressed, people))
    skip = 'on_error = "skip"'
    with plan(work.pipeline(skip, _send_to(usual, limit=2)), sheet, with_choices=True) as report:
        found = dict(report.invite_choices)
    assert {name: one.sends for name, one in found.items()} == {"none": 0, "new": 3, "all": 6, "pending": 6}
    for choice, told in found.items():
        with plan(work.pipeline(skip, _send_to(choice, limit=2)), sheet) as other:
            assert other.changes is not None
            assert sum(change.invite.send for change in other.changes()) == told.sends
            assert str(other.error) == str(told.refusal)
    with plan(work.pipeline(_send_to(usual)), sheet, with_choices=True) as report:
        assert report.invite_choices == {}  # the errors keep everything out


def test_one_plan_counts_the_first_passwords_that_no_invite_would_tell(work: Work) -> None:
    _existing(work, "ana")
    people = (addressed("ana"), addressed("bo"), user("cy", password=""), addressed("dee", password=""), user("eve"))
    made = 'sheet.make.password = { generate = "words" }'
    for settings, none, new in ((made, 2, 1), ("password.required = 'never'", 0, 0)):
        with plan(work.pipeline(settings, _send_to("none")), work.sheet(*people), with_choices=True) as report:
            found = {name: one.on_paper for name, one in report.invite_choices.items()}
        assert found == {"none": none, "new": new, "all": new, "pending": new}
