from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Problem, Severity
from musterroll.sheet import problem_store
from musterroll.sheet.problem_store import ProblemStore

PROBLEMS = st.builds(
    Problem,
    code=st.sampled_from(["a.b", "c.d"]),
    message=st.text(max_size=3),
    severity=st.sampled_from(Severity),
    row=st.none() | st.integers(1, 12),
    column=st.none() | st.text("ABZ", min_size=1, max_size=2),
    field=st.none() | st.just("email"),
    value=st.none() | st.text(max_size=3),
    suggestion=st.none() | st.text(max_size=3),
    is_safe=st.booleans(),
    also=st.lists(st.tuples(st.just("phone"), st.text(max_size=3)), max_size=2).map(tuple),
    is_repaired=st.booleans(),
    also_rejects=st.lists(st.integers(1, 12), max_size=2).map(tuple),
)
FOUND = st.lists(st.tuples(PROBLEMS, st.booleans())) | st.lists(PROBLEMS).map(
    lambda found: [(one, False) for one in sorted(found, key=lambda one: one.row or 0)]
)


def in_order(found: Sequence[tuple[Problem, bool]]) -> list[Problem]:
    def place(one: tuple[Problem, bool]) -> tuple[object, ...]:
        problem, absent = one
        column = problem.column or ""
        return absent, problem.row is not None, problem.row or 0, len(column), column

    return [problem for problem, _ in sorted(found, key=place)]


@pytest.fixture(autouse=True, scope="module")
def _small_parts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(problem_store, "_TOGETHER", 3)
        patch.setattr(problem_store, "_MOST", 5)
        yield


@given(FOUND, st.integers(0, 50))
def test_problems_come_back_as_they_were_in_the_order_of_the_sheet(
    found: Sequence[tuple[Problem, bool]], looked_at: int
) -> None:
    with closing(ProblemStore()) as store:
        for place, (problem, absent) in enumerate(found):
            if place == looked_at:
                assert list(store) == in_order(found[:place])
            store.add(problem, absent=absent)
        assert list(store) == in_order(found)
        assert store.has("a.b") == any(one.code == "a.b" for one, _ in found)


@given(FOUND, st.sets(st.integers(1, 12)))
def test_warnings_of_some_rows_are_dropped(found: Sequence[tuple[Problem, bool]], rows: set[int]) -> None:
    kept = [one for one in found if one[0].code != "a.b" or one[0].is_error or one[0].row not in rows]
    with closing(ProblemStore()) as store:
        for problem, absent in found:
            store.add(problem, absent=absent)
        assert store.drop_warnings("a.b", rows) == len(found) - len(kept)
        assert list(store) == in_order(kept)


def test_a_text_of_a_class_of_its_own_is_a_text() -> None:
    class Code(StrEnum):
        LATE = "acme.late"

    also = (("phone", Code.LATE),)
    with closing(ProblemStore()) as store:
        for row in (4, 3):
            store.add(Problem(code=Code.LATE, message="Look", row=row, also=also))
        assert [(one.code, type(one.code), one.also) for one in store] == [("acme.late", str, also)] * 2
