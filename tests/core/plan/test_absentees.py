"""`absent`: users that this pipeline manages and that are missing from the sheet."""

from __future__ import annotations

import pytest

from musterroll import AddMembers, CreateUser, Deactivate, UpdateUser, engine
from musterroll.errors import PipelineError
from musterroll.journal.change import Action, FieldChange
from musterroll.journal.job import JobState
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome
from support.faults import Fault, on
from support.pipelines import Work, addressed, told, user

NAMES = ("ana", "bo", "cy", "dee")


def _deactivating(work: Work, top: str = "", limit: int = 9) -> Pipeline:
    return work.pipeline(f'absent = "deactivate"\n{top}', f"[limits]\ndeactivate = {limit}")


def _active(work: Work) -> set[str]:
    return {stored.username for stored in work.portal.store.users.values() if stored.active}


def test_who_is_missing_from_the_sheet_is_deactivated_after_everything_else(work: Work) -> None:
    work.portal.add("bo", forename="Bo")  # was there before, and is managed from the first sheet on
    work.portal.add("stranger")
    pipeline = _deactivating(work)
    assert work.run(pipeline, work.sheet(*map(addressed, NAMES))).rows == {"created": 3, "updated": 1}
    work.portal.handed.clear()
    sheet = work.sheet(addressed("cy", groups="A"), addressed("dee"), addressed("eve"))
    plan = work.plan(pipeline, sheet)
    assert [(c.row, c.username, c.action) for c in plan.changes[-2:]] == [
        (None, "bo", Action.DEACTIVATE),
        (None, "ana", Action.DEACTIVATE),
    ]
    assert plan.changes[-1].fields == {"active": FieldChange(before=True, after=False)}
    assert _active(work) >= {"ana", "bo"}

    done = work.run(pipeline, sheet)
    assert done.planned_changes == plan.planned_changes
    assert done.outcome is Outcome.OK
    assert done.rows == {"updated": 1, "unchanged": 1, "created": 1, "deactivated": 2}
    assert done.job is not None
    assert done.job.counts.rows == 3
    assert sum(done.invites.values()) == 3
    assert _active(work) == {"cy", "dee", "eve", "stranger"}
    kinds = [type(op) for op in work.portal.handed]
    assert kinds.index(Deactivate) > max(kinds.index(CreateUser), kinds.index(AddMembers))
    assert kinds[-2:] == [Deactivate, Deactivate]
    # Whoever is out already is no change: the same sheet again writes nothing.
    assert work.run(pipeline, sheet).rows == {"unchanged": 3}
    assert work.plan(pipeline, sheet).changes[-1].row is not None


def test_a_deactivated_user_who_comes_back(work: Work) -> None:
    everybody, half = work.sheet(*map(user, NAMES)), work.sheet(*map(user, NAMES[:2]), name="half.csv")
    work.run(_deactivating(work), everybody)
    assert work.run(_deactivating(work), half).rows == {"unchanged": 2, "deactivated": 2}
    assert work.run(_deactivating(work), everybody).codes == ["username.inactive@5", "username.inactive@6"]
    back = work.run(_deactivating(work, 'on_inactive = "reactivate"'), everybody)
    assert back.rows == {"updated": 2, "unchanged": 2}
    assert _active(work) == set(NAMES)


def test_by_default_nobody_minds(work: Work) -> None:
    work.run(work.pipeline(), work.sheet(*map(user, NAMES)))
    done = work.run(work.pipeline(), work.sheet(user("ana")))
    assert (done.rows, done.codes) == ({"unchanged": 1}, [])


def test_report_lists_them_after_the_rows_and_changes_nothing(work: Work) -> None:
    pipeline = work.pipeline('absent = "report"\non_error = "skip"')
    work.run(pipeline, work.sheet(*map(user, NAMES)))
    done = work.run(pipeline, work.sheet(user("ana"), user("dee", email="nonsense")))
    assert done.codes == ["email.invalid@4", "user.absent@None", "user.absent@None"]
    assert [problem.message for problem in done.problems if problem.code == "user.absent"] == [
        f'"{name}" is in the portal, managed by this pipeline, but not in the sheet' for name in ("bo", "cy")
    ]
    assert done.rows == {"unchanged": 1, "rejected": 1}
    assert told(engine.show_job(pipeline, "last")).codes == done.codes
    assert _active(work) == set(NAMES)


def test_a_user_of_a_rejected_row_is_not_absent(work: Work) -> None:
    pipeline = _deactivating(work, 'on_error = "skip"')
    work.run(pipeline, work.sheet(*map(user, NAMES)))
    rows = [user("ana", email="bad"), user("Bo", forename=""), user("cy"), user("CY")]
    done = work.run(pipeline, work.sheet(*rows))
    assert done.rows == {"rejected": 4, "deactivated": 1}
    assert _active(work) == {"ana", "bo", "cy"}


def test_users_that_an_ambiguous_row_may_mean_are_not_absent(work: Work) -> None:
    top = 'on_error = "skip"\nmatch = ["email", "username"]'
    work.run(_deactivating(work, top), work.sheet(*map(addressed, NAMES)))
    bo = work.portal.store.take(work.portal.user("bo").ref)
    bo.fields["email"] = "ana@example.com"
    work.portal.store.put(bo)
    done = work.run(_deactivating(work, top), work.sheet(user("new", email="ana@example.com"), addressed("dee")))
    assert done.codes == ["username.ambiguous@3"]
    assert done.rows == {"rejected": 1, "unchanged": 1, "deactivated": 1}
    assert _active(work) == {"ana", "bo", "dee"}


def test_users_that_an_ignored_row_may_mean_are_not_absent(work: Work) -> None:
    """Nothing is wrong with such a row, whomever it means."""
    top, column = (
        'match = ["email", "username"]',
        '[[sheet.fields]]\nname = "todo"\nheading = "todo"\nrole = "command"\n',
    )
    pipeline = work.pipeline(f'absent = "deactivate"\n{top}', f"{column}[limits]\ndeactivate = 9")
    work.run(pipeline, work.sheet(*map(addressed, NAMES), others=["todo"]))
    bo = work.portal.store.take(work.portal.user("bo").ref)
    bo.fields["email"] = "ana@example.com"
    work.portal.store.put(bo)
    ignored = user("new", email="ana@example.com", todo="ignore")
    done = work.run(pipeline, work.sheet(ignored, addressed("dee"), others=["todo"]))
    assert (done.codes, done.rows) == ([], {"ignored": 1, "unchanged": 1, "deactivated": 1})
    assert _active(work) == {"ana", "bo", "dee"}


def test_nobody_is_deactivated_while_a_row_that_is_ignored_does_not_say_whom_it_means(work: Work) -> None:
    work.run(work.pipeline(), work.sheet(*map(user, NAMES)))
    off = '[[validators]]\nname = "required"\nenabled = false\n'
    pipeline = work.pipeline('absent = "deactivate"\nmode = "update"', f"{off}[limits]\ndeactivate = 9")
    done = work.run(pipeline, work.sheet(user("dee"), {**user("x"), "username": ""}))
    assert done.rows == {"unchanged": 1, "ignored": 1}
    assert "not deactivated, because row 4 does not say whom it means" in done.problems[-1].message
    assert _active(work) == set(NAMES)


@pytest.mark.parametrize("nobody", [{"username": ""}, {"username": "", "email": "ana@example.com"}])
def test_nobody_is_deactivated_while_a_row_does_not_say_whom_it_means(work: Work, nobody: dict[str, str]) -> None:
    pipeline = _deactivating(work, 'on_error = "skip"')
    work.run(pipeline, work.sheet(*map(user, NAMES)))
    done = work.run(pipeline, work.sheet(user("dee"), {**user("x"), **nobody}))
    assert done.rows == {"unchanged": 1, "rejected": 1}
    assert "not deactivated, because row 4 does not say whom it means" in done.problems[-1].message
    assert _active(work) == set(NAMES)


@pytest.mark.parametrize("top", ["", 'on_error = "skip"'])
def test_nobody_behind_a_blank_row_is_deactivated(work: Work, top: str) -> None:
    pipeline = _deactivating(work, top)
    work.run(pipeline, work.sheet(*map(user, NAMES)))
    gap = work.sheet(user("ana"), {}, user("bo"), user("cy"), user("dee"), name="gap.csv")
    done = work.run(pipeline, gap)
    assert done.state is JobState.ABORTED
    assert done.codes == ["sheet.incomplete@None", "row.after_blank@4"]
    assert '"bo" and 2 more would count as missing' in done.problems[0].message
    assert _active(work) == set(NAMES)
    # Where nobody is missing, the blank row is only warned of, as ever.
    assert work.run(pipeline, work.sheet(*map(user, NAMES), {}, user("eve"))).codes == ["row.after_blank@7"]
    skipping = work.pipeline('absent = "deactivate"', "[sheet]\non_blank_row = 'skip'\n[limits]\ndeactivate = 9")
    assert work.run(skipping, gap).rows == {"unchanged": 4}


def test_a_sheet_with_faulty_headings_says_nothing_of_who_is_in_it(work: Work) -> None:
    pipeline = work.pipeline('absent = "report"')
    work.run(pipeline, work.sheet(*map(user, NAMES)))
    done = work.run(pipeline, work.sheet(user("ana"), without=["forename"]))
    assert [problem.code for problem in done.problems] == ["column.missing"]


def test_only_the_user_that_we_know_is_deactivated(work: Work) -> None:
    pipeline = _deactivating(work)
    work.run(pipeline, work.sheet(*map(user, NAMES)))
    bo = work.portal.store.take(work.portal.user("bo").ref)
    bo.username = "renamed"  # by somebody else, who gave the name to another one
    work.portal.store.put(bo)
    work.portal.store.take(work.portal.user("cy").ref)
    work.portal.add("bo")
    work.portal.ignores_filters = True
    done = work.run(pipeline, work.sheet(user("ana")))
    assert done.rows == {"unchanged": 1, "deactivated": 1}
    assert _active(work) == {"ana", "bo", "renamed"}


def test_users_are_followed_when_the_sheet_renames_them(work: Work) -> None:
    top = 'match = ["staff_number", "username"]\nabsent = "deactivate"'
    tables = '[[sheet.fields]]\nname = "staff_number"\nheading = "staff_number"\n[limits]\ndeactivate = 9'
    pipeline = work.pipeline(top, tables)
    rows = [user(name, staff_number=name[0]) for name in NAMES]
    work.run(pipeline, work.sheet(*rows, others=["staff_number"]))
    rows[0] = {**rows[0], "username": "anastasia"}
    assert work.run(pipeline, work.sheet(*rows, others=["staff_number"])).rows == {"updated": 1, "unchanged": 3}
    # Who could not be renamed is known by the old name still.
    work.portal.fault = on(UpdateUser, Fault.FAILED)
    rows[1] = {**rows[1], "username": "bogdan"}
    assert work.run(pipeline, work.sheet(*rows, others=["staff_number"])).rows == {"failed": 1, "unchanged": 3}
    done = work.run(pipeline, work.sheet(*rows[2:], others=["staff_number"]))
    assert done.rows == {"unchanged": 2, "deactivated": 2}
    assert _active(work) == {"cy", "dee"}


def test_what_a_pipeline_manages_is_its_own(work: Work) -> None:
    work.run(_deactivating(work), work.sheet(*map(user, NAMES)))
    text = (work.folder / "acme.toml").read_text(encoding="utf-8").replace('"acme"', '"other"')
    (work.folder / "acme.toml").write_text(text, encoding="utf-8")
    other = load_pipeline(work.folder / "acme.toml")
    assert work.run(other, work.sheet(user("ana"))).rows == {"unchanged": 1}
    assert _active(work) == set(NAMES)


def test_those_of_the_wrong_sheet_are_forgotten_when_it_is_taken_back(work: Work) -> None:
    for name in NAMES:
        work.portal.add(name, forename="Old")
    work.run(_deactivating(work), work.sheet(user("ana"), user("bo")))
    work.run(work.pipeline(), work.sheet(user("cy"), user("dee"), name="wrong.csv"))
    assert work.undo(work.pipeline()).outcome is Outcome.OK
    assert work.run(_deactivating(work), work.sheet(user("ana"), user("bo"))).rows == {"unchanged": 2}
    assert _active(work) == set(NAMES)


def test_a_deactivation_is_taken_back_like_anything_else(work: Work) -> None:
    work.run(_deactivating(work), work.sheet(*map(user, NAMES)))
    assert work.run(_deactivating(work), work.sheet(user("ana"))).rows == {"unchanged": 1, "deactivated": 3}
    undone = work.undo(_deactivating(work))
    assert undone.outcome is Outcome.OK
    assert [change.row for change in undone.changes] == [None] * 3
    assert _active(work) == set(NAMES)


def test_a_deactivation_that_fails_is_told_and_can_be_resumed(work: Work) -> None:
    pipeline = _deactivating(work)
    work.run(pipeline, work.sheet(*map(user, NAMES)))
    work.portal.fault = on(Deactivate, Fault.FAILED, times=1)
    done = work.run(pipeline, work.sheet(user("ana")))
    assert (done.outcome, done.rows) == (Outcome.FAILED, {"unchanged": 1, "deactivated": 2, "failed": 1})
    ((row, name, what),) = [(failure.row, failure.username, failure.operation) for failure in done.failures]
    assert (row, what) == (None, "deactivate the user")
    assert name in NAMES
    assert work.resume(pipeline).rows == {"unchanged": 1, "deactivated": 3}


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNKNOWN, Fault.DROPPED])
def test_a_doubtful_deactivation_is_settled(work: Work, fault: Fault) -> None:
    pipeline = _deactivating(work)
    work.run(pipeline, work.sheet(*map(user, NAMES)))
    work.portal.fault = on(Deactivate, fault, times=2)
    assert work.run(pipeline, work.sheet(user("ana"))).rows == {"unchanged": 1, "deactivated": 3}
    assert _active(work) == {"ana"}


def test_deactivating_needs_a_limit_and_a_portal_that_can(work: Work) -> None:
    with pytest.raises(PipelineError, match=r"absent: .*needs a limit"):
        work.pipeline('absent = "deactivate"')
    assert work.pipeline('absent = "report"').settings.absent == "report"
    work.portal.can = {"deactivate": False}
    sheet = work.sheet(user("ana"))
    for command in (engine.plan, engine.run):
        with pytest.raises(PipelineError, match=r"absent: this portal cannot deactivate users; write .report. or"):
            command(_deactivating(work), sheet)
    assert work.portal.handed == []


def test_too_many_absent_users_stop_the_job(work: Work) -> None:
    work.run(_deactivating(work), work.sheet(*map(user, NAMES)))
    done = work.run(_deactivating(work, limit=2), work.sheet(user("ana")))
    assert (done.outcome, done.state, done.rows) == (Outcome.REFUSED, JobState.QUARANTINED, {"not_attempted": 1})
    assert _active(work) == set(NAMES)


def test_more_absent_users_than_are_looked_up_at_once(work: Work) -> None:
    names = [f"user{number}x" for number in range(1200)]
    work.run(work.pipeline(), work.sheet(*map(user, names)))
    done = work.run(_deactivating(work, limit=2000), work.sheet(*map(user, names[::100])))
    assert done.rows == {"unchanged": 12, "deactivated": 1188}
    assert _active(work) == set(names[::100])
