"""The kinds and phases of stored operations."""

from __future__ import annotations

from enum import IntEnum, StrEnum

ABSENT = 1 << 40
"""Users that are not in the sheet are stored as rows from this number on, above those of every sheet."""


def shown_row(row: int) -> int | None:
    """Returns the number that a stored row has in the sheet; None for a user that is not in it."""
    return row if row < ABSENT else None


class Kind(StrEnum):
    """What an operation does."""

    CREATE_GROUP = "create_group"
    CREATE_USER = "create_user"
    UPDATE_USER = "update_user"
    REACTIVATE = "reactivate"
    DEACTIVATE = "deactivate"
    DELETE_USER = "delete_user"
    DELETE_GROUP = "delete_group"
    ADD_MEMBERS = "add_members"
    REMOVE_MEMBERS = "remove_members"


class Phase(IntEnum):
    """The order of operations. Those of one phase do not depend on each other."""

    GROUPS = 0  # plus the depth of the group: parents before children
    USERS = 1000  # plus 1 for updates: after a reactivation
    MEMBERSHIPS = 2000  # removals, plus 1 for additions
    LEAVING = 3000  # users are deactivated or deleted
    EMPTY_GROUPS = 4000  # minus the depth of the group: children before parents


class OpState(StrEnum):
    """Where an operation stands."""

    PLANNED = "planned"
    INTENT = "intent"  # handed to the backend, no answer yet
    DONE = "done"
    NOOP = "noop"
    FAILED = "failed"
    UNKNOWN = "unknown"
