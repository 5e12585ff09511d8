from __future__ import annotations

import pytest

from musterroll import Problem, engine
from support.pipelines import Work, told, user


def said(work: Work, *groups: str, tables: str = "") -> list[tuple[str, str | None]]:
    """What `validate` says of a sheet with these groups, from row 3 on."""
    sheet = work.sheet(*(user(f"u{number}", groups=text) for number, text in enumerate(groups)))
    return [_short(problem) for problem in told(engine.validate(work.pipeline(tables=tables), sheet)).problems]


def _short(problem: Problem) -> tuple[str, str | None]:
    assert problem.code in ("groups.near_match", "groups.too_deep")
    return f"{problem.cell} {problem.value if len(problem.value or '') < 50 else '…'}", problem.suggestion


def test_a_name_that_stands_once_and_is_almost_another_is_said_at_its_cell(work: Work) -> None:
    assert said(work, "Marketing", "Sales", "Marketnig", "Marketing;Sales") == [("H5 Marketnig", "Marketing")]
    # The right one may come later.
    assert said(work, "Marketnig", "Sales", "Marketing", "Marketing") == [("H3 Marketnig", "Marketing")]
    # Of two that stand once each the first is right.
    assert said(work, "Marketnig", "Marketing") == [("H4 Marketing", "Marketnig")]
    # But then another letter may as well make another word.
    assert said(work, "Packing", "Picking") == []
    assert said(work, "Packing", "Picking", "Picking") == [("H3 Packing", "Picking")]


def test_a_slip_in_a_level_above_is_said_too(work: Work) -> None:
    assert said(work, "Region|North", "Region|West", "Regoin|East") == [("H5 Regoin|East", "Region|East")]
    assert said(work, "Region|North", "Region|North", "Region|Nort") == [("H5 Region|Nort", "Region|North")]


def test_names_that_stand_more_often_series_and_spellings_are_not_said(work: Work) -> None:
    assert said(work, "Marketing", "Marketnig", "Marketing", "marketnig") == []
    assert said(work, "Team 1", "Team 2", "Team 2", "Sales UK", "Sales US", "TEAM 1", "Level II", "Level III") == []


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Sales, Marketing", "Sales;Marketing"),
        ("sales,Marketing", "sales;Marketing"),
        ("Sales, New", "Sales;New"),  # one of them is a group
        ("Sales、Marketing", "Sales;Marketing"),
        ("Sales/Marketing", "Sales;Marketing"),
        ("Region|North, Region|South", "Region|North;Region|South"),
        ("Region|North, South", "Region|North;Region|South"),
        ("Region|North, Sales", "Region|North;Sales"),
        (r"Sales, A\;B", r"Sales;A\;B"),
    ],
)
def test_a_name_with_a_comma_whose_parts_are_groups(work: Work, name: str, suggestion: str) -> None:
    others = ("Sales", "Marketing", "Region|North", "Region|South")
    assert said(work, *others, name) == [(f"H7 {name}", suggestion)]


@pytest.mark.parametrize("name", ["Research, Development", "Sales/New", "Sales,", "Smith, John", "24/7"])
def test_a_name_with_a_comma_that_is_one_group(work: Work, name: str) -> None:
    assert said(work, "Sales", "Marketing", name) == []


def test_a_name_with_a_comma_is_said_once(work: Work) -> None:
    assert said(work, "Sales", *["Sales, Other"] * 5) == [("H4 Sales, Other", "Sales;Other")]


def test_the_portal_s_groups_count_and_nothing_is_said_twice(work: Work) -> None:
    for name in ("Marketing", "Sales", "Sales, Purchasing"):
        work.portal.add_group(name)
    groups = ["Marketnig", "Marketing", "Sales, Marketing", "Sales, Purchasing", "Nothern", "Northern", "Northern"]
    sheet = work.sheet(*(user(f"u{number}", groups=text) for number, text in enumerate(groups)))
    done = work.plan(work.pipeline(), sheet)
    assert [_short(problem) for problem in done.problems] == [
        ("H3 Marketnig", "Marketing"),
        ("H5 Sales, Marketing", "Sales;Marketing"),
        ("H7 Nothern", "Northern"),
    ]


def test_groups_that_are_too_deep_are_errors_wherever_they_come_from(work: Work) -> None:
    deep = "|".join(f"a{level}" for level in range(2000))
    assert said(work, deep, "|".join("abc" * 10)) == [("H3 …", None)]
    assert said(work, "A|B|C", "A|B", tables="[membership]\nmax_levels = 2") == [("H3 A|B|C", None)]
    mapping = """
        [membership]
        max_levels = 2
        [[groups]]
        name = "names"
        use = "mapping"
        options = { field = "forename", groups = { U0 = "A|B|C" }, unknown = "ignore" }
    """
    sheet = work.sheet(user("u0"), user("u1", groups="A|B"))
    done = work.run(work.pipeline('on_error = "skip"', mapping), sheet)
    assert done.codes == ["groups.too_deep@3"]
    assert done.groups_to_create == ("A", "A|B")
