"""The portal's users as a sheet: `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from musterroll import engine, gettext
from musterroll.errors import UsageError
from musterroll_cli.options import ForceOption
from musterroll_cli.output.console import OutputError
from musterroll_cli.output.text.words import amount, quoted
from musterroll_cli.session import Session


def export(
    session: Session,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="SHEET",
            show_default=False,
            help="The file, whose ending says the format; without it the sheet goes to standard output, as csv.",
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="GROUP",
            show_default=False,
            help="Only the members of this group, named as in a sheet, e.g. 'Region|North'.",
        ),
    ] = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="Deactivated users as well.")] = False,
    force: ForceOption = False,
) -> int:
    """Writes the users of the portal as the pipeline's own sheet, to be edited and run.

    It has the headings, fields and groups of the pipeline, and no passwords, which may stay empty for users who exist.
    What is not edited in it asks for no change.
    """
    if output is None and session.as_json:
        raise UsageError(
            gettext("with --format json standard output holds the document; name a file for the sheet with -o")
        )
    pipeline = session.load()
    to = session.out.bytes if output is None else output
    try:
        with session.working(pipeline) as progress:
            done = engine.export(pipeline, to, group=group, inactive=inactive, replace=force, progress=progress)
    except OSError as error:
        raise OutputError(error) from error
    if done.left_out:
        session.warn(
            gettext(
                "{users} left out: the pipeline makes usernames of other columns, and would make another one of theirs",
                users=amount(done.left_out, "user"),
            )
        )
    if done.asks_passwords:
        session.warn(
            gettext(
                "this pipeline's sheet has no row of guidance that could say that passwords may stay empty; "
                'set password.required to "new", or every row will need one'
            )
        )
    if session.as_json:
        return session.finish(done.members())
    if output is not None:
        session.out.line(
            gettext(
                "{path} is written, with {users}: edit it, then `musterroll plan {file}`",
                path=output,
                users=amount(done.users, "user"),
                file=quoted(str(output)),
            )
        )
    return session.finish()
