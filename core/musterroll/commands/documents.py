"""The JSON documents of the commands: what is in reports, lists and errors. Records of one command have `members`.

Whoever prints one begins with `opening`, goes on with the members of the command, with those of `engine.MEMBERS` that
are missing, and ends with `closing`. Iterators are streams, to be written as arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from musterroll.contract.text import column_letter
from musterroll.errors import MusterrollError, RefusedError, StalePlanError
from musterroll.reports.records import change_record, problem_record
from musterroll.reports.report import Fixed, Outcome, Report

if TYPE_CHECKING:
    from musterroll.commands.examine import Examined
    from musterroll.contract.codes import Explanation
    from musterroll.journal.outcomes import JobCounts
    from musterroll.registry.registry import Listing, Provider
    from musterroll.reports.row_story import RowStory
    from musterroll.reports.summaries import JobSummary
    from musterroll.sheet.summary import SheetSummary

Members: TypeAlias = dict[str, Any]

SCHEMA = "musterroll/1"
_SELDOM = frozenset({"reactivated", "deleted", "ignored"})


def opening(command: str | None, *, pipeline: str | None = None, profile: str | None = None) -> Members:
    """What every document begins with; `command` is None where the command line names none."""
    return {"schema": SCHEMA, "command": command, "pipeline": {"name": pipeline, "profile": profile}}


def closing(status: str, error: MusterrollError | None = None) -> Members:
    """What every document ends with: it comes last, because what is streamed before it can still fail."""
    return {"status": status, "error": None if error is None else {"code": error.code, "message": error.message}}


def outcome_of(error: MusterrollError) -> Outcome:
    """The outcome of an error that stopped a command, mostly before anything was written.

    What goes wrong afterwards comes as a report with an outcome of its own, where one could still be made.
    """
    if error.after_write:
        return Outcome.FAILED
    return Outcome.REFUSED if isinstance(error, RefusedError) else Outcome.ERROR


def of_error(error: MusterrollError) -> Members:
    """What an error adds to the document of the command that it stopped: what has changed since a plan was made."""
    if not isinstance(error, StalePlanError):
        return {}
    stale = error.stale
    return {
        "stale": {
            "sheet": stale.sheet,
            "pipeline": stale.pipeline,
            "plugins": [asdict(plugin) for plugin in stale.plugins],
            "backend": stale.backend,
            "ledger": stale.ledger,
            "applied_by": asdict(stale.applied_by) if stale.applied_by else None,
            "groups": [asdict(group) for group in stale.groups],
            "users": map(asdict, stale.users),
        }
    }


def of_report(report: Report) -> Members:
    """The members of a report's document; problems, changes, failures and invites are streams."""
    job = {"job": _job(report.job)} if report.job else {}
    if report.invites is not None:
        return {"invites": map(asdict, report.invites()), **job}
    found: Members = {
        "source": _source(report.sheet) if report.sheet else None,
        "counts": asdict(report.counts),
        "problems": map(problem_record, report.problems()),
        "problem_groups": _problem_groups(report),
    }
    if report.changes is not None:
        found["changes"] = map(change_record, report.changes())
        found["groups_to_create"] = [list(path) for path in report.groups_to_create or ()]
        if report.hand_edits is not None:
            found["hand_edits"] = report.hand_edits._asdict()
        if report.privileged:
            found["privileged"] = [
                {"group": list(one.path), "add": one.add, "remove": one.remove} for one in report.privileged
            ]
    if report.command == "validate":
        found["usernames"] = None if report.usernames is None else (name._asdict() for name in report.usernames)
        found["fixed"] = _fixed(report.fixed) if report.fixed else None
    return {**found, **job, **({"plan": asdict(report.saved)} if report.saved else {})}


def _source(sheet: SheetSummary) -> Members:
    members = _chosen(sheet, "path sha256 format reader sheet encoding")
    return members if sheet.chosen is None else {**members, "chosen": str(sheet.chosen)}


def _fixed(fixed: Fixed) -> Members:
    members = _chosen(fixed, "path cells problems of by_code")
    if fixed.changes is not None:
        members["changes"] = (
            {"cell": f"{column_letter(one.column)}{one.row}", **_chosen(one, "field before text code")}
            for one in fixed.changes()
        )
    return members


def _problem_groups(report: Report) -> Iterator[Members]:
    for group in report.problem_groups():  # not before the problems themselves are written
        yield _chosen(group, "code severity field message count cells value suggestion")


def _job(job: JobSummary) -> Members:
    return {
        "id": job.id,
        "state": job.state,
        "counts": _outcomes(job.counts),
        "rejected_file": job.rejected_file,
        "plan": job.plan,
        "approved": asdict(job.approved) if job.approved else None,
        "invites": asdict(job.invites),
        "failures": map(asdict, job.failures()),
    }


def _outcomes(counts: JobCounts) -> Members:
    """What became of rows; outcomes that only some pipelines know are there where there are any."""
    return {name: rows for name, rows in asdict(counts).items() if rows or name not in _SELDOM}


def of_jobs(jobs: Iterable[JobSummary]) -> Members:
    """The members of `jobs list`."""
    return {
        "jobs": [
            {
                **_chosen(job, "id state started finished"),
                "sheet": job.sheet or None,
                "counts": _outcomes(job.counts),
            }
            for job in jobs
        ]
    }


def of_row(report: Report, story: RowStory) -> Members:
    """The members of `jobs show --row`: those of the job, with the problems and the change of this row only."""
    report.problems = lambda: [problem for result in story.results for problem in result.problems]
    report.changes = lambda: [story.change] if story.change else []
    return {**of_report(report), "row": _row(story)}


def _row(story: RowStory) -> Members:
    return {
        "number": story.row,
        "username": story.username,
        "outcome": story.outcome,
        "notes": list(story.notes),
        "fields": None
        if story.fields is None
        else [
            {
                "field": field.name,
                **_chosen(field, "heading cell origin value raw"),
                "given": field.is_given,
            }
            for field in story.fields
        ],
        "transforms": [
            {"name": one.label, "field": one.field, "before": one.before or None, "after": one.after or None}
            for one in story.transformed
        ],
        "groups": None if story.groups is None else [list(path) for path in story.groups],
        "rules": [
            {
                "name": one.rule,
                "verdict": one.summary,
                "problems": [problem_record(problem) for problem in one.problems],
            }
            for one in story.results
        ],
        "plan": change_record(story.change) if story.change else None,
        "operations": [_chosen(one, "operation state detail") for one in story.operations],
        "invite": asdict(story.invite) if story.invite else None,
    }


def of_explanations(found: Iterable[Explanation]) -> Members:
    """The members of `explain`."""
    return {"explanations": [one._asdict() for one in found]}


def of_examined(found: Iterable[Examined]) -> Members:
    """The members of `doctor`."""
    return {"checks": [asdict(one) for one in found]}


def of_listing(listing: Iterable[Listing]) -> Members:
    """The members of `plugins list`."""
    return {"plugins": [asdict(entry) for entry in listing]}


def of_plugins(providers: Iterable[Provider]) -> Members:
    """The members of `plugins show`, with the JSON schema of the options."""
    return {"plugins": [_plugin(provider) for provider in providers]}


def _plugin(provider: Provider) -> Members:
    from musterroll.pipeline.descriptions import example, schema_of  # noqa: PLC0415 -- for this command alone

    component, plugin = provider.component, provider.plugin
    options = getattr(component, "options", None)
    return {
        "kind": provider.kind,
        "name": component.name,
        "summary": component.summary,
        "plugin": plugin.name,
        "distribution": plugin.distribution or str(plugin.path),
        "version": plugin.version,
        "module": plugin.module,
        "options": schema_of(options) if options is not None else None,
        "example": example(provider.kind, component),
    }


def _chosen(record: object, names: str) -> Members:
    return {name: getattr(record, name) for name in names.split()}
