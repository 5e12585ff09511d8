"""Whether everything that a run needs is there: `doctor`."""

from __future__ import annotations

from musterroll import engine, gettext, term
from musterroll.engine import documents
from musterroll.errors import MusterrollError
from musterroll_cli.output.console import Styled
from musterroll_cli.session import Session

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def doctor(session: Session) -> int:
    """Looks whether everything that a run needs is there.

    It checks the pipeline, its secrets and files, asks the portal who it is and the mail server for its greeting, and
    looks at the state folder. Nothing is written, and no message is sent.
    """
    pipeline = session.load_quietly(session.common.profile)
    found = []
    with session.working(pipeline):
        for one in engine.examine(pipeline):
            found.append(one)
            show_examined(session, one)
    if session.as_json:
        session.add(documents.of_examined(found))
    failed = [one.name for one in found if one.status is engine.Finding.FAILED]
    if failed:
        raise MusterrollError(gettext("not everything is well: {names}", names=", ".join(failed)), code="doctor.failed")
    return session.finish()


def show_examined(session: Session, one: engine.Examined) -> None:
    """Prints how one thing is that was looked at."""
    if not session.as_json and (one.status is not engine.Finding.OK or not session.common.quiet):
        session.out.line(Styled(f"{term(one.status):<8}", _STYLES[one.status]), f"{one.name}: {one.detail}")
