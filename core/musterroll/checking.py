"""Runs the validators and the group resolvers over the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from musterroll.errors import MusterrollError, PluginError
from musterroll.model.rows import Row
from musterroll.model.users import GroupPath
from musterroll.plugin.guarding import guarded
from musterroll.plugin.roles import GroupResolver, RowValidator, SheetValidator
from musterroll.problem_log import ProblemLog
from musterroll.problems import Problem
from musterroll.sheet.reading import ReadRow


class CheckedRow(NamedTuple):
    """A row, the groups it names, and whether it has no error so far."""

    row: Row
    groups: tuple[GroupPath, ...]
    valid: bool


def check_rows(
    rows: Iterable[ReadRow],
    validators: Sequence[tuple[str, RowValidator | SheetValidator]],
    resolvers: Sequence[tuple[str, GroupResolver]],
    log: ProblemLog,
) -> Iterator[CheckedRow]:
    """Streams the rows with their groups; problems go to the log.

    After the last row the validators of the whole sheet are asked once more, so a row that was handed on as
    valid can still turn out to be bad: the log knows.

    Raises:
        PluginError: a validator or resolver broke; it says which, and at which row.
    """
    for row, problems in rows:
        valid = True
        for problem in problems:
            log.add(problem)
            valid &= not problem.is_error
        for label, validator in validators:
            try:
                # Most rules are generators: they run here, inside the `try`.
                for problem in validator.check(row):
                    _take(problem, log)
                    valid &= not problem.is_error
            except MusterrollError:
                raise
            except Exception as error:
                raise PluginError(plugin=label, stage="validating", cause=error, row=row.number) from error
        groups: list[GroupPath] = []
        for label, resolver in resolvers:
            try:
                for found in resolver.resolve(row):
                    if isinstance(found, Problem):
                        _take(found, log)
                        valid &= not found.is_error
                    else:
                        groups.append(found)
            except MusterrollError:
                raise
            except Exception as error:
                raise PluginError(plugin=label, stage="resolving groups", cause=error, row=row.number) from error
        yield CheckedRow(row, tuple(groups), valid)
    for label, validator in validators:
        if isinstance(validator, SheetValidator):
            with guarded(label, "validating the whole sheet"):
                for problem in validator.finish():
                    _take(problem, log)


def _take(problem: object, log: ProblemLog) -> None:
    if not isinstance(problem, Problem):
        raise TypeError(f"a rule must yield problems, made with row.problem(…), not {type(problem).__name__}")
    if problem.row is None:
        log.add_file(problem)
    else:
        log.add(problem)
