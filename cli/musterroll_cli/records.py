"""Reports as plain data for the JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from musterroll.errors import Mistake
from musterroll.model.plans import Change
from musterroll.model.reports import Failure, JobSummary, Report, SheetSummary
from musterroll.problems import Problem


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
        "changes": map(change_record, report.changes() if report.changes else ()),
        "groups_to_create": [list(path) for path in report.groups_to_create or ()],
        "job": job_record(report.job) if report.job else None,
    }
    return {key: value for key, value in found.items() if key in members}


def problem_record(problem: Problem) -> dict[str, Any]:
    """Returns a problem as plain data."""
    return {
        "code": problem.code,
        "severity": problem.severity,
        "row": problem.row,
        "column": problem.column,
        "cell": problem.cell,
        "field": problem.field,
        "message": problem.message,
        "value": problem.value,
        "suggestion": problem.suggestion,
    }


def change_record(change: Change) -> dict[str, Any]:
    """Returns a change as plain data."""
    return {
        "row": change.row,
        "username": change.username,
        "action": change.action,
        "password": change.password,
        "fields": {name: {"before": field.before, "after": field.after} for name, field in change.fields.items()},
        "groups": {"add": [list(path) for path in change.add], "remove": [list(path) for path in change.remove]},
        "invite": {"send": change.invite.send, "channel": change.invite.channel, "reason": change.invite.reason},
    }


def job_record(job: JobSummary) -> dict[str, Any]:
    """Returns a job as plain data; its failures are a stream."""
    return {
        "id": job.id,
        "state": job.state,
        "counts": asdict(job.counts),
        "invites": asdict(job.invites),
        "failures": map(_failure, job.failures()),
    }


def listed_job(job: JobSummary) -> dict[str, Any]:
    """Returns a job as an element of `jobs list`."""
    return {
        "id": job.id,
        "state": job.state,
        "started": job.started,
        "finished": job.finished,
        "sheet": job.sheet,
        "counts": asdict(job.counts),
    }


def mistake_records(mistakes: tuple[Mistake, ...]) -> Iterator[dict[str, str]]:
    """Returns mistakes of a pipeline file as plain data."""
    return ({"path": mistake.path, "message": mistake.message, "origin": mistake.origin} for mistake in mistakes)


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "row": failure.row,
        "username": failure.username,
        "operation": failure.operation,
        "status": failure.status,
        "detail": failure.detail,
    }


def _source(sheet: SheetSummary) -> dict[str, Any]:
    return {
        "path": sheet.path,
        "sha256": sheet.sha256,
        "format": sheet.format,
        "reader": sheet.reader,
        "sheet": sheet.sheet,
    }
