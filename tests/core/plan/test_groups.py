"""Groups and memberships, as the planner decides and the portal ends up with."""

from __future__ import annotations

import pytest

from musterroll.contract.operations import CreateGroup
from musterroll.journal.targets import Target
from musterroll.reports.report import Outcome
from support.pipelines import Work, user

REPLACE = """
    [membership]
    mode = "replace"
"""


def _missing(choice: str) -> str:
    return f"""
        [membership]
        missing = "{choice}"
    """


def test_adding_keeps_other_groups(work: Work) -> None:
    sales = work.portal.add_group("Sales")
    work.portal.add("ana", forename="Ana", groups=[sales])
    pipeline, sheet = work.pipeline(), work.sheet(user("ana", groups="Ops;OPS; ops "), user("bo"))
    done = work.run(pipeline, sheet)
    assert done.change(3).add == (Target(("Ops",)),)
    assert done.rows == {"updated": 1, "created": 1}
    assert work.portal.groups_of("ana") == {"Sales", "Ops"}
    assert work.run(pipeline, sheet).rows == {"unchanged": 2}


def test_replacing_removes_other_groups_and_a_blank_cell_keeps_all(work: Work) -> None:
    sales, ops = work.portal.add_group("Sales"), work.portal.add_group("Ops")
    work.portal.add("ana", forename="Ana", groups=[sales])
    work.portal.add("bo", forename="Bo", groups=[sales, ops])
    pipeline, sheet = work.pipeline(tables=REPLACE), work.sheet(user("ana", groups="ops"), user("bo"))
    done = work.run(pipeline, sheet)
    assert (done.change(3).add, done.change(3).remove) == ((Target(("Ops",)),), (Target(("Sales",)),))
    assert work.portal.groups_of("ana") == {"Ops"}
    assert work.portal.groups_of("bo") == {"Sales", "Ops"}
    assert work.run(pipeline, sheet).rows == {"unchanged": 2}


def test_of_two_groups_that_fold_to_one_name_the_right_one_is_left(work: Work) -> None:
    first, second, ops = (work.portal.add_group(name) for name in ("Sales", "SALES", "Ops"))
    work.portal.add("ana", forename="Ana", groups=[second])
    work.portal.add("bo", forename="Bo", groups=[first])
    pipeline, sheet = work.pipeline(tables=REPLACE), work.sheet(user("ana", groups="Ops"), user("bo", groups="sales"))
    work.run(pipeline, sheet)
    assert work.portal.user("ana").groups == {ops}
    assert work.portal.user("bo").groups == {first}
    assert work.run(pipeline, sheet).rows == {"unchanged": 2}


def test_missing_groups_are_created_parents_first_in_the_order_of_the_sheet(work: Work) -> None:
    work.portal.add_group("REGION")
    rows = [user("ana", groups="Z;region|North|Team"), user("bo", groups="A|B;Region|north;A")]
    done = work.run(work.pipeline(), work.sheet(*rows))
    # Levels that exist are spelled as stored, new ones as in the first row that names them.
    assert done.groups_to_create == ("Z", "REGION|North", "REGION|North|Team", "A", "A|B")
    created = ["|".join(op.path) for op in work.portal.handed if isinstance(op, CreateGroup)]
    assert sorted(created) == sorted(done.groups_to_create)
    assert work.portal.groups_of("ana") == {"Z", "REGION|North|Team"}  # the leaf only
    assert work.portal.groups_of("bo") == {"A|B", "REGION|North", "A"}


def test_missing_groups_are_an_error(work: Work) -> None:
    work.portal.add_group("Sales")
    rows = [user("ana", groups="Sale"), user("bo", groups="Sales")]
    done = work.run(work.pipeline('on_error = "skip"', _missing("error")), work.sheet(*rows))
    assert done.codes == ["groups.unknown@3"]
    assert done.problems[0].suggestion == "Sales"
    assert done.rows == {"rejected": 1, "created": 1}
    assert done.groups_to_create == ()


def test_missing_groups_are_skipped(work: Work) -> None:
    work.portal.add_group("Sales")
    done = work.run(work.pipeline(tables=_missing("skip")), work.sheet(user("ana", groups="Nowhere;sales")))
    assert done.outcome is Outcome.OK
    assert done.codes == ["groups.unknown@3"]
    assert done.counts.warnings == 1
    assert work.portal.groups_of("ana") == {"Sales"}


def test_near_matches_are_created_with_a_warning(work: Work) -> None:
    region = work.portal.add_group("Region")
    work.portal.add_group("North", region)
    done = work.run(work.pipeline(), work.sheet(user("ana", groups="Region|Nort"), user("bo", groups="Region|Nort")))
    assert done.codes == ["groups.near_match@3"]
    assert done.problems[0].suggestion == "Region|North"
    assert done.outcome is Outcome.OK
    assert work.portal.groups_of("bo") == {"Region|Nort"}


@pytest.mark.parametrize("name", ["Team 2", "Team B", "Region|South", "Region|North 2", "North", "Team|1"])
def test_members_of_a_series_and_other_names_are_no_near_matches(work: Work, name: str) -> None:
    region = work.portal.add_group("Region")
    for other, parent in (("North", region), ("North 1", region), ("Team 1", None), ("Team A", None)):
        work.portal.add_group(other, parent)
    assert work.run(work.pipeline(), work.sheet(user("ana", groups=name))).codes == []


def test_a_slip_in_a_level_above_is_a_near_match_too(work: Work) -> None:
    work.portal.add_group("North", work.portal.add_group("Region"))
    done = work.run(work.pipeline(), work.sheet(user("ana", groups="Regoin|North")))
    assert [(problem.code, problem.suggestion) for problem in done.problems] == [("groups.near_match", "Region|North")]


def test_replacing_takes_nobody_out_where_a_name_was_left_out(work: Work) -> None:
    work.portal.add("ana", forename="Ana", groups=[work.portal.add_group("Sales"), work.portal.add_group("Ops")])
    tables = _missing("skip") + 'mode = "replace"\n'
    done = work.run(work.pipeline(tables=tables), work.sheet(user("ana", groups="Sale;Ops")))
    assert done.codes == ["groups.unknown@3"]
    assert work.portal.groups_of("ana") == {"Sales", "Ops"}


def test_groups_are_told_in_the_order_of_the_cell(work: Work) -> None:
    done = work.run(work.pipeline(), work.sheet(user("ana", groups="B;A"), user("bo", groups="C;A;B")))
    assert done.change(3).add == (Target(("B",)), Target(("A",)))
    assert done.change(4).add == (Target(("C",)), Target(("A",)), Target(("B",)))


def test_groups_of_rejected_rows_are_not_created(work: Work) -> None:
    rows = [user("ana", groups="A|B", email="nonsense"), user("bo", groups="A|C"), user("bo", groups="D")]
    rows.append(user("cy", groups="A|C"))
    done = work.run(work.pipeline('on_error = "skip"'), work.sheet(*rows))
    assert done.groups_to_create == ("A", "A|C")
    assert {group.name for group in work.portal.store.groups.values()} == {"A", "C"}


@pytest.mark.parametrize("members", [99, 100, 101])
def test_large_groups(work: Work, members: int) -> None:
    names = [f"user{number}x" for number in range(members)]
    done = work.run(work.pipeline(), work.sheet(*(user(name, groups="All") for name in names)))
    assert done.rows == {"created": members}
    assert all(work.portal.groups_of(name) == {"All"} for name in names)
