"""What a command found and did, for the person and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from musterroll.contract.problems import Problem
from musterroll.contract.users import GroupPath
from musterroll.errors import MusterrollError
from musterroll.sheet.problem_groups import ProblemGroup, group_problems
from musterroll.sheet.summary import SheetCounts, SheetSummary

if TYPE_CHECKING:  # `validate` has no job
    from musterroll.journal.change import Change, HandEditCounts, PrivilegedGroup
    from musterroll.pipeline.settings import SendTo
    from musterroll.reports.summaries import JobSummary, ListedInvite
    from musterroll.sheet.repairs import Repair


class Outcome(StrEnum):
    """How a command ended: `status` in JSON, and with it the exit status."""

    OK = "ok"
    PROBLEMS = "problems"
    ERROR = "error"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class SavedTo:
    """A plan that was saved: its id, and the file."""

    id: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """What was corrected in a copy of the sheet.

    Attributes:
        path: the copy; None where there is none.
        cells: how many cells are others.
        problems: how many problems that solves.
        of: of how many.
        by_code: likewise, by their codes, the most frequent first.
        changes: streams the cells, where they are all to be seen.
    """

    path: str | None
    cells: int
    problems: int
    of: int
    by_code: dict[str, int]
    changes: Callable[[], Iterable[Repair]] | None = None


@dataclass(frozen=True, slots=True)
class InviteChoice:
    """What it would be to send invites to others than the pipeline says.

    Attributes:
        sends: how many it would send.
        refusal: the limits that the plan would then exceed; None where it exceeds none.
        on_paper: how many first passwords it would leave that no invite tells.
    """

    sends: int
    refusal: MusterrollError | None
    on_paper: int = 0


class ProposedName(NamedTuple):
    """The username that a row would get.

    Attributes:
        row: the row.
        username: the name; None where there is none, unless the portal knows the person.
        reason: why there is none.
    """

    row: int
    username: str | None
    reason: str | None = None


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
        privileged: the privileged groups that the plan concerns.
        hand_edits: how much somebody has changed in the portal by hand; None for nothing that is known of.
        job: the job, where there is one.
        invites: streams the users that were considered for an invite; None where the command is not about invites.
        invite_choices: by each choice of `send_to`, where that was asked for and the sheet can go in.
        error: what went wrong, where the command could not do its work.
        keeps_all_out: whether the sheet's errors keep good rows out as well.
        does_anything: of a plan that nothing stops, whether anything would be written or sent.
        saved: where the plan was saved, if it was.
        nothing_left: whether the job was done already, so that nothing was done now.
        fixed: what was corrected, where that was asked for; then all else is of the corrected sheet.
        usernames: streams the usernames that rows would get, where they are made and the portal was not asked.
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
    privileged: tuple[PrivilegedGroup, ...] = ()
    hand_edits: HandEditCounts | None = None
    job: JobSummary | None = None
    invites: Callable[[], Iterable[ListedInvite]] | None = None
    invite_choices: Mapping[SendTo, InviteChoice] = field(default_factory=dict)
    error: MusterrollError | None = None
    keeps_all_out: bool = False
    does_anything: bool = False
    saved: SavedTo | None = None
    nothing_left: bool = False
    fixed: Fixed | None = None
    usernames: Iterable[ProposedName] | None = None
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
