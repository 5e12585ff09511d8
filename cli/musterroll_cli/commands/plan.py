"""`plan`: what would be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from musterroll import engine, gettext
from musterroll_cli.option_texts import chosen_rows
from musterroll_cli.options import (
    AnnotateOption,
    ExpectOption,
    ForceOption,
    InvitesOption,
    KeepPasswordsOption,
    OnlyOption,
    ReportOption,
    RowsOption,
    SheetOrInputArgument,
    StrictOption,
)
from musterroll_cli.output.text.words import quoted
from musterroll_cli.session import Session

_CHANGES = 5  # the exit status that tells a plan which would change something from one that would not


def plan(
    session: Session,
    sheet: SheetOrInputArgument,
    invites: InvitesOption = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="PLAN", show_default=False, help="Save the plan, for `apply`."),
    ] = None,
    annotate: AnnotateOption = None,
    keep_passwords: KeepPasswordsOption = False,
    force: ForceOption = False,
    strict: StrictOption = False,
    report: ReportOption = None,
    only: OnlyOption = None,
    rows: RowsOption = None,
    expect: ExpectOption = None,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode",
            show_default=False,
            help="End with 5 where something would change, 0 where nothing would.",
        ),
    ] = False,
) -> int:
    """Shows what `run` would change, user by user.

    It compares the sheet with the portal field by field, and writes nothing. With -o the plan is saved to a file;
    `musterroll apply` does exactly what it says, or nothing at all once something has changed.
    """
    session.report_to(report, replace=force)
    expected = [engine.Expected.of(text) for text in expect or ()]
    pipeline = session.load(invites=invites, strict=strict)
    chosen, sheet = chosen_rows(only, rows, pipeline), session.sheet(sheet)
    annotated = session.annotated(pipeline, sheet, annotate, keep_passwords=keep_passwords, replace=force)
    target = engine.PlanTarget(output, replace=force) if output is not None else None
    with session.working(pipeline) as progress:
        found = engine.plan(pipeline, sheet, save_to=target, chosen=chosen, expected=expected, progress=progress)
    status = session.show(found, annotated)
    if output is not None and not session.as_json:
        session.out.line(
            gettext("Saved; to carry it out: musterroll apply {file}", file=quoted(str(output)))
            if found.saved
            else gettext("The plan is not saved: the errors keep everything out.")
        )
    return _CHANGES if detailed_exitcode and status == 0 and found.does_anything else status
