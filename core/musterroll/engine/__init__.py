"""The one way through: what the commands call, a file a command.

    reader → sheet → validators → group resolvers → planner → executor → notifiers → report

Each function returns a `Report`; it raises `MusterrollError` where it could not do its work before anything
was written (a report with `error` tells of what went wrong afterwards).
"""

from __future__ import annotations

from musterroll.engine.previewing import plan
from musterroll.engine.resuming import resume
from musterroll.engine.running import run
from musterroll.engine.validating import validate
from musterroll.planning.summary import PlanSummary

__all__ = ["PlanSummary", "plan", "resume", "run", "validate"]
