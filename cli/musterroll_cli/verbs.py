"""The main job: `run`, `validate`, `plan`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musterroll_cli.options import YesOption, command

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
    command(app, "plan", example="musterroll plan staff.xlsx --invites none")(plan)


def run(session: Session, sheet: SheetArgument, yes: YesOption = False, invites: InvitesOption = None) -> int:
    """Imports the users of a sheet.

    It validates, plans, applies, invites and reports. On a terminal it asks before it writes anything. What was
    interrupted or failed can be gone on with: `musterroll jobs resume`.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll_cli.confirmation import Confirmation  # noqa: PLC0415

    pipeline = session.load(invites=invites)
    with session.working(pipeline) as progress:
        confirmation = Confirmation(session.err, progress, yes=yes, needed=pipeline.settings.confirm)
        report = engine.run(pipeline, sheet, confirm=confirmation, progress=progress)
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


def plan(session: Session, sheet: SheetArgument, invites: InvitesOption = None) -> int:
    """Shows what `run` would change, user by user.

    It compares the sheet with the portal field by field, and writes nothing.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine

    pipeline = session.load(invites=invites)
    with session.working(pipeline) as progress:
        report = engine.plan(pipeline, sheet, progress=progress)
    return session.show(report)
