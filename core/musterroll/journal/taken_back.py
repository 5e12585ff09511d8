"""Users whom a job of this pipeline created and whom its undo deactivated: a sheet that names them again means them."""

from __future__ import annotations

from collections.abc import Iterable

from musterroll.contract.operations import Kind
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OpState


def record_taken_back(journal: Journal, owner: tuple[str, str], undo: str) -> None:
    """Notes whom an undo has deactivated, of those whom this pipeline created. The owner is (pipeline, identity)."""
    journal.execute(
        """
        INSERT OR REPLACE INTO taken_back SELECT ?1, ?2, r.ref, ?3 FROM operation AS o
        JOIN row AS r ON r.job = o.job AND r.row = o.row
        JOIN managed AS m ON m.pipeline = ?1 AND m.identity = ?2 AND m.ref = r.ref
        WHERE o.job = ?3 AND o.kind = ?4 AND o.state = ?5
        """,
        (*owner, undo, Kind.DEACTIVATE, OpState.DONE),
    )


def forget_taken_back(journal: Journal, owner: tuple[str, str], job: str) -> None:
    """Forgets those whom a job found active, or made active again: whoever deactivates them next means it."""
    journal.execute(
        """
        DELETE FROM taken_back WHERE pipeline = ?1 AND identity = ?2 AND ref IN (
            SELECT r.ref FROM row AS r WHERE r.job = ?3 AND r.action IN ('unchanged', 'update') AND NOT EXISTS (
                SELECT 1 FROM operation AS o INDEXED BY operation_row
                WHERE o.job = ?3 AND o.row = r.row AND o.state NOT IN ('done', 'noop')))
        """,
        (*owner, job),
    )


def taken_back(journal: Journal, owner: tuple[str, str], refs: Iterable[str]) -> frozenset[str]:
    """Returns those users whom an undo has deactivated, and nobody has made active since."""
    query = "SELECT 1 FROM taken_back WHERE pipeline = ? AND identity = ? AND ref = ?"
    return frozenset(ref for ref in refs if journal.execute(query, (*owner, ref)).fetchone())
