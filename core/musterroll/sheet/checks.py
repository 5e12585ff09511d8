"""Runs the validators and the group resolvers over the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from musterroll.contract.fields import GROUPS
from musterroll.contract.problems import Problem
from musterroll.contract.roles import GroupResolver, RowValidator, SheetValidator
from musterroll.contract.rows import BLANK, Origin, Row
from musterroll.contract.secret import MASK, listen
from musterroll.contract.users import GroupPath
from musterroll.errors import MusterrollError, PluginError
from musterroll.registry.guards.rules import Findings, Rule, all_found
from musterroll.registry.masks import SecretsSeen, masked
from musterroll.registry.plugin_errors import broken
from musterroll.registry.watch import Call, Watch
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.rows import RowWithProblems
from musterroll.sheet.shifts import ShiftFinder, hidden

Listener: TypeAlias = Callable[[str, Problem], None]
"""Is called with the label of the rule and what it found, for every problem."""

CELLS = "cells"
"""The label of what is wrong with cells before any rule looks at them."""

_ROW = ("row",)  # what the watch counts: its number says how far


class CheckedRow(NamedTuple):
    """A row, the groups it names, and whether it has no error so far.

    `given` are the groups that it names without its defaults: those count when a user is created only.
    """

    row: Row
    groups: tuple[GroupPath, ...]
    given: tuple[GroupPath, ...]
    valid: bool


def check_rows(
    rows: Iterable[RowWithProblems],
    validators: Sequence[tuple[str, RowValidator | SheetValidator]],
    resolvers: Sequence[tuple[str, GroupResolver]],
    log: ProblemLog,
    listener: Listener | None = None,
    *,
    has_defaults: bool = True,
    shifts: ShiftFinder | None = None,
    max_levels: int,
    watch: Watch | None = None,
) -> Iterator[CheckedRow]:
    """Streams the rows with their groups; problems go to the log, and to the listener if there is one.

    `has_defaults` says whether a value can be a default at all. `shifts` tells rows whose cells slipped by one column:
    of those there is one problem instead of all others, and they are handed on without their values. `max_levels`
    says how deep a group may be. The watch is told which rule is at work.

    After the last row the validators of the whole sheet are asked once more, so a row that was handed on as
    valid can still turn out to be bad: the log knows.

    Raises:
        PluginError: a validator or resolver broke; it says which, and at which row.
    """
    watch = watch or Watch()
    rules = [Rule.of_validator(label, validator) for label, validator in validators]
    sorters = [Rule.of_resolver(label, resolver) for label, resolver in resolvers]
    findings, call, following = Findings(), Call("", "validating", _ROW), 0
    for row, problems in rows:
        found_here = [(CELLS, problem) for problem in problems]
        if row.number != following:
            findings.start(row, following)
        following = row.number + 1
        # One call for all rows: another one each would be felt.
        call.outer, watch.current, call.stage, call.done = watch.current, call, "validating", row.number
        rule: Rule | None = None
        groups: list[GroupPath] = []
        try:
            # Most rules are generators: they run here, inside the `try`.
            for rule in rules:
                call.who, find, usual, _, seen = rule
                if seen is not None:
                    listen(seen.add)
                found = find(row)
                for one in found if type(found) in usual else rule.all_found(found):
                    problem = findings.problem(one, row, seen)
                    found_here.append((rule.label, problem))
                if seen is not None:
                    listen(None)
            call.stage = "resolving groups"
            for rule in sorters:
                call.who = rule.label
                for one in _found(rule, row):
                    if isinstance(one, Problem):
                        found_here.append((rule.label, findings.problem(one, row)))
                        continue
                    path = findings.path(one)
                    if len(path) <= max_levels:
                        groups.append(path)
                    else:
                        found_here.append((rule.label, _too_deep(row, len(path), max_levels)))
            named = given = tuple(groups)
            if has_defaults and named and any(value.origin is Origin.DEFAULT for value in row.values.values()):
                given = tuple(path for path in _given(row, sorters, findings) if len(path) <= max_levels)
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise _broken(call, row, error, None if rule is None else rule.seen) from error
        finally:
            listen(None)
            watch.end(call)
        checked = CheckedRow(row, named, given, valid=True)
        yield _concluded(checked, found_here, log, listener, shifts) if found_here or log.headings_fail else checked
    findings.end(following)
    for rule, (_, validator) in zip(rules, validators, strict=True):
        if isinstance(validator, SheetValidator):
            _finish(rule, validator, findings, log, listener, watch)


def _concluded(
    checked: CheckedRow,
    found_here: Sequence[tuple[str, Problem]],
    log: ProblemLog,
    listener: Listener | None,
    shifts: ShiftFinder | None,
) -> CheckedRow:
    """Puts what was found in a row into the log, and says whether the row can go in."""
    row = checked.row
    shifted = shifts.find(row, [problem for _, problem in found_here]) if shifts and found_here else None
    if shifted is not None:
        _take(shifted, log, CELLS, listener)
        log.hide(row.number)
        return CheckedRow(hidden(row), (), (), valid=False)
    valid = not log.headings_fail
    for label, problem in found_here:
        if log.headings_fail and problem.field is not None and problem.field not in row.columns:
            continue  # that its column is missing is one error, not one a row
        valid &= _take(problem, log, label, listener)
    return checked._replace(valid=valid)


def _finish(
    rule: Rule, validator: SheetValidator, findings: Findings, log: ProblemLog, listener: Listener | None, watch: Watch
) -> None:
    call = watch.begin(rule.label, "validating the whole sheet")
    assert rule.seen is not None
    listen(rule.seen.add)
    try:
        for found in all_found(validator.finish(), "finish"):
            problem = findings.problem(found, None, rule.seen)
            if not log.is_hidden(problem.row):
                _take(problem, log, rule.label, listener)
    except MusterrollError:
        raise
    except (Exception, SystemExit) as error:
        raise _broken(call, None, error, rule.seen) from error
    finally:
        listen(None)
        watch.end(call)


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


def _take(problem: Problem, log: ProblemLog, label: str, listener: Listener | None) -> bool:
    """Puts a problem into the log; returns whether the row can go in all the same."""
    if listener is not None:
        listener(label, problem)
    if problem.row is None:
        log.add_file(problem)
    else:
        log.add(problem)
    return not problem.is_error


def _broken(call: Call, row: Row | None, error: BaseException, seen: SecretsSeen | None) -> PluginError:
    """Names the rule that broke. Its text may hold what it was looking at, so passwords are taken out."""
    failed = broken(call.who, call.stage, error, None if row is None else row.number)
    values = () if row is None else row.values.values()
    cause = masked(
        failed.cause, [value.secret.reveal() for value in values if value.secret is not None], of_secret=True
    )
    if seen is not None:
        cause = seen.masked(cause, of_secret=True)
    if cause == failed.cause:
        return failed
    error.args = (MASK,)  # the traceback that --verbose shows would tell it as well
    return PluginError(plugin=call.who, stage=call.stage, cause=cause, row=failed.row)
