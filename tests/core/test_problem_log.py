from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Problem, Severity
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.summary import SheetCounts


@pytest.fixture
def log() -> Iterator[ProblemLog]:
    log = ProblemLog()
    yield log
    log.close()


def problem(
    row: int | None, column: str | None, code: str = "email.invalid", severity: Severity = Severity.ERROR
) -> Problem:
    return Problem(code=code, message="Correct it", row=row, column=column, severity=severity)


def test_problems_come_back_in_the_order_of_the_sheet(log: ProblemLog) -> None:
    log.add(problem(4, "B", "username.duplicate"))
    log.add(problem(4, "AA"))
    log.add(problem(4, None, "acme.row"))
    log.add(problem(4, "B", "username.confusable"))
    log.add(problem(3, "H"))
    log.add_file(problem(1, "C", "column.duplicate"))
    log.add_file(problem(None, None, "column.missing"))
    assert [(one.code, one.cell) for one in log] == [
        ("column.missing", None),
        ("column.duplicate", "C1"),
        ("email.invalid", "H3"),
        ("acme.row", None),
        ("username.duplicate", "B4"),
        ("username.confusable", "B4"),
        ("email.invalid", "AA4"),
    ]


@given(
    st.builds(
        Problem,
        code=st.text("a._"),
        message=st.text(),
        severity=st.sampled_from(Severity),
        row=st.none() | st.integers(1, 1048576),
        column=st.none() | st.text("ABZ", min_size=1, max_size=3),
        field=st.none() | st.text(),
        value=st.none() | st.text(),
        suggestion=st.none() | st.text(),
    )
)
def test_a_problem_comes_back_as_it_was(problem: Problem) -> None:
    log = ProblemLog()
    log.add_file(problem)
    assert list(log) == [problem]
    log.close()


def test_the_counts(log: ProblemLog) -> None:
    log.add(problem(3, "A"))
    log.add(problem(3, "B"))
    log.add(problem(5, "A", severity=Severity.WARNING))
    log.add(Problem(code="username.duplicate", message="", row=7, column="B", also_rejects=(6, 3)))

    for with_others, invalid in ((False, 2), (True, 3)):
        counts = SheetCounts(rows=5)
        log.count_into(counts, with_others=with_others)
        assert counts == SheetCounts(rows=5, valid=5 - invalid, invalid=invalid, errors=3, warnings=1)
    assert list(log.bad_rows(with_others=True)) == [3, 6, 7]
    assert [row for row in range(3, 8) if log.has_error(row)] == [3, 7]


def test_a_warning_also_rejects_nobody(log: ProblemLog) -> None:
    log.add(Problem(code="x", message="", severity=Severity.WARNING, row=7, also_rejects=(6,)))
    assert list(log.bad_rows(with_others=True)) == []


@pytest.mark.parametrize(
    ("found", "keeps_all_out"),
    [
        (problem(None, None, "column.missing"), True),
        (problem(1, "C", "column.duplicate"), True),
        (problem(1, "C", "column.unknown", Severity.WARNING), False),
        # A blank row is an error, but the rows around it are none the worse.
        (problem(5, None, "row.blank"), False),
    ],
)
def test_what_is_wrong_with_the_whole_file(log: ProblemLog, found: Problem, keeps_all_out: bool) -> None:
    log.add_file(found)
    assert bool(log.file_errors) is keeps_all_out
    assert log.errors + log.warnings == 1
    assert list(log.bad_rows(with_others=True)) == []


def test_of_a_hidden_row_no_value_is_kept(log: ProblemLog) -> None:
    log.hide(4)
    for row in (3, 4):
        log.add_file(Problem(code="acme.late", message="Look", row=row, column="A", value="v", suggestion="s"))
    assert [(one.row, one.value, one.suggestion) for one in log] == [(3, "v", "s"), (4, None, None)]
