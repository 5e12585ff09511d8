from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any, cast

import pytest

from musterroll import GroupPath, Problem, Row, RowValidator, Severity, SourceError
from musterroll.errors import PluginError
from musterroll.sheet.batch import RowBatch
from musterroll.sheet.checks import CheckedRow, Checks, Listener
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.rows import RowWithProblems
from musterroll.sheet.shifts import ShiftFinder
from musterroll.sheet.summary import SheetCounts
from musterroll.sheet.texts import Texts
from support.rows import fields, row


class Made(RowBatch):
    """A batch of rows that were made by hand."""

    def __init__(self, rows: Sequence[RowWithProblems]) -> None:
        super().__init__([one.row.number for one in rows], [()] * len(rows), cast("Any", None))
        self._made = dict(enumerate(rows))

    @cached_property
    def texts(self) -> Texts:
        names = self.made(0).row.values
        texts = Texts({name: [""] * len(self) for name in names if name != "password"}, {"password": [""] * len(self)})
        for place in self._made:
            texts.put(place, self.made(place).row)
        return texts


def check_rows(
    rows: Sequence[RowWithProblems],
    validators: Sequence[tuple[str, Any]],
    resolvers: Sequence[tuple[str, Any]],
    log: ProblemLog,
    listener: Listener | None = None,
    shifts: ShiftFinder | None = None,
) -> Iterator[CheckedRow]:
    checks = Checks(validators, resolvers, log, listener, shifts=shifts, max_levels=32)
    return chain.from_iterable(checks.run([Made(rows)]))


ROWS = [RowWithProblems(row(3, username="ana"), ()), RowWithProblems(row(4, username="bo"), ())]


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
    rows = [*ROWS, RowWithProblems(row(5, username="cy"), (bad_cell,))]
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
    assert (checked[1].row, *checked[1][2:]) == (ROWS[1].row, both, both, True)


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

    secretive = [RowWithProblems(row(3, username="ana", password="canary-4711"), ())]
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


def test_a_row_that_slipped_is_one_error_and_nothing_of_it_is_handed_on(log: ProblemLog) -> None:
    slipped = row(
        3, username="ana@example.com", forename="ana", surname="Ana", password="Silva", calling_code="Qx7-river"
    )

    class Rules(WholeSheet):
        def check(self, row: Row) -> Iterable[Problem]:
            yield row.problem("password", "password.policy", "Too short")
            yield row.problem("calling_code", "calling_code.invalid", "Digits only")

        def finish(self) -> Iterable[Problem]:
            yield slipped.problem("calling_code", "acme.late", "Something else")

    heard: list[str] = []
    (checked,) = check_rows(
        [RowWithProblems(slipped, ())],
        [("validators[acme]", Rules(0))],
        [("groups[a]", Resolver(lambda _: [("Qx7-river",)]))],
        log,
        lambda label, problem: heard.append(f"{label} {problem.code}"),
        shifts=ShiftFinder(fields()),
    )
    assert ([one.code for one in log], heard) == (["row.shifted"], ["cells row.shifted"])
    assert (checked.valid, checked.groups, checked.given) == (False, (), ())
    assert "Qx7-river" not in repr((checked, list(log)))


def test_missing_headings_are_one_error_and_no_row_is_valid(log: ProblemLog) -> None:
    log.add_file(Problem(code="column.missing", message="Add it"))
    bare = replace(row(3, username="ana"), columns={"username": "B"})

    def check(row: Row) -> Iterator[Problem]:
        yield row.problem("forename", "acme.forename", "Give one")
        yield row.problem("username", "acme.username", "Give another one")

    (checked,) = check_rows([RowWithProblems(bare, ())], [("validators[acme]", Rule(check))], [], log)
    assert [one.code for one in log] == ["column.missing", "acme.username"]
    assert not checked.valid
    counts = SheetCounts(rows=7)
    log.count_into(counts, with_others=False)
    assert (counts.valid, counts.invalid) == (0, 7)


def the_error(rule: RowValidator, log: ProblemLog, rows: list[RowWithProblems] = ROWS) -> str:
    with pytest.raises(PluginError, match=r"^validators\[acme\] broke while ") as caught:
        list(check_rows(rows, [("validators[acme]", rule)], [], log))
    return caught.value.message


def finds(*problems: Any) -> RowValidator:
    return Rule(lambda row: [one(row) if callable(one) else one for one in problems])


def forgets(row: Row) -> Any:
    if row.number < 0:
        yield None
    return row.problem("email", "x.y", "Correct it")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            finds(lambda row: row.problem("usrname", "x.y", "m")),
            'field "usrname", which does not exist, did you mean "user',
        ),
        (
            finds(Problem(code="x.y", message="m", row=17)),
            'the problem "x.y" is of row 17, which the sheet does not have',
        ),
        (finds(Problem(code="x.y", message="m", row=4)), "is of row 4, which the sheet does not have; it is in row 3"),
        (finds(lambda row: row.problem("email", "x.y", "m", also_rejects=(2,))), "is of row 2"),
        (
            finds(lambda row: row.problem("email", "x.y", "")),
            "the message of a problem must be a text, not an empty one",
        ),
        (finds(Problem(code=5, message="m")), "the code of a problem must be a text, not an int"),  # type: ignore[arg-type]
        (finds(Problem(code="x.y", message="m", value=4)), 'value of the problem "x.y" must be a text'),  # type: ignore[arg-type]
        (finds(Problem(code="x.y", message="m", severity="bad")), "an unknown severity 'bad' of the problem"),  # type: ignore[arg-type]
        (
            finds(lambda row: row.problem("email", "x.y", "m", suggestion="a", also={"fone": "1"})),
            'field "fone", which does not exist, did you mean "phone"',
        ),
        (
            finds(Problem(code="x.y", message="m", also={"phone": "1"})),  # type: ignore[arg-type]
            "use row.problem(…, also={…})",
        ),
        (finds(Problem(code="x.y", message="m", is_safe=1)), 'is_safe of the problem "x.y" must be'),  # type: ignore[arg-type]
        (finds(Problem(code="x.y", message="m", is_repaired=True)), "is_repaired is for the engine to say"),
        (Rule(lambda row: row.problem("email", "x.y", "m")), "check() returned a problem; it must yield it"),
        (Rule(forgets), "check() returned a Problem, which is lost; write yield instead of return"),
        (Rule(lambda _: None), "check() returned None; it must yield what it finds, or return ()"),
        (Rule(lambda _: 5), "check() must yield what it finds, or return a list of it, not an int"),
        (Rule(lambda _: "wrong"), "check() must yield what it finds, or return a list of it, not a str"),
        (
            Rule(lambda row: cast("Any", row.values).update(email="x")),
            "row 3: AttributeError: 'mappingproxy' object has no attribute",
        ),
    ],
)
def test_each_mistake_of_a_rule_has_its_sentence(rule: RowValidator, said: str, log: ProblemLog) -> None:
    frozen = [RowWithProblems(replace(one.row, values=MappingProxyType(dict(one.row.values))), ()) for one in ROWS]
    assert said in the_error(rule, log, frozen)


def test_an_earlier_row_may_be_spoken_of_and_a_severity_may_be_plain(log: ProblemLog) -> None:
    def check(row: Row) -> Iterator[Problem]:
        severity: Any = "error"
        if row.number == 9:
            yield Problem(code="x.y", message="m", row=4, severity=severity)

    rows = [*ROWS, RowWithProblems(row(9, username="cy"), ())]
    list(check_rows(rows, [("validators[acme]", Rule(check))], [], log))
    assert [(one.row, one.is_error) for one in log] == [(4, True)]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("A", ""), "level 2 of a group has no name; leave the group out"),
        (("A", "\u200b "), "level 2 of a group has no name"),
        ((), "a group has at least one level, and this tuple is empty"),
        (("A", 5), "level 2 of a group must be a text, not an int"),
        ("A", 'a group is a tuple of the names of its levels, e.g. ("Region", "North"), not a str'),
        (["A"], "not a list"),
        (("A", ["B"]), "level 2 of a group must be a text, not a list"),
        (("\ud800",), "half a character"),
    ],
)
def test_what_is_no_group(path: Any, said: str, log: ProblemLog) -> None:
    wrong: Any = Resolver(lambda _: [path])
    with pytest.raises(PluginError, match=r"^groups\[acme\] broke while resolving groups, row 3: ") as caught:
        list(check_rows(ROWS, [], [("groups[acme]", wrong)], log))
    assert said in caught.value.message


def test_groups_are_trimmed_and_composed(log: ProblemLog) -> None:
    resolver = Resolver(lambda _: [(" Region ", "Zoe\u0301")])
    checked = list(check_rows(ROWS, [], [("groups[acme]", resolver)], log))
    assert [one.groups for one in checked] == [(("Region", "Zoé"),)] * 2


SECRET = 'Canary-"4711" x'
SAYS: list[Callable[[str], str]] = [str, repr, str.upper, str.strip, lambda text: f"the password={text}!"]


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("place", ["message", "suggestion", "value", "code"])
@pytest.mark.parametrize("field", ["password", "email"])
def test_passwords_are_taken_out_of_problems(
    says: Callable[[str], str], place: str, field: str, log: ProblemLog
) -> None:
    def tell(row: Row) -> Problem:
        secret = row.secret("password")
        assert secret is not None
        problem = Problem(code="x.y", message="m", row=row.number, field=field)
        return replace(problem, **{place: f"a {says(secret.reveal())} b"})  # type: ignore[arg-type]

    heard: list[Problem] = []
    rows = [RowWithProblems(row(3, username="ana", password=SECRET), ())]
    rules: list[tuple[str, Any]] = [("validators[acme]", finds(tell))]
    resolvers: list[tuple[str, Any]] = [("groups[acme]", Resolver(lambda row: [tell(row)]))]
    list(check_rows(rows, rules, resolvers, log, lambda _, problem: heard.append(problem)))
    assert len(heard) == log.errors == 2
    for one in (*heard, *log):
        assert "4711" not in repr(one)
        assert "***" in one.message or place != "message"


def test_the_password_of_a_row_that_a_rule_did_not_look_at_hides_nothing_of_others(log: ProblemLog) -> None:
    class Known(WholeSheet):
        def check(self, row: Row) -> Iterable[Problem]:
            yield row.problem("username", "acme.known", "Choose another name")

    rows = [RowWithProblems(row(3, password="another name"), ()), RowWithProblems(row(4, password="Sesame-7"), ())]
    list(check_rows(rows, [("known", Known(0))], (), log))
    assert [problem.message for problem in log] == ["Choose ***", "Choose another name"]


def test_passwords_of_earlier_rows_are_taken_out_at_the_end(log: ProblemLog) -> None:
    class Same:
        def __init__(self) -> None:
            self.first: dict[str, int] = {}

        def check(self, row: Row) -> Iterator[Problem]:
            secret = row.secret("password")
            assert secret is not None
            self.first.setdefault(secret.reveal(), row.number)
            yield row.problem("username", "x.y", f"not one of {', '.join(self.first)}", severity=Severity.WARNING)

        def finish(self) -> Iterator[Problem]:
            for password, number in self.first.items():
                yield Problem(code="x.y", message=f'Row {number} has "{password.lower()}"', row=number)

    rows = [RowWithProblems(row(number, username="u", password=f"Sesame-{number}-x"), ()) for number in range(3, 8)]
    list(check_rows(rows, [("validators[acme]", Same())], [], log))
    assert len(list(log)) == 10
    assert not [one for one in log if "sesame" in one.message.lower()]


def test_a_usual_message_stays_as_it_is(log: ProblemLog) -> None:
    text = "A password needs at least 12 characters; this has 8"
    rows = [RowWithProblems(row(3, username="ana", password="password"), ())]
    list(check_rows(rows, [("a", finds(lambda row: row.problem("password", "x.y", text)))], [], log))
    assert [one.message for one in log] == [text]
