"""Whether everything that a run needs is there: `doctor`."""

from __future__ import annotations

from musterroll import engine
from musterroll.engine import documents
from musterroll.errors import MusterrollError
from musterroll_cli.output.console import Styled
from musterroll_cli.session import Session


def doctor(session: Session) -> int:
    """Looks whether everything that a run needs is there.

    It checks the pipeline, its secrets and files, asks the portal who it is and the mail server for its greeting, and
    looks at the state folder. Nothing is written, and no message is sent.
    """
    styles = {"ok": "green", "warning": "yellow", "failed": "bold red"}
    pipeline = session.load_quietly(session.common.profile)
    found = []
    with session.working(pipeline):
        for one in engine.examine(pipeline):
            found.append(one)
            if not session.as_json and (one.status is not engine.Finding.OK or not session.common.quiet):
                session.out.line(Styled(f"{one.status:<8}", styles[one.status]), f"{one.name}: {one.detail}")
    if session.as_json:
        session.add(documents.of_examined(found))
    failed = [one.name for one in found if one.status is engine.Finding.FAILED]
    if failed:
        raise MusterrollError(f"not everything is well: {', '.join(failed)}", code="doctor.failed")
    return session.finish()
