"""What a command found and did, for the person and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

from musterroll.contract.problems import Problem
from musterroll.contract.users import GroupPath
from musterroll.errors import MusterrollError
from musterroll.journal.change import Change
from musterroll.journal.invites import InviteState
from musterroll.journal.job import CUT_OFF, Approval, JobState
from musterroll.journal.outcomes import InviteCounts, JobCounts, JobOutcome
from musterroll.sheet.problem_groups import ProblemGroup, group_problems
from musterroll.sheet.summary import SheetCounts, SheetSummary


class Outcome(StrEnum):
    """How a command ended: `status` in JSON, and with it the exit status."""

    OK = "ok"
    PROBLEMS = "problems"
    ERROR = "error"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedInvite:
    """A user's latest invite.

    Attributes:
        username: the user.
        channel: by what, e.g. `email`; None where there was none.
        state: where it stands.
        sent: ISO 8601, UTC; None where it was not certainly sent.
        expires: likewise.
        reason: why it failed or is held; why there was none.
    """

    username: str
    channel: str | None
    state: InviteState
    sent: str | None
    expires: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that a backend or notifier did not do.

    Attributes:
        row: the sheet row; None for what no single row caused.
        username: the user, where there is one.
        operation: what was to be done, e.g. `create user`, `add to Region|North`, `invite`.
        status: `failed`, `unknown`, `held`, `kept`, ….
        detail: why.
    """

    row: int | None
    username: str | None
    operation: str
    status: str
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A job and what it did.

    Attributes:
        id: the job's id.
        kind: `run`, `apply`, `undo` or `invite`.
        undoes: the job that an undo takes back.
        plan: the id of the saved plan that was applied.
        approved: who let it past the limits.
        rejected_file: where its rejected rows are, where they were written to a file.
        state: where it stands.
        started: ISO 8601, UTC.
        finished: ISO 8601, UTC; None while it is running.
        sheet: the sheet's path.
        counts: what became of the rows.
        invites: what became of the invites.
        failures: streams what failed, and why.
        error: what stopped it, where something did.
    """

    id: str
    kind: str = "run"
    undoes: str | None = None
    plan: str | None = None
    approved: Approval | None = None
    rejected_file: str | None = None
    state: JobState
    started: str
    finished: str | None
    sheet: str
    counts: JobCounts
    invites: InviteCounts
    failures: Callable[[], Iterator[Failure]] = lambda: iter(())
    error: str | None = None

    @property
    def can_go_on(self) -> bool:
        """Whether `jobs resume` has something to do."""
        if self.state is JobState.COMPLETED_WITH_ERRORS:
            return JobOutcome(self.counts, self.invites).is_unfinished
        return self.state in CUT_OFF


@dataclass(frozen=True, slots=True)
class SavedTo:
    """A plan that was saved: its id, and the file."""

    id: str
    path: str


@dataclass(kw_only=True)
class Report:
    """What a command found and did. Streams, so it must be closed: use it in a `with` statement.

    Attributes:
        command: the command.
        outcome: how it ended.
        pipeline: the pipeline's name.
        profile: the profile in use.
        sheet: the sheet that was read, where one was.
        counts: rows and problems.
        problems: streams the problems in the order of the sheet.
        changes: streams what happens to every row that is not rejected; None where the command plans nothing.
        groups_to_create: the groups that do not exist yet, parents first; None likewise.
        job: the job, where there is one.
        invites: streams the users that were considered for an invite; None where the command is not about invites.
        error: what went wrong, where the command could not do its work.
        keeps_all_out: whether the sheet's errors keep good rows out as well.
        saved: where the plan was saved, if it was.
        nothing_left: whether the job was done already, so that nothing was done now.
    """

    command: str
    outcome: Outcome
    pipeline: str
    profile: str | None
    sheet: SheetSummary | None = None
    counts: SheetCounts = field(default_factory=SheetCounts)
    problems: Callable[[], Iterable[Problem]] = tuple
    changes: Callable[[], Iterable[Change]] | None = None
    groups_to_create: tuple[GroupPath, ...] | None = None
    job: JobSummary | None = None
    invites: Callable[[], Iterable[ListedInvite]] | None = None
    error: MusterrollError | None = None
    keeps_all_out: bool = False
    saved: SavedTo | None = None
    nothing_left: bool = False
    close: Callable[[], None] = lambda: None

    def problem_groups(self) -> tuple[ProblemGroup, ...]:
        """Returns the problems by their cause, errors first."""
        return group_problems(self.problems())

    def also_close(self, close: Callable[[], None]) -> None:
        """Has something else closed before it."""
        stored = self.close

        def both() -> None:
            close()
            stored()

        self.close = both

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
