"""Runs the validators and the group resolvers over the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from musterroll.errors import MusterrollError, PluginError
from musterroll.model.fields import GROUPS
from musterroll.model.rows import BLANK, Origin, Row
from musterroll.model.users import GroupPath
from musterroll.pipeline.settings import MAX_LEVELS
from musterroll.plugin.guarding import guarded
from musterroll.plugin.roles import GroupResolver, RowValidator, SheetValidator
from musterroll.problem_log import ProblemLog
from musterroll.problems import Problem
from musterroll.secret import MASK
from musterroll.sheet.reading import ReadRow
from musterroll.sheet.shifts import ShiftFinder, hidden

Witness: TypeAlias = Callable[[str, Problem], None]
"""Is told of every problem, with the label of the rule that found it."""

CELLS = "cells"
"""The label of what is wrong with cells before any rule looks at them."""


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
    shifts: ShiftFinder | None = None,
    max_levels: int = MAX_LEVELS,
) -> Iterator[CheckedRow]:
    """Streams the rows with their groups; problems go to the log, and to the witness if there is one.

    `has_defaults` says whether a value can be a default at all. `shifts` tells rows whose cells slipped by one column:
    of those there is one problem instead of all others, and they are handed on without their values. `max_levels`
    says how deep a group may be.

    After the last row the validators of the whole sheet are asked once more, so a row that was handed on as
    valid can still turn out to be bad: the log knows.

    Raises:
        PluginError: a validator or resolver broke; it says which, and at which row.
    """
    for row, problems in rows:
        found_here = [(CELLS, problem) for problem in problems]
        label, stage = "", "validating"
        groups: list[GroupPath] = []
        try:
            # Most rules are generators: they run here, inside the `try`.
            for label, validator in validators:
                found_here += [(label, _problem(found)) for found in validator.check(row) or ()]
            stage = "resolving groups"
            for label, resolver in resolvers:
                for path in resolver.resolve(row) or ():
                    if isinstance(path, tuple):
                        if len(path) <= max_levels:
                            groups.append(path)
                        else:
                            found_here.append((label, _too_deep(row, len(path), max_levels)))
                    elif isinstance(path, Problem):
                        found_here.append((label, path))
                    else:
                        kind = type(path).__name__
                        raise TypeError(f"a group is a tuple of the names of its levels, not {kind}")
            named = given = tuple(groups)
            if has_defaults and named and any(value.origin is Origin.DEFAULT for value in row.values.values()):
                given = tuple(path for path in _given(row, resolvers) if len(path) <= max_levels)
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise _broken(label, stage, row, error) from error
        shifted = shifts.find(row, [problem for _, problem in found_here]) if shifts and found_here else None
        if shifted is not None:
            _take(shifted, log, CELLS, witness)
            log.hide(row.number)
            yield CheckedRow(hidden(row), (), (), valid=False)
            continue
        valid = not log.headings_fail
        for label, problem in found_here:
            if log.headings_fail and problem.field is not None and problem.field not in row.columns:
                continue  # that its column is missing is one error, not one a row
            valid &= _take(problem, log, label, witness)
        yield CheckedRow(row, named, given, valid)
    for label, validator in validators:
        if isinstance(validator, SheetValidator):
            with guarded(label, "validating the whole sheet"):
                for found in validator.finish():
                    if not log.is_hidden((problem := _problem(found)).row):
                        _take(problem, log, label, witness)


def _given(row: Row, resolvers: Sequence[tuple[str, GroupResolver]]) -> Iterator[GroupPath]:
    """Yields the groups that a row names without its defaults. Its problems are known already."""
    values = {name: BLANK if value.origin is Origin.DEFAULT else value for name, value in row.values.items()}
    bare = replace(row, values=values)
    for _, resolver in resolvers:
        yield from (path for path in resolver.resolve(bare) or () if isinstance(path, tuple))


def _too_deep(row: Row, levels: int, max_levels: int) -> Problem:
    message = (
        f"A group here has {levels} levels, and at most {max_levels} are allowed; correct the group, "
        "or set max_levels under [membership]"
    )
    return row.problem(GROUPS, "groups.too_deep", message)


def _problem(found: object) -> Problem:
    """Makes sure that what a rule found is a problem."""
    if not isinstance(found, Problem):
        kind = type(found).__name__
        raise TypeError(f"a rule must yield problems, made with row.problem(…), not {kind}")
    return found


def _take(problem: Problem, log: ProblemLog, label: str, witness: Witness | None) -> bool:
    """Puts a problem into the log; returns whether the row can go in all the same."""
    if witness is not None:
        witness(label, problem)
    if problem.row is None:
        log.add_file(problem)
    else:
        log.add(problem)
    return not problem.is_error


def _broken(label: str, stage: str, row: Row, error: BaseException) -> PluginError:
    """Names the rule that broke. Its text may hold what it was looking at, so passwords are taken out."""
    text = f"{type(error).__name__}: {error}"
    for value in row.values.values():
        if value.secret is not None and (password := value.secret.reveal()) in text:
            text = text.replace(password, MASK)
            error.args = (MASK,)  # the traceback that --verbose shows would tell it as well
    return PluginError(plugin=label, stage=stage, cause=text, row=row.number)
