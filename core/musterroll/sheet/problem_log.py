"""All problems of a sheet, as this customer takes them, and which rows they keep out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from musterroll.contract.problems import Problem
from musterroll.pipeline.severity import Severities
from musterroll.sheet.problem_store import ProblemStore
from musterroll.sheet.row_set import RowSet
from musterroll.sheet.summary import SheetCounts

_OF_HEADINGS = frozenset({"column.missing", "column.duplicate"})


class ProblemLog:
    """Takes problems and gives them back sorted. Close it when done.

    What takes one returns it as it counts: with the severity that it has for this customer, or None if it is ignored.

    Args:
        severities: what problems are to this customer; as they are found without.

    Attributes:
        file_errors: how many errors keep the whole file out.
        headings_fail: whether those of the headings are among them, so that no row can be relied upon.
    """

    def __init__(self, severities: Severities | None = None) -> None:
        self._severities = severities or Severities({}, strict=False)
        self._problems = ProblemStore()
        self._bad, self._also_rejected, self._hidden = RowSet(), RowSet(), RowSet()
        self._hides = False
        self._errors = self._warnings = 0
        self.file_errors = 0
        self.headings_fail = False

    def add_file(self, found: Problem) -> Problem | None:
        """Takes a problem that belongs to no user's row: of the headings, a blank row, the whole file."""
        problem = self._severities.of(found)
        if problem is None:
            return None
        self._store(problem)
        # A blank row has no column; it is an error, but no reason to leave out the rows around it.
        if problem.is_error and (problem.row is None or problem.column is not None):
            self.file_errors += 1
            self.headings_fail |= problem.code in _OF_HEADINGS
        return problem

    def add(self, found: Problem) -> Problem | None:
        """Takes a problem of a user's row."""
        problem = self._severities.of(found)
        if problem is None:
            return None
        if self._store(problem) and problem.row is not None:
            self._bad.add(problem.row)
            for row in problem.also_rejects:
                self._also_rejected.add(row)
        return problem

    def add_repaired(self, problem: Problem) -> None:
        """Takes a problem of a user's row that was repaired on the way in: a warning, whatever it was before."""
        self._store(problem)

    def add_absent(self, problem: Problem) -> None:
        """Takes a problem of a user who is not in the sheet; it comes after those of the rows."""
        self._store(problem, absent=True)

    def hide(self, row: int) -> None:
        """Notes that a row's values must not be shown, whoever finds one."""
        self._hides = True
        self._hidden.add(row)

    def is_hidden(self, row: int | None) -> bool:
        """Whether a row's values must not be shown."""
        return self._hides and row in self._hidden

    def _store(self, p: Problem, *, absent: bool = False) -> bool:
        """Puts a problem among the others; returns whether it is an error."""
        if self._hides and p.row in self._hidden:
            p = replace(p, value=None, suggestion=None, is_safe=False, also=())
        self._problems.add(p, absent=absent)
        if p.is_error:
            self._errors += 1
            return True
        self._warnings += 1
        return False

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return self._errors

    @property
    def warnings(self) -> int:
        """How many warnings there are."""
        return self._warnings

    def has(self, code: str) -> bool:
        """Whether there is a problem of that code."""
        return self._problems.has(code)

    def has_error(self, row: int) -> bool:
        """Whether a row has an error of its own."""
        return row in self._bad

    def drop_warnings(self, code: str, *, with_others: bool) -> None:
        """Takes the warnings of a code away from rows that stay out: what they warn of will not happen."""
        self._warnings -= self._problems.drop_warnings(code, self.bad_rows(with_others=with_others))

    def bad_rows(self, *, with_others: bool) -> RowSet:
        """The rows that have errors, and with `with_others` those that others' errors keep out as well."""
        return self._bad | self._also_rejected if with_others else self._bad

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._problems)

    def count_into(self, counts: SheetCounts, *, with_others: bool) -> None:
        """Fills in a sheet's counts; `counts.rows` is known already."""
        counts.errors, counts.warnings = self.errors, self.warnings
        # Without the right headings no row can be relied upon.
        bad = self.bad_rows(with_others=with_others)
        counts.invalid = counts.rows if self.headings_fail else len(bad)
        counts.valid = counts.rows - counts.invalid

    def close(self) -> None:
        """Deletes the temporary database."""
        self._problems.close()
