"""`apply`: what a saved plan says."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from musterroll import engine
from musterroll_cli.options import (
    HandOverOption,
    KeepPasswordsOption,
    MovedSheetOption,
    RejectedOption,
    WaitOption,
    YesOption,
)
from musterroll_cli.reload import pipeline_of_plan
from musterroll_cli.session import Session


def apply(
    session: Session,
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", show_default=False, help="The file that `musterroll plan -o` saved.")
    ],
    sheet: MovedSheetOption = None,
    yes: YesOption = False,
    rejected: RejectedOption = None,
    keep_passwords: KeepPasswordsOption = False,
    hand_over: HandOverOption = None,
    wait: WaitOption = None,
) -> int:
    """Does exactly what a saved plan says, or refuses because something has changed.

    Pipeline, profile and --set texts are in the plan. Sheet, pipeline, plugins and the users and groups of the
    portal must be as they were when the plan was made; else it says what has changed, and writes nothing.
    """
    session.wait_for(wait)
    with engine.SavedPlan(plan) as saved:
        pipeline = pipeline_of_plan(session, saved.header.pipeline)
        work = partial(
            engine.apply,
            pipeline,
            saved,
            sheet=sheet,
            rejected_to=rejected,
            keep_passwords=keep_passwords,
            hand_over_to=hand_over,
        )
        return session.write(pipeline, work, yes=yes, hand_over=hand_over)
