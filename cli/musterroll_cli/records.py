"""Reports as plain data for the JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from musterroll.errors import Mistake
from musterroll.pipeline.option_descriptions import schema_of
from musterroll.pipeline.snippets import snippet
from musterroll.plan.differences import Stale
from musterroll.reports.records import change_record, problem_record
from musterroll.reports.report import JobSummary, Report
from musterroll.sheet.summary import SheetSummary

if TYPE_CHECKING:
    from musterroll.engine import RowStory, StoryField
    from musterroll.registry.registry import Provider


def report_members(report: Report, *, members: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the members of a report's document; problems, changes and failures are streams.

    Args:
        report: what a command found and did.
        members: those that the command's document has.
    """
    found: dict[str, Any] = {
        "source": _source(report.sheet) if report.sheet else None,
        "counts": asdict(report.counts),
        "problems": map(problem_record, report.problems()),
        "problem_groups": _problem_groups(report),
        "changes": map(change_record, report.changes() if report.changes else ()),
        "groups_to_create": [list(path) for path in report.groups_to_create or ()],
        "invites": map(asdict, report.invites() if report.invites else ()),
        "job": job_record(report.job) if report.job else None,
        "plan": asdict(report.saved) if report.saved else None,
    }
    return {key: value for key, value in found.items() if key in members}


def _problem_groups(report: Report) -> Iterator[dict[str, Any]]:
    for group in report.problem_groups():
        yield asdict(group)


def job_record(job: JobSummary) -> dict[str, Any]:
    """Returns a job as plain data; its failures are a stream."""
    return {
        "id": job.id,
        "state": job.state,
        "counts": asdict(job.counts),
        "rejected_file": job.rejected_file,
        "plan": job.plan,
        "approved": asdict(job.approved) if job.approved else None,
        "invites": asdict(job.invites),
        "failures": map(asdict, job.failures()),
    }


def stale_record(stale: Stale) -> dict[str, Any]:
    """Returns what has changed since a plan was made as plain data; the users are a stream."""
    return {
        "sheet": stale.sheet,
        "pipeline": stale.pipeline,
        "plugins": [asdict(plugin) for plugin in stale.plugins],
        "backend": stale.backend,
        "ledger": stale.ledger,
        "applied_by": asdict(stale.applied_by) if stale.applied_by else None,
        "groups": [asdict(group) for group in stale.groups],
        "users": map(asdict, stale.users),
    }


def row_record(story: RowStory) -> dict[str, Any]:
    """Returns the story of a row as plain data."""
    return {
        "number": story.row,
        "username": story.username,
        "outcome": story.outcome,
        "notes": list(story.notes),
        "fields": None if story.fields is None else [_story_field(field) for field in story.fields],
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
        "operations": [asdict(operation) for operation in story.operations],
        "invite": asdict(story.invite) if story.invite else None,
    }


def _story_field(field: StoryField) -> dict[str, Any]:
    return {
        "field": field.name,
        "heading": field.heading,
        "cell": field.cell,
        "origin": field.origin,
        "value": field.value,
        "raw": field.raw,
        "given": field.is_given,
    }


def listed_job(job: JobSummary) -> dict[str, Any]:
    """Returns a job as an element of `jobs list`."""
    return {
        "id": job.id,
        "state": job.state,
        "started": job.started,
        "finished": job.finished,
        "sheet": job.sheet or None,
        "counts": asdict(job.counts),
    }


def mistake_records(mistakes: tuple[Mistake, ...]) -> Iterator[dict[str, Any]]:
    """Returns mistakes of a pipeline file as plain data."""
    return (
        {"path": mistake.path, "message": mistake.message, "origin": mistake.origin, "line": mistake.line}
        for mistake in mistakes
    )


def described_plugin(provider: Provider) -> dict[str, Any]:
    """Returns what a plugin brings as plain data, with the JSON schema of its options."""
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
        "example": snippet(provider.kind, component),
    }


def _source(sheet: SheetSummary) -> dict[str, Any]:
    return {
        "path": sheet.path,
        "sha256": sheet.sha256,
        "format": sheet.format,
        "reader": sheet.reader,
        "sheet": sheet.sheet,
        "encoding": sheet.encoding,
    }
