"""The one way through: what the commands call.

    reader → sheet → validators → group resolvers → planner → executor → notifiers → report

Each function returns a `Report`; it raises `MusterrollError` where it could not do its work before anything
was written (a report with `error` tells of what went wrong afterwards).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from musterroll.model.plans import Action
from musterroll.model.reports import JobSummary, Report
from musterroll.pipeline.pipeline import Pipeline
from musterroll.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a person is asked to agree to.

    Attributes:
        actions: how many rows each action has.
        groups: how many groups will be created.
        memberships: how many memberships will be added or removed.
        invites: how many invites will go out.
        rejected: how many rows are left out.
        backend: the backend's identity.
    """

    actions: dict[Action, int]
    groups: int
    memberships: int
    invites: int
    rejected: int
    backend: str


def validate(pipeline: Pipeline, sheet: Path, *, progress: Progress = Silent()) -> Report:
    """Finds every problem that the sheet alone shows; needs no backend."""
    raise NotImplementedError


def plan(pipeline: Pipeline, sheet: Path, *, progress: Progress = Silent()) -> Report:
    """Says what would change against the live backend; writes nothing."""
    raise NotImplementedError


def run(
    pipeline: Pipeline,
    sheet: Path,
    *,
    confirm: Callable[[PlanSummary], bool] = lambda summary: True,
    progress: Progress = Silent(),
) -> Report:
    """Validates, plans, applies, invites, reports: the main job.

    `confirm` is asked once, before the first write, and only where there is something to write.
    """
    raise NotImplementedError


def resume(pipeline: Pipeline, job: str, *, sheet: Path | None = None, progress: Progress = Silent()) -> Report:
    """Goes on with a job that was interrupted, paused or failed.

    Args:
        pipeline: the job's pipeline.
        job: the job's id, or an unambiguous beginning of it.
        sheet: where the sheet is now, if it was moved.
        progress: told how it goes on.
    """
    raise NotImplementedError


def list_jobs(pipeline: Pipeline) -> Sequence[JobSummary]:
    """The jobs of this pipeline, newest first."""
    raise NotImplementedError


def show_job(pipeline: Pipeline, job: str) -> Report:
    """One job, with its problems, changes and failures."""
    raise NotImplementedError


def job_settings(state: Path, name: str, job: str) -> tuple[str | None, tuple[str, ...]]:
    """The profile and the `--set` texts that a job was started with, to load its pipeline again."""
    raise NotImplementedError
