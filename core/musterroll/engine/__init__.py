"""The one way through: what the commands call, a file a command.

    reader → sheet → validators → group resolvers → planner → executor → notifiers → report

Each function returns a `Report`; it raises `MusterrollError` where it could not do its work before anything
was written (a report with `error` tells of what went wrong afterwards). `init` and `template` only write files,
and return which.
"""

from __future__ import annotations

from musterroll.engine.applying import apply
from musterroll.engine.approving import approve
from musterroll.engine.examining import Checked, Examined, Finding, check, examine
from musterroll.engine.initialising import Start, init
from musterroll.engine.inviting import preview_invites, send_invites
from musterroll.engine.previewing import plan
from musterroll.engine.pruning import Pruned, prune
from musterroll.engine.releasing import release_invites
from musterroll.engine.resuming import resume
from musterroll.engine.running import run
from musterroll.engine.saving import PlanTarget
from musterroll.engine.templating import template
from musterroll.engine.undoing import undo
from musterroll.engine.validating import validate
from musterroll.planning.summary import PlanSummary
from musterroll.saved_plan.reading import SavedPlan

__all__ = [
    "Checked",
    "Examined",
    "Finding",
    "PlanSummary",
    "PlanTarget",
    "Pruned",
    "SavedPlan",
    "Start",
    "apply",
    "approve",
    "check",
    "examine",
    "init",
    "plan",
    "preview_invites",
    "prune",
    "release_invites",
    "resume",
    "run",
    "send_invites",
    "template",
    "undo",
    "validate",
]
