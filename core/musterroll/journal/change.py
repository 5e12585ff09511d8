"""What is going to happen to every row, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from musterroll.contract.users import GroupPath

Scalar: TypeAlias = str | bool | None


class Action(StrEnum):
    """What happens to a row's user."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DEACTIVATE = "deactivate"
    DELETE = "delete"  # an undo only, and only where the pipeline says so


class PasswordAction(StrEnum):
    """What happens to a row's password."""

    SET = "set"  # a new user gets it
    RESET = "reset"  # an existing user gets it
    KEEP = "keep"  # an existing user keeps the present one
    NONE = "none"  # a new user gets none


class FieldChange(NamedTuple):
    """One field's value before and after; None is empty. `active` is a truth value."""

    before: Scalar
    after: Scalar


@dataclass(frozen=True, slots=True)
class InviteDecision:
    """Whether a row's user is invited.

    Attributes:
        send: whether an invite goes out.
        channel: by what, e.g. `email`.
        reason: why not, where it does not.
    """

    send: bool
    channel: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one row's user.

    Attributes:
        row: the sheet row; None for a user that is not in the sheet.
        username: as stored for an existing user, as in the sheet for a new one.
        action: what happens.
        password: what happens to the password.
        fields: what differs, by field name.
        add: groups that the user is added to.
        remove: groups that the user is taken out of.
        invite: whether the user is invited.
        ref: the backend's id of the user, where there is one already.
        seen: a digest of what the backend said of that user when the plan was made.
    """

    row: int | None
    username: str
    action: Action
    password: PasswordAction
    fields: Mapping[str, FieldChange] = field(default_factory=dict)
    add: tuple[GroupPath, ...] = ()
    remove: tuple[GroupPath, ...] = ()
    invite: InviteDecision
    ref: str | None = None
    seen: str | None = None
