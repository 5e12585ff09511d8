"""A plan in numbers: what a person is asked to agree to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from musterroll.journal.change import Action, Change, HandEditCounts, PrivilegedGroup
from musterroll.journal.job import Job
from musterroll.journal.unchanged import count_unchanged


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a person is asked to agree to.

    Attributes:
        actions: how many rows each action has.
        groups: how many groups will be created.
        groups_to_delete: how many groups will be deleted, as far as they are empty.
        memberships: how many memberships will be added or removed.
        invites: how many invites will go out.
        rejected: how many rows are left out.
        privileged: the privileged groups that it concerns.
        hand_edits: how much somebody has changed in the portal by hand; None for nothing that is known of.
        portal: where it goes: the backend and its identity.
        changes: streams what happens to every row, for who wants to look closer.
    """

    actions: dict[Action, int]
    groups: int
    groups_to_delete: int
    memberships: int
    invites: int
    rejected: int
    portal: str
    privileged: tuple[PrivilegedGroup, ...] = ()
    hand_edits: HandEditCounts | None = None
    changes: Callable[[], Iterable[Change]] = tuple

    @property
    def does_anything(self) -> bool:
        """Whether anything would be written or sent."""
        changed = (rows for action, rows in self.actions.items() if action not in (Action.UNCHANGED, Action.IGNORED))
        return self.invites > 0 or self.groups_to_delete > 0 or any(changed)


def summarise(job: Job, *, portal: str) -> PlanSummary:
    """Counts a stored plan."""
    by_action = dict(job.journal.execute("SELECT action, count(*) FROM row WHERE job = ? GROUP BY action", (job.id,)))
    rejected = by_action.pop(Action.REJECTED, 0)
    actions = Counter({Action(action): rows for action, rows in by_action.items()})
    if packed := count_unchanged(job.journal, job.id):
        actions[Action.UNCHANGED] += packed
    return PlanSummary(
        actions=actions,
        groups=len(job.plan.groups_to_create()),
        groups_to_delete=count_stored(job, "target", "deletes"),
        memberships=sum(job.plan.count_members()),
        invites=count_stored(job, "row", "invite IS NOT NULL"),
        rejected=rejected,
        portal=portal,
        privileged=job.plan.privileged(),
        hand_edits=job.plan.hand_edits(),
        changes=job.plan.changes,
    )


def count_stored(job: Job, table: str, where: str = "TRUE", *values: object) -> int:
    """Counts what a table has of a job's plan."""
    query = f"SELECT count(*) FROM {table} WHERE job = ? AND {where}"  # noqa: S608 -- constants
    (count,) = job.journal.execute(query, (job.id, *values)).fetchone()
    return int(count)
