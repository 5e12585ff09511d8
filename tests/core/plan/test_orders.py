"""What a row wants: `mode`, and own fields with a role. Every row has one outcome, whatever they say."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musterroll import engine
from musterroll.errors import PipelineError, StalePlanError
from musterroll.journal.change import Action
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome
from support.pipelines import DIRECTORY, Told, Work, addressed, told, user

ROLES = ("command", "active", "valid_from", "valid_until", "old_username")
_COMMANDS = ("create", "update", "deactivate", "reactivate", "ignore", "delete")
ALIASES = 'aliases = { deactivate = ["Left", "Austritt"], create = ["Joiner"] }'


def _fields(*roles: str, **more: str) -> str:
    return "".join(
        f'[[sheet.fields]]\nname = "{role}"\nheading = "{role}"\nrole = "{role}"\n{more.get(role, "")}\n'
        for role in roles
    )


def _pipeline(work: Work, *roles: str, top: str = "", tables: str = "", backend: str = "", **more: str) -> Pipeline:
    return work.pipeline(top, f"{_fields(*(roles or ROLES), **more)}\n{tables}", backend=backend)


def _run(work: Work, pipeline: Pipeline, *rows: Mapping[str, str], name: str = "staff.csv") -> Told:
    others = [role for role in ROLES if any(role in row for row in rows)]
    return work.run(pipeline, work.sheet(*rows, others=others, name=name))


def _active(work: Work) -> dict[str, bool]:
    return {one.username: one.active for one in work.portal.store.users.values()}


def _actions(done: Told) -> dict[str, str]:
    return {change.username: str(change.action) for change in done.changes}


def test_a_sheet_without_such_columns_is_complete(work: Work) -> None:
    done = _run(work, _pipeline(work), user("ana"), user("bo"))
    assert (done.outcome, done.codes, done.rows) == (Outcome.OK, [], {"created": 2})


def test_a_row_says_what_becomes_of_its_user(work: Work) -> None:
    for name, active in {"bo": True, "cy": True, "dee": False, "eve": True}.items():
        work.portal.add(name, forename=name.title(), email=f"{name}@example.com", active=active)
    pipeline = _pipeline(work, command=ALIASES)
    done = _run(
        work,
        pipeline,
        addressed("ana", command="joiner"),
        addressed("bo", command="Update", surname="Bell"),
        {"username": "cy", "command": "AUSTRITT", "email": "nonsense"},  # of who leaves, only who it is counts
        addressed("dee", command="reactivate", surname="Dean"),
        {"username": "eve", "command": "ignore", "email": "nonsense"},
        {"username": "Eve", "command": "ignore"},
        {"username": "nobody", "command": "left"},
        addressed("missing", command="update"),
    )
    assert done.codes == ["username.unknown_user@9", "username.unknown_user@10"]
    assert (done.outcome, _actions(done)) == (
        Outcome.OK,
        {
            "ana": "create",
            "bo": "update",
            "cy": "deactivate",
            "dee": "reactivate",
            "eve": "ignored",
            "nobody": "ignored",
            "missing": "ignored",
        },
    )
    assert done.rows == {"created": 1, "updated": 1, "deactivated": 1, "reactivated": 1, "ignored": 4}
    assert _active(work) == {"ana": True, "bo": True, "cy": False, "dee": True, "eve": True}
    assert {done.change(row).invite.send for row in (5, 7, 8, 9, 10)} == {False}
    assert done.change(7).invite.reason == "the row says so"


def test_the_same_sheet_again_does_nothing(work: Work) -> None:
    pipeline = _pipeline(work)
    work.portal.add("bo", forename="Bo", active=False)
    rows = [
        user("ana", command="create"),
        user("bo", active="yes"),
        user("cy", valid_until="2026-02-01"),
        user("dee", active="Yes"),
    ]
    assert _run(work, pipeline, *rows).rows == {"created": 2, "reactivated": 1, "ignored": 1}
    work.portal.handed.clear()
    assert _run(work, pipeline, *rows).rows == {"unchanged": 2, "ignored": 2}
    assert work.portal.handed == []


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("create", {"created": 1, "ignored": 1}),
        ("update", {"updated": 1, "ignored": 1}),
        ("both", {"created": 1, "updated": 1}),
    ],
)
def test_a_job_may_only_create_or_only_update(work: Work, mode: str, expected: dict[str, int]) -> None:
    work.portal.add("ana", forename="Ana")
    done = _run(work, work.pipeline(f'mode = "{mode}"'), user("ana", surname="New"), addressed("bo"))
    assert (done.outcome, done.rows) == (Outcome.OK, expected)
    assert sum(done.invites.values()) == 2


def test_a_job_that_only_creates_finds_nobody_absent(work: Work) -> None:
    top, limits = 'absent = "deactivate"\n', "[limits]\ndeactivate = 9"
    _run(work, work.pipeline(top, limits), user("ana"), user("bo"))
    assert _run(work, work.pipeline(f'{top}mode = "create"', limits), user("cy")).rows == {"created": 1}
    assert _run(work, work.pipeline(top, limits), user("cy")).rows == {"unchanged": 1, "deactivated": 2}


def test_joiners_and_leavers_with_a_date(work: Work) -> None:
    """The clock says 1 March 2026. The sheet stays the same, and comes every day."""
    pipeline = _pipeline(work, "valid_from", "valid_until")
    rows = [
        addressed("ana", valid_from="2026-03-05", valid_until="2026-03-08"),
        addressed("bo", valid_from="2026-03-01"),
        addressed("cy", valid_until="2026-03-03"),
    ]
    assert _run(work, pipeline, *rows).rows == {"ignored": 1, "created": 2}
    seen = {}
    for day in range(2, 10):
        work.clock.pass_days(1)
        seen[day] = _run(work, pipeline, *rows).rows
    assert seen == {
        2: {"ignored": 1, "unchanged": 2},
        3: {"ignored": 1, "unchanged": 1, "deactivated": 1},
        4: {"ignored": 1, "unchanged": 2},
        5: {"created": 1, "unchanged": 2},
        6: {"unchanged": 3},
        7: {"unchanged": 3},
        8: {"unchanged": 2, "deactivated": 1},
        9: {"unchanged": 3},
    }
    assert _active(work) == {"ana": False, "bo": True, "cy": False}


def test_a_settled_row_is_looked_at_when_its_date_has_come(work: Work) -> None:
    """With a portal that compares users itself, and invites that are out."""
    pipeline = _pipeline(work, "valid_until", backend=DIRECTORY)
    rows = [addressed("ana", valid_until="2026-03-10"), addressed("bo", valid_until="2027-03-10")]
    for expected in ({"created": 2}, {"unchanged": 2}, {"unchanged": 2}):
        assert _run(work, pipeline, *rows).rows == expected
    work.clock.pass_days(9)
    assert _run(work, pipeline, *rows).rows == {"deactivated": 1, "unchanged": 1}


def test_a_saved_plan_is_stale_when_a_date_has_come(work: Work) -> None:
    pipeline = _pipeline(work, "valid_until")
    rows = [user("ana", valid_until="2026-03-03")]
    _run(work, pipeline, *rows)
    limited = _pipeline(work, "valid_until", tables="[limits]\nreject = 0\nupdate = 0")
    stopped = _run(work, limited, user("ana", surname="New", valid_until="2026-03-03"), name="new.csv")
    assert stopped.job is not None
    work.clock.pass_days(3)
    with pytest.raises(StalePlanError, match="changed since the plan was made"):
        engine.approve(limited, stopped.job.id, by="chief")


@pytest.mark.parametrize(
    ("cells", "code", "suggestion"),
    [
        ({"valid_until": "31.12.2026"}, "valid_until.type", "2026-12-31"),
        ({"valid_until": "12/31/2026"}, "valid_until.type", "2026-12-31"),
        ({"valid_until": "03/04/2026"}, "valid_until.type", None),  # in April or in March
        ({"valid_from": "2026-02-30"}, "valid_from.type", None),
        ({"valid_from": "soon"}, "valid_from.type", None),
        ({"command": "deactivat"}, "command.not_a_choice", "deactivate"),
        ({"command": "delete"}, "command.not_a_choice", None),  # nobody has allowed it
        ({"active": "perhaps"}, "active.not_a_choice", None),
        ({"valid_from": "2026-05-02", "valid_until": "2026-05-01"}, "row.contradictory", None),
        ({"command": "reactivate", "active": "no"}, "row.contradictory", None),
        ({"old_username": "never"}, "old_username.unknown_user", None),
    ],
)
def test_what_cannot_be_meant_is_a_problem_at_its_cell(
    work: Work, cells: dict[str, str], code: str, suggestion: str | None
) -> None:
    done = _run(work, _pipeline(work), user("ana", **cells))
    assert (done.outcome, done.codes) == (Outcome.PROBLEMS, [f"{code}@3"])
    problem = done.problems[0]
    assert problem.suggestion == suggestion
    assert problem.field in cells
    assert problem.column is not None
    assert work.portal.store.users == {}


def test_a_user_is_renamed_by_the_former_name(work: Work) -> None:
    work.portal.add("a.silva", forename="Ana")
    pipeline = _pipeline(work, "old_username")
    renamed = _run(work, pipeline, user("a.costa", old_username="A.Silva", forename="Ana"))
    assert (renamed.rows, list(_active(work))) == ({"updated": 1}, ["a.costa"])
    # The same sheet again; and a name that both have is nobody's.
    assert _run(work, pipeline, user("a.costa", old_username="a.silva", forename="Ana")).rows == {"unchanged": 1}
    work.portal.add("a.silva")
    both = _run(work, pipeline, user("a.costa", old_username="a.silva", forename="Ana"))
    assert both.codes == ["username.ambiguous@3"]


def test_users_are_deleted_where_the_pipeline_names_it_and_has_a_limit(work: Work) -> None:
    work.portal.can = {"delete": True}
    work.portal.add("bo")
    work.portal.add("cy")
    allowed = 'choices = ["update", "delete"]'
    with pytest.raises(PipelineError, match='"delete" needs a limit'):
        _pipeline(work, "command", command=allowed)
    pipeline = _pipeline(work, "command", command=allowed, tables="[limits]\ndelete = 1")
    both = _run(work, pipeline, {"username": "bo", "command": "delete"}, {"username": "cy", "command": "delete"})
    assert both.error is not None
    assert "delete: 2 users would be deleted, the limit is 1" in both.error.message
    one = _run(work, pipeline, {"username": "bo", "command": "delete"})
    assert (one.rows, list(_active(work))) == ({"deleted": 1}, ["cy"])
    assert _run(work, pipeline, {"username": "bo", "command": "delete"}).rows == {"ignored": 1}


def test_an_undo_takes_back_what_can_be_taken_back(work: Work) -> None:
    work.portal.can = {"delete": True}
    for name, active in {"bo": True, "cy": False, "dee": True}.items():
        work.portal.add(name, forename=name.title(), active=active)
    pipeline = _pipeline(
        work, "command", command='choices = ["deactivate", "reactivate", "delete"]', tables="[limits]\ndelete = 1"
    )
    done = _run(
        work,
        pipeline,
        {"username": "bo", "command": "deactivate"},
        user("cy", command="reactivate", surname="Cole"),
        {"username": "dee", "command": "delete"},
    )
    assert done.rows == {"deactivated": 1, "reactivated": 1, "deleted": 1}
    undone = told(engine.undo(pipeline, "last"))
    assert undone.codes == ["undo.kept@5"]
    assert _active(work) == {"bo": True, "cy": False}
    (cy,) = (one for one in work.portal.store.users.values() if one.username == "cy")
    assert not cy.fields.get("surname")


def test_what_the_portal_cannot_do_is_said_before_anything_is_written(work: Work) -> None:
    work.portal.can = {"deactivate": False}
    work.portal.add("bo", forename="Bo")
    done = _run(work, _pipeline(work), {"username": "bo", "command": "deactivate"})
    assert done.codes == ["backend.unsupported@3"]
    assert done.problems[0].field == "command"


def test_a_protected_user_does_not_leave(work: Work) -> None:
    work.portal.add("root")
    done = _run(work, _pipeline(work, top='protect = ["root"]'), {"username": "root", "active": "no"})
    assert done.codes == ["username.protected@3"]


def test_who_is_ignored_is_not_absent(work: Work) -> None:
    pipeline = _pipeline(work, top='absent = "deactivate"', tables="[limits]\ndeactivate = 9")
    _run(work, pipeline, *map(user, ("ana", "bo", "cy")))
    assert _run(work, pipeline, user("ana"), {"username": "bo", "command": "ignore"}).rows == {
        "unchanged": 1,
        "ignored": 1,
        "deactivated": 1,
    }


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ('name = "a"\nheading = "A"\nrole = "comand"', "role"),
        ('name = "a"\nheading = "A"\naliases = { yes = ["ja"] }', "aliases: are for a field with the role"),
        ('name = "email"\nrole = "active"', "means something already"),
        (
            'name = "a"\nheading = "A"\nrole = "command"\naliases = { remove = ["x"] }',
            '"remove" is no word of this role',
        ),
        ('name = "a"\nheading = "A"\nrole = "command"\naliases = { update = ["create"] }', 'means "create" already'),
        ('name = "a"\nheading = "A"\nrole = "command"\nchoices = ["updat"]', '"updat" is no command'),
        (
            'name = "a"\nheading = "A"\nrole = "active"\n[sheet.defaults]\na = "yes"',
            "has what stands in its column only",
        ),
        (
            'name = "a"\nheading = "A"\nrole = "active"\n[[sheet.fields]]\nname = "b"\nheading = "B"\nrole = "active"',
            'the field "a" has this role already',
        ),
    ],
)
def test_a_role_that_cannot_be_is_a_mistake_of_the_pipeline(work: Work, fields: str, says: str) -> None:
    with pytest.raises(PipelineError, match=says.replace("(", r"\(")):
        work.pipeline("", f"[[sheet.fields]]\n{fields}")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """One working folder for all examples."""
    return Work(tmp_path_factory.mktemp("shared"))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_row_has_exactly_one_outcome(shared: Work, data: st.DataObject) -> None:
    """Whatever combination of roles and modes; `run` does what `plan` says, and a second time nothing is done."""
    work = shared
    for left in work.state.glob("*") if work.state.exists() else ():
        left.unlink()
    work.portal.reset()
    work.portal.can = {"delete": True}
    state = {f"user{n}x": data.draw(st.sampled_from([None, True, False])) for n in range(12)}
    for name, active in state.items():
        if active is not None:
            work.portal.add(name, forename=name.title(), active=active)
    day = st.sampled_from(["", "2020-01-01", "2030-01-01"])
    renames = data.draw(st.booleans())
    cells = st.fixed_dictionaries(
        {
            "command": st.sampled_from(["", *_COMMANDS]),
            "active": st.sampled_from(["", "yes", "no"]),
            "valid_from": day,
            "valid_until": day,
            "old_username": st.sampled_from(["", "", "user0x", "nobody"] if renames else [""]),
            "surname": st.sampled_from(["", "New"]),
            "email": st.sampled_from(["", "nonsense"]),
        }
    )
    rows = [user(name, **data.draw(cells)) for name in state]
    mode = data.draw(st.sampled_from(["both", "create", "update"]))
    inactive = data.draw(st.sampled_from(["error", "update", "reactivate"]))
    pipeline = _pipeline(
        work,
        top=f'on_error = "skip"\nmode = "{mode}"\non_inactive = "{inactive}"',
        command=f"choices = {[*_COMMANDS]!r}",
        tables="[limits]\ndelete = 9",
    )
    sheet = work.sheet(*rows, others=ROLES)
    plan = work.plan(pipeline, sheet)
    done = work.run(pipeline, sheet)
    assert done.job is not None
    assert sum(done.rows.values()) == done.job.counts.rows == len(rows)  # `rows` checks that they add up, too
    assert {one.row for one in plan.changes} == {one.row for one in done.changes}
    assert [one.action for one in plan.changes] == [one.action for one in done.changes]
    for change in done.changes:
        quiet = change.action in (Action.IGNORED, Action.DEACTIVATE, Action.DELETE)
        assert not (quiet and change.invite.send)
    work.portal.handed.clear()
    work.run(pipeline, sheet)
    assert renames or work.portal.handed == []  # whoever was renamed may be created anew by a row of the former name
