"""What became of operations that have no answer. Nothing here writes to the directory."""

from __future__ import annotations

import ldap

from musterroll import (
    AddMembers,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Op,
    Reactivate,
    RemoveMembers,
    Result,
    Status,
    UpdateUser,
)
from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.entries import USERNAME, UserEntries
from musterroll_plugins.backends.ldap.groups import GroupOperations
from musterroll_plugins.backends.ldap.names import equals
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.requests import Found, Search, Work
from musterroll_plugins.backends.ldap.users import UserOperations


class Resolver:
    """Looks at the directory as it is now.

    Args:
        options: of the backend.
        dialect: what kind of directory it is.
        entries: compares users.
        users: finds users.
        groups: finds groups.
    """

    def __init__(
        self,
        options: LdapOptions,
        dialect: Dialect,
        entries: UserEntries,
        users: UserOperations,
        groups: GroupOperations,
    ) -> None:
        self._options, self._dialect, self._entries = options, dialect, entries
        self._users, self._groups = users, groups

    def outcome(self, op: Op) -> Work:
        """Says what became of one."""
        match op:
            case CreateUser():
                return (yield from self._of_creation(op))
            case CreateGroup():
                return self._of_group(op)
            case UpdateUser():
                # A password cannot be read; setting it again does no harm.
                found = yield from self._users.locate(op.user.ref)
                is_so = found is not None and op.password is None and self._users.is_so(op.changes, found)
            case Deactivate() | Reactivate():
                found = yield from self._users.locate(op.user.ref)
                is_so = found is not None and self._entries.is_active(found) == isinstance(op, Reactivate)
            case AddMembers():
                inside = yield from self._groups.inside(op.group.ref, op.members)
                is_so = inside is not None and all(member.ref in inside for member in op.members)
            case RemoveMembers():
                inside = yield from self._groups.inside(op.group.ref, op.members)
                is_so = not inside
            case DeleteUser():
                is_so = (yield from self._users.locate(op.user.ref)) is None
            case DeleteGroup():
                is_so = self._groups.index.get(op.group.ref) is None
            case _:
                is_so = False
        return Result(op.id, Status.DONE if is_so else Status.NOT_DONE)

    def _of_creation(self, op: CreateUser) -> Work:
        self._users.doubted.add(op.id)
        if self._options.key_attribute:
            wanted = equals(self._options.key_attribute, op.id)
            answer = yield Search(self._options.base, wanted, self._entries.asked, ldap.SCOPE_SUBTREE)
            for found in answer.entries:
                return self._made(op, found)
        for found in (yield from self._users.named(op.user.username)):
            if self._users.is_ours(op, found):
                return self._made(op, found)
            name = self._entries.values(found.entry).get(USERNAME)
            ref = self._dialect.ref_of(found.entry)
            return Result(op.id, Status.CONFLICT, ref, f'the username is taken by "{name}"')
        if op.id in self._users.refused:
            return Result(op.id, Status.CONFLICT, detail=self._users.refused[op.id])
        return Result(op.id, Status.NOT_DONE)

    def _made(self, op: CreateUser, found: Found) -> Result:
        ref = self._dialect.ref_of(found.entry)
        if ref is None:
            return Result(op.id, Status.UNKNOWN)
        self._users.note(ref, found)
        if op.password is not None and self._dialect.password_is_apart:
            # Whether the password got through cannot be seen: it is set again, and then the creation is done.
            self._users.unfinished[op.id] = ref
            return Result(op.id, Status.NOT_DONE)
        return Result(op.id, Status.DONE, ref)

    def _of_group(self, op: CreateGroup) -> Result:
        found = self._groups.index.at(op.path)
        if found is None or not self._groups.is_in_place(op, found):
            return Result(op.id, Status.NOT_DONE)
        # Without our mark a group is not told from one that was there: either way there is one.
        own = found.key == op.id
        return Result(op.id, Status.DONE if own else Status.NOOP, found.ref)
