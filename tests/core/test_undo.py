"""Taking a job back: from before-images, and never over what somebody has changed since."""

from __future__ import annotations

import sqlite3
import tracemalloc
from contextlib import closing

import pytest

from musterroll import AddMembers, CreateGroup, CreateUser, DeleteUser, Op, UpdateUser, engine
from musterroll.errors import RefusedError
from musterroll.journal.change import Action
from musterroll.journal.job import JobState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome
from musterroll_plugins.backends.memory.store import MemoryStore
from support.cost import python_calls
from support.faults import Fault, on
from support.pipelines import Work, addressed, user

State = tuple[dict[str, tuple[dict[str, str], bool, set[str]]], set[str]]


def _state(work: Work) -> State:
    """Users with their fields, whether they are active, their groups; and all groups."""
    store: MemoryStore = work.portal.store
    users = {
        one.username: ({k: v for k, v in one.fields.items() if v}, one.active, work.portal.groups_of(one.username))
        for one in store.users.values()
    }
    return users, {"|".join(store.path(ref)) for ref in store.groups}


def _populated(work: Work) -> State:
    north = work.portal.add_group("North", work.portal.add_group("Region"))
    old = work.portal.add_group("Old")
    work.portal.add("ana", forename="Ana", surname="Silva", groups=[north, old])
    work.portal.add("bo", forename="Bo", email="bo@example.com")
    work.portal.add("cy", forename="Cy", active=False)
    return _state(work)


_CHANGING = 'on_inactive = "reactivate"'
_REPLACING = '[membership]\nmode = "replace"'


def test_an_undo_gives_back_what_was_there(work: Work) -> None:
    before = _populated(work)
    pipeline = work.pipeline(_CHANGING, _REPLACING + '\n[undo]\ncreated = "delete"')
    sheet = work.sheet(
        addressed("ana", surname="Souza", groups="Region|South;Role A"),
        user("bo", forename="Bob"),
        user("cy"),
        user("new", groups="Region|North;Role B|Deep"),
    )
    done = work.run(pipeline, sheet)
    assert done.rows == {"created": 1, "updated": 3}
    undone = work.undo(pipeline)
    assert (undone.outcome, undone.state) == (Outcome.OK, JobState.COMPLETED)
    assert undone.rows == {"updated": 3, "deleted": 1}
    assert [change.action for change in undone.changes] == [*[Action.UPDATE] * 3, Action.DELETE]
    assert _state(work) == before
    assert [job.state for job in engine.list_jobs(pipeline)] == [JobState.COMPLETED, JobState.UNDONE]
    assert undone.job is not None
    assert undone.job.undoes == engine.list_jobs(pipeline)[1].id


def test_created_users_are_deactivated_unless_the_pipeline_says_delete(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(addressed("ana", groups="A|B")))
    undone = work.undo(pipeline)
    assert undone.rows == {"deactivated": 1}
    assert _state(work) == ({"ana": ({"forename": "Ana", "email": "ana@example.com"}, False, set())}, set())
    assert undone.codes == ["undo.invite@3"]  # beyond recall, and said


def test_what_was_changed_since_is_kept_and_listed(work: Work) -> None:
    _populated(work)
    pipeline = work.pipeline(_CHANGING)
    sheet = work.sheet(user("ana", surname="Souza", forename="Anna"), user("bo"), user("new"), user("newer"))
    work.run(pipeline, sheet)
    work.portal.change("ana", surname="Stone")
    work.portal.change("new", forename="Nova")
    work.portal.user("newer").groups.add(work.portal.add_group("By hand"))
    undone = work.undo(pipeline)
    assert (undone.outcome, undone.state) == (Outcome.PROBLEMS, JobState.COMPLETED_WITH_ERRORS)
    assert undone.codes == ["undo.kept@3", "undo.kept@5", "undo.kept@6"]
    assert [problem.message for problem in undone.problems] == [
        "ana was changed since; kept: surname",
        "new was changed since (forename) and stays as is",
        "newer was changed since (groups) and stays as is",
    ]
    assert work.portal.user("ana").fields == {"forename": "Ana", "surname": "Stone"}  # the rest is given back
    assert work.portal.user("new").active
    assert work.portal.user("newer").active
    assert engine.list_jobs(pipeline)[1].state is JobState.PARTIALLY_UNDONE
    work.portal.change("new", forename="New")
    again = work.undo(pipeline, engine.list_jobs(pipeline)[1].id)  # what is left can be tried again
    assert not work.portal.user("new").active
    assert again.rows == {"deactivated": 1, "unchanged": 2}


def test_groups_that_are_not_empty_stay(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana", groups="A|B;C")))
    (group,) = (group.ref for group in work.portal.store.groups.values() if group.name == "B")
    work.portal.add("stranger", groups=[group])
    undone = work.undo(pipeline)
    assert _state(work)[1] == {"A", "A|B"}
    assert undone.outcome is Outcome.PROBLEMS
    assert {(one.operation, one.status, one.detail) for one in undone.failures} == {
        ("delete the group A|B", "kept", "the group still has members"),
        ("delete the group A", "kept", "the group still has subgroups"),
    }
    assert work.portal.user("stranger").groups == {group}


def test_only_what_was_done_is_taken_back(work: Work) -> None:
    ana = work.portal.add("ana", forename="Ana")
    other = work.portal.add("other")
    refuse = {"bo": Fault.FAILED}
    work.portal.fault = lambda op: refuse.get(op.user.username) if isinstance(op, CreateUser) else None
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana"), user("bo", groups="A"), user("cy", groups="A")))
    work.portal.add("bo", forename="Bo")  # somebody else's
    work.portal.fault = lambda op: None
    work.undo(pipeline)
    assert {name: fields for name, (fields, active, _) in _state(work)[0].items() if active} == {
        "ana": {"forename": "Ana"},
        "bo": {"forename": "Bo"},
        "other": {},
    }
    assert (ana.active, other.active) == (True, True)


def test_a_reset_password_is_beyond_recall(work: Work) -> None:
    work.portal.add("ana", forename="Ana")
    pipeline = work.pipeline(tables='[password]\non_existing = "reset"')
    work.run(pipeline, work.sheet(user("ana")))
    undone = work.undo(pipeline)
    assert undone.codes == ["undo.password@3"]
    assert undone.outcome is Outcome.OK


def test_a_portal_that_cannot_do_it(work: Work) -> None:
    work.portal.can = {"deactivate": False, "delete": False}
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana", groups="A")))
    undone = work.undo(pipeline)
    assert undone.codes == ["undo.kept@None", "undo.kept@3"]
    assert undone.rows == {"unchanged": 1}
    assert work.portal.user("ana").active


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.DROPPED, Fault.UNAVAILABLE])
def test_an_undo_that_is_cut_off_goes_on(work: Work, fault: Fault) -> None:
    before = _populated(work)
    pipeline = work.pipeline(_CHANGING, _REPLACING + '\n[undo]\ncreated = "delete"')
    rows = [user(f"user{number}x", groups="Mass|New") for number in range(30)]
    work.run(pipeline, work.sheet(user("ana", forename="Anna"), *rows))
    handed = iter(range(1000))
    work.portal.fault = lambda op: fault if next(handed) % 7 == 6 else None
    stopped = work.undo(pipeline)
    work.portal.fault = lambda op: None
    if stopped.state is not JobState.COMPLETED:
        assert stopped.outcome is Outcome.FAILED
        assert work.resume(pipeline).state is JobState.COMPLETED
    assert _state(work) == before


def test_who_was_deleted_is_new_again(work: Work) -> None:
    pipeline = work.pipeline(tables='[undo]\ncreated = "delete"')
    sheet = work.sheet(addressed("ana", groups="A"))
    work.run(pipeline, sheet)
    work.undo(pipeline)
    assert work.run(pipeline, sheet).rows == {"created": 1}
    assert work.post.invited() == ["ana", "ana"]


def test_groups_of_a_job_that_was_cut_off_over_them_go_as_well(work: Work) -> None:
    pipeline = work.pipeline()
    work.portal.fault = lambda op: Fault.CUT if isinstance(op, CreateGroup) else None
    work.portal.doubt = lambda op: True
    stopped = work.run(pipeline, work.sheet(user("ana", groups="A|B")))
    assert (stopped.outcome, _state(work)[1]) == (Outcome.FAILED, {"A"})
    work.portal.fault, work.portal.doubt = (lambda op: None), (lambda op: False)
    undone = work.undo(pipeline)
    assert (undone.failures, _state(work)) == ((), ({}, set()))


def test_who_named_somebody_that_is_forgotten_gets_all_else_back(work: Work) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva", boss="bo")
    work.portal.add("bo", forename="Bo")
    pipeline = work.pipeline(tables=_BOSS)
    rows = [{**user("ana", surname="Souza"), "boss": "cy"}, user("bo", surname="Berg"), user("cy")]
    work.run(pipeline, work.sheet(*rows, others=["boss"]))
    engine.forget(pipeline, "bo")
    assert b'"bo"' not in work.journal.read_bytes()
    undone = work.undo(pipeline)
    assert undone.outcome is Outcome.OK
    assert work.portal.user("ana").fields == {"forename": "Ana", "surname": "Silva", "boss": "cy"}
    assert work.portal.user("bo").fields == {"forename": "Bo", "surname": "Berg"}


def test_who_was_not_renamed_after_all_or_has_the_former_name_again_is_found_by_it(work: Work) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva")
    work.portal.add("bo", forename="Bo", surname="Berg")
    pipeline = work.pipeline('match = ["surname", "username"]')
    before = _state(work)
    work.portal.fault = on(UpdateUser, Fault.DROPPED, username="bo")
    work.portal.doubt = lambda op: True
    stopped = work.run(pipeline, work.sheet(user("anna", surname="Silva"), user("bob", surname="Berg")))
    assert (stopped.outcome, work.portal.names()) == (Outcome.FAILED, ["anna", "bo"])
    work.portal.fault, work.portal.doubt = (lambda op: None), (lambda op: False)
    ana = work.portal.store.take(work.portal.user("anna").ref)
    ana.username = "ana"
    work.portal.store.put(ana)
    undone = work.undo(pipeline)
    assert (undone.outcome, undone.codes, undone.failures) == (Outcome.OK, [], ())
    assert _state(work) == before


def test_who_is_new_and_may_name_nobody_yet_is_taken_out(work: Work) -> None:
    pipeline = work.pipeline(tables=_BOSS)
    work.portal.fault = on(UpdateUser, Fault.DROPPED)
    work.portal.doubt = lambda op: True
    done = work.run(pipeline, work.sheet({**user("ana"), "boss": "bo"}, user("bo"), others=["boss"]))
    assert done.outcome is Outcome.FAILED
    work.portal.fault, work.portal.doubt = (lambda op: None), (lambda op: False)
    undone = work.undo(pipeline)
    assert (undone.codes, undone.rows) == ([], {"deactivated": 2})


def test_a_declined_undo_leaves_no_trace(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana")))
    state = _state(work)
    with pytest.raises(RefusedError, match="declined"):
        engine.undo(pipeline, "last", confirm=lambda summary: False)
    assert _state(work) == state
    assert [job.state for job in engine.list_jobs(pipeline)] == [JobState.COMPLETED]


def test_what_cannot_be_undone_says_so(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana", email="nonsense")))
    with pytest.raises(RefusedError, match="written nothing"):
        work.undo(pipeline)
    work.run(pipeline, work.sheet(user("ana")))
    work.run(pipeline, work.sheet(user("ana")))
    with pytest.raises(RefusedError, match="changed nothing"):
        work.undo(pipeline)
    work.undo(pipeline, engine.list_jobs(pipeline)[1].id)
    undo, _, job, _ = engine.list_jobs(pipeline)
    with pytest.raises(RefusedError, match="cannot be taken back"):
        work.undo(pipeline, undo.id)
    with pytest.raises(RefusedError, match="undone already"):
        work.undo(pipeline, job.id)
    with pytest.raises(RefusedError, match="undone"):
        work.resume(pipeline, job.id)


def test_another_portal_is_never_touched(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana")))
    work.portal.store = MemoryStore("another")
    work.portal.add("ana")
    with pytest.raises(RefusedError, match="another portal"):
        work.undo(pipeline)


def test_memberships_go_before_users_and_groups(work: Work) -> None:
    """Some portals keep the memberships of a deleted user, and then no group is ever empty."""
    pipeline = work.pipeline(tables='[undo]\ncreated = "delete"')
    work.run(pipeline, work.sheet(user("ana", groups="A|B")))
    first = len(work.portal.handed)
    work.undo(pipeline)
    kinds: list[type[Op]] = [type(op) for op in work.portal.handed[first:]]
    assert AddMembers not in kinds
    assert [kind.__name__ for kind in kinds] == ["RemoveMembers", "DeleteUser", "DeleteGroup", "DeleteGroup"]
    assert DeleteUser in kinds


def test_what_was_not_done_is_not_taken_back_either(work: Work) -> None:
    """What the job failed to do and somebody else did since is theirs."""
    group = work.portal.add_group("A")
    work.portal.add("ana", forename="Ana", active=False)
    work.portal.fault = lambda op: Fault.FAILED if isinstance(op, UpdateUser | AddMembers) else None
    pipeline = work.pipeline(_CHANGING)
    work.run(pipeline, work.sheet(user("ana", forename="Anna", groups="A")))  # reactivated, the rest refused
    work.portal.fault = lambda op: None
    work.portal.change("ana", forename="Anna")
    work.portal.user("ana").groups.add(group)
    undone = work.undo(pipeline)
    assert undone.rows == {"updated": 1}
    assert _state(work)[0] == {"ana": ({"forename": "Anna"}, False, {"A"})}


def test_what_is_as_before_already_is_no_matter(work: Work) -> None:
    _populated(work)
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana", surname="Souza"), user("new")))
    work.portal.change("ana", surname="Silva")
    work.portal.user("new").active = False
    undone = work.undo(pipeline)
    assert (undone.codes, undone.rows) == ([], {"unchanged": 2})


def test_a_group_that_is_gone_is_not_joined_again(work: Work) -> None:
    _populated(work)
    pipeline = work.pipeline(tables=_REPLACING)
    work.run(pipeline, work.sheet(user("ana", groups="Region|North")))
    (old,) = (ref for ref, group in work.portal.store.groups.items() if group.name == "Old")
    del work.portal.store.groups[old]
    undone = work.undo(pipeline)
    assert (undone.codes, undone.failures) == (["undo.kept@3"], ())


def test_a_membership_that_was_refused_is_not_taken_back(work: Work) -> None:
    pipeline = work.pipeline()
    ana = work.portal.add("ana", forename="Ana", surname="Old")
    work.portal.before = lambda op: work.portal.store.take(ana.ref) if isinstance(op, AddMembers) else None
    work.run(pipeline, work.sheet(user("ana", surname="New", groups="A")))
    work.portal.before = lambda op: None
    work.portal.store.put(ana)
    (group,) = work.portal.store.groups
    ana.groups.add(group)
    undone = work.undo(pipeline)
    assert _state(work) == ({"ana": ({"forename": "Ana", "surname": "Old"}, True, {"A"})}, {"A"})
    assert [one.operation for one in undone.failures] == ["delete the group A"]


def test_the_ledger_forgets_who_was_deleted(work: Work) -> None:
    pipeline = work.pipeline(tables='[undo]\ncreated = "delete"')
    work.run(pipeline, work.sheet(user("ana")))
    work.undo(pipeline)
    with closing(sqlite3.connect(work.journal)) as journal:
        assert journal.execute("SELECT count(*) FROM managed").fetchone() == (0,)


def test_protected_users_stay_and_so_do_limits(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana"), user("admin1")))
    limited = work.pipeline('protect = ["admin*"]', "[limits]\ndeactivate = 0")
    with pytest.raises(RefusedError, match="1 user would be deactivated, the limit is 0"):
        work.undo(limited)
    undone = work.undo(work.pipeline('protect = ["admin*"]'))
    assert (undone.codes, undone.rows) == (["undo.kept@4"], {"deactivated": 1, "unchanged": 1})
    assert work.portal.user("admin1").active


def test_deactivated_absentees_are_active_again(work: Work) -> None:
    pipeline = work.pipeline('absent = "deactivate"', "[limits]\ndeactivate = 5")
    work.run(pipeline, work.sheet(user("ana"), user("bo"), user("cy")))
    work.run(pipeline, work.sheet(user("ana")))
    work.portal.store.take(work.portal.user("cy").ref)
    undone = work.undo(pipeline)
    assert work.portal.user("bo").active
    assert undone.codes == ["undo.kept@None"]
    assert undone.rows == {"updated": 1, "unchanged": 1}


def test_who_gets_nobody_back_as_before_and_who_is_not_there_any_more(work: Work) -> None:
    """A portal that keeps names as texts takes them all the same."""
    work.portal.add("ana", forename="Ana")
    work.portal.add("bo", forename="Bo", boss="gone")
    before = _state(work)
    pipeline = work.pipeline(tables=_BOSS)
    rows = [{**user("ana"), "boss": "bo"}, {**user("bo"), "boss": "ana"}]
    assert work.run(pipeline, work.sheet(*rows, others=["boss"])).rows == {"updated": 2}
    undone = work.undo(pipeline)
    assert (undone.outcome, undone.codes) == (Outcome.OK, ["boss.unknown_user@4"])
    assert _state(work) == before


def test_undo_correct_and_run_again(work: Work) -> None:
    """Whom our own undo has deactivated nobody meant to be inactive."""
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(addressed("ana", surname="Slva", groups="A"), addressed("bo")))
    work.undo(pipeline)
    corrected = work.sheet(addressed("ana", surname="Silva", groups="A"))
    plan = work.plan(pipeline, corrected)
    assert (plan.codes, plan.change(3).action) == ([], Action.UPDATE)
    assert plan.change(3).fields == {"active": (False, True), "surname": ("Slva", "Silva")}
    assert work.run(pipeline, corrected).rows == {"updated": 1}
    assert _state(work)[0]["ana"] == (
        {"forename": "Ana", "surname": "Silva", "email": "ana@example.com"},
        True,
        {"A"},
    )
    assert not work.portal.user("bo").active
    assert work.post.invited() == ["ana", "bo"]  # nobody a second time
    # Once more: the same undo, the same way back.
    work.undo(pipeline)
    assert not work.portal.user("ana").active
    assert work.run(pipeline, corrected).rows == {"updated": 1}


def test_whom_somebody_else_deactivates_stays_so(work: Work) -> None:
    work.portal.add("cy", forename="Cy", active=False)
    pipeline = work.pipeline()
    sheet = work.sheet(addressed("ana"))
    work.run(pipeline, sheet)
    work.undo(pipeline)
    work.run(pipeline, sheet)
    work.portal.user("ana").active = False  # by hand
    assert work.plan(pipeline, work.sheet(addressed("ana"), user("cy"))).codes == [
        "username.inactive@3",
        "username.inactive@4",
    ]


def test_an_undo_leaves_alone_whom_a_portal_names_that_ignores_its_filter(work: Work) -> None:
    """A look-up is compared again when a job is taken back, as it is when one is planned."""
    work.portal.add("ana", forename="Ana")
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana", forename="Anna")))
    work.portal.user("ana").username = "renamed"  # by somebody else, since
    work.portal.ignores_filters = True
    undone = work.undo(pipeline)
    assert undone.codes == ["undo.kept@3"]
    assert work.portal.user("renamed").fields["forename"] == "Anna"


_BOSS = '[[sheet.fields]]\nname = "boss"\nheading = "boss"\ntype = "user"'


def test_whoever_is_named_by_a_name_that_is_given_back_is_named_once_it_is_there(work: Work) -> None:
    """However the two are spelled; whoever keeps the name is named at once."""
    match = 'match = ["surname", "username"]'
    work.portal.add("ÄNNE", forename="Anne", surname="Berg")
    work.portal.add("bo", forename="Bo", boss="änne")
    work.portal.add("cy", forename="Cy", boss="bo")
    work.portal.add("dee", forename="Dee", boss="cy")
    before = _state(work)
    pipeline = work.pipeline(match, _BOSS + "\n[limits]\nupdate = '100%'")
    rows = [user("anne", surname="Berg"), *map(user, ("bo", "cy", "dee"))]
    for row, boss in zip(rows, ("", "dee", "dee", ""), strict=True):
        row["boss"] = boss
    assert work.run(pipeline, work.sheet(*rows, others=["boss"])).rows == {"updated": 3, "unchanged": 1}
    first = len(work.portal.handed)
    assert work.undo(pipeline).outcome is Outcome.OK
    assert _state(work) == before
    assert [
        (op.user.username, dict(op.changes)) for op in work.portal.handed[first:] if isinstance(op, UpdateUser)
    ] == [
        ("anne", {"username": "ÄNNE"}),
        ("cy", {"boss": "bo"}),
        ("bo", {"boss": "änne"}),
    ]


def _renamed(work: Work, rows: int, first: int = 0) -> Pipeline:
    """Runs a sheet that gives users other names, and all of them another boss."""
    names = [f"user{first + number:05}" for number in range(rows)]
    for name in names:
        work.portal.add(f"{name}.former", forename="Una", surname=name, boss=f"{name}.former")
    pipeline = work.pipeline('match = ["surname", "username"]', _BOSS + "\n[limits]\nupdate = '100%'")
    sheet = work.sheet(*({**user(name, surname=name), "boss": names[0]} for name in names), others=["boss"])
    assert work.run(pipeline, sheet).rows == {"updated": rows}
    return pipeline


def test_an_undo_looks_at_each_reference_once(work: Work) -> None:
    pipeline = _renamed(work, 400)
    assert python_calls(lambda: work.undo(pipeline)) / 400 < 500
    assert work.portal.user("user00007.former").fields["boss"] == "user00007.former"


@pytest.mark.slow
def test_an_undo_holds_no_more_of_many_references(work: Work) -> None:
    """Nor of many who get another name, whom others may refer to."""

    def most_held(pipeline: Pipeline) -> int:
        held: list[int] = []

        def confirm(summary: engine.PlanSummary) -> bool:
            held.append(tracemalloc.get_traced_memory()[1])
            return True

        tracemalloc.start()
        try:
            with engine.undo(pipeline, "last", confirm=confirm):
                return held[0]
        finally:
            tracemalloc.stop()

    few = most_held(_renamed(work, 1000))
    assert most_held(_renamed(work, 4000, 1000)) < 1.2 * few
