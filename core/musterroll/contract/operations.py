"""The operations on a backend, and what became of them.

The operation is the unit of work, not the row: a user, a group and memberships fail separately, and undo
needs the inverse of each. Every operation has a stable id; a backend that can stores it with what it creates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from musterroll.contract.secret import Secret
from musterroll.contract.users import Desired, GroupPath


@dataclass(frozen=True, slots=True)
class UserRef:
    """A user that an operation is about: the backend's id, and the name for messages."""

    ref: str
    username: str


@dataclass(frozen=True, slots=True)
class GroupRef:
    """A group that an operation is about: the backend's id, and the path for messages."""

    ref: str
    path: GroupPath


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup:
    """Create a group; its parent exists already. `parent` is None for a top-level group."""

    id: str
    path: GroupPath
    parent: GroupRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser:
    """Create a user, with a password where one was given."""

    id: str
    user: Desired
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUser:
    """Change a user.

    Attributes:
        id: the operation's id.
        user: the user, by the stored username.
        changes: what is to differ, by field name (`username` renames); None clears.
        before: the same fields as they were when the plan was made.
        password: a new password, for a reset.
    """

    id: str
    user: UserRef
    changes: Mapping[str, str | None]
    before: Mapping[str, str | None] = field(default_factory=dict)
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMembers:
    """Add users to a group; those that are members already stay."""

    id: str
    group: GroupRef
    members: tuple[UserRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMembers:
    """Take users out of a group; those that are no members are passed over."""

    id: str
    group: GroupRef
    members: tuple[UserRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deactivate:
    """Deactivate a user."""

    id: str
    user: UserRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactivate:
    """Make a deactivated user active again."""

    id: str
    user: UserRef


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUser:
    """Delete a user."""

    id: str
    user: UserRef


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteGroup:
    """Delete a group."""

    id: str
    group: GroupRef


@dataclass(frozen=True, slots=True, kw_only=True)
class SendInvite:
    """Let the portal itself invite a user."""

    id: str
    user: UserRef


Op: TypeAlias = (
    CreateGroup
    | CreateUser
    | UpdateUser
    | AddMembers
    | RemoveMembers
    | Deactivate
    | Reactivate
    | DeleteUser
    | DeleteGroup
    | SendInvite
)


class Status(StrEnum):
    """What became of an operation."""

    DONE = "done"
    NOOP = "noop"  # it was so already
    FAILED = "failed"  # the backend refused; trying again is of no use
    CONFLICT = "conflict"  # something of that name exists; looked up again before it counts
    UNKNOWN = "unknown"  # no answer: it may or may not have happened
    NOT_DONE = "not_done"  # certainly did not happen; can be tried again


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one operation.

    Attributes:
        op: the operation's id.
        status: what became of it.
        ref: the backend's id of what was created (or found, for `noop`).
        detail: why it failed, for the person; never holds a secret.
        refused: for membership operations that are done but for some members: their refs, and why.
    """

    op: str
    status: Status
    ref: str | None = None
    detail: str | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
