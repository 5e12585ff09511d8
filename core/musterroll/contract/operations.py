"""The operations on a backend, and what became of them.

The operation is the unit of work, not the row: a user, a group and memberships fail separately, and undo
needs the inverse of each. Every operation has a stable id; a backend that can stores it with what it creates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TypeAlias

from musterroll.contract.secret import Secret
from musterroll.contract.translation import gettext_noop
from musterroll.contract.users import Desired, GroupPath


@dataclass(frozen=True, slots=True)
class UserRef:
    """A user that an operation is about.

    Attributes:
        ref: the backend's own id.
        username: as stored, for messages.
    """

    ref: str
    username: str


@dataclass(frozen=True, slots=True)
class GroupRef:
    """A group that an operation is about.

    Attributes:
        ref: the backend's own id.
        path: its levels, for messages.
    """

    ref: str
    path: GroupPath


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup:
    """Create a group; its parent exists already.

    Attributes:
        id: the operation's id.
        path: its levels from the top; the last one is its own name.
        parent: the group that it is in; None for one at the top.
    """

    id: str
    path: GroupPath
    parent: GroupRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser:
    """Create a user.

    Attributes:
        id: the operation's id.
        user: the user, as `canonical` returned it.
        password: where one was given.
    """

    id: str
    user: Desired
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfUser:
    """An operation on a user that the backend has.

    Attributes:
        id: the operation's id.
        user: the user.
    """

    id: str
    user: UserRef


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfGroup:
    """An operation on a group that the backend has.

    Attributes:
        id: the operation's id.
        group: the group.
    """

    id: str
    group: GroupRef


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUser(_OfUser):
    """Change a user.

    Attributes:
        id: the operation's id.
        user: the user, by the stored username.
        changes: what is to differ, by field name (`username` renames); None clears.
        before: the same fields as they were when the plan was made.
        password: a new password, for a reset.
    """

    changes: Mapping[str, str | None]
    before: Mapping[str, str | None] = field(default_factory=dict)
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMembers(_OfGroup):
    """Add users to a group; those that are members already stay.

    Attributes:
        members: the users.
    """

    members: tuple[UserRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMembers(_OfGroup):
    """Take users out of a group; those that are no members are passed over.

    Attributes:
        members: the users.
    """

    members: tuple[UserRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deactivate(_OfUser):
    """Deactivate a user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactivate(_OfUser):
    """Make a deactivated user active again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUser(_OfUser):
    """Delete a user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteGroup(_OfGroup):
    """Delete a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendInvite(_OfUser):
    """Let the portal itself invite a user."""


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


class Kind(StrEnum):
    """The kinds of operations, by the names that the journal has for them."""

    CREATE_GROUP = "create_group"
    CREATE_USER = "create_user"
    UPDATE_USER = "update_user"
    REFER = "refer"
    REACTIVATE = "reactivate"
    DEACTIVATE = "deactivate"
    DELETE_USER = "delete_user"
    DELETE_GROUP = "delete_group"
    ADD_MEMBERS = "add_members"
    REMOVE_MEMBERS = "remove_members"
    SEND_INVITE = "send_invite"


class Phase(IntEnum):
    """The order of operations. Those of one phase do not depend on each other."""

    GROUPS = 0  # plus the depth of the group: parents before children
    USERS = 1000
    UPDATES = 1001  # after a reactivation
    REFERENCES = 1002  # to users who were created, or renamed
    REMOVALS = 2000
    ADDITIONS = 2001
    LEAVING = 3000  # users are deactivated or deleted
    EMPTY_GROUPS = 4000  # minus the depth of the group: children before parents
    INVITES = 5000  # the ledger keeps these, not the plan


@dataclass(frozen=True, slots=True)
class OperationType:
    """What the engine knows of a kind of operation.

    Attributes:
        make: its class.
        phase: when it is handed over.
        label: what it does, e.g. `add to {target}`; with the group where it is about one.
        doing: the same while it is being done, e.g. `creating the user "{target}"`.
        undone_by: the kinds that take it back; none for what is beyond recall.
        sets: the truth value of an `Existing` that it changes, and to what.
    """

    make: Callable[..., Op]
    phase: Phase
    label: str
    doing: str
    undone_by: tuple[Kind, ...] = ()
    sets: tuple[str, bool] | None = None


ACTIVE = "active"
"""The name under which a change of fields has whether a user is active."""

OPERATIONS: Mapping[Kind, OperationType] = {
    Kind.CREATE_GROUP: OperationType(
        CreateGroup,
        Phase.GROUPS,
        gettext_noop("create the group {target}"),
        "creating the group {target}",
        (Kind.DELETE_GROUP,),
    ),
    Kind.CREATE_USER: OperationType(
        CreateUser,
        Phase.USERS,
        gettext_noop("create the user"),
        'creating the user "{target}"',
        (Kind.DEACTIVATE, Kind.DELETE_USER),
    ),
    Kind.REACTIVATE: OperationType(
        Reactivate,
        Phase.USERS,
        gettext_noop("reactivate the user"),
        'reactivating the user "{target}"',
        (Kind.DEACTIVATE,),
        sets=(ACTIVE, True),
    ),
    Kind.UPDATE_USER: OperationType(
        UpdateUser,
        Phase.UPDATES,
        gettext_noop("update the user"),
        'changing the user "{target}"',
        (Kind.UPDATE_USER,),
    ),
    Kind.REFER: OperationType(
        UpdateUser,
        Phase.REFERENCES,
        gettext_noop("refer to other users"),
        'changing the user "{target}"',
        (Kind.UPDATE_USER,),
    ),
    Kind.REMOVE_MEMBERS: OperationType(
        RemoveMembers,
        Phase.REMOVALS,
        gettext_noop("remove from {target}"),
        "taking members out of the group {target}",
        (Kind.ADD_MEMBERS,),
    ),
    Kind.ADD_MEMBERS: OperationType(
        AddMembers,
        Phase.ADDITIONS,
        gettext_noop("add to {target}"),
        "adding members to the group {target}",
        (Kind.REMOVE_MEMBERS,),
    ),
    Kind.DEACTIVATE: OperationType(
        Deactivate,
        Phase.LEAVING,
        gettext_noop("deactivate the user"),
        'deactivating the user "{target}"',
        (Kind.REACTIVATE,),
        sets=(ACTIVE, False),
    ),
    Kind.DELETE_USER: OperationType(
        DeleteUser,
        Phase.LEAVING,
        gettext_noop("delete the user"),
        'deleting the user "{target}"',
    ),
    Kind.DELETE_GROUP: OperationType(
        DeleteGroup,
        Phase.EMPTY_GROUPS,
        gettext_noop("delete the group {target}"),
        "deleting the group {target}",
    ),
    Kind.SEND_INVITE: OperationType(
        SendInvite,
        Phase.INVITES,
        gettext_noop("invite the user"),
        'inviting the user "{target}"',
    ),
}
"""The table of operations: what is said of each of them, and nowhere else."""

FLAGS = frozenset(operation.sets[0] for operation in OPERATIONS.values() if operation.sets)
"""The names of fields that operations of their own change, not an update."""

_BY_CLASS = {operation.make: operation for operation in OPERATIONS.values()}


def doing(op: Op) -> str:
    """Says what an operation does, e.g. `creating the user "ana"`."""
    match op:
        case CreateGroup():
            target = "|".join(op.path)
        case _OfGroup():
            target = "|".join(op.group.path)
        case _:
            target = op.user.username
    return _BY_CLASS[type(op)].doing.format(target=target)


class Status(StrEnum):
    """What became of an operation."""

    DONE = "done"  # it is done
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
        refused: for what is done but for a part, and why: of memberships the members' refs, of a change of a user the
            names of fields.
    """

    op: str
    status: Status
    ref: str | None = None
    detail: str | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
