"""All problems of a sheet, in the order of the sheet, whatever the order they were found in.

They are kept in a private temporary SQLite database, so that a million of them cost no memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from musterroll.contract.problems import Problem, Severity
from musterroll.pipeline.severity import Severities
from musterroll.sheet.row_set import RowSet
from musterroll.sheet.summary import SheetCounts

_OF_HEADINGS = frozenset({"column.missing", "column.duplicate"})
_COLUMNS = "code, message, severity, row, col, field, value, suggestion, safe, also, repaired, also_rejects"
_SCHEMA = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE problem (seq INTEGER PRIMARY KEY, absent INTEGER, width INTEGER, {_COLUMNS});
BEGIN;
"""  # and never an end: nobody else reads it, and a transaction for every row is a third of its time

_INSERT = f"INSERT INTO problem (absent, width, {_COLUMNS}) VALUES ({', '.join('?' * 14)})"  # noqa: S608 -- constants
_TOGETHER = 1000
_SEVERITIES = {str.__str__(one): one for one in Severity}


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
        # The empty name is SQLite's temporary database: in memory, spilling to a file that deletes itself.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_SCHEMA)
        # What was found waits here until there is enough of it, or somebody asks.
        self._waiting = list[tuple[object, ...]]()
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
        self._store(problem)
        if problem.is_error and problem.row is not None:
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

    def _store(self, p: Problem, *, absent: bool = False) -> None:
        if self._hides and p.row in self._hidden:
            p = replace(p, value=None, suggestion=None, is_safe=False, also=())
        if p.is_error:
            self._errors += 1
        else:
            self._warnings += 1
        # Texts and whole numbers as they are: for all else, a truth value among it, sqlite3 looks for an adapter.
        self._waiting.append(
            (
                int(absent),
                len(p.column or ""),
                p.code,
                p.message,
                str.__str__(p.severity),
                p.row,
                p.column,
                p.field,
                p.value,
                p.suggestion,
                int(p.is_safe),
                json.dumps(p.also) if p.also else "",
                int(p.is_repaired),
                ",".join(map(str, p.also_rejects)) if p.also_rejects else "",
            )
        )
        if len(self._waiting) >= _TOGETHER:
            self._look_up()

    def _look_up(self, query: str = "", values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Asks the database, after everything that waits is in it."""
        if self._waiting:
            self._db.executemany(_INSERT, self._waiting)
            self._waiting.clear()
        return self._db.execute(query, values)

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
        return any(self._look_up("SELECT 1 FROM problem WHERE code = ? LIMIT 1", (code,)))

    def has_error(self, row: int) -> bool:
        """Whether a row has an error of its own."""
        return row in self._bad

    def drop_warnings(self, code: str, *, with_others: bool) -> None:
        """Takes the warnings of a code away from rows that stay out: what they warn of will not happen."""
        self._look_up()
        out = self.bad_rows(with_others=with_others)
        self._db.create_function("stays_out", 1, out.__contains__)
        self._db.execute(
            "DELETE FROM problem WHERE code = ? AND severity = ? AND stays_out(row)", (code, Severity.WARNING)
        )
        # What Python counts is -1 under a Turkish locale; see `Journal.change`.
        (dropped,) = self._db.execute("SELECT changes()").fetchone()
        self._warnings -= dropped

    def bad_rows(self, *, with_others: bool) -> RowSet:
        """The rows that have errors, and with `with_others` those that others' errors keep out as well."""
        return self._bad | self._also_rejected if with_others else self._bad

    def __iter__(self) -> Iterator[Problem]:
        query = f"SELECT {_COLUMNS} FROM problem ORDER BY absent, row IS NOT NULL, row, width, col, seq"  # noqa: S608 -- constants
        for (
            code,
            message,
            severity,
            row,
            column,
            field,
            value,
            suggestion,
            safe,
            also,
            repaired,
            rejects,
        ) in self._look_up(query):
            yield Problem(
                code=code,
                message=message,
                severity=_SEVERITIES[severity],
                row=row,
                column=column,
                field=field,
                value=value,
                suggestion=suggestion,
                is_safe=bool(safe),
                also=tuple((name, text) for name, text in json.loads(also)) if also else (),
                is_repaired=bool(repaired),
                also_rejects=tuple(map(int, rejects.split(","))) if rejects else (),
            )

    def count_into(self, counts: SheetCounts, *, with_others: bool) -> None:
        """Fills in a sheet's counts; `counts.rows` is known already."""
        counts.errors, counts.warnings = self.errors, self.warnings
        # Without the right headings no row can be relied upon.
        bad = self.bad_rows(with_others=with_others)
        counts.invalid = counts.rows if self.headings_fail else len(bad)
        counts.valid = counts.rows - counts.invalid

    def close(self) -> None:
        """Deletes the temporary database."""
        self._db.close()
