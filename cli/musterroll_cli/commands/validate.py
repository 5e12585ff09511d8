"""`validate`: the sheet alone."""

from __future__ import annotations

from musterroll import engine
from musterroll_cli.options import SheetArgument, StrictOption
from musterroll_cli.session import Session


def validate(session: Session, sheet: SheetArgument, strict: StrictOption = False) -> int:
    """Lists every problem that the sheet alone shows.

    It needs no portal and writes nothing.
    """
    pipeline = session.load(strict=strict)
    with session.working(pipeline) as progress:
        report = engine.validate(pipeline, sheet, progress=progress)
    return session.show(report)
