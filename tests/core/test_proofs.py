"""What proofs spare, and what happens where one is wrong or breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from threading import Event
from typing import Any

import pytest

from musterroll import Batch, GroupPath, Problem, Row, Secret
from musterroll.contract.secret import MASK
from musterroll.errors import PluginError
from musterroll.sheet.checks import CheckedRow, Checks
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.reader import RowReader
from support.rows import fields, row
from support.sheets import MemorySheet, settings, sheet, user

NAMES = ("ana", "bo", "cy")


class NoB:
    """No name with a "b"; takes down whom it was asked about."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def check(self, row: Row) -> Iterator[Problem]:
        self.asked.append(row.number)
        if "b" in row["username"]:
            yield row.problem("username", "acme.b", "Choose a name without b")

    def suspects(self, batch: Batch) -> Iterator[int]:
        yield from (place for place, name in enumerate(batch.texts("username")) if "b" in name)


class NoC(NoB):
    """Another rule, in the class of one that has a proof."""

    def check(self, row: Row) -> Iterator[Problem]:
        self.asked.append(row.number)
        if "c" in row["username"]:
            yield row.problem("username", "acme.c", "Choose a name without c")


def proving(suspects: Callable[[Batch], Any]) -> Any:
    kind = type("Proving", (), {"check": lambda self, row: (), "suspects": lambda self, batch: suspects(batch)})
    return kind()


def resolving(resolve_batch: Callable[[Batch], Any], groups: Sequence[GroupPath] = ()) -> Any:
    methods = {"resolve": lambda self, row: groups, "resolve_batch": lambda self, batch: resolve_batch(batch)}
    return type("Resolving", (), methods)()


def checked(
    *rules: Any, resolvers: Sequence[Any] = (), rows: MemorySheet | None = None, log: ProblemLog
) -> list[CheckedRow]:
    reader = RowReader(settings(), fields(), log.add_file)
    named = [(f"validators[{number}]", rule) for number, rule in enumerate(rules)]
    sorters = [(f"groups[{number}]", resolver) for number, resolver in enumerate(resolvers)]
    checks = Checks(named, sorters, log, max_levels=2)
    batches = reader.batches(rows or sheet(*map(user, NAMES)), "memory")
    return list(chain.from_iterable(checks.run(batches)))


@pytest.fixture
def log() -> Iterator[ProblemLog]:
    with closing(ProblemLog()) as log:
        yield log


def test_a_rule_is_asked_about_its_suspects_only(log: ProblemLog) -> None:
    rule = NoB()
    rows = checked(rule, log=log)
    assert rule.asked == [4]
    assert [(one.number, one.valid) for one in rows] == [(3, True), (4, False), (5, True)]
    assert [(one.code, one.cell) for one in log] == [("acme.b", "B4")]


def test_a_rule_without_a_proof_beside_one_that_has_one(log: ProblemLog) -> None:
    quick, plain = NoB(), NoB()
    vars(plain)["check"] = plain.check  # as where somebody has put another one there
    checked(quick, plain, log=log)
    assert (quick.asked, plain.asked) == ([4], [3, 4, 5])


def test_an_interrupt_is_noticed_between_two_rows(log: ProblemLog) -> None:
    cancelled, asked = Event(), list[int]()

    class Interrupted:
        def check(self, row: Row) -> Sequence[Problem]:
            asked.append(row.number)
            cancelled.set()
            return ()

    reader = RowReader(settings(), fields(), log.add_file)
    checks = Checks([("a", Interrupted())], [], log, max_levels=2, cancelled=cancelled)
    with pytest.raises(KeyboardInterrupt):
        list(checks.run(reader.batches(sheet(*map(user, NAMES)), "memory")))
    assert asked == [3]


def test_a_proof_does_not_speak_for_another_check(log: ProblemLog) -> None:
    rule = NoC()
    checked(rule, log=log)
    assert rule.asked == [3, 4, 5]
    assert [one.code for one in log] == ["acme.c"]


def test_the_plain_way_asks_about_every_row(log: ProblemLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTERROLL_PLAIN", "1")
    rule = NoB()
    checked(rule, log=log)
    assert rule.asked == [3, 4, 5]


def test_a_row_whose_cells_have_problems_is_told_though_nobody_suspects_it(log: ProblemLog) -> None:
    rows = checked(NoB(), rows=sheet(user("ana"), user("cy", forename="#N/A")), log=log)
    assert [(one.code, one.cell) for one in log] == [("cell.error", "C4")]
    assert [one.valid for one in rows] == [True, False]


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        (lambda _: None, "suspects() must yield places of rows or return a list of them, not None"),
        (lambda _: "0", "not a str"),
        (lambda _: [3], "suspects() must yield places of rows in the batch, from 0 to 2, not 3"),
        (lambda _: [-1], "not -1"),
        (lambda _: [True], "not True"),
        (lambda batch: batch.texts("username"), "not a str"),
        (lambda _: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_each_mistake_of_a_proof_has_its_sentence(proof: Callable[[Batch], Any], said: str, log: ProblemLog) -> None:
    with pytest.raises(PluginError, match=r"^validators\[0\] broke while validating") as caught:
        checked(proving(proof), log=log)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: [()], "resolve_batch() answered for 1 of 3 rows"),
        (lambda _: [[("A",)]] * 3, "not a list"),
        (lambda _: ["A"] * 3, "must answer with tuples of groups or None, not a str"),
        (lambda _: [(("A", ""),)] * 3, "level 2 of a group has no name"),
    ],
)
def test_each_mistake_of_a_resolver(answer: Callable[[Batch], Any], said: str, log: ProblemLog) -> None:
    with pytest.raises(PluginError, match=r"^groups\[0\] broke while resolving groups") as caught:
        checked(resolvers=[resolving(answer)], log=log)
    assert said in caught.value.message


def test_groups_of_many_rows_at_once_and_of_one(log: ProblemLog) -> None:
    at_once = resolving(lambda _: [((" Sales ",),), None, (("A", "B", "C"),)], [("Staff",)])
    each = resolving(lambda batch: [(("All",),)] * len(batch), [("All",)])
    rows = checked(resolvers=[at_once, each], log=log)
    # None asks about the row itself; so does a group that is too deep, so that it can be told.
    assert [one.groups for one in rows] == [(("Sales",), ("All",)), (("Staff",), ("All",)), (("Staff",), ("All",))]


def test_a_proof_that_breaks_does_not_tell_a_password(log: ProblemLog) -> None:
    def tell(batch: Batch) -> None:
        raise ValueError(batch.secrets("password")[1])

    rows = sheet(user("ana", password="Canary-4711"), user("bo", password="Canary-4712"))
    with pytest.raises(PluginError) as caught:
        checked(proving(tell), rows=rows, log=log)
    assert str(caught.value).endswith(f"ValueError: {MASK}")
    assert "4712" not in repr((caught.value, caught.value.__cause__))


def test_a_rule_of_the_whole_sheet_that_saw_passwords_in_a_batch_does_not_tell_them(log: ProblemLog) -> None:
    class Same:
        def check(self, row: Row) -> Iterator[Problem]:
            yield from ()

        def suspects(self, batch: Batch) -> Sequence[int]:
            self.seen = list(batch.secrets("password"))
            return ()

        def finish(self) -> Iterator[Problem]:
            yield Problem(code="acme.same", message=f"There are {', '.join(self.seen)}")

    checked(Same(), rows=sheet(user("ana", password="Canary-4711")), log=log)
    assert [one.message for one in log] == [f"There are {MASK}"]


def test_a_batch_shows_no_secret() -> None:
    batch = Batch.of([row(3, username="ana", password="Canary-4711"), row(4, username="Bo")])
    assert (repr(batch), len(batch), list(batch.numbers)) == ("Batch(2 rows)", 2, [3, 4])
    assert (list(batch.texts("password")), list(batch.secrets("password"))) == (["", ""], ["Canary-4711", ""])
    assert (batch.is_secret("password"), batch.is_secret("username")) == (True, False)
    assert (list(batch.texts("nothing")), batch.joined("username")) == (["", ""], "\nana\nBo")
    assert list(batch.folded("password")) == ["canary-4711", ""]


def test_checked_rows_by_place_and_by_slice(log: ProblemLog) -> None:
    reader = RowReader(settings(), fields(), log.add_file)
    (batch,) = Checks([], [], log, max_levels=2).run(reader.batches(sheet(*map(user, NAMES)), "memory"))
    assert [one.number for one in batch] == [one.number for one in batch[:]] == [3, 4, 5]
    assert (batch[-1].texts["username"], batch.rows[-1]["username"], len(batch)) == ("cy", "cy", 3)
    assert [one["username"] for one in batch.rows[1:]] == ["bo", "cy"]
    assert batch[0].row.secret("password") == Secret("Secret99")
    with pytest.raises(IndexError):
        batch[3]
