from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from musterroll import Problem, Severity
from musterroll.journal.change import Action, Change, FieldChange, InviteDecision, PasswordAction
from musterroll.journal.job import JobState
from musterroll.journal.outcomes import InviteCounts, JobCounts
from musterroll.journal.targets import Target
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import JobSummary
from musterroll.sheet.summary import SheetCounts, SheetSummary
from musterroll_cli.output.console import Stream

NOT_NEW = InviteDecision(send=False, reason="not new")
PROBLEMS = (
    Problem(
        code="phone.trunk_prefix",
        message="leave the leading 0 out",
        severity=Severity.WARNING,
        row=3,
        column="G",
        field="phone",
        value="07712345678",
        suggestion="7712345678",
    ),
    Problem(
        code="email.invalid", message="not a valid address", row=17, column="A", field="email", value="ana@@example"
    ),
)
CHANGES = (
    Change(
        row=3,
        username="ana",
        action=Action.CREATE,
        password=PasswordAction.SET,
        fields={"email": FieldChange(None, "ana@example.com")},
        add=(Target(("Region", "North")),),
        invite=InviteDecision(send=True, channel="email"),
    ),
    Change(
        row=4,
        username="bo",
        action=Action.UPDATE,
        password=PasswordAction.KEEP,
        fields={"phone": FieldChange("77", "78"), "surname": FieldChange("Ek", None)},
        remove=(Target(("Sales|Old",)),),
        invite=NOT_NEW,
    ),
    Change(row=5, username="cy", action=Action.UNCHANGED, password=PasswordAction.KEEP, invite=NOT_NEW),
)


def a_job(state: JobState = JobState.COMPLETED, **changed: Any) -> JobSummary:
    return JobSummary(
        **{
            "id": "20260301-1",
            "state": state,
            "started": "2026-03-01T10:00:00+00:00",
            "finished": "2026-03-01T10:00:09+00:00",
            "sheet": "staff.xlsx",
            "counts": JobCounts(rows=3, created=1, updated=1, unchanged=1),
            "invites": InviteCounts(sent=1, skipped=2),
            **changed,
        }
    )


def a_report(
    command: str,
    *,
    problems: Sequence[Problem] = PROBLEMS,
    changes: Sequence[Change] | None = CHANGES,
    **changed: Any,
) -> Report:
    return Report(
        **{
            "command": command,
            "outcome": Outcome.OK,
            "pipeline": "acme",
            "profile": None,
            "sheet": SheetSummary("staff.xlsx", "ab" * 32, "xlsx", "xlsx", "Users"),
            "counts": SheetCounts(rows=3, valid=3, warnings=1),
            "problems": lambda: problems,
            "changes": None if changes is None else lambda: changes,
            "groups_to_create": (("Region",), ("Region", "North")),
            **changed,
        }
    )


@pytest.fixture
def make_report() -> Callable[..., Report]:
    return a_report


@pytest.fixture
def make_job() -> Callable[..., JobSummary]:
    return a_job


class Terminal(io.StringIO):
    """A file that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def paper() -> Stream:
    """A stream to a file."""
    return Stream(io.StringIO())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Stream:
    """A stream to a terminal of 100 columns."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Stream(Terminal())


@pytest.fixture
def shown() -> Callable[[Stream], str]:
    """Returns what was written to a stream."""

    def text(stream: Stream) -> str:
        assert isinstance(stream.file, io.StringIO)
        return stream.file.getvalue()

    return text
