"""`run`: the main job."""

from __future__ import annotations

from functools import partial

from musterroll import engine
from musterroll_cli.options import InvitesOption, RejectedOption, SheetArgument, StrictOption, YesOption
from musterroll_cli.session import Session


def run(
    session: Session,
    sheet: SheetArgument,
    yes: YesOption = False,
    invites: InvitesOption = None,
    rejected: RejectedOption = None,
    strict: StrictOption = False,
) -> int:
    """Imports the users of a sheet.

    It validates, plans, applies, invites and reports. On a terminal it asks before it writes anything. What was
    interrupted or failed can be gone on with: `musterroll jobs resume`.
    """
    pipeline = session.load(invites=invites, strict=strict)
    return session.write(pipeline, partial(engine.run, pipeline, sheet, rejected_to=rejected), yes=yes)
