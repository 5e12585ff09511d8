"""`[privileged]`: who comes into such a group, or goes, is told apart, and nobody is added where nobody is asked."""

from __future__ import annotations

from musterroll import engine
from musterroll.commands.documents import of_report
from musterroll.journal.job import JobState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.summary import PlanSummary
from musterroll.reports.report import Outcome
from support.pipelines import DIRECTORY, Told, Work, told, user

ADMIN = '[privileged]\ngroups = ["admin|*", "Owners"]'
REPLACE = '[membership]\nmode = "replace"'


def _pipeline(work: Work, top: str = "", tables: str = "") -> Pipeline:
    return work.pipeline(top, f"{ADMIN}\n{tables}", backend=DIRECTORY)


class _Person:
    """Somebody who is asked, agrees, and keeps what was shown."""

    def __init__(self) -> None:
        self.seen: list[PlanSummary] = []

    def __call__(self, summary: PlanSummary) -> bool:
        self.seen.append(summary)
        return True


def _asked(pipeline: Pipeline, work: Work, *rows: dict[str, str], person: _Person | None = None) -> Told:
    return told(engine.run(pipeline, work.sheet(*rows), confirm=person or _Person()))


def test_where_nobody_is_asked_nobody_becomes_privileged(work: Work) -> None:
    pipeline = _pipeline(work)
    sheet = work.sheet(user("ana", groups="Admin|Root;Sales"), user("bo", groups="Sales"))
    plan = work.plan(pipeline, sheet)
    assert (plan.outcome, plan.codes) == (Outcome.OK, ["groups.privileged@3"])
    done = work.run(pipeline, sheet)
    assert (done.outcome, done.state) == (Outcome.REFUSED, JobState.QUARANTINED)
    assert done.error is not None
    assert "privileged: 1 membership in privileged groups would be changed, the limit is 0" in done.error.message
    assert "privileged = 1" in done.error.message
    assert done.job is not None
    # A person lets it through, or a limit that was set for it.
    assert told(engine.approve(pipeline, done.job.id, by="chief")).rows == {"created": 2}
    more = work.sheet(user("cy", groups="Admin|Root"), name="more.csv")
    assert work.run(_pipeline(work, tables="[limits]\nprivileged = 1"), more).rows == {"created": 1}
    ordinary = work.sheet(user("dee", groups="Admin;Sales"), name="ordinary.csv")  # not below Admin
    assert work.run(pipeline, ordinary).rows == {"created": 1}


def test_whoever_is_asked_sees_it_apart(work: Work) -> None:
    pipeline, person = _pipeline(work), _Person()
    done = _asked(pipeline, work, user("ana", groups="Admin|Root;Sales"), user("bo", groups="OWNERS"), person=person)
    assert (done.outcome, done.codes) == (Outcome.OK, ["groups.privileged@3", "groups.privileged@4"])
    (summary,) = person.seen
    expected = [(("Admin", "Root"), 1, 0), (("OWNERS",), 1, 0)]
    assert list(summary.privileged) == expected
    with engine.show_job(pipeline, "last") as report:
        assert list(report.privileged) == expected
        assert of_report(report)["privileged"][0] == {"group": ["Admin", "Root"], "add": 1, "remove": 0}


def test_the_last_active_member_is_never_taken_out(work: Work) -> None:
    pipeline = _pipeline(work, tables=REPLACE)
    _asked(
        pipeline,
        work,
        user("ana", groups="Admin|Root"),
        user("bo", groups="Admin|Root"),
        user("cy", groups="Admin|Root"),
    )
    both = [user("ana", groups="Sales"), user("bo", groups="Sales")]
    assert _asked(pipeline, work, *both).rows == {"updated": 2}
    last = _asked(pipeline, work, user("cy", groups="Sales"))
    assert (last.outcome, "groups.last_member@3" in last.codes) == (Outcome.PROBLEMS, True)
    # Who joins by the same sheet may fail to; with the next one the other may go.
    handover = [user("cy", groups="Sales"), user("ana", groups="Admin|Root")]
    assert "groups.last_member@3" in _asked(pipeline, work, *handover).codes
    assert _asked(pipeline, work, handover[1]).rows == {"updated": 1}
    assert _asked(pipeline, work, handover[0]).rows == {"updated": 1}


def test_an_absent_last_member_stays_active(work: Work) -> None:
    pipeline = _pipeline(work, 'absent = "deactivate"', "[limits]\ndeactivate = 9")
    _asked(pipeline, work, *(user(name, groups="Admin|Root") for name in ("ana", "bo")), user("cy"))
    done = _asked(pipeline, work, user("cy"))
    assert done.rows == {"unchanged": 1, "deactivated": 1}
    assert done.codes == ["user.absent@None"]
    assert "may have no other active member" in done.problems[0].message


def test_an_undo_leaves_the_last_member_where_it_is(work: Work) -> None:
    pipeline = _pipeline(work)
    _asked(pipeline, work, user("ana", groups="Admin|Root"))
    undone = told(engine.undo(pipeline, "last", confirm=_Person()))
    assert (undone.codes, undone.state) == (["undo.kept@3"], JobState.COMPLETED_WITH_ERRORS)
    assert undone.rows == {"unchanged": 1}


def test_without_privileged_groups_nothing_is_said_of_any(work: Work) -> None:
    done = work.run(work.pipeline(), work.sheet(user("ana", groups="Admin|Root")))
    assert (done.outcome, done.codes) == (Outcome.OK, [])


def test_only_rows_that_go_in_are_told_apart(work: Work) -> None:
    rows = (
        user("ana", groups="Owners"),
        user("bo", groups="Owners", email="no address"),
        user("cy", groups="Owners"),
        user("CY", groups="Owners"),
    )
    plan = work.plan(_pipeline(work, 'on_error = "skip"'), work.sheet(*rows))
    # What is wrong with a later row keeps that of cy out as well.
    assert plan.codes == ["groups.privileged@3", "email.invalid@4", "username.duplicate@6"]
    assert plan.counts.warnings == 1
    plan = work.plan(_pipeline(work), work.sheet(*rows))
    assert [code for code in plan.codes if code.startswith("groups")] == ["groups.privileged@3", "groups.privileged@5"]
