"""The public face of the engine, for the command line, a page, and programs.

The commands are functions. Each gives a `Report` or a record, and `documents` makes its JSON document; whoever called
it prints it. Beside them is what to load a pipeline with, what the plugins bring, and their options in words. What many
of the commands take is told here, once:

- `pipeline`: what `load_pipeline` gives; for a job or a saved plan with the profile and the `--set` texts that it had.
- `job`: a job's id, an unambiguous part of it, or `last`.
- `sheet`: the file; of a job or a saved plan where it is now, if it was moved.
- `rejected_to`: the file for rejected rows; None for a new one beside the sheet.
- `chosen`: which rows of the sheet are meant; None for all of them. `expected`: what the plan must come to.
- `keep_passwords`: whether that file holds the rows' passwords.
- `hand_over_to`: the new file, .html or .csv, for first passwords that are made and no invite tells; None for none.
- `confirm`: asked once, before the first write, and only where there is something to write.
- `progress`: told how it goes on.

Messages are in English unless the caller says the language: `with in_language(pipeline.language): …`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musterroll.commands import documents
    from musterroll.commands.annotated_copy import AnnotatedCopy
    from musterroll.commands.apply import apply
    from musterroll.commands.approve import approve
    from musterroll.commands.document import Document
    from musterroll.commands.examine import Checked, Examined, Finding, check, examine
    from musterroll.commands.explain import Explanation, explain, explanations
    from musterroll.commands.export import ExportedSheet, export
    from musterroll.commands.first_sheet import FirstSheet, first_sheet
    from musterroll.commands.fix import fix
    from musterroll.commands.forget import Forgotten, forget
    from musterroll.commands.invites import preview_invites, send_invites
    from musterroll.commands.map_columns import Mapped, map_columns
    from musterroll.commands.plan import plan
    from musterroll.commands.prune import Pruned, prune
    from musterroll.commands.rehearse import rehearse
    from musterroll.commands.release import release_invites
    from musterroll.commands.report_file import ReportTarget
    from musterroll.commands.resume import resume
    from musterroll.commands.run import run
    from musterroll.commands.template import WrittenSheet, column_guidance, template
    from musterroll.commands.undo import undo
    from musterroll.commands.validate import validate
    from musterroll.contract.fields import no_field
    from musterroll.contract.source import spooled
    from musterroll.contract.translation import (
        add_catalogues,
        in_language,
        language_of,
        languages,
        set_language,
    )
    from musterroll.journal.change import (
        Action,
        Change,
        HandEdit,
        HandEditCounts,
        PasswordAction,
        PrivilegedGroup,
        Scalar,
    )
    from musterroll.journal.first_passwords import HandedOver, LostPasswords
    from musterroll.journal.invites import InviteState
    from musterroll.journal.job import JobKind, JobState
    from musterroll.journal.outcomes import InviteCounts, JobCounts
    from musterroll.pipeline.descriptions import Described, described, example, schema_of
    from musterroll.pipeline.files import DEFAULT_FILE, pipeline_language
    from musterroll.pipeline.json_schema import pipeline_schema
    from musterroll.pipeline.loader import load_pipeline, profile_names
    from musterroll.pipeline.messages import faults_in, message_for
    from musterroll.pipeline.pipeline import Instance, Pipeline
    from musterroll.pipeline.settings import SendTo
    from musterroll.plan.differences import Difference, GroupDifference, GroupState, Stale, UserDifference
    from musterroll.plan.expected import Expected
    from musterroll.plan.saved.header import PlannedPipeline
    from musterroll.plan.saved.reader import SavedPlan
    from musterroll.plan.saved.target import PlanTarget
    from musterroll.plan.summary import PlanSummary
    from musterroll.registry.registry import Kind, Listing, Provider, Registry
    from musterroll.registry.watch import Watchdog
    from musterroll.reports.forms.texts import hand_edit_text
    from musterroll.reports.invites import InviteList, list_invites
    from musterroll.reports.jobs import job_settings, list_jobs, show_job
    from musterroll.reports.records import change_record, problem_record
    from musterroll.reports.report import Fixed, Outcome, ProposedName, Report
    from musterroll.reports.row_story import RowStory, RuleResult, StoryField, StoryOperation, explain_row
    from musterroll.reports.summaries import Failure, JobSummary, ListedInvite
    from musterroll.sheet.chosen import ChosenRows
    from musterroll.sheet.layout import FoundColumn
    from musterroll.sheet.problem_groups import ProblemGroup
    from musterroll.written.hand_over import slips_as_table

__all__ = [
    "DEFAULT_FILE",
    "MEMBERS",
    "Action",
    "AnnotatedCopy",
    "Change",
    "Checked",
    "ChosenRows",
    "Described",
    "Difference",
    "Document",
    "Examined",
    "Expected",
    "Explanation",
    "ExportedSheet",
    "Failure",
    "Finding",
    "FirstSheet",
    "Fixed",
    "Forgotten",
    "FoundColumn",
    "GroupDifference",
    "GroupState",
    "HandEdit",
    "HandEditCounts",
    "HandedOver",
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
    "LostPasswords",
    "Mapped",
    "Outcome",
    "PasswordAction",
    "Pipeline",
    "PlanSummary",
    "PlanTarget",
    "PlannedPipeline",
    "PrivilegedGroup",
    "ProblemGroup",
    "ProposedName",
    "Provider",
    "Pruned",
    "Registry",
    "Report",
    "ReportTarget",
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
    "add_catalogues",
    "apply",
    "approve",
    "change_record",
    "check",
    "column_guidance",
    "described",
    "documents",
    "examine",
    "example",
    "explain",
    "explain_row",
    "explanations",
    "export",
    "faults_in",
    "first_sheet",
    "fix",
    "forget",
    "hand_edit_text",
    "in_language",
    "job_settings",
    "language_of",
    "languages",
    "list_invites",
    "list_jobs",
    "load_pipeline",
    "map_columns",
    "message_for",
    "no_field",
    "pipeline_language",
    "pipeline_schema",
    "plan",
    "preview_invites",
    "problem_record",
    "profile_names",
    "prune",
    "rehearse",
    "release_invites",
    "resume",
    "run",
    "schema_of",
    "send_invites",
    "set_language",
    "show_job",
    "slips_as_table",
    "spooled",
    "template",
    "undo",
    "validate",
]

_NO_COUNTS = {"rows": 0, "valid": 0, "invalid": 0, "errors": 0, "warnings": 0, "not_read": 0}
_SHEET: dict[str, Any] = {"source": None, "counts": _NO_COUNTS, "problems": [], "problem_groups": []}
_PLAN: dict[str, Any] = {**_SHEET, "changes": [], "groups_to_create": []}
_JOB: dict[str, Any] = {**_PLAN, "job": None}

MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "run": _JOB,
    "validate": {**_SHEET, "usernames": None, "fixed": None},
    "plan": {**_PLAN, "plan": None},
    "apply": {**_JOB, "stale": None},
    "jobs list": {"jobs": []},
    "jobs show": {**_JOB, "row": None},
    "jobs resume": _JOB,
    "jobs approve": {**_JOB, "stale": None},
    "jobs undo": _JOB,
    "jobs prune": {"pruned": [], "freed_bytes": 0},
    "invites list": {"invites": []},
    "invites send": {"invites": [], "job": None},
    "invites release": {"invites": []},
    "template": {"template": None},
    "export": {"export": None},
    "forget": {"forgotten": None},
    "init": {"created": [], "columns": [], "doubts": []},
    "doctor": {"checks": []},
    "explain": {"explanations": []},
    "plugins list": {"plugins": []},
    "plugins new": {"created": []},
    "plugins check": {"checks": []},
    "plugins show": {"plugins": []},
    "pipeline check": {"valid": None, "mistakes": [], "warnings": [], "remarks": []},
    "pipeline map": {"aliases": {}, "columns": [], "missing": []},
    "pipeline show": {"settings": None},
    "pipeline schema": {"json_schema": None},
}
"""The members of each command's document besides the common ones, with what they are before anything is known."""

# A module is imported when a name of it is asked for: `validate` does without everything that only `run` needs.
_MODULES = {
    "commands": "documents",
    "commands.apply": "apply",
    "commands.approve": "approve",
    "commands.document": "Document",
    "commands.examine": "Checked Examined Finding check examine",
    "commands.explain": "Explanation explain explanations",
    "commands.export": "ExportedSheet export",
    "commands.fix": "fix",
    "commands.forget": "Forgotten forget",
    "commands.first_sheet": "FirstSheet first_sheet",
    "commands.map_columns": "Mapped map_columns",
    "commands.invites": "preview_invites send_invites",
    "commands.plan": "plan",
    "commands.prune": "Pruned prune",
    "commands.rehearse": "rehearse",
    "commands.release": "release_invites",
    "commands.report_file": "ReportTarget",
    "commands.resume": "resume",
    "commands.run": "run",
    "commands.template": "WrittenSheet column_guidance template",
    "commands.undo": "undo",
    "commands.validate": "validate",
    "contract.fields": "no_field",
    "contract.source": "spooled",
    "contract.translation": "add_catalogues in_language language_of languages set_language",
    "journal.change": "Action Change HandEdit HandEditCounts PasswordAction PrivilegedGroup Scalar",
    "journal.first_passwords": "HandedOver LostPasswords",
    "journal.invites": "InviteState",
    "journal.job": "JobKind JobState",
    "journal.outcomes": "InviteCounts JobCounts",
    "pipeline.descriptions": "Described described example schema_of",
    "pipeline.files": "DEFAULT_FILE pipeline_language",
    "pipeline.json_schema": "pipeline_schema",
    "pipeline.loader": "load_pipeline profile_names",
    "pipeline.messages": "faults_in message_for",
    "pipeline.pipeline": "Instance Pipeline",
    "pipeline.settings": "SendTo",
    "plan.differences": "Difference GroupDifference GroupState Stale UserDifference",
    "plan.expected": "Expected",
    "plan.saved.header": "PlannedPipeline",
    "plan.saved.reader": "SavedPlan",
    "plan.saved.target": "PlanTarget",
    "plan.summary": "PlanSummary",
    "registry.registry": "Kind Listing Provider Registry",
    "registry.watch": "Watchdog",
    "reports.forms.texts": "hand_edit_text",
    "reports.invites": "InviteList list_invites",
    "reports.jobs": "job_settings list_jobs show_job",
    "reports.records": "change_record problem_record",
    "reports.report": "Fixed Outcome ProposedName Report",
    "reports.row_story": "RowStory RuleResult StoryField StoryOperation explain_row",
    "reports.summaries": "Failure JobSummary ListedInvite",
    "sheet.chosen": "ChosenRows",
    "sheet.layout": "FoundColumn",
    "sheet.problem_groups": "ProblemGroup",
    "written.hand_over": "slips_as_table",
    "commands.annotated_copy": "AnnotatedCopy",
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # As `from … import` does it: what is asked for may be a module itself.
    found = globals()[name] = getattr(__import__(f"musterroll.{_HOME[name]}", fromlist=[name]), name)
    return found


def __dir__() -> list[str]:
    return __all__
