"""Runs the validators and the group resolvers over the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from musterroll.errors import MusterrollError, PluginError
from musterroll.model.rows import BLANK, Origin, Row
from musterroll.model.users import GroupPath
from musterroll.plugin.guarding import broken
from musterroll.plugin.guards.rules import NONE_SEEN, Findings, Found, WholeSheetRule, as_called
from musterroll.plugin.masking import SecretsSeen, masked
from musterroll.plugin.roles import GroupResolver, RowValidator, SheetValidator
from musterroll.plugin.watch import Watch
from musterroll.problem_log import ProblemLog
from musterroll.problems import Problem
from musterroll.secret import MASK
from musterroll.sheet.reading import ReadRow

Witness: TypeAlias = Callable[[str, Problem], None]
"""Is told of every problem, with the label of the rule that found it."""

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
    rows: Iterable[ReadRow],
    validators: Sequence[tuple[str, RowValidator | SheetValidator]],
    resolvers: Sequence[tuple[str, GroupResolver]],
    log: ProblemLog,
    witness: Witness | None = None,
    *,
    has_defaults: bool = True,
    watch: Watch | None = None,
) -> Iterator[CheckedRow]:
    """Streams the rows with their groups; problems go to the log, and to the witness if there is one.

    `has_defaults` says whether a value can be a default at all; the watch is told which rule is at work.

    After the last row the validators of the whole sheet are asked once more, so a row that was handed on as
    valid can still turn out to be bad: the log knows.

    Raises:
        PluginError: a validator or resolver broke; it says which, and at which row.
    """
    watch = watch or Watch()
    whole = [(label, WholeSheetRule(one)) for label, one in validators if isinstance(one, SheetValidator)]
    by_label = dict(whole)
    checks = [
        (label, by_label[label].check if label in by_label else as_called(one.check)) for label, one in validators
    ]
    resolves = [(label, as_called(one.resolve, "groups and problems")) for label, one in resolvers]
    findings = Findings()
    for row, problems in rows:
        valid = True
        for problem in problems:
            valid &= _take(problem, log, CELLS, witness)
        findings.passed(row)
        call = watch.begin("", "validating", _ROW)
        call.done = row.number
        label = ""
        groups: list[GroupPath] = []
        try:
            # Most rules are generators: they run here, inside the `try`.
            for label, check in checks:
                call.who = label
                for found in check(row):
                    seen = by_label[label].seen if label in by_label else NONE_SEEN
                    valid &= _take(findings.problem(found, row, seen), log, label, witness)
            call.stage = "resolving groups"
            for label, resolve in resolves:
                call.who = label
                for found in resolve(row):
                    if isinstance(found, Problem):
                        valid &= _take(findings.problem(found, row), log, label, witness)
                    else:
                        groups.append(findings.path(found))
            named = given = tuple(groups)
            if has_defaults and named and any(value.origin is Origin.DEFAULT for value in row.values.values()):
                given = tuple(_given(row, resolves, findings))
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise _broken(label, call.stage, row, error) from error
        finally:
            watch.end(call)
        yield CheckedRow(row, named, given, valid)
    for label, rule in whole:
        call = watch.begin(label, "validating the whole sheet")
        try:
            for found in rule.finish():
                _take(findings.problem(found, None, rule.seen), log, label, witness)
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise _broken(label, call.stage, None, error, rule.seen) from error
        finally:
            watch.end(call)


def _given(row: Row, resolves: Sequence[tuple[str, Found]], findings: Findings) -> Iterator[GroupPath]:
    """Yields the groups that a row names without its defaults. Its problems are known already."""
    values = {name: BLANK if value.origin is Origin.DEFAULT else value for name, value in row.values.items()}
    bare = replace(row, values=MappingProxyType(values))
    for _, resolve in resolves:
        for found in resolve(bare):
            if not isinstance(found, Problem):
                yield findings.path(found)


def _take(problem: Problem, log: ProblemLog, label: str, witness: Witness | None) -> bool:
    """Puts a problem into the log; returns whether the row can go in all the same."""
    if witness is not None:
        witness(label, problem)
    if problem.row is None:
        log.add_file(problem)
    else:
        log.add(problem)
    return not problem.is_error


def _broken(
    label: str, stage: str, row: Row | None, error: BaseException, seen: SecretsSeen = NONE_SEEN
) -> PluginError:
    """Names the rule that broke. Its text may hold what it was looking at, so passwords are taken out."""
    failed = broken(label, stage, error, None if row is None else row.number)
    values = () if row is None else row.values.values()
    passwords = [value.secret.reveal() for value in values if value.secret is not None]
    cause = seen.masked(masked(failed.cause, passwords, of_secret=True), of_secret=True)
    if cause == failed.cause:
        return failed
    error.args = (MASK,)  # the traceback that --verbose shows would tell it as well
    return PluginError(plugin=label, stage=stage, cause=cause, row=failed.row)
