"""The history of jobs: to list and show them, to go on with them, to take them back, to forget them."""

from __future__ import annotations

import getpass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from musterroll import engine, gettext
from musterroll.engine import documents
from musterroll.errors import UsageError
from musterroll_cli.options import (
    ForceOption,
    HandOverOption,
    JobArgument,
    KeepPasswordsOption,
    MovedSheetOption,
    RejectedOption,
    ReportOption,
    WaitOption,
    YesOption,
)
from musterroll_cli.output.text.jobs import show_jobs, show_pruned
from musterroll_cli.output.text.row import show_row
from musterroll_cli.output.text.words import amount
from musterroll_cli.reload import pipeline_of_job
from musterroll_cli.session import Session


def list_jobs(session: Session) -> int:
    """Lists the jobs of the pipeline, newest first."""
    jobs = engine.list_jobs(session.load())
    if session.as_json:
        return session.finish(documents.of_jobs(jobs))
    show_jobs(session.out, jobs)
    return session.finish()


def show_job(
    session: Session,
    job: JobArgument,
    row: Annotated[
        int | None,
        typer.Option(
            "--row",
            metavar="N",
            min=1,
            show_default=False,
            help="Tell the story of this row: its cells, what every rule said, what was planned and done.",
        ),
    ] = None,
    sheet: MovedSheetOption = None,
    report: ReportOption = None,
    force: ForceOption = False,
) -> int:
    """Shows one job: what became of its rows and invites, and the reason for every failure."""
    if row is not None:
        if report is not None:
            raise UsageError(gettext("--report is for the whole job, --row for one of its rows; name one of them"))
        return _show_row(session, job, row, sheet)
    if sheet is not None:
        raise UsageError(gettext("--sheet is for --row: only for that the sheet is read again"))
    session.report_to(report, replace=force)
    return session.show(engine.show_job(session.load(), job))


def _show_row(session: Session, job: str, row: int, sheet: Path | None) -> int:
    pipeline = pipeline_of_job(session, job)
    with session.working(pipeline) as progress:
        story = engine.explain_row(pipeline, job, row, sheet=sheet, progress=progress)
    if not session.as_json:
        show_row(session.out, story)
        return session.finish()
    with engine.show_job(pipeline, job) as report:
        return session.finish(documents.of_row(report, story))


def prune_jobs(
    session: Session,
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", min=0, show_default=False, help="Keep the N newest jobs in any case.")
    ] = 0,
    older_than: Annotated[
        int,
        typer.Option(
            "--older-than",
            metavar="DAYS",
            min=0,
            max=100_000,
            show_default=False,
            help="Only jobs that ended so many days ago.",
        ),
    ] = 0,
    yes: YesOption = False,
    wait: WaitOption = None,
) -> int:
    """Forgets finished jobs, with their plans and problems, and gives their space back.

    Kept are the last completed import, what can be resumed or approved, and the whole ledger: who was created, and who
    was invited. What is forgotten cannot be shown or undone any more.
    """
    session.wait_for(wait)
    pipeline = session.load()
    with session.working(pipeline):
        asking = session.confirmation(pipeline, yes=yes)
        pruned = engine.prune(
            pipeline,
            keep=keep,
            older_than=older_than,
            confirm=lambda jobs: asking.ask(
                lambda stream: stream.line(gettext("About to forget {jobs}.", jobs=amount(jobs, "job")))
            ),
        )
    if session.as_json:
        return session.finish(pruned.members())
    show_pruned(session.out, pruned.jobs, pruned.freed, quiet=session.common.quiet)
    return session.finish()


def resume_job(
    session: Session,
    job: JobArgument,
    sheet: MovedSheetOption = None,
    yes: YesOption = False,
    rejected: RejectedOption = None,
    keep_passwords: KeepPasswordsOption = False,
    hand_over: HandOverOption = None,
    wait: WaitOption = None,
) -> int:
    """Goes on with a job that was interrupted, paused or failed.

    It uses the profile and the --set texts that the job was started with. It asks only where the job was cut
    off before anybody had agreed to its plan.
    """
    session.wait_for(wait)
    pipeline = pipeline_of_job(session, job)
    work = partial(
        engine.resume,
        pipeline,
        job,
        sheet=sheet,
        rejected_to=rejected,
        keep_passwords=keep_passwords,
        hand_over_to=hand_over,
    )
    return session.write(pipeline, work, yes=yes, hand_over=hand_over)


def approve_job(
    session: Session,
    job: JobArgument,
    sheet: MovedSheetOption = None,
    yes: YesOption = False,
    rejected: RejectedOption = None,
    keep_passwords: KeepPasswordsOption = False,
    hand_over: HandOverOption = None,
    wait: WaitOption = None,
) -> int:
    """Lets a job past the limits that stopped it, and carries it out at once.

    Only what was planned is done: if sheet, pipeline, plugins or portal have changed since in a way that matters,
    nothing is. It is noted who has approved.
    """
    session.wait_for(wait)
    pipeline = pipeline_of_job(session, job)
    work = partial(
        engine.approve,
        pipeline,
        job,
        by=_login_name(),
        sheet=sheet,
        rejected_to=rejected,
        keep_passwords=keep_passwords,
        hand_over_to=hand_over,
    )
    return session.write(pipeline, work, yes=yes, hand_over=hand_over)


def undo_job(session: Session, job: JobArgument, yes: YesOption = False, wait: WaitOption = None) -> int:
    """Takes back what a job did, wherever the portal still is as the job left it.

    Changed users get their former values and groups back, created ones are deactivated (or deleted, with
    created = "delete" in [undo]), and groups that the job created are deleted where they are empty. What was
    changed since is kept, and listed. Passwords and sent invites cannot be called back. An undo is a job itself.
    """
    session.wait_for(wait)
    pipeline = pipeline_of_job(session, job)
    return session.write(pipeline, partial(engine.undo, pipeline, job), yes=yes)


def _login_name() -> str:
    """The name of the account, as the system says it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name
        return "somebody"
