from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from musterroll import GroupPath, Problem, Row, RowValidator, Severity, SourceError
from musterroll.checking import CheckedRow, check_rows
from musterroll.errors import PluginError
from musterroll.problem_log import ProblemLog
from musterroll.sheet.reading import ReadRow
from support.rows import row

ROWS = [ReadRow(row(3, username="ana"), ()), ReadRow(row(4, username="bo"), ())]


@pytest.fixture
def log() -> Iterator[ProblemLog]:
    log = ProblemLog()
    yield log
    log.close()


class Rule:
    """A rule made of a function."""

    def __init__(self, check: Callable[[Row], Any]) -> None:
        self.check = check


class WholeSheet:
    """A rule that wants exactly so many rows; fewer than none break it."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.seen = wanted, list[int]()

    def check(self, row: Row) -> Iterable[Problem]:
        self.seen.append(row.number)
        return ()

    def finish(self) -> Iterable[Problem]:
        if self.wanted < 0:
            raise ZeroDivisionError
        if len(self.seen) != self.wanted:
            yield Problem(code="acme.rows", message=f"There must be {self.wanted} rows")


class Resolver:
    def __init__(self, resolve: Callable[[Row], Iterable[GroupPath | Problem]]) -> None:
        self.resolve = resolve


def refuses(username: str, severity: Severity = Severity.ERROR) -> RowValidator:
    def check(row: Row) -> Iterator[Problem]:
        if row["username"] == username:
            yield row.problem("username", "acme.name", "Choose another name", severity=severity)

    return Rule(check)


def breaks(error: BaseException, *, at: int = 4) -> RowValidator:
    def check(row: Row) -> Iterator[Problem]:
        if row.number == at:
            raise error
        yield from ()

    return Rule(check)


def test_a_row_with_an_error_is_not_valid_and_the_others_are(log: ProblemLog) -> None:
    bad_cell = Problem(code="cell.error", message="Correct it", row=5, column="A")
    rows = [*ROWS, ReadRow(row(5, username="cy"), (bad_cell,))]
    checked = list(check_rows(rows, [("validators[acme]", refuses("bo"))], [], log))
    assert [(one.row.number, one.valid) for one in checked] == [(3, True), (4, False), (5, False)]
    assert [(one.code, one.cell) for one in log] == [("acme.name", "B4"), ("cell.error", "A5")]


def test_a_warning_leaves_a_row_valid(log: ProblemLog) -> None:
    warns = refuses("ana", Severity.WARNING)
    assert all(one.valid for one in check_rows(ROWS, [("validators[acme]", warns)], [], log))
    assert log.warnings == 1


def test_every_rule_is_asked_even_where_one_has_found_an_error(log: ProblemLog) -> None:
    validators = [("a", refuses("ana")), ("b", refuses("ana"))]
    list(check_rows(ROWS, validators, [], log))
    assert log.errors == 2


def test_a_rule_of_the_whole_sheet_is_asked_after_the_last_row(log: ProblemLog) -> None:
    rule = WholeSheet(3)
    checked = check_rows(ROWS, [("validators[rows]", rule)], [], log)
    assert [next(checked).row.number, next(checked).row.number] == [3, 4]
    assert not log.errors
    assert list(checked) == []
    assert rule.seen == [3, 4]
    assert ([one.code for one in log], log.file_errors) == (["acme.rows"], 1)


def test_groups_of_all_resolvers_in_order(log: ProblemLog) -> None:
    resolvers = [
        ("groups[a]", Resolver(lambda _: [("Region", "North"), ("Sales",)])),
        ("groups[b]", Resolver(lambda row: [("Staff",)] if row["username"] == "ana" else [])),
    ]
    checked = list(check_rows(ROWS, [], resolvers, log))
    assert checked[0].groups == (("Region", "North"), ("Sales",), ("Staff",))
    both = (("Region", "North"), ("Sales",))
    assert checked[1] == CheckedRow(ROWS[1].row, both, both, valid=True)


def test_a_resolvers_problem_is_the_rows(log: ProblemLog) -> None:
    resolver = Resolver(lambda row: [("Sales",), row.problem("groups", "groups.invalid", "Correct it")])
    checked = list(check_rows(ROWS[:1], [], [("groups[a]", resolver)], log))
    assert (checked[0].groups, checked[0].valid) == ((("Sales",),), False)
    assert [one.cell for one in log] == ["H3"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (breaks(ZeroDivisionError("by zero")), "row 4: ZeroDivisionError: by zero"),
        (breaks(SystemExit(7)), "row 4: SystemExit: 7"),
        (Rule(lambda _: ["wrong"]), "row 3: a rule must yield problems, made with row.problem(…), not a str"),
    ],
)
def test_a_rule_that_breaks_is_named_with_its_row(rule: RowValidator, said: str, log: ProblemLog) -> None:
    with pytest.raises(PluginError) as caught:
        list(check_rows(ROWS, [("validators[acme]", rule)], [], log))
    assert str(caught.value) == f"validators[acme] broke while validating, {said}"
    assert caught.value.row in (3, 4)


def test_a_resolver_that_yields_a_text_is_named(log: ProblemLog) -> None:
    wrong: Any = Resolver(lambda _: ["Sales"])  # type: ignore[list-item]
    with pytest.raises(PluginError, match=r"groups\[acme\] broke while resolving groups, row 3: a group is"):
        list(check_rows(ROWS, [], [("groups[acme]", wrong)], log))


def test_a_rule_that_breaks_does_not_tell_the_password(log: ProblemLog) -> None:
    def check(row: Row) -> Any:
        password = row.secret("password")
        assert password is not None
        raise ValueError(f"cannot use {password.reveal()}")

    secretive = [ReadRow(row(3, username="ana", password="canary-4711"), ())]
    with pytest.raises(PluginError) as caught:
        list(check_rows(secretive, [("validators[acme]", Rule(check))], [], log))
    assert str(caught.value).endswith("ValueError: cannot use ***")
    assert "canary-4711" not in "".join(traceback.format_exception(caught.value))


def test_a_rule_that_breaks_at_the_end_and_a_resolver_are_named(log: ProblemLog) -> None:
    rule = WholeSheet(-1)
    with pytest.raises(PluginError, match=r"validators\[rows\] broke while validating the whole sheet: ZeroDivision"):
        list(check_rows(ROWS, [("validators[rows]", rule)], [], log))

    def resolve(row: Row) -> Iterator[GroupPath]:
        yield ("Sales",)
        raise KeyError(row["username"])

    with pytest.raises(PluginError, match=r"groups\[a\] broke while resolving groups, row 3: KeyError: 'ana'"):
        list(check_rows(ROWS, [], [("groups[a]", Resolver(resolve))], log))


def test_what_is_raised_on_purpose_comes_through_as_it_is(log: ProblemLog) -> None:
    with pytest.raises(SourceError, match="no list of names"):
        list(check_rows(ROWS, [("validators[acme]", breaks(SourceError("no list of names")))], [], log))


def test_what_was_found_before_a_rule_broke_is_kept(log: ProblemLog) -> None:
    validators = [("a", refuses("ana")), ("b", breaks(ZeroDivisionError()))]
    with pytest.raises(PluginError):
        list(check_rows(ROWS, validators, [], log))
    assert log.errors == 1
