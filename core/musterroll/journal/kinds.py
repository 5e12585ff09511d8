"""The rows and states of stored operations."""

from __future__ import annotations

from enum import StrEnum

ABSENT = 1 << 40
"""Users that are not in the sheet are stored as rows from this number on, above those of every sheet."""


def shown_row(row: int) -> int | None:
    """Returns the number that a stored row has in the sheet; None for a user that is not in it."""
    return row if row < ABSENT else None


class OpState(StrEnum):
    """Where an operation stands."""

    PLANNED = "planned"
    INTENT = "intent"  # handed to the backend, no answer yet
    DONE = "done"
    NOOP = "noop"
    FAILED = "failed"
    UNKNOWN = "unknown"
