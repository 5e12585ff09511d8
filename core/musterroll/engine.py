"""The public face of the engine, for the command line, a page, and programs.

The commands are functions. Each gives a `Report` or a record, and `documents` makes its JSON document; whoever called
it prints it. Beside them is what to load a pipeline with, what the plugins bring, and their options in words. What many
of the commands take is told here, once:

- `pipeline`: what `load_pipeline` gives; for a job or a saved plan with the profile and the `--set` texts that it had.
- `job`: a job's id, an unambiguous part of it, or `last`.
- `sheet`: the file; of a job or a saved plan where it is now, if it was moved.
- `rejected_to`: the file for rejected rows; None for a new one beside the sheet.
- `confirm`: asked once, before the first write, and only where there is something to write.
- `progress`: told how it goes on.
"""

from __future__ import annotations

from musterroll.commands import documents
from musterroll.commands.apply import apply
from musterroll.commands.approve import approve
from musterroll.commands.examine import Checked, Examined, Finding, check, examine
from musterroll.commands.invites import preview_invites, send_invites
from musterroll.commands.plan import plan
from musterroll.commands.prune import Pruned, prune
from musterroll.commands.rehearse import rehearse
from musterroll.commands.release import release_invites
from musterroll.commands.resume import resume
from musterroll.commands.run import run
from musterroll.commands.template import WrittenSheet, template
from musterroll.commands.undo import undo
from musterroll.commands.validate import validate
from musterroll.journal.change import Action, Change, PasswordAction, Scalar
from musterroll.journal.invites import InviteState
from musterroll.journal.job import JobKind, JobState
from musterroll.journal.outcomes import InviteCounts, JobCounts
from musterroll.pipeline.descriptions import Described, described, example, schema_of
from musterroll.pipeline.files import DEFAULT_FILE
from musterroll.pipeline.json_schema import pipeline_schema
from musterroll.pipeline.loader import load_pipeline, profile_names
from musterroll.pipeline.messages import message_for
from musterroll.pipeline.pipeline import Instance, Pipeline
from musterroll.pipeline.settings import SendTo
from musterroll.plan.differences import Difference, GroupDifference, GroupState, Stale, UserDifference
from musterroll.plan.saved.header import PlannedPipeline
from musterroll.plan.saved.reader import SavedPlan
from musterroll.plan.saved.target import PlanTarget
from musterroll.plan.summary import PlanSummary
from musterroll.registry.registry import Kind, Listing, Provider, Registry
from musterroll.registry.watch import Watchdog
from musterroll.reports.invites import InviteList, list_invites
from musterroll.reports.jobs import job_settings, list_jobs, show_job
from musterroll.reports.report import Failure, JobSummary, ListedInvite, Outcome, Report
from musterroll.reports.row_story import RowStory, RuleResult, StoryField, StoryOperation, explain_row
from musterroll.sheet.problem_groups import ProblemGroup

__all__ = [
    "DEFAULT_FILE",
    "Action",
    "Change",
    "Checked",
    "Described",
    "Difference",
    "Examined",
    "Failure",
    "Finding",
    "GroupDifference",
    "GroupState",
    "Instance",
    "InviteCounts",
    "InviteList",
    "InviteState",
    "JobCounts",
    "JobKind",
    "JobState",
    "JobSummary",
    "Kind",
    "ListedInvite",
    "Listing",
    "Outcome",
    "PasswordAction",
    "Pipeline",
    "PlanSummary",
    "PlanTarget",
    "PlannedPipeline",
    "ProblemGroup",
    "Provider",
    "Pruned",
    "Registry",
    "Report",
    "RowStory",
    "RuleResult",
    "SavedPlan",
    "Scalar",
    "SendTo",
    "Stale",
    "StoryField",
    "StoryOperation",
    "UserDifference",
    "Watchdog",
    "WrittenSheet",
    "apply",
    "approve",
    "check",
    "described",
    "documents",
    "examine",
    "example",
    "explain_row",
    "job_settings",
    "list_invites",
    "list_jobs",
    "load_pipeline",
    "message_for",
    "pipeline_schema",
    "plan",
    "preview_invites",
    "profile_names",
    "prune",
    "rehearse",
    "release_invites",
    "resume",
    "run",
    "schema_of",
    "send_invites",
    "show_job",
    "template",
    "undo",
    "validate",
]
