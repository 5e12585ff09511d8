"""`validate`: the sheet alone."""

from __future__ import annotations

from musterroll import engine
from musterroll_cli.options import ForceOption, ReportOption, SheetArgument, StrictOption
from musterroll_cli.session import Session


def validate(
    session: Session,
    sheet: SheetArgument,
    strict: StrictOption = False,
    report: ReportOption = None,
    force: ForceOption = False,
) -> int:
    """Lists every problem that the sheet alone shows.

    It needs no portal, and writes nothing but the report that you ask for.
    """
    session.report_to(report, replace=force)
    pipeline = session.load(strict=strict)
    with session.working(pipeline) as progress:
        found = engine.validate(pipeline, sheet, progress=progress)
    return session.show(found)
