"""Runs the validators and the group resolvers over the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from threading import Event
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, overload

from musterroll.contract.fields import GROUPS
from musterroll.contract.problems import Problem
from musterroll.contract.roles import GroupResolver, RowValidator, SheetValidator
from musterroll.contract.rows import BLANK, Origin, Row
from musterroll.contract.secret import listen
from musterroll.contract.translation import gettext_noop
from musterroll.contract.users import GroupPath
from musterroll.errors import MusterrollError
from musterroll.registry.guards.rules import Findings, Rule, all_found
from musterroll.registry.guards.secrets import broken_rule, secrets_of
from musterroll.registry.watch import Call, Watch
from musterroll.sheet.batch import RowBatch, RowTexts
from musterroll.sheet.orders import RowOrders
from musterroll.sheet.proofs import Groups, Proofs, Proven
from musterroll.sheet.shifts import ShiftFinder

if TYPE_CHECKING:
    from musterroll.contract.conditions import Conditions

Listener: TypeAlias = Callable[[str, Problem], None]
"""Is called with the label of the rule and what it found, for every problem."""

CELLS = gettext_noop("cells")
"""The label of what is wrong with cells before any rule looks at them."""

_ROW = ("row",)  # what the watch counts: its number says how far


class CheckedRow(NamedTuple):
    """A row, the groups it names, and whether it has no error so far.

    `given` are the groups that it names without its defaults: those count when a user is created only. The row itself
    is made when it is asked for; its number and its texts are there without.
    """

    batch: RowBatch
    place: int
    groups: Groups
    given: Groups
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


class CheckedBatch(Sequence[CheckedRow]):
    """Rows that were checked together; in columns for whoever needs no more.

    Args:
        rows: the rows.
        proven: their groups, as far as they are known.
        valid: whether they have no error so far.
    """

    def __init__(self, rows: RowBatch, proven: Proven, *, valid: bool) -> None:
        self.rows = rows
        self.groups: list[Groups] = [named or () for named in proven.groups]
        self.given = self.groups if proven.given is proven.groups else [named or () for named in proven.given]
        self.valid = [valid] * len(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[CheckedRow]:
        return map(CheckedRow, repeat(self.rows), range(len(self)), self.groups, self.given, self.valid)

    @overload
    def __getitem__(self, place: int) -> CheckedRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[CheckedRow]: ...
    def __getitem__(self, place: int | slice) -> CheckedRow | list[CheckedRow]:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        place = range(len(self))[place]
        return CheckedRow(self.rows, place, self.groups[place], self.given[place], self.valid[place])

    def set(self, place: int, named: Groups, given: Groups) -> None:
        """Sets the groups of a row."""
        if self.given is self.groups and given != named:
            self.given = self.groups.copy()
        self.groups[place], self.given[place] = named, given


class TakesProblems(Protocol):
    """What problems are put into. See `ProblemLog`."""

    @property
    def headings_fail(self) -> bool:
        """Whether no row can be relied upon."""
        ...

    def add(self, found: Problem) -> Problem | None:
        """Takes a problem of a user's row."""
        ...

    def add_file(self, found: Problem) -> Problem | None:
        """Takes a problem that belongs to no user's row."""
        ...

    def hide(self, row: int) -> None:
        """Notes that a row's values must not be shown."""
        ...

    def is_hidden(self, row: int | None) -> bool:
        """Whether a row's values must not be shown."""
        ...


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
        about: the rows that a rule is about, by its label, where that is not every row.
        orders: what rows want, where fields have a role.
        watch: is told which rule is at work.
        cancelled: set when the person interrupts.
    """

    def __init__(
        self,
        validators: Sequence[tuple[str, RowValidator | SheetValidator]],
        resolvers: Sequence[tuple[str, GroupResolver]],
        log: TakesProblems,
        listener: Listener | None = None,
        *,
        has_defaults: bool = True,
        shifts: ShiftFinder | None = None,
        max_levels: int,
        about: Mapping[str, Conditions] = MappingProxyType({}),
        orders: RowOrders | None = None,
        watch: Watch | None = None,
        cancelled: Event | None = None,
    ) -> None:
        self._rules = [Rule.of_validator(label, one, about.get(label)) for label, one in validators]
        self._sorters = [Rule.of_resolver(label, one, about.get(label)) for label, one in resolvers]
        self._validators = [validator for _, validator in validators]
        self._log, self._listener, self._shifts = log, listener, shifts
        self._has_defaults, self._max_levels = has_defaults, max_levels
        self._orders = orders or None
        self._watch, self._cancelled = watch or Watch(), cancelled or Event()
        self._findings, self._following = Findings(), 0
        self._call = Call("", "validating", _ROW)
        self._proofs = Proofs(self._rules, self._sorters, self._findings, max_levels)

    def run(self, batches: Iterable[RowBatch]) -> Iterator[CheckedBatch]:
        """Streams the rows with their groups.

        After the last row the validators of the whole sheet are asked once more, so a row that was handed on as
        valid can still turn out to be bad: the log knows.

        Raises:
            PluginError: a validator or resolver broke; it says which, and at which row.
            KeyboardInterrupt: the person interrupted.
        """
        for batch in batches:
            ignored = self._orders.ignored(batch.columns) if self._orders else ()
            if not ignored:
                yield self.check(batch)
                continue
            # No rule sees them, not even those that remember rows.
            if others := sorted(set(range(len(batch))).difference(ignored)):
                yield self.check(batch.only(others))
            passed_over = batch.only(ignored)
            nothing = Proven((), (), [()] * len(ignored), [()] * len(ignored))
            yield CheckedBatch(passed_over, nothing, valid=not self._log.headings_fail)
        self._findings.end(self._following)
        for rule, validator in zip(self._rules, self._validators, strict=True):
            if isinstance(validator, SheetValidator):
                self._finish(rule, validator)

    def check(self, batch: RowBatch) -> CheckedBatch:
        """Checks some rows, which come after those of the last call.

        Raises:
            PluginError: see `run`.
        """
        # One call for all rows: another one each would be felt.
        self._call.outer, self._watch.current = self._watch.current, self._call
        try:
            return self._checked(batch)
        finally:
            listen(None)
            self._watch.end(self._call)

    def _checked(self, batch: RowBatch) -> CheckedBatch:
        proven = self._proofs.of(batch, self._call)
        starts = self._starts(batch.numbers)
        headings_fail = self._log.headings_fail
        checked = CheckedBatch(batch, proven, valid=not headings_fail)
        asked = self._asked(proven)
        for place in proven.places:
            if self._cancelled.is_set():  # some rules take a tenth of a second for a row
                raise KeyboardInterrupt
            while starts and starts[0] <= place:
                self._start(batch, starts.pop(0))
            checked.valid[place] = self._check(checked, place, asked[place], proven)
            if self._log.headings_fail and not headings_fail:  # a rule has said so
                headings_fail = True
                checked.valid[place:] = [False] * (len(batch) - place)
        for place in starts:
            self._start(batch, place)
        self._following = batch.numbers[-1] + 1
        return checked

    def _asked(self, proven: Proven) -> Mapping[int, Sequence[Rule]]:
        """The rules that are asked about each row."""
        asked: dict[int, list[Rule]] = {place: [] for place in proven.places}
        for rule, suspects in zip(self._rules, proven.suspects, strict=True):
            for place in proven.places if suspects is None else suspects:
                asked[place].append(rule)
        return asked

    def _starts(self, numbers: Sequence[int]) -> list[int]:
        """The places of rows that do not follow the row before."""
        first = [0] if numbers[0] != self._following else []
        if numbers[-1] - numbers[0] + 1 == len(numbers):
            return first
        return first + [place for place in range(1, len(numbers)) if numbers[place] != numbers[place - 1] + 1]

    def _start(self, batch: RowBatch, place: int) -> None:
        before = batch.numbers[place - 1] + 1 if place else self._following
        self._findings.start(batch.made(place).row, before)

    def _check(self, checked: CheckedBatch, place: int, rules: Sequence[Rule], proven: Proven) -> bool:
        """Asks rules about a row, and resolvers whose groups are not known; returns whether it can go in."""
        row, problems = checked.rows.made(place)
        found_here = [(CELLS, problem) for problem in problems]
        findings, call = self._findings, self._call
        call.stage, call.done = "validating", row.number
        rule: Rule | None = None
        groups: list[GroupPath] = []
        try:
            # Most rules are generators: they run here, inside the `try`.
            for rule in rules:
                if rule.when is not None and not rule.is_about(row):
                    continue
                call.who, seen = rule.label, rule.seen
                if seen is not None:
                    listen(seen.add)
                found = rule.find(row)
                for one in found if type(found) in rule.usual else rule.all_found(found):
                    problem = findings.problem(one, row, seen)
                    found_here.append((rule.label, problem))
                if seen is not None:
                    listen(None)
            if proven.groups[place] is None or proven.given[place] is None:
                call.stage = "resolving groups"
                for rule in self._sorters:
                    if rule.when is not None and not rule.is_about(row):
                        continue
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
                checked.set(place, named, given)
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise broken_rule(call, row.number, secrets_of(row), error, None if rule is None else rule.seen) from error
        if self._orders and found_here:
            found_here = [one for one in found_here if self._orders.concerns(row, one[1])]
        return not self._log.headings_fail if not found_here else self._is_valid(checked, place, row, found_here)

    def _is_valid(self, checked: CheckedBatch, place: int, row: Row, found_here: Sequence[tuple[str, Problem]]) -> bool:
        """Puts what was found in a row into the log, and says whether the row can go in."""
        log, shifts = self._log, self._shifts
        shifted = shifts.find(row, (problem for _, problem in found_here)) if shifts else None
        if shifted is not None:
            self._take(shifted, CELLS)
            log.hide(row.number)
            checked.rows.hide(place)
            checked.set(place, (), ())
            return False
        valid = not log.headings_fail
        for label, problem in found_here:
            if log.headings_fail and problem.field is not None and problem.field not in row.columns:
                continue  # that its column is missing is one error, not one a row
            valid &= self._take(problem, label)
        return valid

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
        counted = self._log.add_file(problem) if problem.row is None else self._log.add(problem)
        if counted is None:
            return True
        if self._listener is not None:
            self._listener(label, counted)
        return not counted.is_error


def _found(rule: Rule, row: Row) -> Iterable[object]:
    found = rule.find(row)
    return found if type(found) in rule.usual else rule.all_found(found)


def _given(row: Row, sorters: Sequence[Rule], findings: Findings) -> Iterator[GroupPath]:
    """Yields the groups that a row names without its defaults. Its problems are known already."""
    values = {name: BLANK if value.origin is Origin.DEFAULT else value for name, value in row.values.items()}
    bare = replace(row, values=MappingProxyType(values))
    for rule in sorters:
        for found in _found(rule, bare) if rule.is_about(bare) else ():
            if not isinstance(found, Problem):
                yield findings.path(found)


def _too_deep(row: Row, levels: int, max_levels: int) -> Problem:
    message = (
        "A group here has {levels} levels, and at most {most} are allowed; correct the group, "
        "or set max_levels under [membership]"
    )
    return row.problem(GROUPS, "groups.too_deep", message, levels=levels, most=max_levels)
