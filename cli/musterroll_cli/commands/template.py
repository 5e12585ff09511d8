"""The blank sheet: `template`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from musterroll import engine, gettext
from musterroll_cli.options import ForceOption
from musterroll_cli.session import Session


def template(
    session: Session,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            show_default=False,
            help="The file, whose ending says the format; by default the pipeline's name, as .xlsx.",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--as", metavar="xlsx|ods|csv", show_default=False, help="The format, where no file is named."),
    ] = None,
    force: ForceOption = False,
) -> int:
    """Writes the blank sheet of the pipeline, to be filled in.

    It has the pipeline's headings, guidance below them that says what its rules ask, and checks of what is typed.
    """
    written = engine.template(session.load(), output, form=form, replace=force)
    if session.as_json:
        return session.finish(written.members())
    session.out.line(
        gettext("{path} is written: fill it in, then `musterroll validate {path}`", path=written.path),
    )
    return session.finish()
