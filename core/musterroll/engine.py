"""The commands as functions, for the command line, a page, and programs.

Each gives a `Report` or a record; whoever called it prints it. What many of them take is told here, once:

- `pipeline`: what `load_pipeline` gives; for a job or a saved plan with the profile and the `--set` texts that it had.
- `job`: a job's id, an unambiguous part of it, or `last`.
- `sheet`: the file; of a job or a saved plan where it is now, if it was moved.
- `rejected_to`: the file for rejected rows; None for a new one beside the sheet.
- `confirm`: asked once, before the first write, and only where there is something to write.
- `progress`: told how it goes on.
"""

from __future__ import annotations

from musterroll.commands.apply import apply
from musterroll.commands.approve import approve
from musterroll.commands.examine import Checked, Examined, Finding, check, examine
from musterroll.commands.init import Start, init
from musterroll.commands.invites import preview_invites, send_invites
from musterroll.commands.plan import plan
from musterroll.commands.prune import Pruned, prune
from musterroll.commands.release import release_invites
from musterroll.commands.resume import resume
from musterroll.commands.run import run
from musterroll.commands.template import template
from musterroll.commands.undo import undo
from musterroll.commands.validate import validate
from musterroll.journal.invites import InviteState
from musterroll.plan.saved.reader import SavedPlan
from musterroll.plan.saved.target import PlanTarget
from musterroll.plan.summary import PlanSummary
from musterroll.reports.invites import InviteList, list_invites
from musterroll.reports.jobs import job_settings, list_jobs, show_job
from musterroll.reports.row_story import RowStory, RuleResult, StoryField, StoryOperation, explain_row

__all__ = [
    "Checked",
    "Examined",
    "Finding",
    "InviteList",
    "InviteState",
    "PlanSummary",
    "PlanTarget",
    "Pruned",
    "RowStory",
    "RuleResult",
    "SavedPlan",
    "Start",
    "StoryField",
    "StoryOperation",
    "apply",
    "approve",
    "check",
    "examine",
    "explain_row",
    "init",
    "job_settings",
    "list_invites",
    "list_jobs",
    "plan",
    "preview_invites",
    "prune",
    "release_invites",
    "resume",
    "run",
    "send_invites",
    "show_job",
    "template",
    "undo",
    "validate",
]
