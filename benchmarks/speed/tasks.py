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
    """Something that is measured.

    Attributes:
        name: what the tables call it.
        command: the program and its arguments, to be run in a folder with the pipeline file.
        status: how it exits.
    """

    name: str
    command: tuple[str, ...]
    status: int = 0

    def measure(self, folder: Path) -> Usage:
        """Runs it and returns what it used."""
        return measured(self.command, folder, statuses=(self.status,))


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


def tasks(rows: int, forms: Collection[str], cache: Path, *, peers: bool) -> Iterator[Task]:
    """Yields what is measured, in the order in which it is run; makes the sheets that are not there yet.

    Args:
        rows: how many users the sheets have.
        forms: their formats.
        cache: where sheets are kept.
        peers: whether to measure what somebody would take instead, as well.
    """
    yield _ours(START_UP, "validate", str(sheet("csv", START_UP_ROWS, Quality.CLEAN, cache)))
    for form in forms:
        clean = str(sheet(form, rows, Quality.CLEAN, cache))
        if form == "csv":
            yield _peer("csv.reader", "bare_csv", clean)
        elif peers:
            yield _peer(f"python-calamine {form}", "bare_calamine", clean)
        yield _ours(f"validate {form}", "validate", clean)
        if form == "csv":
            for quality in (Quality.ONE_PERCENT, Quality.ALL_BAD):
                bad = str(sheet("csv", rows, quality, cache))
                yield _ours(f"validate csv, {quality.label}", "validate", bad, status=1)
            yield _ours("run csv, new users", "run", clean)
            yield _ours("run csv, the same again", "run", clean)
        if peers:
            yield _peer(f"pandas + pydantic {form}", "pandas_pydantic", clean)
        if peers and form != "ods":  # frictionless needs further libraries to read that
            yield _peer(f"frictionless {form}", "frictionless_schema", clean)


def _ours(name: str, *arguments: str, status: int = 0) -> Task:
    program = str(Path(sys.executable).with_name("musterroll"))
    return Task(name, (program, *arguments), status)


def _peer(name: str, module: str, path: str) -> Task:
    return Task(name, peer_command(module, path))


def peer_command(module: str, path: str) -> tuple[str, ...]:
    """The command that has a program of `speed.peers` look at a sheet; with `search_path`."""
    return (sys.executable, "-m", f"speed.peers.{module}", path)
