"""Keeps problems in the order of the sheet, whatever the order they were found in, and a million of them in no memory.

Nearly all are found row by row. They are packed, a thousand or so in one go, into a private temporary SQLite database;
those that come late are kept there one by one, for it to sort.
"""

from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Container, Iterator
from heapq import merge
from itertools import chain
from typing import Any, TypeAlias

from musterroll.contract.problems import Problem, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_OTHERS = ("row", "column", "field", "value", "suggestion", "is_safe", "also", "is_repaired", "also_rejects")
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE part (number INTEGER PRIMARY KEY, problems BLOB);
CREATE TABLE late (seq INTEGER PRIMARY KEY, absent INTEGER, row INTEGER, width INTEGER, col TEXT, problem BLOB);
BEGIN;
"""  # and never an end: nobody else reads it, and a transaction each costs as much again
_TOGETHER = 1000
_MOST = 10 * _TOGETHER  # of one row, which a part holds to its end

_Stored: TypeAlias = tuple[Any, ...]
"""The attributes of a problem in their order; whether it is an error instead of its severity."""


class ProblemStore:
    """Problems in the order of the sheet. Close it when done."""

    def __init__(self) -> None:
        # The empty name is SQLite's temporary database: in memory, spilling to a file that deletes itself.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_SCHEMA)
        self._part: list[_Stored] = []  # what waits until there is enough of it, or somebody asks
        self._row = 0  # that of the last one; those of earlier rows come late
        self._has_late, self._is_sorted = False, True

    def add(self, p: Problem, *, absent: bool = False) -> None:
        """Adds a problem.

        Args:
            p: the problem.
            absent: whether it is of a user who is not in the sheet: it comes after those of the rows.
        """
        stored = (
            p.code,
            p.message,
            p.is_error,
            p.row,
            p.column,
            p.field,
            p.value,
            p.suggestion,
            p.is_safe,
            p.also,
            p.is_repaired,
            p.also_rejects,
        )
        row, part = p.row or 0, self._part
        if row > self._row and not absent:
            if len(part) >= _TOGETHER:
                self._pack()
            self._row = row
        elif row == self._row and len(part) < _MOST and not absent:
            self._is_sorted = not part
        else:
            self._add_late(p, stored, absent=absent)
            return
        part.append(stored)

    def __iter__(self) -> Iterator[Problem]:
        for code, message, is_error, *others in self._all():
            severity = _ERROR if is_error else _WARNING
            yield Problem(code=code, message=message, severity=severity, **dict(zip(_OTHERS, others, strict=True)))

    def has(self, code: str) -> bool:
        """Whether there is a problem of that code."""
        return any(stored[0] == code for stored in self._all())

    def drop_warnings(self, code: str, rows: Container[int]) -> int:
        """Takes the warnings of a code away from some rows; returns how many these were."""

        def is_kept(stored: _Stored) -> bool:
            return stored[0] != code or stored[2] or stored[3] not in rows

        self._pack()
        dropped = 0
        for (number,) in self._db.execute("SELECT number FROM part").fetchall():
            (packed,) = self._db.execute("SELECT problems FROM part WHERE number = ?", (number,)).fetchone()
            part = _unpacked(packed)
            kept = list(filter(is_kept, part))
            if len(kept) < len(part):
                self._db.execute("UPDATE part SET problems = ? WHERE number = ?", (_packed(kept), number))
                dropped += len(part) - len(kept)
        self._db.create_function("is_kept", 1, lambda packed: is_kept(_unpacked(packed)))
        self._db.execute("DELETE FROM late WHERE NOT is_kept(problem)")
        # What Python counts is -1 under a Turkish locale; see `Journal.change`.
        (late,) = self._db.execute("SELECT changes()").fetchone()
        return dropped + int(late)

    def close(self) -> None:
        """Deletes the temporary database."""
        self._db.close()

    def _pack(self) -> None:
        """Packs what waits. Whatever else comes of its last row comes late."""
        part = self._part
        if part:
            if not self._is_sorted:
                part.sort(key=_place)
            self._db.execute("INSERT INTO part (problems) VALUES (?)", (_packed(part),))
            part.clear()
            self._row, self._is_sorted = self._row + 1, True

    def _add_late(self, p: Problem, stored: _Stored, *, absent: bool) -> None:
        self._has_late = True
        self._db.execute(
            "INSERT INTO late (absent, row, width, col, problem) VALUES (?, ?, ?, ?, ?)",
            (absent, p.row, len(p.column or ""), p.column, _packed(stored)),
        )

    def _all(self) -> Iterator[_Stored]:
        self._pack()
        parts = self._db.execute("SELECT problems FROM part ORDER BY number")
        in_order: Iterator[_Stored] = chain.from_iterable(_unpacked(packed) for (packed,) in parts)
        if not self._has_late:
            return in_order
        return chain(merge(in_order, self._late(absent=False), key=_place), self._late(absent=True))

    def _late(self, *, absent: bool) -> Iterator[_Stored]:
        query = "SELECT problem FROM late WHERE absent = ? ORDER BY row IS NOT NULL, row, width, col, seq"
        return (_unpacked(packed) for (packed,) in self._db.execute(query, (absent,)))


def _place(stored: _Stored) -> tuple[bool, int, int, str]:
    """Where a problem belongs: those of the whole file first, then row by row, in the order of the columns."""
    row, column = stored[3], stored[4] or ""
    return row is not None, row or 0, len(column), column


def _packed(stored: _Stored | list[_Stored]) -> bytes:
    """Packs one or many."""
    try:
        return marshal.dumps(stored)
    except ValueError:  # some plugin's text has a class of its own
        return marshal.dumps(_plain(stored))


def _unpacked(packed: bytes) -> Any:
    return marshal.loads(packed)  # noqa: S302 -- packed by ourselves, where nobody else writes


def _plain(stored: Any) -> Any:
    match stored:
        case str():
            return str.__str__(stored)
        case list():
            return list(map(_plain, stored))
        case tuple():
            return tuple(map(_plain, stored))
    return stored
