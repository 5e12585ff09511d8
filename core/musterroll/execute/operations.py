"""From a stored operation to the one that a backend performs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from musterroll.contract.frozen import FrozenDict
from musterroll.contract.operations import (
    OPERATIONS,
    CreateGroup,
    CreateUser,
    GroupRef,
    Kind,
    Op,
    Result,
    UpdateUser,
    UserRef,
)
from musterroll.contract.translation import gettext
from musterroll.contract.users import Desired
from musterroll.errors import MusterrollError, PluginError
from musterroll.execute.passwords import Passwords
from musterroll.journal.change import PasswordAction
from musterroll.journal.operations import PlannedUser, StoredOp
from musterroll.registry.masks import masked

_MEMBERSHIPS = (Kind.ADD_MEMBERS, Kind.REMOVE_MEMBERS)


class NotPossibleError(Exception):
    """What the operation builds on is not there; the text says what."""


def operation_id(job: str, seq: int) -> str:
    """The stable id of an operation."""
    return f"{job}-{seq}"


def make_operation(stored: StoredOp, job: str, passwords: Passwords, *, was_handed_over: bool = False) -> Op | None:
    """Makes the operation, with the ids and passwords that it needs now.

    Args:
        stored: what there is to do.
        job: the job's id.
        passwords: those of the sheet, and those that are made.
        was_handed_over: whether the portal has had it already, and only is asked what became of it.

    Returns:
        The operation; None where nothing is left to do.

    Raises:
        NotPossibleError: the user or group that it is about does not exist.
    """
    id_ = operation_id(job, stored.seq)
    if stored.user is not None:
        return _of_user(stored.kind, stored.user, id_, passwords, is_new=not was_handed_over)
    assert stored.group is not None
    path = stored.group.path
    if stored.kind is Kind.CREATE_GROUP:
        if stored.parent is not None and not stored.parent.ref:
            raise NotPossibleError(
                gettext("the group {group} could not be created", group="|".join(stored.parent.path))
            )
        return CreateGroup(id=id_, path=path, parent=stored.parent)
    if stored.group.ref is None:
        raise NotPossibleError(gettext("the group {group} could not be created", group="|".join(path)))
    make, group = OPERATIONS[stored.kind].make, GroupRef(stored.group.ref, path)
    if stored.kind not in _MEMBERSHIPS:
        return make(id=id_, group=group)
    return make(id=id_, group=group, members=stored.members) if stored.members else None


def _of_user(kind: Kind, user: PlannedUser, id_: str, passwords: Passwords, *, is_new: bool) -> Op:
    if kind is Kind.CREATE_USER:
        password = passwords.first(user, is_new=is_new) if user.password is PasswordAction.SET else None
        desired = Desired(username=user.username, fields=FrozenDict(user.after))
        return CreateUser(id=id_, user=desired, password=password)
    if user.ref is None:
        raise NotPossibleError(gettext("the user does not exist"))
    if user.lacks:
        raise NotPossibleError(gettext("the user {name} is not there", name=", ".join(user.lacks)))
    ref = UserRef(user.ref, user.username)
    if kind not in (Kind.UPDATE_USER, Kind.REFER):
        return OPERATIONS[kind].make(id=id_, user=ref)
    password = passwords.of(user.row) if user.password is PasswordAction.RESET else None
    changes, before = FrozenDict(user.after), FrozenDict(user.before)
    return UpdateUser(id=id_, user=ref, changes=changes, before=before, password=password)


def without_secret(result: Result, op: Op) -> Result:
    """Takes the operation's password out of what a portal says of it: some repeat what they refuse."""
    if result.detail is None and not result.refused:
        return result
    password = op.password if isinstance(op, CreateUser | UpdateUser) else None
    if password is None:
        return result
    secrets = [password.reveal()]
    detail = None if result.detail is None else masked(result.detail, secrets)
    return replace(result, detail=detail, refused={name: masked(why, secrets) for name, why in result.refused.items()})


def take_secrets_out(error: MusterrollError, in_flight: Iterable[Op]) -> None:
    """Takes the passwords that a backend was given out of what it raised."""
    for op in in_flight:
        password = op.password if isinstance(op, CreateUser | UpdateUser) else None
        if password is None:
            continue
        message = masked(error.message, [password.reveal()])
        if message != error.message:
            error.message, error.args = message, (message,)
            if isinstance(error, PluginError):
                error.cause = masked(error.cause, [password.reveal()])
            # The traceback of what lies behind would tell it as well.
            error.__cause__, error.__suppress_context__ = None, True
