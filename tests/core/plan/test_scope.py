"""`[scope]`: a sheet that is the authority for some users only."""

from __future__ import annotations

import pytest

from musterroll import engine
from musterroll.errors import PipelineError
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome
from support.pipelines import Told, Work, told, user

DEPARTMENT = '[[sheet.fields]]\nname = "department"\nheading = "department"\n'
SALES = '[scope]\ndepartment = "Sales"\n'


def _pipeline(work: Work, top: str = "", tables: str = SALES) -> Pipeline:
    return work.pipeline(top, f"{DEPARTMENT}{tables}")


def _run(work: Work, pipeline: Pipeline, *rows: dict[str, str]) -> Told:
    return work.run(pipeline, work.sheet(*rows, others=["department"]))


def test_rows_outside_are_problems_of_the_sheet_alone(work: Work) -> None:
    pipeline = _pipeline(work)
    rows = [user("ana", department=" sales"), user("bo", department="IT"), user("cy")]
    sheet = work.sheet(*rows, others=["department"])
    assert told(engine.validate(pipeline, sheet)).codes == ["row.out_of_scope@4"]
    done = work.run(pipeline, sheet)
    assert (done.outcome, done.codes) == (Outcome.PROBLEMS, ["row.out_of_scope@4", "row.out_of_scope@5"])
    assert 'only about users whose department is "Sales"' in done.problems[0].message
    assert work.portal.store.users == {}


def test_a_blank_cell_means_what_the_portal_has(work: Work) -> None:
    work.portal.add("ana", forename="Ana", department="Sales")
    work.portal.add("bo", forename="Bo", department="IT")
    done = _run(work, _pipeline(work, 'on_error = "skip"'), user("ana", surname="New"), user("bo", surname="New"))
    assert (done.codes, done.rows) == (["row.out_of_scope@4"], {"updated": 1, "rejected": 1})
    assert 'of this one it is "IT"' in done.problems[0].message


def test_only_those_in_scope_are_absent(work: Work) -> None:
    top, limit = 'absent = "deactivate"', "[limits]\ndeactivate = 9\n"
    everybody = [user("ana", department="Sales"), user("bo", department="Sales"), user("cy", department="IT")]
    assert _run(work, _pipeline(work, top, limit), *everybody).rows == {"created": 3}
    done = _run(work, _pipeline(work, top, f"{SALES}{limit}"), everybody[0])
    assert done.rows == {"unchanged": 1, "deactivated": 1}
    assert {one.username: one.active for one in work.portal.store.users.values()} == {
        "ana": True,
        "bo": False,
        "cy": True,
    }


def test_nobody_outside_leaves_whatever_the_row_says_of_them(work: Work) -> None:
    command = '[[sheet.fields]]\nname = "command"\nheading = "command"\nrole = "command"\n'
    work.portal.add("bo", department="IT")
    work.portal.add("cy", department="Sales")
    for department in ("IT", "Sales", ""):
        row = {"username": "bo", "command": "deactivate", "department": department}
        sheet = work.sheet(row, others=["department", "command"])
        done = work.run(_pipeline(work, tables=command + SALES), sheet)
        assert (done.outcome, done.codes) == (Outcome.PROBLEMS, ["row.out_of_scope@3"])
    sheet = work.sheet({"username": "cy", "command": "deactivate"}, others=["department", "command"])
    assert work.run(_pipeline(work, tables=command + SALES), sheet).rows == {"deactivated": 1}


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        ('departmnt = "Sales"', 'there is no field "departmnt", did you mean "department"'),
        ('groups = "Sales"', "cannot say whom a sheet is about"),
        ('department = ""', "department"),
    ],
)
def test_a_scope_that_cannot_be_is_a_mistake_of_the_pipeline(work: Work, scope: str, says: str) -> None:
    with pytest.raises(PipelineError, match=says):
        _pipeline(work, tables=f"[scope]\n{scope}\n")
