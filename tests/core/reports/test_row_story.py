"""`jobs show --row`: everything that is known of one row."""

from __future__ import annotations

import pytest

from musterroll import CreateUser, SentStatus, engine
from musterroll.contract.rows import Origin
from musterroll.engine import RowStory
from musterroll.errors import SourceError, UsageError
from musterroll.journal.change import Action
from musterroll.pipeline.pipeline import Pipeline
from support.faults import Fault, on
from support.pipelines import PASSWORD, Work, addressed, told, user

SKIP = 'on_error = "skip"'


def tell(pipeline: Pipeline, row: int, job: str = "last") -> RowStory:
    return engine.explain_row(pipeline, job, row)


def verdicts(story: RowStory) -> dict[str, list[str]]:
    """The codes that every rule gave."""
    return {verdict.rule: [problem.code for problem in verdict.problems] for verdict in story.results}


def test_from_the_cell_to_the_invite(work: Work) -> None:
    tables = """
        [sheet.defaults]
        calling_code = "44"
        [sheet.compose]
        surname = "of {forename}"
    """
    pipeline = work.pipeline(tables=tables)
    row = addressed("ana", forename="  Ana ", phone="07712345678", groups="Region|North;Zed")
    work.run(pipeline, work.sheet(row, user("bo"), without=["surname"]))
    story = tell(pipeline, 3)
    assert (story.row, story.username, story.outcome, story.notes) == (3, "ana", "created", ())
    assert story.fields is not None
    found = {one.name: (one.cell, one.origin, one.value, one.raw, one.is_given) for one in story.fields}
    assert found["forename"] == ("C3", Origin.CELL, "Ana", "  Ana ", True)
    assert found["surname"] == ("C3", Origin.COMPOSED, "of Ana", None, True)
    assert found["calling_code"] == ("E3", Origin.DEFAULT, "44", None, True)
    assert found["password"] == ("D3", Origin.CELL, None, None, True)
    assert PASSWORD not in repr(story)
    rules = verdicts(story)
    assert rules["validators[phone]"] == ["phone.trunk_prefix"]
    assert rules["validators[required]"] == rules["validators[unique]"] == rules["groups[groups-column]"] == []
    assert {one.label for one in (*pipeline.validators, *pipeline.resolvers)} == set(rules)
    assert story.groups == (("Region", "North"), ("Zed",))
    assert story.change is not None
    assert (story.change.action, story.change.invite.send) == (Action.CREATE, True)
    assert [(one.operation, one.state) for one in story.operations] == [
        ("create the user", "done"),
        ("add to Region|North", "done"),
        ("add to Zed", "done"),
    ]
    assert story.invite is not None
    assert (story.invite.state, story.invite.channel) == ("sent", "email")

    other = tell(pipeline, 4)
    assert other.fields is not None
    assert other.invite is None
    assert other.change is not None
    assert other.change.invite.reason == "no address or number that a notifier can use"
    blank = next(one for one in other.fields if one.name == "email")
    assert (blank.origin, blank.is_given, blank.value) == (Origin.BLANK, False, "")


def test_why_a_row_was_left_out(work: Work) -> None:
    work.portal.add("eve", forename="Eve", active=False)
    pipeline = work.pipeline(SKIP)
    rows = [user("ana", email="nonsense"), user("bo"), user("Bo"), user("eve"), user("cy")]
    work.run(pipeline, work.sheet(*rows))
    ana, bo, again, eve, cy = (tell(pipeline, row) for row in range(3, 8))
    assert [one.outcome for one in (ana, bo, again, eve, cy)] == [*["rejected"] * 4, "created"]
    assert verdicts(ana)["validators[email]"] == ["email.invalid"]
    assert ana.change is None
    assert verdicts(again)["validators[unique]"] == ["username.duplicate"]
    # The first of two is kept out by what was found at the second.
    (problem,) = next(one.problems for one in bo.results if one.rule == "validators[unique]")
    assert problem.row == 5
    # What only the portal showed is no rule's.
    assert verdicts(eve)["planning"] == ["username.inactive"]
    assert not any(verdicts(cy).values())


def test_what_the_portal_and_the_notifier_did_not_do(work: Work) -> None:
    work.portal.fault = on(CreateUser, Fault.FAILED, username="ana")
    work.post.status = lambda message: SentStatus.FAILED
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(addressed("ana", groups="A"), addressed("bo")))
    ana, bo = tell(pipeline, 3), tell(pipeline, 4)
    assert ana.outcome == "failed"
    assert (ana.operations[0].state, ana.operations[0].detail) == ("failed", "the portal said no")
    assert bo.outcome == "created"
    assert bo.invite is not None
    assert (bo.invite.state, bo.invite.reason) == ("failed", "the post office said no")


def test_an_aborted_job_and_a_job_that_does_nothing(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(user("ana"), user("bo", email="nonsense")))
    assert (tell(pipeline, 3).outcome, tell(pipeline, 4).outcome) == ("not_attempted", "rejected")
    sheet = work.sheet(addressed("ana"))
    work.run(pipeline, sheet)
    work.run(pipeline, sheet)
    story = tell(pipeline, 3)
    assert (story.outcome, story.operations) == ("unchanged", ())
    assert story.change is not None
    assert story.change.invite.reason == "already invited"


def test_without_its_sheet_the_journal_tells(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    sheet = work.sheet(addressed("ana"), user("bo", email="nonsense"))
    work.run(pipeline, sheet)
    moved = sheet.rename(work.folder / "moved.csv")
    for note in ("does not exist", "has changed"):
        gone, bad = tell(pipeline, 3), tell(pipeline, 4)
        assert note in gone.notes[0]
        assert (gone.fields, gone.groups, gone.username, gone.outcome) == (None, None, "ana", "created")
        assert gone.operations
        assert verdicts(bad) == {"": ["email.invalid"]}
        sheet.write_text("another", encoding="utf-8")
    assert engine.explain_row(pipeline, "last", 3, sheet=moved).fields is not None
    with pytest.raises(SourceError, match="does not exist"):
        engine.explain_row(pipeline, "last", 3, sheet=work.folder / "nowhere.csv")


def test_a_pipeline_that_has_changed_is_said_to_have(work: Work) -> None:
    work.run(work.pipeline(), work.sheet(addressed("ana")))
    assert "the pipeline has changed" in tell(work.pipeline("on_inactive = 'update'"), 3).notes[0]


@pytest.mark.parametrize(
    ("on_blank", "row", "why"),
    [
        ("skip", 1, "row 1 holds the headings"),
        ("skip", 2, "row 2 holds no user; users start at row 3"),
        ("skip", 4, "row 4 is blank"),
        ("skip", 6, "the sheet ends before row 6; its last row with a user is 5"),
        ("stop", 4, "row 4 is blank, and ends the import"),
        ("stop", 5, "row 5 was not imported: the blank row 4 ends the import"),
    ],
)
def test_rows_without_a_user(work: Work, on_blank: str, row: int, why: str) -> None:
    pipeline = work.pipeline(tables=f'[sheet]\non_blank_row = "{on_blank}"')
    work.run(pipeline, work.sheet(user("ana"), {}, user("bo")))
    with pytest.raises(UsageError) as refused:
        tell(pipeline, row)
    assert (refused.value.message.startswith(why), refused.value.code) == (True, "job.no_such_row")


def test_jobs_without_a_sheet_and_undone_ones(work: Work) -> None:
    pipeline = work.pipeline(tables='[invites]\nsend_to = "none"')
    work.run(pipeline, work.sheet(addressed("ana")))
    told(engine.send_invites(pipeline))
    with pytest.raises(UsageError, match="sent invites"):
        tell(pipeline, 3)
    imported = engine.list_jobs(pipeline)[1].id
    told(engine.undo(pipeline, imported))
    story = tell(pipeline, 3)
    assert "took the job" in story.notes[0]
    assert story.operations
