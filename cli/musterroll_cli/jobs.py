"""The history of jobs: `jobs list`, `jobs show`, `jobs resume`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musterroll_cli.options import YesOption, command

if TYPE_CHECKING:
    from musterroll.pipeline.pipeline import Pipeline
    from musterroll_cli.session import Session

app = typer.Typer(
    help="Shows what was done, and goes on with it.",
    epilog="\b\nExample:\n  musterroll jobs list",
    rich_markup_mode=None,
)

JobArgument = Annotated[
    str,
    typer.Argument(metavar="ID", show_default=False, help="The job's id, a part of it that only it has, or `last`."),
]


@command(app, "jobs list", example="musterroll jobs list -p acme.toml")
def list_jobs(session: Session) -> int:
    """Lists the jobs of the pipeline, newest first."""
    from musterroll import history  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll_cli.records import listed_job  # noqa: PLC0415
    from musterroll_cli.text.jobs import show_jobs  # noqa: PLC0415

    jobs = history.list_jobs(session.load())
    if session.as_json:
        return session.finish({"jobs": [listed_job(job) for job in jobs]})
    show_jobs(session.out, jobs)
    return session.finish()


@command(app, "jobs show", example="musterroll jobs show 20260301-093012-k3f9")
def show_job(session: Session, job: JobArgument) -> int:
    """Shows one job: what became of its rows and invites, and the reason for every failure."""
    from musterroll import history  # noqa: PLC0415 -- `--help` does without the engine

    return session.show(history.show_job(session.load(), job))


@command(app, "jobs resume", example="musterroll jobs resume 20260301-093012-k3f9 --sheet moved/staff.xlsx")
def resume_job(
    session: Session,
    job: JobArgument,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", metavar="PATH", show_default=False, help="Where the sheet is now, if it was moved."),
    ] = None,
    yes: YesOption = False,
) -> int:
    """Goes on with a job that was interrupted, paused or failed.

    It uses the profile and the --set texts that the job was started with. It asks only where the job was cut
    off before anybody had agreed to its plan.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll_cli.confirmation import Confirmation  # noqa: PLC0415

    pipeline = _pipeline_of(session, job)
    with session.working(pipeline) as progress:
        confirmation = Confirmation(session.err, progress, yes=yes, needed=pipeline.settings.confirm)
        report = engine.resume(pipeline, job, sheet=sheet, confirm=confirmation, progress=progress)
    return session.show(report)


def _pipeline_of(session: Session, job: str) -> Pipeline:
    """Loads the pipeline as it was when the job was started."""
    from musterroll import history  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll.errors import UsageError  # noqa: PLC0415

    common = session.common
    pipeline = session.load()
    profile, sets = history.job_settings(pipeline.state, pipeline.name, job)
    if common.profile is not None and common.profile != profile:
        started = f'with the profile "{profile}"' if profile is not None else "without a profile"
        raise UsageError(f"the job was started {started}; leave --profile out to go on with it")
    if not set(common.sets) <= set(sets):
        started = "with " + " ".join(f"--set {text}" for text in sets) if sets else "without --set"
        raise UsageError(f"the job was started {started}; leave other ones out to go on with it")
    if (common.profile, common.sets) == (profile, sets):
        return pipeline
    return session.load(profile=profile, sets=sets)
