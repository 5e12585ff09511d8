from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import GroupPath, Problem, fold, fold_path
from musterroll.contract.text import clean
from musterroll_plugins.groups.paths import Notation, Paths, PathsOptions
from support.rows import context, row


def resolve(text: str | None, **options: str) -> list[GroupPath | Problem]:
    return list(Paths(PathsOptions(**options), context()).resolve(row(groups=text)))


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("Group 1;Group 2", [("Group 1",), ("Group 2",)]),
        ("Parent Group|Child", [("Parent Group", "Child")]),
        ("A|B|C|D", [("A", "B", "C", "D")]),
        (r"Sales \; Marketing", [("Sales ; Marketing",)]),
        (r"A\|B;C\\D|E\\", [("A|B",), ("C\\D", "E\\")]),
        (" A | B ; C ", [("A", "B"), ("C",)]),
        ("North;NORTH;north|east", [("North",), ("north", "east")]),
        ("", []),
        (None, []),
    ],
)
def test_reads(text: str | None, paths: list[GroupPath]) -> None:
    assert resolve(text) == paths


@pytest.mark.parametrize(
    ("text", "suggestion", "says"),
    [
        ("A;", "A", 'after the last ";"'),
        ("A;;B", "A;B", "name is empty"),
        (";A|B", "A|B", "name is empty"),
        (r"A\;B; ;", r"A\;B", "name is empty"),
        (r"A;;B\;", r"A;B\;", "name is empty"),
        (";", None, "name is empty"),
        ("A\u200b; \u200b;B", "A;B", "name is empty"),
        ("|", None, "group 1 has an empty level"),
        ("A;B|", None, "group 2 has an empty level"),
        ("|B", None, "group 1 has an empty level"),
        ("A||B", None, "group 1 has an empty level"),
        (r"Sales\Marketing", None, r'"\M" means nothing'),
        ("A\\", None, r'nothing after the last "\"'),
        (r"A\n;B|;", None, "empty level"),
    ],
)
def test_a_cell_that_cannot_be_read_is_one_problem_and_no_group(text: str, suggestion: str | None, says: str) -> None:
    (problem,) = resolve(text)

    assert isinstance(problem, Problem)
    assert (problem.code, problem.cell, problem.value, problem.is_error) == ("groups.invalid", "H3", text, True)
    assert problem.suggestion == suggestion
    assert says in problem.message


def test_several_faults_are_all_in_the_message() -> None:
    (problem,) = resolve(r"A\n;B|;")

    assert isinstance(problem, Problem)
    assert all(part in problem.message for part in (r'"\n"', "group 2 has an empty level", "no group after"))


def test_other_signs() -> None:
    assert resolve(r"A/B,C\,D;E", separator=",", level="/") == [("A", "B"), ("C,D;E",)]
    with pytest.raises(ValidationError, match="two different characters"):
        PathsOptions(separator="|")


LEVEL = (
    st.text(st.sampled_from("aB;|\\ é,/") | st.characters(exclude_categories=["Cs"]), min_size=1)
    .map(clean)
    .filter(fold)
)
PATHS = st.lists(st.lists(LEVEL, min_size=1, max_size=4).map(tuple), max_size=5, unique_by=fold_path)


@given(PATHS.filter(bool), st.sampled_from([(";", "|"), (",", "/")]))
def test_what_is_written_is_read_again(paths: list[GroupPath], signs: tuple[str, str]) -> None:
    notation = Notation(*signs)
    parsed = notation.parse(notation.format(paths))

    assert parsed.is_good
    assert parsed.paths == paths


@given(st.text(st.sampled_from("ab;|\\ \u200b") | st.characters()))
def test_any_text_is_groups_or_one_problem_with_a_good_suggestion(text: str) -> None:
    found = resolve(text)

    problems = [each for each in found if isinstance(each, Problem)]
    if problems:
        assert len(found) == 1
        assert problems[0].suggestion is None or resolve(problems[0].suggestion)
    else:
        assert all(isinstance(path, tuple) and all(fold(level) for level in path) for path in found)
