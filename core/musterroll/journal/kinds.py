"""The kinds and phases of stored operations."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What an operation does."""

    CREATE_GROUP = "create_group"
    CREATE_USER = "create_user"
    UPDATE_USER = "update_user"
    REACTIVATE = "reactivate"
    ADD_MEMBERS = "add_members"
    REMOVE_MEMBERS = "remove_members"


class Phase(IntEnum):
    """The order of operations. Those of one phase do not depend on each other."""

    GROUPS = 0  # plus the depth of the group: parents before children
    USERS = 1000  # plus 1 for updates: after a reactivation
    MEMBERSHIPS = 2000  # removals, plus 1 for additions


class OpState(StrEnum):
    """Where an operation stands."""

    PLANNED = "planned"
    INTENT = "intent"  # handed to the backend, no answer yet
    DONE = "done"
    NOOP = "noop"
    FAILED = "failed"
    UNKNOWN = "unknown"
