"""What is measured, and what it is held to."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from speed.measure import Usage, measured
from speed.people import Quality
from speed.sheets import sheet

START_UP_ROWS = 10
PIPELINE = """
name = "benchmark"
[backend]
use = "directory"
options = { path = "users.db", passwords = "none" }
[invites]
send_to = "none"
"""


@dataclass(frozen=True)
class Task:
    """A program that is measured with a sheet.

    Attributes:
        name: what the tables call it.
        program: the program and its arguments but the sheet.
        form: the sheet's format.
        rows: how many users it has.
        quality: how many of them are bad.
        status: how the program exits.
    """

    name: str
    program: tuple[str, ...]
    form: str
    rows: int
    quality: Quality = Quality.CLEAN
    status: int = 0

    def sheet(self, cache: Path) -> Path:
        """Returns the sheet, which is made where it is not there yet."""
        return sheet(self.form, self.rows, self.quality, cache)

    def measure(self, folder: Path, cache: Path) -> Usage:
        """Runs the program in a folder with a pipeline file, and returns what it used."""
        return measured((*self.program, str(self.sheet(cache))), folder, statuses=(self.status,))


@dataclass(frozen=True)
class Comparison:
    """A ratio of CPU seconds, and what it is to be.

    Attributes:
        task: the name of what is measured.
        base: the name of what it is compared with.
        at_most: the highest ratio that is good.
        at_least: the lowest ratio that is good.
    """

    task: str
    base: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def goal(self) -> str:
        """What is to be reached, in words."""
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return f"≥ {self.at_least:g}" if self.at_least is not None else ""

    def is_reached(self, ratio: float) -> bool:
        """Whether a ratio is as good as asked for."""
        return (self.at_most is None or ratio <= self.at_most) and (self.at_least is None or ratio >= self.at_least)


COMPARISONS = (
    Comparison("validate csv", "csv.reader", at_most=8),
    Comparison("validate xlsx", "python-calamine xlsx", at_most=2.5),
    Comparison("validate ods", "python-calamine ods", at_most=3),
    Comparison("validate csv, 1 % bad", "validate csv"),
    Comparison("validate csv, all bad", "validate csv", at_most=6),
    Comparison("run csv, new users", "validate csv", at_most=6.5),
    Comparison("run csv, the same again", "validate csv", at_most=2),
    Comparison("frictionless csv", "validate csv", at_least=10),
    Comparison("pandas + pydantic csv", "validate csv", at_least=10),
    Comparison("frictionless xlsx", "validate xlsx", at_least=10),
    Comparison("pandas + pydantic xlsx", "validate xlsx", at_least=10),
    Comparison("pandas + pydantic ods", "validate ods", at_least=10),
)
GOAL_ROWS = 100_000
"""The rows from which these hold: of a smaller sheet's cost much is the start."""
START_UP = f"validate csv, {START_UP_ROWS} rows"
START_UP_SECONDS = 0.25
LARGE_ROWS = 1_000_000
LARGE_PEAK = 300  # MB
LARGE_TASK = "run csv, new users"


def tasks(rows: int, forms: Collection[str], *, peers: bool) -> Iterator[Task]:
    """Yields what is measured, in the order in which it is run.

    Args:
        rows: how many users the sheets have.
        forms: their formats.
        peers: whether to measure what somebody would take instead, as well.
    """
    yield Task(START_UP, _ours("validate"), "csv", START_UP_ROWS)
    for form in forms:
        if form == "csv":
            yield Task("csv.reader", peer("bare_csv"), form, rows)
        elif peers:
            yield Task(f"python-calamine {form}", peer("bare_calamine"), form, rows)
        yield Task(f"validate {form}", _ours("validate"), form, rows)
        if form == "csv":
            for quality in (Quality.ONE_PERCENT, Quality.ALL_BAD):
                yield Task(f"validate csv, {quality.label}", _ours("validate"), form, rows, quality, status=1)
            yield Task("run csv, new users", _ours("run"), form, rows)
            yield Task("run csv, the same again", _ours("run"), form, rows)
        if peers:
            yield Task(f"pandas + pydantic {form}", peer("pandas_pydantic"), form, rows)
        if peers and form != "ods":  # frictionless needs further libraries to read that
            yield Task(f"frictionless {form}", peer("frictionless_schema"), form, rows)


def _ours(command: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name("musterroll")), command)


def peer(module: str) -> tuple[str, ...]:
    """The command that has a program of `speed.peers` look at a sheet; with `search_path`."""
    return (sys.executable, "-m", f"speed.peers.{module}")
