"""`run`: the main job."""

from __future__ import annotations

from functools import partial

from musterroll import engine
from musterroll_cli.option_texts import chosen_rows
from musterroll_cli.options import (
    AnnotateOption,
    ExpectOption,
    ForceOption,
    HandOverOption,
    InvitesOption,
    KeepPasswordsOption,
    OnlyOption,
    RejectedOption,
    ReportOption,
    RowsOption,
    SheetOrInputArgument,
    StrictOption,
    WaitOption,
    YesOption,
)
from musterroll_cli.session import Session


def run(
    session: Session,
    sheet: SheetOrInputArgument,
    yes: YesOption = False,
    invites: InvitesOption = None,
    rejected: RejectedOption = None,
    annotate: AnnotateOption = None,
    keep_passwords: KeepPasswordsOption = False,
    hand_over: HandOverOption = None,
    strict: StrictOption = False,
    report: ReportOption = None,
    force: ForceOption = False,
    only: OnlyOption = None,
    rows: RowsOption = None,
    expect: ExpectOption = None,
    wait: WaitOption = None,
) -> int:
    """Imports the users of a sheet.

    It validates, plans, applies, invites and reports. On a terminal it asks before it writes anything. What was
    interrupted or failed can be gone on with: `musterroll jobs resume`.
    """
    session.report_to(report, replace=force)
    session.wait_for(wait)
    expected = [engine.Expected.of(text) for text in expect or ()]
    pipeline = session.load(invites=invites, strict=strict)
    chosen, sheet = chosen_rows(only, rows, pipeline), session.sheet(sheet)
    annotated = session.annotated(pipeline, sheet, annotate, keep_passwords=keep_passwords, replace=force)
    work = partial(
        engine.run,
        pipeline,
        sheet,
        rejected_to=rejected,
        keep_passwords=keep_passwords,
        hand_over_to=hand_over,
        chosen=chosen,
        expected=expected,
    )
    return session.write(pipeline, work, yes=yes, annotated=annotated, hand_over=hand_over)
