"""Performing the operations on groups: creating them, filling and emptying them in batches."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress

import ldap

from musterroll import AddMembers, CreateGroup, DeleteGroup, RemoveMembers, Result, Status, UserRef
from musterroll_plugins.backends.ldap.connection import Connection
from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.entries import UserEntries
from musterroll_plugins.backends.ldap.group_index import NAME, DirectoryGroup, DirectoryGroups, GroupShape
from musterroll_plugins.backends.ldap.links import Links
from musterroll_plugins.backends.ldap.names import child, comparable, rdn
from musterroll_plugins.backends.ldap.numbers import Numbers
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.ranges import all_values
from musterroll_plugins.backends.ldap.requests import (
    ANY,
    Add,
    Answer,
    Change,
    Delete,
    Modify,
    Request,
    Search,
    Work,
    find_one,
)
from musterroll_plugins.backends.ldap.users import GONE, UserOperations

_GONE = "the group no longer exists; run the sheet again"
_PARENT_GONE = "the parent group no longer exists; run the sheet again"
# What servers say to members that are there already, or that are not there.
_THERE = (ldap.TYPE_OR_VALUE_EXISTS, ldap.ALREADY_EXISTS)
_NOT_THERE = (ldap.NO_SUCH_ATTRIBUTE, ldap.UNWILLING_TO_PERFORM)


class GroupOperations:
    """Creates and deletes groups, adds and removes members.

    Args:
        connection: to the directory.
        options: of the backend.
        dialect: what kind of directory it is.
        shape: what its groups look like.
        users: finds users, and moves them where groups decide.
        entries: knows where they belong.
        links: keeps memberships.
        numbers: gives free numbers.
    """

    def __init__(
        self,
        connection: Connection,
        options: LdapOptions,
        dialect: Dialect,
        shape: GroupShape,
        users: UserOperations,
        entries: UserEntries,
        links: Links,
        numbers: Numbers,
    ) -> None:
        self._connection, self._options, self._dialect, self._shape = connection, options, dialect, shape
        self._users, self._entries, self._links, self._numbers = users, entries, links, numbers
        self._index: DirectoryGroups | None = None

    @property
    def index(self) -> DirectoryGroups:
        """All groups, read once; `forget` makes it be read again.

        Raises:
            ldap.LDAPError: the server refuses to show them.
        """
        if self._index is None:
            self._index = DirectoryGroups(self._connection, self._options, self._dialect, self._shape)
        return self._index

    def forget(self) -> None:
        """Notes that the groups have changed."""
        self._index = None

    # -- creating and deleting ------------------------------------------------------------------------------

    def create(self, op: CreateGroup) -> Work:
        """Creates a group unless there is one of that name, and puts it into the one above."""
        parent = None if op.parent is None else self.index.get(op.parent.ref)
        if op.parent is not None and parent is None:
            return Result(op.id, Status.FAILED, detail=_PARENT_GONE)
        found = self.index.at(op.path)
        status = Status.NOOP
        if found is None:
            found, status = yield from self._add(op)
            self.index.add(found, op.path)
        if parent is not None and self._shape.nesting == "members" and not self.index.is_linked(found, parent):
            with suppress(*_THERE):
                yield Modify(parent.dn, [Change(self._shape.member, [found.dn.encode()], ldap.MOD_ADD)])
            self.index.link(found, parent)
        done = found.key == op.id or status is Status.DONE
        return Result(op.id, Status.DONE if done else Status.NOOP, found.ref)

    def _add(self, op: CreateGroup) -> Generator[Request, Answer, tuple[DirectoryGroup, Status]]:
        shape = self._shape
        name = shape.name(op.path)
        dn = child(rdn(NAME, name), shape.base)
        number = self._numbers.take("gidNumber", self._options.first_gid) if shape.by_username else b""
        held = shape.new(name, dn, op.id, number)
        status = Status.DONE
        try:
            answer = yield Add(dn, held, self._dialect.told)
            ref = self._dialect.ref_in(answer)
        except ldap.ALREADY_EXISTS:
            found = yield from find_one(Search(dn, shape.filter, [NAME, self._dialect.id_attribute]))
            if found is not None:
                ref, status = self._dialect.ref_of(found.entry), Status.NOOP
            else:
                other = self._dialect.another_logon_name(held, op.id)
                if other is None:
                    raise
                ref = self._dialect.ref_in((yield Add(dn, other, self._dialect.told)))
        if ref is None:
            found = yield from find_one(Search(dn, ANY, [self._dialect.id_attribute]))
            ref = None if found is None else self._dialect.ref_of(found.entry)
        key = op.id if status is Status.DONE else None
        return DirectoryGroup(str(ref), dn, name, key), status

    def is_in_place(self, op: CreateGroup, group: DirectoryGroup) -> bool:
        """Whether a group is inside the one that it is to be in."""
        if op.parent is None or self._shape.nesting != "members":
            return True
        parent = self.index.get(op.parent.ref)
        return parent is not None and self.index.is_linked(group, parent)

    def delete(self, op: DeleteGroup) -> Work:
        """Deletes an empty group; one that is gone already is no failure."""
        group = self.index.get(op.group.ref)
        if group is None:
            return Result(op.id, Status.NOOP)
        members = yield from self._members(group)
        if members is None:
            return Result(op.id, Status.NOOP)
        if any(self.index.by_dn(member) for member in members if not self._shape.by_username):
            return Result(op.id, Status.FAILED, detail="the group still has subgroups")
        if members:
            return Result(op.id, Status.FAILED, detail="the group still has members")
        if self.index.has_inner(group):
            return Result(op.id, Status.FAILED, detail="the group still has subgroups")
        yield Delete(group.dn)
        if not self._shape.by_username:
            yield from self._links.follow(group.dn, None)
        self.forget()
        return Result(op.id, Status.DONE)

    def _members(self, group: DirectoryGroup) -> Generator[Request, Answer, list[str] | None]:
        """Returns the members of a group, as they are now; None where the group is gone."""
        found = yield from find_one(Search(group.dn, ANY, [self._shape.member]))
        if found is None:
            return None
        values = all_values(self._connection, found, self._shape.member)
        members = [value.decode("utf-8", "replace") for value in values]
        if self._shape.by_username:
            return members
        return [member for member in members if not self._shape.is_placeholder(member, group.dn)]

    # -- members --------------------------------------------------------------------------------------------

    def add(self, op: AddMembers) -> Work:
        """Adds members, as many at once as the options say."""
        group = self._group(op.group.ref)
        if group is None:
            return Result(op.id, Status.FAILED, detail=_GONE)
        values, refused = yield from self._values(op.members)
        changed = yield from self._change(group, values, ldap.MOD_ADD, refused)
        if changed is None:
            return Result(op.id, Status.FAILED, detail=_GONE)
        place = self._entries.place_of_group(op.group.path)
        for member in op.members if place is not None else ():
            if member.ref not in refused and place is not None:
                yield from self._users.move_below(member.ref, place)
        return Result(op.id, Status.DONE if changed or refused else Status.NOOP, refused=refused)

    def remove(self, op: RemoveMembers) -> Work:
        """Takes members out."""
        group = self._group(op.group.ref)
        if group is None:
            return Result(op.id, Status.NOOP)
        values, _ = yield from self._values(op.members)
        refused: dict[str, str] = {}
        changed = yield from self._change(group, values, ldap.MOD_DELETE, refused)
        return Result(op.id, Status.DONE if changed or refused else Status.NOOP, refused=refused)

    def _group(self, ref: str) -> DirectoryGroup | None:
        group = self.index.get(ref)
        if group is None:  # created since
            self.forget()
            group = self.index.get(ref)
        return group

    def _values(self, members: Sequence[UserRef]) -> Generator[Request, Answer, tuple[dict[str, str], dict[str, str]]]:
        """Returns what users are called among members, by their ids; and why some are not there."""
        values: dict[str, str] = {}
        refused: dict[str, str] = {}
        for member in members:
            value = self._users.member_value(member.ref)
            if value is None:
                found = yield from self._users.locate(member.ref)
                value = None if found is None else self._users.member_value(member.ref)
            if value is None:
                refused[member.ref] = GONE
            else:
                values[member.ref] = value
        return values, refused

    def _change(
        self, group: DirectoryGroup, values: Mapping[str, str], how: int, refused: dict[str, str]
    ) -> Generator[Request, Answer, bool | None]:
        """Adds or removes members, in batches; returns whether anything changed, or None where the group is gone."""
        pairs, size, changed = list(values.items()), self._options.member_batch, False
        for start in range(0, len(pairs), size):
            batch = dict(pairs[start : start + size])
            try:
                yield self._modify(group, list(batch.values()), how)
            except (*_THERE, *_NOT_THERE, ldap.NO_SUCH_OBJECT, ldap.OBJECT_CLASS_VIOLATION):
                done = yield from self._change_what_differs(group, batch, how, refused)
                if done is None:
                    return None
                changed |= done
            else:
                changed = True
        return changed

    def _modify(self, group: DirectoryGroup, values: Sequence[str], how: int) -> Modify:
        return Modify(group.dn, [Change(self._shape.member, [value.encode() for value in values], how)])

    def _change_what_differs(
        self, group: DirectoryGroup, batch: Mapping[str, str], how: int, refused: dict[str, str]
    ) -> Generator[Request, Answer, bool | None]:
        """Looks who is a member, and adds or removes the others; one by one where that is refused as well."""
        members = yield from self._members(group)
        if members is None:
            return None
        present = {self._comparable(member) for member in members}
        adds = how == ldap.MOD_ADD
        left = {ref: value for ref, value in batch.items() if (self._comparable(value) in present) != adds}
        if not left:
            return False
        values = list(left.values())
        request = self._modify(group, values, how)
        if not adds and self._shape.needs_member and len(members) == len(left):  # the last ones
            nobody = Change(self._shape.member, [self._shape.placeholder(group.dn).encode()])
            request = Modify(group.dn, [nobody])
        try:
            yield request
        except ldap.LDAPError:
            return (yield from self._one_by_one(group, left, how, refused))
        return True

    def _one_by_one(
        self, group: DirectoryGroup, left: Mapping[str, str], how: int, refused: dict[str, str]
    ) -> Generator[Request, Answer, bool]:
        changed = False
        for ref, value in left.items():
            try:
                yield self._modify(group, [value], how)
            except ldap.LDAPError as error:
                refused[ref] = self._dialect.explain(error)
            else:
                changed = True
        return changed

    def _comparable(self, member: str) -> str:
        return member if self._shape.by_username else comparable(member)

    def inside(self, ref: str, members: Sequence[UserRef]) -> Generator[Request, Answer, set[str] | None]:
        """Returns the ids of those who are in a group; None where there is no such group."""
        group = self._group(ref)
        listed = None if group is None else (yield from self._members(group))
        if listed is None:
            return None
        present = {self._comparable(member) for member in listed}
        values, _ = yield from self._values(members)
        return {ref for ref, value in values.items() if self._comparable(value) in present}
