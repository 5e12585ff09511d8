"""Runs the validators and the group resolvers over the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from musterroll.contract.fields import GROUPS
from musterroll.contract.problems import Problem
from musterroll.contract.roles import GroupResolver, RowValidator, SheetValidator
from musterroll.contract.rows import BLANK, Origin, Row
from musterroll.contract.secret import listen
from musterroll.contract.users import GroupPath
from musterroll.errors import MusterrollError
from musterroll.registry.guards.rules import Findings, Rule, all_found, broken_rule, secrets_of
from musterroll.registry.watch import Call, Watch
from musterroll.sheet.batch import RowBatch, RowTexts
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.proofs import Proofs, Proven
from musterroll.sheet.shifts import ShiftFinder

Listener: TypeAlias = Callable[[str, Problem], None]
"""Is called with the label of the rule and what it found, for every problem."""

CELLS = "cells"
"""The label of what is wrong with cells before any rule looks at them."""

_ROW = ("row",)  # what the watch counts: its number says how far


class CheckedRow(NamedTuple):
    """A row, the groups it names, and whether it has no error so far.

    `given` are the groups that it names without its defaults: those count when a user is created only. The row itself
    is made when it is asked for; its number and its texts are there without.
    """

    batch: RowBatch
    place: int
    groups: tuple[GroupPath, ...]
    given: tuple[GroupPath, ...]
    valid: bool

    @property
    def number(self) -> int:
        """The row's number."""
        return self.batch.numbers[self.place]

    @property
    def row(self) -> Row:
        """The row."""
        return self.batch.made(self.place).row

    @property
    def texts(self) -> RowTexts:
        """The row's texts by field: "" where blank, absent or secret."""
        return RowTexts(self.batch, self.place)


class Checks:
    """Runs validators and group resolvers over the rows of one sheet.

    Args:
        validators: the validators by label.
        resolvers: the group resolvers by label.
        log: takes the problems.
        listener: is told of them, if there is one.
        has_defaults: whether a value can be a default at all.
        shifts: tells rows whose cells slipped by one column: of those there is one problem instead of all others, and
            they are handed on without their values.
        max_levels: how deep a group may be.
        watch: is told which rule is at work.
    """

    def __init__(
        self,
        validators: Sequence[tuple[str, RowValidator | SheetValidator]],
        resolvers: Sequence[tuple[str, GroupResolver]],
        log: ProblemLog,
        listener: Listener | None = None,
        *,
        has_defaults: bool = True,
        shifts: ShiftFinder | None = None,
        max_levels: int,
        watch: Watch | None = None,
    ) -> None:
        self._rules = [Rule.of_validator(label, validator) for label, validator in validators]
        self._sorters = [Rule.of_resolver(label, resolver) for label, resolver in resolvers]
        self._validators = [validator for _, validator in validators]
        self._log, self._listener, self._shifts = log, listener, shifts
        self._has_defaults, self._max_levels = has_defaults, max_levels
        self._watch = watch or Watch()
        self._findings, self._following = Findings(), 0
        self._call = Call("", "validating", _ROW)
        self._proofs = Proofs(self._rules, self._sorters, self._findings, max_levels)

    def run(self, batches: Iterable[RowBatch]) -> Iterator[list[CheckedRow]]:
        """Streams the rows with their groups.

        After the last row the validators of the whole sheet are asked once more, so a row that was handed on as
        valid can still turn out to be bad: the log knows.

        Raises:
            PluginError: a validator or resolver broke; it says which, and at which row.
        """
        for batch in batches:
            # One call for all rows: another one each would be felt.
            self._call.outer, self._watch.current = self._watch.current, self._call
            try:
                checked = self._checked(batch)
            finally:
                self._watch.end(self._call)
            yield checked
        self._findings.end(self._following)
        for rule, validator in zip(self._rules, self._validators, strict=True):
            if isinstance(validator, SheetValidator):
                self._finish(rule, validator)

    def _checked(self, batch: RowBatch) -> list[CheckedRow]:
        proven = self._proofs.of(batch, self._call)
        starts = self._starts(batch.numbers)
        checked: list[CheckedRow] = []

        def hand_on(end: int) -> None:
            """Hands rows on of which nothing is to be said."""
            valid, places = not self._log.headings_fail, range(len(checked), end)
            groups, given = proven.groups[places.start : end], proven.given[places.start : end]
            rows = zip(repeat(batch), places, groups, given, repeat(valid))
            checked.extend(map(CheckedRow._make, rows))

        for place in proven.places:
            while starts and starts[0] <= place:
                self._start(batch, starts.pop(0))
            hand_on(place)
            checked.append(self._check(batch, place, proven))
        hand_on(len(batch))
        for place in starts:
            self._start(batch, place)
        self._following = batch.numbers[-1] + 1
        return checked

    def _starts(self, numbers: Sequence[int]) -> list[int]:
        """The places of rows that do not follow the row before."""
        first = [0] if numbers[0] != self._following else []
        if numbers[-1] - numbers[0] + 1 == len(numbers):
            return first
        return first + [place for place in range(1, len(numbers)) if numbers[place] != numbers[place - 1] + 1]

    def _start(self, batch: RowBatch, place: int) -> None:
        before = batch.numbers[place - 1] + 1 if place else self._following
        self._findings.start(batch.made(place).row, before)

    def _check(self, batch: RowBatch, place: int, proven: Proven) -> CheckedRow:
        """Asks the rules about a row, but for those that have none of it to suspect."""
        row, problems = batch.made(place)
        found_here = [(CELLS, problem) for problem in problems]
        findings, call = self._findings, self._call
        call.stage, call.done = "validating", row.number
        rule: Rule | None = None
        groups: list[GroupPath] = []
        try:
            # Most rules are generators: they run here, inside the `try`.
            for rule, suspects in zip(self._rules, proven.suspects, strict=True):
                if suspects is not None and place not in suspects:
                    continue
                call.who, seen = rule.label, rule.seen
                if seen is not None:
                    listen(seen.add)
                for one in _found(rule, row):
                    problem = findings.problem(one, row, seen)
                    found_here.append((rule.label, problem))
                if seen is not None:
                    listen(None)
            named, given = proven.groups[place], proven.given[place]
            if named is None or given is None:
                call.stage = "resolving groups"
                for rule in self._sorters:
                    call.who = rule.label
                    for one in _found(rule, row):
                        if isinstance(one, Problem):
                            found_here.append((rule.label, findings.problem(one, row)))
                            continue
                        path = findings.path(one)
                        if len(path) <= self._max_levels:
                            groups.append(path)
                        else:
                            found_here.append((rule.label, _too_deep(row, len(path), self._max_levels)))
                named = given = tuple(groups)
                if self._has_defaults and named and any(one.origin is Origin.DEFAULT for one in row.values.values()):
                    bare = _given(row, self._sorters, findings)
                    given = tuple(path for path in bare if len(path) <= self._max_levels)
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise broken_rule(call, row.number, secrets_of(row), error, None if rule is None else rule.seen) from error
        finally:
            listen(None)
        checked = CheckedRow(batch, place, named, given, valid=True)
        return self._concluded(checked, row, found_here) if found_here or self._log.headings_fail else checked

    def _concluded(self, checked: CheckedRow, row: Row, found_here: Sequence[tuple[str, Problem]]) -> CheckedRow:
        """Puts what was found in a row into the log, and says whether the row can go in."""
        log, shifts = self._log, self._shifts
        shifted = shifts.find(row, [problem for _, problem in found_here]) if shifts and found_here else None
        if shifted is not None:
            self._take(shifted, CELLS)
            log.hide(row.number)
            checked.batch.hide(checked.place)
            return checked._replace(groups=(), given=(), valid=False)
        valid = not log.headings_fail
        for label, problem in found_here:
            if log.headings_fail and problem.field is not None and problem.field not in row.columns:
                continue  # that its column is missing is one error, not one a row
            valid &= self._take(problem, label)
        return checked._replace(valid=valid)

    def _finish(self, rule: Rule, validator: SheetValidator) -> None:
        call = self._watch.begin(rule.label, "validating the whole sheet")
        assert rule.seen is not None
        listen(rule.seen.add)
        try:
            for found in all_found(validator.finish(), "finish"):
                problem = self._findings.problem(found, None, rule.seen)
                if not self._log.is_hidden(problem.row):
                    self._take(problem, rule.label)
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise broken_rule(call, None, (), error, rule.seen) from error
        finally:
            listen(None)
            self._watch.end(call)

    def _take(self, problem: Problem, label: str) -> bool:
        """Puts a problem into the log; returns whether the row can go in all the same."""
        if self._listener is not None:
            self._listener(label, problem)
        if problem.row is None:
            self._log.add_file(problem)
        else:
            self._log.add(problem)
        return not problem.is_error


def _found(rule: Rule, row: Row) -> Iterable[object]:
    found = rule.find(row)
    return found if type(found) in rule.usual else rule.all_found(found)


def _given(row: Row, sorters: Sequence[Rule], findings: Findings) -> Iterator[GroupPath]:
    """Yields the groups that a row names without its defaults. Its problems are known already."""
    values = {name: BLANK if value.origin is Origin.DEFAULT else value for name, value in row.values.items()}
    bare = replace(row, values=MappingProxyType(values))
    for rule in sorters:
        for found in _found(rule, bare):
            if not isinstance(found, Problem):
                yield findings.path(found)


def _too_deep(row: Row, levels: int, max_levels: int) -> Problem:
    message = (
        "A group here has {levels} levels, and at most {most} are allowed; correct the group, "
        "or set max_levels under [membership]"
    )
    return row.problem(GROUPS, "groups.too_deep", message, levels=levels, most=max_levels)
