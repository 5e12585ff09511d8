"""What is told of a job and of an invite, wherever one is told of: in reports, and in lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from musterroll.journal.first_passwords import HandedOver, LostPasswords
from musterroll.journal.invites import InviteState
from musterroll.journal.job import CUT_OFF, Approval, JobState
from musterroll.journal.outcomes import InviteCounts, JobCounts, JobOutcome


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
        told: the operation in the person's language.
    """

    row: int | None
    username: str | None
    operation: str
    status: str
    detail: str | None
    told: str


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
        handed_over: streams the files that tell first passwords.
        lost_passwords: counts the first passwords that nobody was told.
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
    handed_over: Callable[[], Iterator[HandedOver]] = lambda: iter(())
    lost_passwords: Callable[[], LostPasswords] = lambda: LostPasswords(0, 0)
    error: str | None = None

    @property
    def can_go_on(self) -> bool:
        """Whether `jobs resume` has something to do."""
        if self.state is JobState.COMPLETED_WITH_ERRORS:
            return JobOutcome(self.counts, self.invites).is_unfinished
        return self.state in CUT_OFF
