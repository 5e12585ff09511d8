"""What becomes of operations when the portal goes wrong."""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator

import pytest

from musterroll import AddMembers, CreateGroup, CreateUser, Op, Result, SentStatus, UpdateUser, engine
from musterroll.errors import BackendError, BackendUnavailableError, MusterrollError, PluginError
from musterroll.journal.job import JobState
from musterroll.reports.report import Outcome
from musterroll_plugins.backends.memory.store import MemoryStore
from support.faults import Fault, on
from support.pipelines import PASSWORD, Work, addressed, told, user

NAMES = ("ana", "bo", "cy")
REPLACE = """
    [membership]
    mode = "replace"
"""


def test_a_failed_user_gets_no_group_and_no_invite_the_others_do(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.FAILED, username="bo")
    pipeline, sheet = work.pipeline(), work.sheet(*(addressed(name, groups="All") for name in NAMES))
    done = work.run(pipeline, sheet)
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.COMPLETED_WITH_ERRORS)
    assert done.rows == {"created": 2, "failed": 1}
    assert done.invites == {"sent": 2, "skipped": 1}
    assert [(f.row, f.username, f.operation, f.detail) for f in done.failures] == [
        (4, "bo", "create the user", "the portal said no")
    ]
    assert work.portal.groups_of("ana") == work.portal.groups_of("cy") == {"All"}

    work.portal.fault = lambda op: None
    again = work.resume(pipeline)
    assert (again.outcome, again.state) == (Outcome.OK, JobState.COMPLETED)
    assert again.rows == {"created": 3}
    assert work.portal.groups_of("bo") == {"All"}
    assert sorted(work.post.invited()) == ["ana", "bo", "cy"]


def test_a_group_that_cannot_be_created(work: Work) -> None:
    work.portal.fault = lambda op: Fault.FAILED if isinstance(op, CreateGroup) and op.path == ("A",) else None
    rows = [addressed("ana", groups="A|B"), addressed("bo", groups="C"), addressed("cy")]
    pipeline = work.pipeline()
    done = work.run(pipeline, work.sheet(*rows))
    assert done.rows == {"failed": 1, "created": 2}
    assert sorted(work.post.invited()) == ["bo", "cy"]
    details = {(f.row, f.operation): f.detail for f in done.failures}
    assert details == {
        (None, "create the group A"): "the portal said no",
        (None, "create the group A|B"): "the group A could not be created",
        (3, "add to A|B"): "the group A|B could not be created",
    }
    work.portal.fault = lambda op: None
    assert work.resume(pipeline).rows == {"created": 3}
    assert work.portal.groups_of("ana") == {"A|B"}
    assert sorted(work.post.invited()) == ["ana", "bo", "cy"]


def test_a_member_that_vanished(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana", groups="G"), addressed("bo", groups="G"))

    def before(op: Op) -> None:
        if isinstance(op, AddMembers):
            work.portal.store.take(work.portal.user("ana").ref)

    work.portal.before = before
    done = work.run(pipeline, sheet)
    assert done.rows == {"failed": 1, "created": 1}
    assert [(f.row, f.username, f.operation) for f in done.failures] == [(3, "ana", "add to G")]
    assert work.post.invited() == ["bo"]


def test_a_member_who_was_refused_becomes_one_when_the_job_goes_on(work: Work) -> None:
    ana = work.portal.add("ana", forename="Ana")
    pipeline, sheet = work.pipeline(), work.sheet(user("ana", groups="G"), user("bo", groups="G"))
    work.portal.before = lambda op: work.portal.store.take(ana.ref) if isinstance(op, AddMembers) else None
    assert work.run(pipeline, sheet).rows == {"failed": 1, "created": 1}
    work.portal.before = lambda op: None
    assert work.resume(pipeline).rows == {"failed": 1, "created": 1}
    work.portal.store.put(ana)
    again = work.resume(pipeline)
    assert (again.outcome, again.rows) == (Outcome.OK, {"updated": 1, "created": 1})
    assert work.portal.groups_of("ana") == {"G"}


def test_a_field_that_is_refused_is_told_and_keeps_nothing_else_back(work: Work) -> None:
    work.portal.add("ana", forename="Old", surname="Old", email="old@example.com")
    pipeline = work.pipeline()
    sheet = work.sheet(user("ana", surname="New", email="new@example.com", groups="G"), user("bo"))
    work.portal.refuses = {"email": "the address is on a black list", "surname": "no such family"}
    done = work.run(pipeline, sheet)
    assert (done.outcome, done.rows) == (Outcome.FAILED, {"failed": 1, "created": 1})
    assert [(f.row, f.username, f.operation, f.status) for f in done.failures] == [
        (3, "ana", "update the user", "failed")
    ]
    assert {str(done.failures[0].detail)} <= {
        "the address is on a black list; no such family",
        "no such family; the address is on a black list",
    }
    assert work.portal.user("ana").fields == {"forename": "Ana", "surname": "Old", "email": "old@example.com"}
    assert work.portal.groups_of("ana") == {"G"}
    shown = told(engine.show_job(pipeline, "last"))
    assert (shown.rows, len(shown.failures)) == (done.rows, 1)
    story = engine.explain_row(pipeline, "last", 3)
    assert {(one.operation, one.state) for one in story.operations} == {
        ("update the user", "failed"),
        ("add to G", "done"),
    }

    undone = work.undo(pipeline)
    assert (undone.outcome, undone.codes) == (Outcome.OK, [])
    assert work.portal.user("ana").fields == {"forename": "Old", "surname": "Old", "email": "old@example.com"}


def test_what_is_refused_while_somebody_is_reactivated_is_told(work: Work) -> None:
    work.portal.add("ana", forename="Ana", active=False)
    work.portal.refuses = {"username": "the groups could not follow"}
    done = work.run(work.pipeline('on_inactive = "reactivate"'), work.sheet(user("ana")))
    assert [(f.operation, f.detail) for f in done.failures] == [("reactivate the user", "the groups could not follow")]
    assert work.portal.user("ana").active


def test_a_field_that_is_refused_is_tried_again_when_the_job_goes_on(work: Work) -> None:
    work.portal.add("ana", forename="Ana", surname="Old")
    pipeline = work.pipeline(tables='[hand_edits]\ndefault = "keep"')
    work.portal.refuses = {"surname": "no such family"}
    assert work.run(pipeline, work.sheet(user("ana", surname="New"))).rows == {"failed": 1}
    work.portal.refuses = {}
    assert work.resume(pipeline).rows == {"updated": 1}
    assert work.portal.user("ana").fields["surname"] == "New"


def test_answers_in_any_order(work: Work) -> None:
    work.portal.shuffle = random.Random(7)
    names = [f"user{number}x" for number in range(150)]
    rows = [user(name, groups=f"G{number % 7}") for number, name in enumerate(names)]
    done = work.run(work.pipeline(), work.sheet(*rows))
    assert done.rows == {"created": 150}
    for number, name in enumerate(names):
        assert work.portal.groups_of(name) == {f"G{number % 7}"}
        assert work.portal.user(name).fields["forename"] == name.title()


@pytest.mark.parametrize("fault", [Fault.UNKNOWN, Fault.LOST, Fault.CONFLICT])
def test_a_doubtful_operation_that_was_done(work: Work, fault: Fault) -> None:
    work.portal.fault = on(CreateUser, fault)
    done = work.run(work.pipeline(), work.sheet(*(addressed(name, groups="G") for name in NAMES)))
    assert done.outcome is Outcome.OK
    assert done.rows == {"created": 3}
    assert work.post.invited() == list(NAMES)
    assert sum(isinstance(op, CreateUser) for op in work.portal.handed) == 3


@pytest.mark.parametrize("fault", [Fault.UNKNOWN_NOT_DONE, Fault.DROPPED, Fault.NOT_DONE])
def test_an_operation_that_was_not_done_is_done_again(work: Work, fault: Fault) -> None:
    work.portal.fault = on(CreateUser, fault, username="bo", times=2)
    done = work.run(work.pipeline(), work.sheet(*(addressed(name, groups="G") for name in NAMES)))
    assert done.outcome is Outcome.OK
    assert done.rows == {"created": 3}
    assert work.portal.groups_of("bo") == {"G"}


def test_an_operation_that_is_never_done_is_given_up(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.NOT_DONE, username="bo")
    done = work.run(work.pipeline(), work.sheet(*map(addressed, NAMES)))
    assert done.rows == {"created": 2, "failed": 1}
    assert [f.detail for f in done.failures] == ["the portal was busy"]
    assert sum(isinstance(op, CreateUser) for op in work.portal.handed) < 8


def test_still_unknown(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.UNKNOWN, username="bo")
    work.portal.doubt = lambda op: True
    pipeline = work.pipeline()
    done = work.run(pipeline, work.sheet(*(addressed(name, groups="G") for name in NAMES)))
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.COMPLETED_WITH_ERRORS)
    assert done.rows == {"created": 2, "unknown": 1}
    assert [(f.row, f.status, f.detail) for f in done.failures] == [(4, "unknown", "the line went dead")]
    assert work.post.invited() == ["ana", "cy"]
    assert work.portal.groups_of("bo") == set()

    work.portal.doubt = lambda op: False
    assert work.resume(pipeline).rows == {"created": 3}
    assert work.portal.groups_of("bo") == {"G"}
    assert sorted(work.post.invited()) == list(NAMES)
    assert work.portal.names() == list(NAMES)


def test_a_user_that_turns_up_late_gets_the_groups_all_the_same(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.UNKNOWN, username="bo")
    questions = 0

    def doubt(op: Op) -> bool:
        nonlocal questions
        questions += isinstance(op, CreateUser)
        return questions == 1

    work.portal.doubt = doubt
    done = work.run(work.pipeline(), work.sheet(*(addressed(name, groups="G") for name in NAMES)))
    assert done.rows == {"created": 3}
    assert work.portal.groups_of("bo") == {"G"}
    assert work.post.invited() == list(NAMES)


def test_a_strangers_user_of_the_same_name(work: Work) -> None:
    def before(op: Op) -> None:
        if isinstance(op, CreateUser) and op.user.username == "bo" and "bo" not in work.portal.names():
            work.portal.add("bo", forename="Stranger")

    work.portal.before = before
    pipeline, sheet = work.pipeline(), work.sheet(*(addressed(name, groups="G") for name in NAMES))
    done = work.run(pipeline, sheet)
    assert done.rows == {"created": 2, "failed": 1}
    (failure,) = done.failures
    assert failure.detail == (
        "something of this name exists that this job did not create; run the sheet again to update it"
    )
    assert work.portal.user("bo").fields == {"forename": "Stranger"}
    assert work.post.invited() == ["ana", "cy"]
    # Run again, as the message says: updated, and not invited, because somebody else created it.
    again = work.run(pipeline, sheet)
    assert again.rows == {"unchanged": 2, "updated": 1}
    assert again.reasons[4] == "not new"


def test_an_address_that_is_taken_meanwhile(work: Work) -> None:
    work.portal.unique_email = True

    def before(op: Op) -> None:
        if isinstance(op, CreateUser) and "zoe" not in work.portal.names():
            work.portal.add("zoe", email="ana@example.com")

    work.portal.before = before
    done = work.run(work.pipeline(), work.sheet(addressed("ana")))
    assert done.rows == {"failed": 1}
    assert [f.detail for f in done.failures] == ['the e-mail address is in use by "zoe"']


def test_a_portal_that_cannot_be_reached_pauses_the_job(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.UNAVAILABLE, username="cy")
    pipeline = work.pipeline()
    done = work.run(pipeline, work.sheet(*(addressed(name, groups="G") for name in (*NAMES, "dee"))))
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.PAUSED)
    # Ana and bo are there and still lack their group; nobody knows about cy.
    assert done.rows == {"not_attempted": 3, "unknown": 1}
    assert isinstance(done.error, BackendUnavailableError)
    assert done.job is not None
    assert done.job.error == "the portal cannot be reached"
    assert work.post.invited() == []

    work.portal.fault = lambda op: None
    again = work.resume(pipeline)
    assert (again.outcome, again.state) == (Outcome.OK, JobState.COMPLETED)
    assert again.rows == {"created": 4}
    assert again.error is None
    assert work.post.invited() == [*NAMES, "dee"]


def test_a_backend_that_breaks_when_it_is_asked_what_became_of_an_operation_tells_no_password(work: Work) -> None:
    def breaks(op: Op) -> bool:
        assert isinstance(op, CreateUser)
        assert op.password is not None
        raise BackendError(f"POST {{'password': '{op.password.reveal()}'}} is not known")

    work.portal.fault = on(CreateUser, Fault.UNKNOWN, username="bo")
    work.portal.doubt = breaks
    pipeline = work.pipeline()
    done = work.run(pipeline, work.sheet(*map(addressed, NAMES)))
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.FAILED)
    assert done.error is not None
    assert "is not known" in done.error.message
    assert PASSWORD not in f"{done.error.message} {done.error.__cause__!r} {done.error.args}"
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in work.state.iterdir() if path.is_file())
    work.portal.doubt = lambda op: False
    assert work.resume(pipeline).rows == {"created": 3}


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.BREAKS, Fault.TWICE, Fault.STRANGER, Fault.NO_REF])
def test_a_backend_that_breaks_after_the_first_write(work: Work, fault: Fault) -> None:
    work.portal.fault = on(CreateUser, fault, username="bo")
    pipeline = work.pipeline()
    done = work.run(pipeline, work.sheet(*(addressed(name, groups="G") for name in NAMES)))
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.FAILED)
    assert isinstance(done.error, BackendError if fault is Fault.ERROR else PluginError)
    assert ('answered twice to creating the user "bo"' in done.error.message) is (fault is Fault.TWICE)
    assert ("which it was not given" in done.error.message) is (fault is Fault.STRANGER)
    assert sum(done.rows.values()) == 3
    work.portal.fault = lambda op: None
    assert work.resume(pipeline).rows == {"created": 3}
    assert work.portal.names() == list(NAMES)
    assert all(work.portal.groups_of(name) == {"G"} for name in NAMES)
    assert work.post.invited() == list(NAMES)


def test_a_backend_that_breaks_before_the_first_write_leaves_nothing(work: Work) -> None:
    work.portal.refuses_to_start = True
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"))
    with pytest.raises(BackendError, match="not to be written to"):
        work.run(pipeline, sheet)
    assert engine.list_jobs(pipeline) == []
    work.portal.refuses_to_start = False
    assert work.run(pipeline, sheet).rows == {"created": 1}
    assert work.portal.closed == work.portal.built


def test_the_planning_instance_is_closed_before_another_one_writes(work: Work) -> None:
    closed = []
    work.portal.before = lambda op: closed.append((work.portal.built, work.portal.closed))
    work.run(work.pipeline(), work.sheet(addressed("ana")))
    assert closed == [(2, 1)]


def test_reset_passwords_and_fields_travel_together(work: Work) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva", active=False)
    tables = """
        [password]
        on_existing = "reset"
    """
    pipeline = work.pipeline('on_inactive = "reactivate"', tables)
    work.portal.fault = on(UpdateUser, Fault.DROPPED, times=1)
    done = work.run(pipeline, work.sheet(user("ana", surname="Souza"), user("bo")))
    assert done.rows == {"updated": 1, "created": 1}
    (op,) = {op.id: op for op in work.portal.handed if isinstance(op, UpdateUser)}.values()
    assert (op.changes, op.before) == ({"surname": "Souza"}, {"surname": "Silva"})
    ana = work.portal.user("ana")
    assert ana.active
    assert ana.password is not None
    assert ana.password.reveal() == PASSWORD


def test_a_failed_addition_fails_its_members_with_the_reason(work: Work) -> None:
    sales = work.portal.add_group("Sales")
    work.portal.add("ana", forename="Ana", groups=[sales])
    work.portal.fault = on(AddMembers, Fault.FAILED)
    pipeline = work.pipeline(tables=REPLACE)
    done = work.run(pipeline, work.sheet(user("ana", groups="Ops"), user("bo", groups="Ops"), user("cy")))
    assert done.rows == {"failed": 2, "created": 1}
    assert [(f.row, f.username, f.operation, f.detail) for f in done.failures] == [
        (3, "ana", "add to Ops", "the portal said no"),
        (4, "bo", "add to Ops", "the portal said no"),
    ]
    work.portal.fault = lambda op: None
    assert work.resume(pipeline).rows == {"updated": 1, "created": 2}
    assert work.portal.groups_of("ana") == work.portal.groups_of("bo") == {"Ops"}


def test_interrupted(work: Work) -> None:
    pipeline = work.pipeline()
    names = [f"user{number}x" for number in range(100)]

    def before(op: Op) -> None:
        if len(work.portal.handed) == 30:
            pipeline.cancelled.set()

    work.portal.before = before
    done = work.run(pipeline, work.sheet(*map(addressed, names)))
    assert (done.outcome, done.state) == (Outcome.INTERRUPTED, JobState.INTERRUPTED)
    assert done.rows == {"created": 30, "not_attempted": 70}
    assert work.portal.asked == []  # what was never handed over is in no doubt
    assert work.post.invited() == []
    work.portal.before = lambda op: None
    pipeline.cancelled.clear()
    again = work.resume(pipeline)
    assert again.rows == {"created": 100}
    assert again.invites == {"sent": 100}
    assert len(work.portal.names()) == 100


def test_interrupted_before_the_first_write(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"))
    pipeline.cancelled.set()
    for command in (engine.run, engine.plan, engine.validate):
        with pytest.raises(KeyboardInterrupt):
            command(pipeline, sheet)
    assert engine.list_jobs(pipeline) == []
    assert work.portal.built == work.portal.closed


def test_a_password_that_the_portal_repeats_is_masked(work: Work) -> None:
    from musterroll import Result, Status
    from support.faults import FaultyBackend

    def execute(self: FaultyBackend, ops: Iterator[Op]) -> Iterator[Result]:
        for op in ops:
            assert isinstance(op, CreateUser)
            assert op.password is not None
            yield Result(op.id, Status.FAILED, detail=f'"{op.password.reveal()}" is too weak')

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FaultyBackend, "execute", execute)
        done = work.run(work.pipeline(), work.sheet(user("ana")))
    assert [f.detail for f in done.failures] == ['"***" is too weak']


def test_notifiers_that_cannot_go_on(work: Work) -> None:
    from support.faults import no_post

    for name in NAMES:
        work.portal.add(name, forename=name.title(), email=f"{name}@example.com")
    work.post.status = lambda m: no_post() if m.recipient and m.recipient.username == "bo" else SentStatus.SENT
    tables = """
        [invites]
        send_to = "all"
    """
    pipeline = work.pipeline(tables=tables)
    done = work.run(pipeline, work.sheet(*map(addressed, NAMES)))
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.FAILED)
    assert done.error is not None
    assert done.rows == {"unchanged": 3}
    assert done.invites == {"sent": 1, "held": 1, "skipped": 1}
    work.post.status = lambda message: SentStatus.SENT
    again = work.resume(pipeline)
    assert again.invites == {"sent": 2, "held": 1}
    assert again.outcome is Outcome.FAILED  # one is held
    assert work.post.invited() == ["ana", "bo", "cy"]


def test_a_notifier_that_breaks_when_it_is_told_the_end(work: Work) -> None:
    work.post.status = lambda message: SentStatus.SENT if message.recipient else OSError("gone")
    done = work.run(work.pipeline(), work.sheet(addressed("ana")))
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.COMPLETED)
    assert isinstance(done.error, PluginError)
    assert done.rows == {"created": 1}


def test_a_notifier_that_breaks_when_it_is_closed(work: Work) -> None:
    def status(message: object) -> SentStatus:
        work.post.closing = OSError("gone")  # only now: planning has closed its own
        return SentStatus.SENT

    work.post.status = status
    done = work.run(work.pipeline(), work.sheet(addressed("ana")))
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.COMPLETED)
    assert isinstance(done.error, PluginError)
    assert work.portal.closed == work.portal.built


def test_a_notifier_that_cannot_tell_the_end_says_why(work: Work) -> None:
    work.post.status = lambda message: SentStatus.SENT if message.recipient else SentStatus.FAILED
    done = work.run(work.pipeline(), work.sheet(addressed("ana")))
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.COMPLETED)
    assert "did not tell how it ended" in str(done.error)


@pytest.mark.parametrize("kind", [RuntimeError, BackendError])
def test_a_password_in_what_a_portal_raises_is_masked(
    work: Work, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    from support.faults import FaultyBackend

    def execute(self: FaultyBackend, ops: Iterator[Op]) -> Iterator[Result]:
        for op in ops:
            assert isinstance(op, CreateUser)
            assert op.password is not None
            raise kind(f"refused {op.password.reveal()}")
        yield from ()

    monkeypatch.setattr(FaultyBackend, "execute", execute)
    done = work.run(work.pipeline(), work.sheet(user("bo", password="canary-4711")))
    assert done.outcome is Outcome.FAILED
    assert isinstance(done.error, MusterrollError)
    assert "refused ***" in done.error.message
    assert "canary-4711" not in "".join(traceback.format_exception(done.error))


def test_a_password_in_why_a_portal_refuses_a_field_is_masked(work: Work) -> None:
    work.portal.add("bo", forename="Bo", surname="Old")
    work.portal.refuses = {"surname": "not beside canary-4711"}
    pipeline = work.pipeline('password.on_existing = "reset"')
    done = work.run(pipeline, work.sheet(user("bo", surname="New", password="canary-4711")))
    assert [f.detail for f in done.failures] == ["not beside ***"]


def test_the_end_is_told_with_the_counts(work: Work) -> None:
    work.run(work.pipeline(), work.sheet(addressed("ana"), user("bo")))
    (message,) = (message for message in work.post.sent if message.purpose == "finished")
    assert message.recipient is None
    assert {name: message.values[name] for name in ("state", "rows", "created")} == {
        "state": "completed",
        "rows": "2",
        "created": "2",
    }


def test_an_id_that_no_database_takes(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(user("ana"), user("bo"))
    monkeypatch.setattr(MemoryStore, "new_ref", lambda store, kind: f"{len(store.users)} \ud83d")
    done = work.run(pipeline, sheet)
    assert (done.outcome, done.state) == (Outcome.FAILED, JobState.FAILED)
    assert done.error is not None
    assert "half a character" in done.error.message
    assert done.error.message.isprintable()
