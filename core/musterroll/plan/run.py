"""What commands and the planner work with: one run of a command, and the plan that it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from musterroll.journal.job import Job
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import Ledger
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.expected import Expected
from musterroll.plan.summary import PlanSummary
from musterroll.portal.portal import Portal
from musterroll.progress import SILENT, Progress
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.summary import SheetCounts

# Users at least between two commits of a plan, which is worth nothing before it is whole: each waits for the disk.
_COMMITTED = 5000

Confirm: TypeAlias = Callable[[PlanSummary], bool]


def agreed(summary: PlanSummary) -> bool:
    """Agrees to everything: for callers that have nobody to ask."""
    return True


def asks(confirm: Confirm) -> bool:
    """Whether somebody is asked. What is a `Confirm` and may have nobody to ask says so itself, by `asks`."""
    return confirm is not agreed and bool(getattr(confirm, "asks", True))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command.

    Attributes:
        pipeline: how.
        journal: where its job is kept: locked, or a temporary one for a plan that leaves no trace.
        command: the command, e.g. `jobs resume`, as reports name it.
        progress: told how it goes on.
        confirm: asked once, before the first write, and only where there is something to write.
        rejected_to: the file for rejected rows; None for a new one beside the sheet.
        keep_passwords: whether that file holds the rows' passwords.
        hand_over_to: the file that tells first passwords which no invite tells; None where none was named.
        expected: what the plan must come to.
        earlier: the journal of earlier jobs, where it is another one and there is one.
    """

    pipeline: Pipeline
    journal: Journal
    command: str
    progress: Progress = SILENT
    confirm: Confirm = agreed
    rejected_to: Path | None = None
    keep_passwords: bool = False
    hand_over_to: Path | None = None
    expected: tuple[Expected, ...] = ()
    earlier: Journal | None = None

    def ledger(self, identity: str) -> Ledger:
        """Who was created and invited before, on a portal."""
        return Ledger(self.journal if self.earlier is None else self.earlier, self.pipeline.name, identity)


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan that is being made.

    Attributes:
        run: the command that makes it.
        job: the job that it belongs to; its journal takes the plan, batch by batch.
        portal: what it is made against; only asked, and only while it is being made.
        ledger: who was created and invited before.
        log: takes the problems.
    """

    run: Run
    job: Job
    portal: Portal
    ledger: Ledger
    log: ProblemLog

    def store_batches(self, batches: Iterator[int]) -> int:
        """Commits some batches together, tells how many users each has, and stops between two.

        Returns:
            How many users it were.
        """
        journal, users, committed = self.job.journal, 0, 0
        journal.begin()
        for done in batches:
            users += done
            if users - committed >= _COMMITTED:
                journal.commit()
                committed = users
            self.run.progress.advance(done)
            self.run.pipeline.stop_if_cancelled()
            journal.begin()
        return users

    def store_problems(self, counts: SheetCounts, *, with_others: bool) -> None:
        """Stores what was found, and fills the counts in. With `with_others`, errors of one row keep others out."""
        self.log.count_into(counts, with_others=with_others)
        self.job.plan.add_problems(self.log)
        self.job.plan.add_counts(counts)

    @property
    def keeps_all_out(self) -> bool:
        """Whether the errors keep good rows out as well: those of the headings always do."""
        return self.log.file_errors > 0 or (self.log.errors > 0 and self.run.pipeline.settings.on_error == "abort")
