"""What became of a job's rows, derived from its operations: every row has exactly one outcome."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

from musterroll.journal.change import FIRST_OFF_SHEET_ROW, Action
from musterroll.journal.damage import decoded
from musterroll.journal.journal import Journal
from musterroll.journal.unchanged import count_unchanged, find_unchanged


@dataclass(slots=True)
class JobCounts:
    """What became of the rows: every row has exactly one outcome, and they add up to `rows`."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deactivated: int = 0
    reactivated: int = 0
    deleted: int = 0
    ignored: int = 0
    rejected: int = 0
    failed: int = 0
    unknown: int = 0
    not_attempted: int = 0


@dataclass(slots=True)
class InviteCounts:
    """What became of the invites, one for each row that is not rejected."""

    sent: int = 0
    skipped: int = 0
    held: int = 0
    failed: int = 0


class JobOutcome(NamedTuple):
    """What became of a job's rows and of its invites."""

    rows: JobCounts
    invites: InviteCounts

    @property
    def is_unfinished(self) -> bool:
        """Whether something is left that can be tried again."""
        rows = self.rows
        return bool(rows.failed or rows.unknown or rows.not_attempted or self.invites.failed)


_OUTCOME = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.UNCHANGED: "unchanged",
    Action.DEACTIVATE: "deactivated",
    Action.REACTIVATE: "reactivated",
    Action.DELETE: "deleted",
    Action.IGNORED: "ignored",
}
# The worst of a row's operations decides.
_WORST = {3: "failed", 2: "unknown", 1: "not_attempted"}


# What is not done of a job (`?1`), by rows.
_STEPS = """
    SELECT row, CASE state WHEN 'failed' THEN 3 WHEN 'unknown' THEN 2 WHEN 'intent' THEN 2
                           WHEN 'planned' THEN 1 ELSE 0 END AS badness
    FROM operation WHERE job = ?1 AND row IS NOT NULL AND state NOT IN ('done', 'noop')
    UNION ALL
    SELECT row, 3 FROM refused WHERE job = ?1
    UNION ALL
    SELECT m.value, CASE o.state WHEN 'failed' THEN 3 WHEN 'unknown' THEN 2 WHEN 'intent' THEN 2 ELSE 1 END
    FROM operation AS o CROSS JOIN json_each(o.members) AS m
    WHERE o.job = ?1 AND o.state NOT IN ('done', 'noop')
"""


def unfinished_rows(journal: Journal, job: str) -> frozenset[int]:
    """Returns the rows of a job that are rejected, or of which something is not done."""
    found = journal.execute(
        f"SELECT row FROM ({_STEPS}) UNION SELECT row FROM row WHERE job = ?1 AND action = ?2",  # noqa: S608 -- constants
        (job, Action.REJECTED),
    )
    return frozenset(row for (row,) in found)


@decoded
def count_rows(journal: Journal, job: str, *, executed: bool, row: int | None = None) -> JobCounts:
    """Counts the outcomes of a job's rows, and of the users that it deactivates because they are not in the sheet.

    Args:
        journal: where the job is kept.
        job: its id.
        executed: False where the job ended before its first operation: then no row was attempted.
        row: only this row.
    """
    counts = JobCounts()
    for action, absent, worst, rows in journal.execute(
        f"""
        WITH worst (row, badness) AS (SELECT row, max(badness) FROM ({_STEPS}) GROUP BY row)
        SELECT r.action, r.row >= ?2 AND r.action = ?3, coalesce(w.badness, 0), count(*)
        FROM row AS r LEFT JOIN worst AS w ON w.row = r.row
        WHERE r.job = ?1 AND (?4 IS NULL OR r.row = ?4) GROUP BY 1, 2, 3
        """,  # noqa: S608 -- a constant
        (job, FIRST_OFF_SHEET_ROW, Action.DEACTIVATE, row),
    ):
        if absent and not executed:
            continue
        if action == Action.REJECTED:
            outcome = "rejected"
        elif not executed:
            outcome = "not_attempted"
        else:
            outcome = _WORST.get(worst) or _OUTCOME[Action(action)]
        setattr(counts, outcome, getattr(counts, outcome) + rows)
        counts.rows += 0 if absent else rows
    packed = count_unchanged(journal, job) if row is None else int(find_unchanged(journal, job, row) is not None)
    counts.rows += packed
    if executed:
        counts.unchanged += packed
    else:
        counts.not_attempted += packed
    return counts


@decoded
def count_invites(journal: Journal, job: str) -> InviteCounts:
    """Counts what became of a job's invites; whoever was not to be told or could not be is skipped."""
    counts = InviteCounts()
    for state, rows in journal.execute("SELECT state, count(*) FROM invite WHERE job = ? GROUP BY state", (job,)):
        name = "held" if state == "sending" else state
        setattr(counts, name, getattr(counts, name) + rows)
    (rows,) = journal.execute(
        "SELECT count(*) FROM row WHERE job = ? AND action <> ? AND NOT (row >= ? AND action = ?)",
        (job, Action.REJECTED, FIRST_OFF_SHEET_ROW, Action.DEACTIVATE),
    ).fetchone()
    counts.skipped = rows + count_unchanged(journal, job) - counts.sent - counts.held - counts.failed
    return counts


@decoded
def kept_outcome(journal: Journal, job: str) -> JobOutcome | None:
    """Returns a job's counts as they were kept; None where they were not, or it has gone on since."""
    query = "SELECT outcome FROM job WHERE id = ? AND outcome IS NOT NULL"
    kept = journal.execute(query, (job,)).fetchone()
    if kept is None:
        return None
    outcome = json.loads(kept[0])
    return JobOutcome(JobCounts(**outcome["rows"]), InviteCounts(**outcome["invites"]))
