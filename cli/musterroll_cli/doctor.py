"""Whether everything that a run needs is there: `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from musterroll_cli.options import command

if TYPE_CHECKING:
    from musterroll_cli.session import Session


def add_to(app: typer.Typer) -> None:
    """Adds the command to the program itself: it belongs to no group."""
    command(app, "doctor", example="musterroll doctor --profile production")(doctor)


def doctor(session: Session) -> int:
    """Looks whether everything that a run needs is there.

    It checks the pipeline, its secrets and files, asks the portal who it is and the mail server for its greeting, and
    looks at the state folder. Nothing is written, and no message is sent.
    """
    from musterroll import engine  # noqa: PLC0415 -- `--help` does without the engine
    from musterroll.errors import MusterrollError  # noqa: PLC0415
    from musterroll.reports.report import Outcome  # noqa: PLC0415
    from musterroll_cli.console import Styled  # noqa: PLC0415

    styles = {"ok": "green", "warning": "yellow", "failed": "bold red"}
    pipeline = session.load_quietly(session.common.profile)
    found = []
    with session.working(pipeline):
        for one in engine.examine(pipeline):
            found.append(one)
            if not session.as_json and (one.status is not engine.Finding.OK or not session.common.quiet):
                session.out.line(Styled(f"{one.status:<8}", styles[one.status]), f"{one.name}: {one.detail}")
    if session.as_json:
        session.add({"checks": [{"name": one.name, "status": str(one.status), "detail": one.detail} for one in found]})
    failed = [one.name for one in found if one.status is engine.Finding.FAILED]
    if failed:
        raise MusterrollError(f"not everything is well: {', '.join(failed)}", code="doctor.failed")
    return session.finish(outcome=Outcome.OK)
