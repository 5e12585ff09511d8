"""`run`: the main job."""

from __future__ import annotations

from functools import partial

from musterroll import engine
from musterroll_cli.options import (
    AnnotateOption,
    ForceOption,
    InvitesOption,
    KeepPasswordsOption,
    RejectedOption,
    ReportOption,
    SheetArgument,
    StrictOption,
    YesOption,
)
from musterroll_cli.session import Session


def run(
    session: Session,
    sheet: SheetArgument,
    yes: YesOption = False,
    invites: InvitesOption = None,
    rejected: RejectedOption = None,
    annotate: AnnotateOption = None,
    keep_passwords: KeepPasswordsOption = False,
    strict: StrictOption = False,
    report: ReportOption = None,
    force: ForceOption = False,
) -> int:
    """Imports the users of a sheet.

    It validates, plans, applies, invites and reports. On a terminal it asks before it writes anything. What was
    interrupted or failed can be gone on with: `musterroll jobs resume`.
    """
    session.report_to(report, replace=force)
    pipeline = session.load(invites=invites, strict=strict)
    annotated = session.annotated(pipeline, sheet, annotate, keep_passwords=keep_passwords, replace=force)
    work = partial(engine.run, pipeline, sheet, rejected_to=rejected, keep_passwords=keep_passwords)
    return session.write(pipeline, work, yes=yes, annotated=annotated)
