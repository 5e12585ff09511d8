"""A working folder to begin with: `init`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musterroll_cli.options import command

if TYPE_CHECKING:
    from musterroll_cli.session import Session


def add_to(app: typer.Typer) -> None:
    """Adds the command to the program itself: it belongs to no group."""
    command(app, "init", example="musterroll init acme")(init)


def init(
    session: Session,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", show_default=False, help="The folder; by default the current one.")
    ] = Path(),
) -> int:
    """Makes a working folder: a pipeline file with explanations, a blank sheet and a sample sheet.

    It writes over nothing. The pipeline runs as it is, into a portal that is a file in that folder.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll.errors import UsageError  # noqa: PLC0415
    from musterroll_cli.text.init import show_start  # noqa: PLC0415

    common = session.common
    if common.pipeline is not None or common.profile is not None or common.sets:
        raise UsageError("init makes a pipeline file of its own; leave --pipeline, --profile and --set out")
    start = engine.init(folder, external_plugins=not common.no_external_plugins)
    if session.as_json:
        return session.finish({"created": [str(path) for path in start.created]})
    show_start(session.out, start)
    return session.finish()
