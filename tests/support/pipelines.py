"""Drives the engine as a command does: a pipeline file, small csv files, a scripted portal."""

from __future__ import annotations

import csv
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

from musterroll import Problem, engine
from musterroll.errors import MusterrollError
from musterroll.journal.change import Change
from musterroll.journal.job import JobState
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import Failure, JobSummary
from musterroll.sheet.summary import SheetCounts
from support.faults import PORTALS, POSTS, Portal, Post

HEADINGS = {
    "email": "Email",
    "username": "Username",
    "forename": "Forename",
    "surname": "Surname",
    "password": "Password",
    "calling_code": "Calling Code",
    "phone": "Phone",
    "groups": "Groups",
}
PASSWORD = "Xk9-Sesame-7c1f"

_PLUGIN = """
from musterroll import hookimpl
from support.faults import FAULTY, RECORDER

@hookimpl
def musterroll_user_backends():
    yield FAULTY

@hookimpl
def musterroll_notifiers():
    yield RECORDER
"""
_TOML = """
name = "acme"
plugins = {plugins}
{top}
[backend]
{backend}
[[notifiers]]
name = "outbox"
enabled = false
[[notifiers]]
name = "post"
use = "recorder"
on = ["invite", "finished"]
options = {{ post = "{id}" }}
{tables}
"""


DIRECTORY = """
use = "directory"
options = { path = "users.db", passwords = "none" }
"""


def user(username: str, **cells: str) -> dict[str, str]:
    """One row of a sheet: a forename and a password are filled in."""
    return {"username": username, "forename": username.title(), "password": PASSWORD, **cells}


def addressed(username: str, **cells: str) -> dict[str, str]:
    """One row of a sheet, with an address."""
    return user(username, email=f"{username}@example.com", **cells)


@dataclass(frozen=True)
class Told:
    """A report, read to its end and closed."""

    outcome: Outcome
    counts: SheetCounts
    problems: tuple[Problem, ...]
    changes: tuple[Change, ...]
    groups_to_create: tuple[str, ...]
    job: JobSummary | None
    failures: tuple[Failure, ...]
    error: MusterrollError | None

    @property
    def rows(self) -> dict[str, int]:
        """The outcomes that are not 0; they are checked to add up to the rows, and to the absent users."""
        assert self.job is not None
        counts = asdict(self.job.counts)
        was_executed = self.state not in (JobState.ABORTED, JobState.QUARANTINED)
        absent = sum(change.row is None and change.action == "deactivate" for change in self.changes) * was_executed
        assert counts.pop("rows") + absent == sum(counts.values())
        return {name: number for name, number in counts.items() if number}

    @property
    def invites(self) -> dict[str, int]:
        """What became of the invites, without zeros; they are checked to add up."""
        assert self.job is not None
        counts = asdict(self.job.invites)
        assert sum(counts.values()) in (self.job.counts.rows - self.job.counts.rejected, 0)
        return {name: number for name, number in counts.items() if number}

    @property
    def state(self) -> JobState:
        """Where the job stands."""
        assert self.job is not None
        return self.job.state

    @property
    def codes(self) -> list[str]:
        """The problems, as `code@row`."""
        return [f"{problem.code}@{problem.row}" for problem in self.problems]

    def change(self, row: int) -> Change:
        """What happens to a row."""
        (change,) = (change for change in self.changes if change.row == row)
        return change

    @property
    def planned_changes(self) -> tuple[Change, ...]:
        """The changes as both a plan and a job have them: without the ids of new users, and what a job drops."""
        return tuple(
            replace(change, ref=None, user_digest=change.user_digest if change.action == "create" else None)
            if change.action in ("create", "unchanged")
            else change
            for change in self.changes
        )

    @property
    def reasons(self) -> dict[int | None, str | None]:
        """Why rows are not invited; None for those that are."""
        return {change.row: change.invite.reason for change in self.changes}


def told(report: Report) -> Told:
    """Reads a report to its end and closes it."""
    with report:
        return Told(
            report.outcome,
            report.counts,
            tuple(report.problems()),
            tuple(report.changes()) if report.changes is not None else (),
            tuple("|".join(path) for path in report.groups_to_create or ()),
            report.job,
            tuple(report.job.failures()) if report.job is not None else (),
            report.error,
        )


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        # A hair later each time, so that jobs have an order.
        self.now += dt.timedelta(microseconds=1)
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += dt.timedelta(days=days)


@dataclass
class Work:
    """A working folder: pipeline, sheets, portal and post."""

    folder: Path
    portal: Portal = field(default_factory=Portal)
    post: Post = field(default_factory=Post)
    clock: Clock = field(default_factory=Clock)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        PORTALS[self.id], POSTS[self.id] = self.portal, self.post
        (self.folder / "faults.py").write_text(_PLUGIN, encoding="utf-8")

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / ".musterroll"

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.state / "acme.journal"

    def pipeline(self, top: str = "", tables: str = "", *, backend: str = "", plugins: Sequence[str] = ()) -> Pipeline:
        """Writes the pipeline file and loads it.

        Args:
            top: its first keys.
            tables: its last tables.
            backend: another one than `faulty`.
            plugins: further local plugin files.
        """
        backend = backend or f'use = "faulty"\noptions = {{ portal = "{self.id}" }}'
        text = _TOML.format(
            id=self.id, top=dedent(top), tables=dedent(tables), backend=backend, plugins=["faults.py", *plugins]
        )
        file = self.folder / "acme.toml"
        file.write_text(text, encoding="utf-8")
        return replace(load_pipeline(file), clock=self.clock)

    def sheet(
        self, *rows: Mapping[str, str], name: str = "staff.csv", others: Sequence[str] = (), without: Sequence[str] = ()
    ) -> Path:
        """Writes a sheet; `others` are own fields, whose headings are their names."""
        fields = [*(name for name in HEADINGS if name not in without), *others]
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([HEADINGS.get(name, name) for name in fields])
            writer.writerow(["guidance"] + [""] * (len(fields) - 1))
            writer.writerows([row.get(name, "") for name in fields] for row in rows)
        return path

    def run(self, pipeline: Pipeline, sheet: Path, **options: Any) -> Told:
        """`musterroll run`."""
        return told(engine.run(pipeline, sheet, **options))

    def plan(self, pipeline: Pipeline, sheet: Path) -> Told:
        """`musterroll plan`."""
        return told(engine.plan(pipeline, sheet))

    def undo(self, pipeline: Pipeline, job: str = "last", **options: Any) -> Told:
        """`musterroll jobs undo`."""
        return told(engine.undo(pipeline, job, **options))

    def resume(self, pipeline: Pipeline, job: str = "last", **options: Any) -> Told:
        """`musterroll jobs resume`."""
        return told(engine.resume(pipeline, job, **options))
