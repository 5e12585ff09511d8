"""Fields that name another user: who is meant, and that nobody is named before they are there."""

from __future__ import annotations

import pytest

from musterroll import CreateUser, UpdateUser
from musterroll.plan.references import References
from musterroll.reports.report import Outcome
from support.faults import Fault, on
from support.pipelines import Told, Work, addressed, user

BOSS = """
    [[sheet.fields]]
    name = "boss"
    heading = "boss"
    type = "user"
"""
SKIP = 'on_error = "skip"'


def run(work: Work, *rows: dict[str, str], top: str = "", tables: str = BOSS) -> Told:
    return work.run(work.pipeline(top=top, tables=tables), work.sheet(*rows, others=["boss"]))


def bosses(work: Work) -> dict[str, str | None]:
    return {name: work.portal.user(name).fields.get("boss") for name in work.portal.names()}


def test_who_comes_later_in_the_same_file_is_named_once_both_are_there(work: Work) -> None:
    done = run(work, user("ana", boss="CY"), user("bo", boss="bo"), user("cy", boss="ana"))
    assert (done.outcome, done.rows) == (Outcome.OK, {"created": 3})
    assert bosses(work) == {"ana": "cy", "bo": "bo", "cy": "ana"}  # a ring, and oneself
    created = [op for op in work.portal.handed if isinstance(op, CreateUser)]
    assert not any("boss" in op.user.fields for op in created)
    assert [dict(op.changes) for op in work.portal.handed[3:] if isinstance(op, UpdateUser)] == [
        {"boss": "cy"},
        {"boss": "bo"},
        {"boss": "ana"},
    ]
    again = run(work, user("ana", boss="cy"), user("bo", boss="bo"), user("cy", boss="Ana"))
    assert again.rows == {"unchanged": 3}


def test_whom_the_portal_has_is_named_at_once_as_it_spells_them(work: Work) -> None:
    work.portal.add("Bo.Berg", email="bo@example.com")
    assert run(work, user("ana", boss="bo.berg"), user("cy", boss="BO@example.com")).rows == {"created": 2}
    assert bosses(work) == {"Bo.Berg": None, "ana": "Bo.Berg", "cy": "Bo.Berg"}
    assert not [op for op in work.portal.handed if isinstance(op, UpdateUser)]
    assert run(work, user("ana", boss="bo@example.com"), user("cy", boss="Bo.Berg")).rows == {"unchanged": 2}


def test_who_comes_back_is_named_already_by_those_who_never_ceased_to(work: Work) -> None:
    work.portal.add("ana", forename="Ana", boss="cy")
    done = run(work, user("ana", boss="cy"), user("cy"))
    assert (done.rows, done.change(3).fields) == ({"unchanged": 1, "created": 1}, {})
    assert work.undo(work.pipeline(tables=BOSS)).outcome is Outcome.OK
    assert bosses(work)["ana"] == "cy"


def test_somebody_of_the_sheet_can_be_named_by_address(work: Work) -> None:
    assert run(work, user("ana", boss="cy@example.com"), addressed("cy")).rows == {"created": 2}
    assert bosses(work)["ana"] == "cy"


def test_who_is_nowhere_is_a_problem_at_the_cell_with_whom_was_meant(work: Work) -> None:
    done = run(work, user("ana", boss="marcus"), user("markus"), user("cy", boss="zoe"), top=SKIP)
    assert [(p.code, p.cell, p.value, p.suggestion) for p in done.problems] == [
        ("boss.unknown_user", "I3", "marcus", "markus"),
        ("boss.unknown_user", "I5", "zoe", None),
    ]
    assert done.rows == {"created": 1, "rejected": 2}


def test_whose_boss_is_left_out_goes_in_without_and_it_is_said(work: Work) -> None:
    rows = [user("ana", boss="bo"), user("bo", boss="nobody"), user("cy", boss="ana")]
    done = run(work, *rows, top=SKIP)
    assert [(p.code, p.severity, p.row) for p in done.problems] == [
        ("boss.unknown_user", "warning", 3),
        ("boss.unknown_user", "error", 4),
    ]
    assert done.rows == {"created": 2, "rejected": 1}
    assert bosses(work) == {"ana": None, "cy": "ana"}
    # The whole sheet, corrected, makes good for it.
    assert run(work, rows[0], user("bo"), rows[2], top=SKIP).rows == {"updated": 1, "created": 1, "unchanged": 1}
    assert bosses(work)["ana"] == "bo"


def test_where_a_boss_is_needed_all_below_wait(work: Work) -> None:
    rows = [user("ana", boss="bo"), user("bo", boss="nobody"), user("cy", boss="ana"), user("deb", boss="deb")]
    done = run(work, *rows, top=SKIP, tables=BOSS + "    required = true\n")
    assert {p.row for p in done.problems if p.is_error} == {3, 4, 5}
    assert done.rows == {"created": 1, "rejected": 3}
    assert bosses(work) == {"deb": "deb"}


def test_who_is_renamed_by_the_sheet_has_the_new_name(work: Work) -> None:
    work.portal.add("bo", staff="7", forename="Bo")
    work.portal.add("ana", forename="Ana", staff="8")
    tables = BOSS + '    [[sheet.fields]]\n    name = "staff"\n    heading = "staff"\n'
    pipeline = work.pipeline(top=f'{SKIP}\nmatch = ["staff", "username"]', tables=tables)
    renamed = user("robert", staff="7", forename="Bo")
    done = work.run(pipeline, work.sheet(user("ana", staff="8", boss="bo"), renamed, others=["boss", "staff"]))
    (problem,) = done.problems
    assert (problem.code, problem.row, problem.suggestion) == ("boss.unknown_user", 3, "robert")
    done = work.run(pipeline, work.sheet(user("ana", staff="8", boss="robert"), renamed, others=["boss", "staff"]))
    assert (done.outcome, bosses(work)) == (Outcome.OK, {"ana": "robert", "robert": None})


def test_who_could_not_be_created_is_not_named_until_they_are(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.FAILED, username="bo")
    pipeline = work.pipeline(tables=BOSS)
    done = work.run(pipeline, work.sheet(user("ana", boss="bo"), user("bo", boss="ana"), others=["boss"]))
    assert done.rows == {"failed": 2}
    details = {(f.username, f.operation): f.detail for f in done.failures}
    assert details["ana", "refer to other users"] == "the user bo is not there"
    assert bosses(work) == {"ana": None}
    work.portal.fault = lambda op: None
    assert work.resume(pipeline).rows == {"created": 2}
    assert bosses(work) == {"ana": "bo", "bo": "ana"}


def test_whoever_has_gone_meanwhile_keeps_nobody_out(work: Work) -> None:
    work.portal.add("ana", forename="Ana", boss="gone")
    done = run(work, user("ana", boss="gone"))
    assert done.rows == {"unchanged": 1}
    assert [(p.code, p.severity) for p in done.problems] == [("boss.unknown_user", "warning")]
    assert run(work, user("ana", boss="gone"), user("bo", boss="gone"), top=SKIP).rows == {
        "unchanged": 1,
        "rejected": 1,
    }


def test_an_undo_takes_the_names_back(work: Work) -> None:
    work.portal.add("ana", forename="Ana", boss="old")
    work.portal.add("old")
    pipeline = work.pipeline(top='undo.created = "delete"', tables=BOSS)
    assert work.run(pipeline, work.sheet(user("ana", boss="bo"), user("bo", boss="ana"), others=["boss"])).rows == {
        "updated": 1,
        "created": 1,
    }
    assert bosses(work) == {"ana": "bo", "bo": "ana", "old": None}
    assert work.undo(pipeline).outcome is Outcome.OK
    assert bosses(work) == {"ana": "old", "old": None}


def test_nobody_is_asked_where_no_field_names_anybody(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(References, "look_up", lambda *_: pytest.fail("the portal was asked"))
    assert work.run(work.pipeline(), work.sheet(user("ana"))).rows == {"created": 1}
