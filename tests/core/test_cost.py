"""What a row costs that does not depend on the machine: statements of SQL, calls of Python, bytes that are held."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from musterroll.pipeline.pipeline import Pipeline
from support.cost import most_bytes_held, python_calls
from support.pipelines import DIRECTORY, Work, addressed

_ROWS = 3000
_GROUPS = 20


def _sheet(work: Work, rows: int, first: int = 0) -> Path:
    users = (
        addressed(f"user{place:05}", groups=f"Region|Site {place % _GROUPS}") for place in range(first, first + rows)
    )
    return work.sheet(*users, name=f"{first}-{rows}.csv")


def _pipeline(work: Work) -> Pipeline:
    return work.pipeline('invites.send_to = "none"', backend=DIRECTORY)


def _watch(monkeypatch: pytest.MonkeyPatch, watch: Callable[[sqlite3.Connection], None]) -> None:
    """Has all connections of SQLite watched from now on."""
    connect = sqlite3.connect

    def watched(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        watch(connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", watched)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements all connections of SQLite have run; each of many of one kind counts."""
    counted = [0]

    def count(statement: str) -> None:
        counted[0] += 1

    _watch(monkeypatch, lambda connection: connection.set_trace_callback(count))
    return counted


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many steps SQLite's own machine has taken, in hundreds: a query that looks at each row for each row shows."""
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    _watch(monkeypatch, lambda connection: connection.set_progress_handler(count, 100))
    return counted


def test_a_row_costs_few_statements(work: Work, statements: list[int]) -> None:
    pipeline, sheet = _pipeline(work), _sheet(work, _ROWS)
    assert work.run(pipeline, sheet).rows == {"created": _ROWS}
    # Of the journal the row; of the directory user and membership.
    assert statements[0] / _ROWS < 3.5
    statements[0] = 0
    assert work.run(pipeline, sheet).rows == {"unchanged": _ROWS}
    assert statements[0] / _ROWS < 0.1


def test_a_row_costs_few_steps_of_sqlite(work: Work, steps: list[int]) -> None:
    pipeline, new, again = _pipeline(work), [0], [0]
    for rows, first in ((10, 0), (_ROWS, 10), (2 * _ROWS, 10 + _ROWS)):
        sheet = _sheet(work, rows, first=first)
        for counted in (new, again):
            steps[0] = 0
            work.run(pipeline, sheet)
            counted.append(100 * steps[0])
    assert (new[3] - new[2]) / _ROWS < 1200
    assert (again[3] - again[2]) / _ROWS < 300


def test_a_row_costs_few_calls(work: Work) -> None:
    pipeline = _pipeline(work)
    work.run(pipeline, _sheet(work, 10))  # what is loaded and kept for the first sheet
    costs = [
        [python_calls(partial(work.run, pipeline, sheet)) for _ in ("new", "again")]
        for sheet in (_sheet(work, _ROWS, first=10), _sheet(work, 2 * _ROWS, first=10 + _ROWS))
    ]
    new, again = ((more - less) / _ROWS for less, more in zip(*costs, strict=True))
    assert new < 77
    assert again < 32


def test_a_row_takes_little_room_in_the_journal(work: Work) -> None:
    pipeline, sizes = _pipeline(work), [0]
    for rows, first in ((1200, 0), (2400, 1200)):  # enough of them to fill the pages
        work.run(pipeline, _sheet(work, rows, first=first))
        sizes.append(work.journal.stat().st_size)
    assert (sizes[2] - sizes[1]) / 2400 < 600  # what is planned, and what the ledger has to know


def test_a_further_row_holds_few_bytes(work: Work) -> None:
    pipeline = _pipeline(work)
    work.run(pipeline, _sheet(work, 10))  # what is imported once does not count
    # More rows than are carried out together.
    few, many = (most_bytes_held(partial(work.run, pipeline, _sheet(work, rows))) for rows in (4100, 6100))
    assert (many - few) / 2000 < 500  # the rule `unique` remembers usernames and addresses
