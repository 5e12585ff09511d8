"""`validate`: the sheet alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from musterroll import engine, gettext
from musterroll.errors import UsageError
from musterroll_cli.options import (
    AnnotateOption,
    ForceOption,
    KeepPasswordsOption,
    ReportOption,
    SheetOrInputArgument,
    StrictOption,
)
from musterroll_cli.session import Session


def validate(
    session: Session,
    sheet: SheetOrInputArgument,
    fix: Annotated[
        Literal["safe", "all"] | None,
        typer.Option(
            "--fix",
            metavar="[=all]",
            show_default=False,
            help="Correct a copy of the sheet wherever only one thing can be meant; with `=all` by guesses as well.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            show_default=False,
            help="The corrected copy; by default beside the sheet, e.g. staff.fixed.xlsx.",
        ),
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", show_default=False, help="Show what would be corrected, and write nothing.")
    ] = False,
    annotate: AnnotateOption = None,
    keep_passwords: KeepPasswordsOption = False,
    report: ReportOption = None,
    force: ForceOption = False,
    strict: StrictOption = False,
) -> int:
    """Lists every problem that the sheet alone shows.

    It needs no portal and writes nothing, but with --fix a corrected copy of the sheet: all else in the file stays as
    it is. Then it lists what is left.
    """
    if fix is None and (output is not None or diff):
        raise UsageError(gettext("-o and --diff go with --fix"))
    if fix is not None and annotate is not None:
        raise UsageError(gettext("--fix and --annotate each make a copy; annotate the corrected one"))
    if diff and output is not None:
        raise UsageError(gettext("--diff writes nothing, so leave -o out"))
    if fix is not None and not diff and output is None and str(sheet) == "-":
        raise UsageError(gettext("name the corrected copy of standard input with -o"))
    session.report_to(report, replace=force)
    pipeline = session.load(strict=strict)
    sheet = session.sheet(sheet)
    annotated = session.annotated(pipeline, sheet, annotate, keep_passwords=keep_passwords, replace=force)
    with session.working(pipeline) as progress:
        if fix is None:
            found = engine.validate(pipeline, sheet, progress=progress)
        else:
            found = engine.fix(
                pipeline, sheet, guesses=fix == "all", to=output, diff=diff, replace_file=force, progress=progress
            )
    return session.show(found, annotated)
