"""The groups of a directory at one moment: their paths, however it keeps them, and who is in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from musterroll import Group, GroupPath, fold_path
from musterroll_plugins.backends.ldap.connection import Connection
from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.names import comparable, equals
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.ranges import all_values
from musterroll_plugins.backends.ldap.requests import Found
from musterroll_simple import join_path, split_path

NAME = "cn"
# Of a group with several outer ones so many paths are shown.
_MOST_PATHS = 16
_MEMBER = {"groupOfNames": "member", "groupOfUniqueNames": "uniqueMember", "posixGroup": "memberUid", "group": "member"}


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """A group as the directory has it."""

    ref: str
    dn: str
    name: str
    key: str | None
    number: bytes | None = None


class GroupShape:
    """What the groups of a directory look like.

    Attributes:
        group_class: their object class.
        member: the attribute that holds the members.
        by_username: members are usernames, not names of entries.
        needs_member: a group without any is not taken.
        nesting: how groups inside groups are kept.
        asked: what is asked for of a group.
        filter: which entries are groups.
    """

    def __init__(self, options: LdapOptions, dialect: Dialect) -> None:
        self._options, self._dialect = options, dialect
        self.group_class = options.group_class or dialect.group_class
        self.member = _MEMBER[self.group_class]
        self.by_username = self.group_class == "posixGroup"
        self.needs_member = self.group_class in ("groupOfNames", "groupOfUniqueNames")
        self.nesting = options.nesting or ("path" if self.by_username else "members")
        self.base = options.groups or options.base
        more = [name for name in (options.key_attribute, dialect.group_number) if name]
        above = "memberOf" if dialect.shows_groups else self.member
        # With several thousand members this is most of what a directory holds, so it is asked for where it is needed.
        self.asked = [NAME, dialect.id_attribute, above, *more]
        self.filter = equals("objectClass", self.group_class)

    def name(self, path: GroupPath) -> str:
        """Returns under what name a group is kept: all its levels, so that no two groups have the same."""
        return join_path(path, self._options.path_separator) if self.nesting != "none" else path[-1]

    def levels(self, name: str) -> GroupPath:
        """Takes a name apart."""
        return split_path(name, self._options.path_separator) if self.nesting != "none" else (name,)

    def new(self, name: str, dn: str, key: str, number: bytes) -> dict[str, Sequence[bytes]]:
        """Makes the attributes of a new group.

        Args:
            name: under which it is kept.
            dn: of its entry.
            key: our mark.
            number: where it needs one.
        """
        held: dict[str, Sequence[bytes]] = {"objectClass": [self.group_class.encode()], NAME: [name.encode()]}
        held.update(self._dialect.for_new_group(name))
        if self.needs_member:
            held[self.member] = [self.placeholder(dn).encode()]
        if self.by_username:
            held["gidNumber"] = [number]
        if self._options.key_attribute:
            held[self._options.key_attribute] = [key.encode()]
        return held

    def placeholder(self, dn: str) -> str:
        """Returns who is a member of a group that has none: itself, where the options name nobody."""
        return self._options.placeholder or dn

    def is_placeholder(self, member: str, dn: str) -> bool:
        """Whether a member is none, but stands for nobody."""
        return comparable(member) in (comparable(dn), comparable(self.placeholder(dn)))


class DirectoryGroups:
    """All groups at one moment.

    Args:
        connection: to the directory.
        options: of the backend.
        dialect: what kind of directory it is.
        shape: what its groups look like.

    Raises:
        ldap.LDAPError: the server refuses to show them.
    """

    def __init__(self, connection: Connection, options: LdapOptions, dialect: Dialect, shape: GroupShape) -> None:
        self._options, self._dialect, self._shape = options, dialect, shape
        self._groups: dict[str, DirectoryGroup] = {}
        self._by_dn: dict[str, str] = {}
        self._of_member: dict[str, set[str]] = defaultdict(set)
        inside: dict[str, list[str]] = defaultdict(list)  # groups by the groups that are inside them
        raw = [self._read(connection, found) for found in connection.search(shape.base, shape.filter, shape.asked)]
        found = [one for one in raw if one is not None]
        self._by_dn = {comparable(group.dn): group.ref for group, _ in found}
        self._by_number = {group.number: group.ref for group, _ in found if group.number is not None}
        for group, listed in found:
            self._groups[group.ref] = group
            if dialect.shows_groups:
                inside[comparable(group.dn)] = [comparable(dn) for dn in listed]
                continue
            for member in listed:
                if shape.by_username:
                    self._of_member[member].add(group.ref)
                elif not shape.is_placeholder(member, group.dn):
                    name = comparable(member)
                    if name in self._by_dn:
                        inside[name].append(comparable(group.dn))
                    else:
                        self._of_member[name].add(group.ref)
        self._inside = inside if shape.nesting == "members" else {}
        self._slots: dict[GroupPath, str] = {}
        for listed_group in self.listed():
            self._slots.setdefault(fold_path(listed_group.path), listed_group.ref)

    def _read(self, connection: Connection, found: Found) -> tuple[DirectoryGroup, list[str]] | None:
        ref, names = self._dialect.ref_of(found.entry), found.entry.get(NAME)
        if ref is None or not names:
            return None
        named = found.dn.partition("=")[2].lower()
        texts = [value.decode("utf-8", "replace") for value in names]
        # Of several names the one counts that the entry is named by.
        name = next((text for text in texts if named.startswith(text.lower())), texts[0])
        key = found.entry.get(self._options.key_attribute.lower())
        number = found.entry.get((self._dialect.group_number or "").lower(), [None])[0]
        attribute = "memberOf" if self._dialect.shows_groups else self._shape.member
        listed = [value.decode("utf-8", "replace") for value in all_values(connection, found, attribute)]
        return DirectoryGroup(ref, found.dn, name, key[0].decode() if key else None, number), listed

    def listed(self) -> Iterator[Group]:
        """Yields the groups; one with several outer ones under each of its paths."""
        for group in self._groups.values():
            for path in self._paths(group):
                yield Group(ref=group.ref, path=path, key=group.key)

    def get(self, ref: str) -> DirectoryGroup | None:
        """Returns a group by its id."""
        return self._groups.get(ref)

    def at(self, path: GroupPath) -> DirectoryGroup | None:
        """Returns the group of a path."""
        ref = self._slots.get(fold_path(path))
        return None if ref is None else self._groups[ref]

    def by_dn(self, dn: str) -> str | None:
        """Returns the id of the group of this name."""
        return self._by_dn.get(comparable(dn))

    def by_number(self, number: bytes) -> str | None:
        """Returns the id of the group of this number."""
        return self._by_number.get(number)

    def of_member(self, member: str) -> frozenset[str]:
        """Returns the ids of the groups that someone is a direct member of: a username, or a comparable name."""
        return frozenset(self._of_member.get(member, ()))

    def is_linked(self, group: DirectoryGroup, parent: DirectoryGroup) -> bool:
        """Whether a group is a member of another."""
        return comparable(parent.dn) in self._inside.get(comparable(group.dn), ())

    def has_inner(self, group: DirectoryGroup) -> bool:
        """Whether there are groups inside a group."""
        name = comparable(group.dn)
        if any(name in above for above in self._inside.values()):
            return True
        path = fold_path(self._shape.levels(group.name))
        return any(len(slot) > len(path) and slot[: len(path)] == path for slot in self._slots)

    def add(self, group: DirectoryGroup, path: GroupPath) -> None:
        """Notes a group that was created."""
        self._groups[group.ref] = group
        self._by_dn[comparable(group.dn)] = group.ref
        self._slots[fold_path(path)] = group.ref

    def link(self, group: DirectoryGroup, parent: DirectoryGroup) -> None:
        """Notes that a group was put into another."""
        if self._shape.nesting == "members":
            self._inside[comparable(group.dn)] = [*self._inside.get(comparable(group.dn), ()), comparable(parent.dn)]

    def _paths(self, group: DirectoryGroup) -> Sequence[GroupPath]:
        levels = self._shape.levels(group.name)
        if self._shape.nesting != "members":
            return (levels,)
        paths: list[GroupPath] = []
        # From the group upwards; a ring of groups that are inside each other has no top and ends where it began.
        climbing: list[tuple[DirectoryGroup, GroupPath, frozenset[str]]] = [(group, (), frozenset())]
        while climbing and len(paths) < _MOST_PATHS:
            at, below, seen = climbing.pop()
            seen |= {at.ref}
            refs = [self._by_dn.get(name) for name in self._inside.get(comparable(at.dn), ())]
            above = [self._groups[ref] for ref in refs if ref is not None and ref not in seen and ref in self._groups]
            levels = self._shape.levels(at.name)
            if not above:
                # A group that is inside no other one and has several levels in its name was put there by its name.
                paths.append((*levels, *below))
            climbing += [(parent, (levels[-1], *below), seen) for parent in reversed(above)]
        return list(dict.fromkeys(paths))
