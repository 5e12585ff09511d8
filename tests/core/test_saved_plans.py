"""Saved plans: carried out exactly, or refused with what has changed."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from musterroll import CreateUser, engine
from musterroll.engine import PlanTarget, SavedPlan
from musterroll.errors import PlanFileError, RefusedError, SourceError, StalePlanError, UsageError
from musterroll.journal.job import JobState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.differences import Difference, GroupDifference, GroupState, Stale
from musterroll.reports.report import Outcome
from support.faults import Fault, on
from support.pipelines import DIRECTORY, Told, Work, addressed, told, user
from support.processes import start, wait_for


def save(work: Work, pipeline: Pipeline, sheet: Path, name: str = "staff.plan", *, replaces: bool = False) -> Path:
    path = work.folder / name
    report = told(engine.plan(pipeline, sheet, save_to=PlanTarget(path, replace=replaces)))
    assert report.counts.rows
    return path


def apply(pipeline: Pipeline, path: Path, **options: object) -> Told:
    with SavedPlan(path) as saved:
        return told(engine.apply(pipeline, saved, **options))  # type: ignore[arg-type]


def stale(pipeline: Pipeline, path: Path) -> Stale:
    with pytest.raises(StalePlanError) as error:
        apply(pipeline, path)
    assert error.value.code == "plan.stale"
    assert "\n" not in error.value.message
    stale: Stale = error.value.stale
    return stale


@pytest.mark.parametrize("backend", ["", DIRECTORY], ids=["memory", "directory"])
def test_invariant_5_a_saved_plan_performs_exactly_its_operations(work: Work, backend: str) -> None:
    pipeline = work.pipeline(backend=backend)
    work.run(pipeline, work.sheet(user("bo", surname="Ek"), name="before.csv"))
    sheet = work.sheet(addressed("ana", groups="A|B;C"), addressed("bo", surname="Ekman"), user("cy"))
    path = save(work, pipeline, sheet)
    with SavedPlan(path) as saved:
        changes, groups = tuple(saved.changes()), tuple("|".join(one) for one in saved.groups_to_create())
    done = apply(pipeline, path)
    assert (done.outcome, done.state) == (Outcome.OK, JobState.COMPLETED)
    assert done.planned_changes == changes
    assert done.groups_to_create == groups == ("A", "A|B", "C")
    assert done.job is not None
    assert (done.job.kind, done.job.plan) == ("apply", saved.header.id)
    assert work.post.invited() == ["ana", "bo"]
    assert done.rows == {"created": 2, "updated": 1}


def _edit(work: Work) -> None:
    work.portal.change("bo", surname="Elsewhere")


def _edit_another_field(work: Work) -> None:
    work.portal.change("dee", email="dee@elsewhere.example")


def _add(work: Work) -> None:
    work.portal.add("ana", forename="Ana")


def _deactivate(work: Work) -> None:
    work.portal.user("dee").active = False


def _delete(work: Work) -> None:
    work.portal.store.take(work.portal.user("dee").ref)


def _regroup(work: Work) -> None:
    work.portal.user("dee").groups.add(work.portal.add_group("Elsewhere"))


def _replace_user(work: Work) -> None:
    work.portal.store.take(work.portal.user("dee").ref)
    work.portal.add("dee", forename="Dee")


INACTIVE = Difference(
    "invite",
    {"send": False, "channel": None, "reason": "not new"},
    {"send": False, "channel": None, "reason": "inactive"},
)
SURNAME = [{"before": was, "after": "Ekman"} for was in ("Ek", "Elsewhere")]


@pytest.mark.parametrize(
    ("behind_our_back", "expected"),
    [
        (_edit, (4, "bo", [Difference("fields.surname", *SURNAME)])),
        (_edit_another_field, (5, "dee", [Difference("portal")])),
        (_add, (3, "ana", [Difference("action", "create", "update")])),
        (_deactivate, (5, "dee", [Difference("portal"), INACTIVE])),
        (_delete, (5, "dee", [Difference("action", "unchanged", "create")])),
        (_regroup, (5, "dee", [Difference("portal")])),
        (_replace_user, (5, "dee", [Difference("portal")])),
    ],
)
def test_invariant_5_a_changed_user_makes_it_stale(
    work: Work, behind_our_back: Callable[[Work], None], expected: tuple[int, str, list[Difference]]
) -> None:
    work.portal.add("bo", forename="Bo", surname="Ek")
    work.portal.add("dee", forename="Dee")
    pipeline = work.pipeline('on_inactive = "update"')
    path = save(work, pipeline, work.sheet(addressed("ana"), user("bo", surname="Ekman"), user("dee")))
    behind_our_back(work)
    writes = work.portal.store.writes
    found = stale(pipeline, path)
    assert [(one.row, one.username, list(one.differences)) for one in found.users] == [expected]
    assert found.causes == ("the portal",)
    assert (work.portal.store.writes, work.portal.handed, work.post.invited()) == (writes, [], [])
    assert engine.list_jobs(pipeline) == []


def test_invariant_5_a_changed_group_makes_it_stale(work: Work) -> None:
    group = work.portal.add_group("A")
    pipeline = work.pipeline()
    path = save(work, pipeline, work.sheet(user("ana", groups="A;New")))
    work.portal.store.groups[group].name = "Renamed"
    work.portal.add_group("New")
    found = stale(pipeline, path)
    assert found.groups == (
        GroupDifference(("A",), GroupState.EXISTS, GroupState.MISSING),
        GroupDifference(("New",), GroupState.MISSING, GroupState.EXISTS),
    )
    work.portal.store.groups.clear()
    work.portal.add_group("A")
    assert stale(pipeline, path).groups == (GroupDifference(("A",), GroupState.EXISTS, GroupState.REPLACED),)
    assert work.portal.handed == []


def test_strangers_may_change_as_they_like(work: Work) -> None:
    work.portal.add("stranger")
    pipeline = work.pipeline()
    path = save(work, pipeline, work.sheet(user("ana", groups="A")))
    work.portal.change("stranger", surname="Changed")
    work.portal.add("newcomer", groups=[work.portal.add_group("Elsewhere")])
    assert apply(pipeline, path).rows == {"created": 1}


def test_invariant_5_another_sheet_makes_it_stale(work: Work) -> None:
    pipeline = work.pipeline()
    sheet = work.sheet(user("ana"), user("bo"), user("cy"))
    path = save(work, pipeline, sheet)
    work.sheet(user("ana", surname="Silva"), user("bo"), user("cy", email="nonsense"), user("dee"))
    found = stale(pipeline, path)
    assert (found.causes, found.backend) == (("the sheet",), False)
    assert [(one.row, [difference.what for difference in one.differences]) for one in found.users] == [
        (3, ["fields.surname"]),
        (5, ["row"]),
        (6, ["row"]),
    ]
    assert engine.list_jobs(pipeline) == []
    # Passwords are in no plan; that the sheet has other ones is told all the same.
    work.sheet(user("ana"), user("bo"), user("cy", password="Another-one-77"))
    assert stale(pipeline, path).causes == ("the sheet",)
    work.sheet(user("ana"), user("bo"), user("cy"))
    assert apply(pipeline, path).rows == {"created": 3}


def test_invariant_5_other_settings_make_it_stale(work: Work) -> None:
    path = save(work, work.pipeline(), work.sheet(user("ana")))
    built = work.portal.built
    found = stale(work.pipeline(tables='[membership]\nmode = "replace"'), path)
    assert (found.causes, found.backend) == (("the pipeline",), None)
    assert work.portal.built == built  # nobody asks a portal that the plan may not have meant
    assert apply(work.pipeline(top="# only a comment\n"), path).rows == {"created": 1}


def test_invariant_5_another_plugin_makes_it_stale(work: Work) -> None:
    path = save(work, work.pipeline(), work.sheet(user("ana")))
    with (work.folder / "faults.py").open("a") as file:
        file.write("# changed\n")
    found = stale(work.pipeline(), path)
    assert found.causes == ("a plugin",)
    assert [plugin.name for plugin in found.plugins] == ["faults.py"]


def test_invariant_5_another_portal_makes_it_stale(work: Work) -> None:
    pipeline = work.pipeline()
    path = save(work, pipeline, work.sheet(user("ana")))
    work.portal.store.name = "another"
    found = stale(pipeline, path)
    assert (found.causes, found.users) == (("the portal",), ())


def test_an_invite_in_between_makes_it_stale(work: Work) -> None:
    pipeline = work.pipeline(tables='[invites]\nsend_to = "pending"')
    work.run(pipeline, work.sheet(addressed("ana")))
    path = save(work, pipeline, work.sheet(addressed("ana")))
    work.clock.pass_days(30)  # the invite has expired: by now the plan would send another one
    found = stale(pipeline, path)
    assert found.causes == ("who was invited",)
    assert found.users[0].differences[0].what == "invite"
    assert work.post.invited() == ["ana"]


def test_a_plan_that_was_applied_says_so(work: Work) -> None:
    pipeline = work.pipeline()
    path = save(work, pipeline, work.sheet(user("ana")))
    done = apply(pipeline, path)
    assert done.job is not None
    with pytest.raises(StalePlanError, match=f"applied already, by the job {done.job.id} on 2026-03-01 10:00 UTC"):
        apply(pipeline, path)
    assert len(engine.list_jobs(pipeline)) == 1


def test_a_plan_that_was_applied_in_part_says_how_to_go_on(work: Work) -> None:
    pipeline = work.pipeline()
    path = save(work, pipeline, work.sheet(user("ana"), user("bo")))
    work.portal.fault = on(CreateUser, Fault.FAILED, username="bo")
    assert apply(pipeline, path).rows == {"created": 1, "failed": 1}
    work.portal.fault = lambda op: None
    with pytest.raises(StalePlanError, match=r"`musterroll jobs resume .*` goes on"):
        apply(pipeline, path)
    assert work.resume(pipeline).rows == {"created": 2}


def test_a_declined_plan_can_be_applied_later(work: Work) -> None:
    pipeline = work.pipeline()
    path = save(work, pipeline, work.sheet(user("ana")))
    with pytest.raises(RefusedError, match="declined"):
        apply(pipeline, path, confirm=lambda summary: False)
    assert engine.list_jobs(pipeline) == []
    assert apply(pipeline, path).rows == {"created": 1}


def test_the_sheet_may_have_been_moved(work: Work) -> None:
    pipeline = work.pipeline()
    sheet = work.sheet(user("ana"))
    path = save(work, pipeline, sheet)
    moved = sheet.rename(work.folder / "moved.csv")
    with pytest.raises(SourceError, match="say with --sheet"):
        apply(pipeline, path)
    assert apply(pipeline, path, sheet=moved).rows == {"created": 1}


def test_with_skip_the_good_rows_are_planned_and_with_abort_nothing_is_saved(work: Work) -> None:
    sheet = work.sheet(user("ana"), user("bo", email="nonsense"), user("cy"))
    for rows in (sheet, work.sheet(user("ana"), without=["groups"], name="headings.csv")):
        path = work.folder / "no.plan"
        aborting = work.pipeline("" if rows is sheet else 'on_error = "skip"')
        report = told(engine.plan(aborting, rows, save_to=PlanTarget(path)))
        assert (report.outcome, path.exists()) == (Outcome.PROBLEMS, False)
    pipeline = work.pipeline('on_error = "skip"')
    done = apply(pipeline, save(work, pipeline, sheet))
    assert done.rows == {"created": 2, "rejected": 1}
    assert done.outcome is Outcome.PROBLEMS
    assert done.job is not None
    assert done.job.rejected_file is not None


def test_limits_hold_for_applied_plans_too(work: Work) -> None:
    pipeline = work.pipeline(tables="[limits]\ncreate = 1")
    path = save(work, pipeline, work.sheet(user("ana"), user("bo")))
    done = apply(pipeline, path)
    assert (done.outcome, done.state) == (Outcome.REFUSED, JobState.QUARANTINED)
    assert work.portal.handed == []


def test_nothing_but_an_older_plan_is_ever_overwritten(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(user("ana"))
    path = save(work, pipeline, sheet)
    first = path.read_bytes()
    built = work.portal.built
    with pytest.raises(UsageError, match="--force"):
        save(work, pipeline, sheet)
    assert (path.read_bytes(), work.portal.built) == (first, built)  # told before any work is done
    save(work, pipeline, sheet, replaces=True)
    assert path.read_bytes() != first
    for other in (sheet, work.folder / "acme.toml"):
        before = other.read_bytes()
        with pytest.raises(UsageError, match="no saved plan"):
            save(work, pipeline, sheet, other.name, replaces=True)
        assert other.read_bytes() == before
    with pytest.raises(UsageError, match="is a folder"):
        save(work, pipeline, sheet, ".", replaces=True)
    with pytest.raises(PlanFileError, match="no folder"):
        save(work, pipeline, sheet, "missing/staff.plan")
    assert {file.name for file in work.folder.iterdir()} >= {"staff.plan", "staff.csv"}
    assert not list(work.folder.glob(".musterroll-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_saved_plan_is_for_its_owner_only(work: Work) -> None:
    path = save(work, work.pipeline(), work.sheet(user("ana")))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_cut_off_before_it_began_it_is_applied_anew_and_never_just_planned_anew(work: Work) -> None:
    pipeline = work.pipeline(backend=DIRECTORY)
    sheet = work.sheet(*(user(f"user{number}x") for number in range(3)))
    path = save(work, pipeline, sheet)
    code = f"""
from support.pipelines import DIRECTORY, Work
from musterroll import engine

def confirm(summary):
    print("asking", flush=True)
    sys.stdin.read()

with engine.SavedPlan(folder / "staff.plan") as saved:
    engine.apply(Work(folder, id={work.id!r}).pipeline(backend=DIRECTORY), saved, confirm=confirm)
"""
    with start(code, work.folder) as other:
        wait_for(other, "asking")
        with pytest.raises(RefusedError) as refused:
            apply(pipeline, path)
        assert refused.value.code == "state.locked"
        other.kill()
        other.wait()
    assert [(job.state, job.kind) for job in engine.list_jobs(pipeline)] == [(JobState.INTERRUPTED, "apply")]
    with pytest.raises(RefusedError, match="apply its plan again"):
        work.resume(pipeline)
    assert [job.state for job in engine.list_jobs(pipeline)] == [JobState.ABORTED]  # not interrupted for ever
    assert apply(pipeline, path).rows == {"created": 3}
