"""The main job: `run`, `validate`, `plan`, `apply`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musterroll_cli.options import ForceOption, MovedSheetOption, RejectedOption, YesOption, command

if TYPE_CHECKING:
    from musterroll_cli.session import Session


class Invites(StrEnum):
    """Who is invited, for this time."""

    NONE = "none"
    NEW = "new"
    ALL = "all"
    PENDING = "pending"


SheetArgument = Annotated[
    Path, typer.Argument(metavar="SHEET", show_default=False, help="The spreadsheet with the users.")
]
InvitesOption = Annotated[
    Invites | None,
    typer.Option(
        "--invites",
        metavar="none|new|all|pending",
        show_default=False,
        help="Who is invited this time, whatever the pipeline says.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the verbs to the program itself: they belong to no group."""
    command(app, "run", example="musterroll run staff.xlsx --profile production")(run)
    command(app, "validate", example="musterroll validate staff.xlsx --format json")(validate)
    command(app, "plan", example="musterroll plan staff.xlsx -o staff.plan")(plan)
    command(app, "apply", example="musterroll apply staff.plan")(apply)


def run(
    session: Session,
    sheet: SheetArgument,
    yes: YesOption = False,
    invites: InvitesOption = None,
    rejected: RejectedOption = None,
) -> int:
    """Imports the users of a sheet.

    It validates, plans, applies, invites and reports. On a terminal it asks before it writes anything. What was
    interrupted or failed can be gone on with: `musterroll jobs resume`.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine

    pipeline = session.load(invites=invites)
    with session.working(pipeline) as progress:
        confirmation = session.confirmation(pipeline, yes=yes)
        report = engine.run(pipeline, sheet, rejected_to=rejected, confirm=confirmation, progress=progress)
    return session.show(report)


def validate(session: Session, sheet: SheetArgument) -> int:
    """Lists every problem that the sheet alone shows.

    It needs no portal and writes nothing.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine

    pipeline = session.load()
    with session.working(pipeline) as progress:
        report = engine.validate(pipeline, sheet, progress=progress)
    return session.show(report)


def plan(
    session: Session,
    sheet: SheetArgument,
    invites: InvitesOption = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="PLAN", show_default=False, help="Save the plan, for `apply`."),
    ] = None,
    force: ForceOption = False,
) -> int:
    """Shows what `run` would change, user by user.

    It compares the sheet with the portal field by field, and writes nothing. With -o the plan is saved to a file;
    `musterroll apply` does exactly what it says, or nothing at all once something has changed.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll_cli.text.words import quoted  # noqa: PLC0415

    pipeline = session.load(invites=invites)
    target = engine.PlanTarget(output, replace=force) if output is not None else None
    with session.working(pipeline) as progress:
        report = engine.plan(pipeline, sheet, save_to=target, progress=progress)
    status = session.show(report)
    if output is not None and not session.as_json:
        saved = f"Saved; to carry it out: musterroll apply {quoted(str(output))}"
        session.out.line(saved if report.saved else "The plan is not saved: the errors keep everything out.")
    return status


def apply(
    session: Session,
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", show_default=False, help="The file that `musterroll plan -o` saved.")
    ],
    sheet: MovedSheetOption = None,
    yes: YesOption = False,
    rejected: RejectedOption = None,
) -> int:
    """Does exactly what a saved plan says, or refuses because something has changed.

    Pipeline, profile and --set texts are in the plan. Sheet, pipeline, plugins and the users and groups of the
    portal must be as they were when the plan was made; else it says what has changed, and writes nothing.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll_cli.again import pipeline_of_plan  # noqa: PLC0415

    with engine.SavedPlan(plan) as saved:
        pipeline = pipeline_of_plan(session, saved.header.pipeline)
        with session.working(pipeline) as progress:
            confirmation = session.confirmation(pipeline, yes=yes)
            report = engine.apply(
                pipeline, saved, sheet=sheet, rejected_to=rejected, confirm=confirmation, progress=progress
            )
    return session.show(report)
