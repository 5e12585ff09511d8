"""The groups of a portal: their paths, however it keeps them, and who is in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from musterroll import CreateGroup, Group, GroupPath, fold, fold_path
from musterroll_plugins.backends.group_names import split_path
from musterroll_plugins.backends.scim.answers import usable_id, whole
from musterroll_plugins.backends.scim.paths import Json, Resource, get_key, objects

Nesting: TypeAlias = Literal["members", "path", "none"]
Slot: TypeAlias = tuple[str | None, GroupPath]
"""Where a group is: inside which one (None: at the top), and its folded name or path."""

# Of a group with several outer ones, which SCIM allows, so many paths are shown.
_MOST_PATHS = 16


@dataclass(frozen=True, slots=True)
class ScimGroup:
    """A group as the portal has it; `members` are the values of its members, users and groups alike."""

    ref: str
    name: str
    key: str | None
    members: tuple[str, ...]

    @classmethod
    def read(cls, resource: Resource) -> ScimGroup | None:
        """Reads a group; None where it has no id or no name.

        Raises:
            BackendError: the id is none that can be kept.
        """
        ref, name, key = (get_key(resource, attribute) for attribute in ("id", "displayName", "externalId"))
        if not isinstance(ref, str | int) or not isinstance(name, str) or ref == "" or not name:
            return None
        own = usable_id(ref, f'the group "{whole(name)[:100]}"')
        key = whole(key) if isinstance(key, str) and key else None
        return cls(own, whole(name), key, tuple(member_values(resource)))


def member_values(resource: Resource) -> Iterator[str]:
    """Yields the values of a group's members."""
    for member in objects(resource, "members"):
        value: Json = get_key(member, "value")
        if isinstance(value, str | int) and value != "":
            yield str(value)


class GroupIndex:
    """All groups at one moment.

    Args:
        groups: as the portal has them.
        nesting: how it keeps groups inside groups.
        separator: of the levels, where they are in the name.
    """

    def __init__(self, groups: Iterable[ScimGroup], nesting: Nesting, separator: str) -> None:
        self._groups = {group.ref: group for group in groups}
        self._nesting, self._separator = nesting, separator
        self._parents: dict[str, list[str]] = defaultdict(list)
        self._of_user: dict[str, set[str]] = defaultdict(set)
        for group in self._groups.values():
            for member in group.members:
                if member not in self._groups:
                    self._of_user[member].add(group.ref)
                elif nesting == "members":
                    self._parents[member].append(group.ref)
        self._slots: dict[Slot, ScimGroup] = {}
        for group in self._groups.values():
            for slot in self._slots_of(group):
                self._slots.setdefault(slot, group)
        self._keys = {group.key: group for group in self._groups.values() if group.key is not None}

    def listed(self) -> Iterator[Group]:
        """Yields the groups; one with several outer ones under each of its paths."""
        for group in self._groups.values():
            for path in self._paths(group):
                yield Group(ref=group.ref, path=path, key=group.key)

    def named(self, name: str) -> list[ScimGroup]:
        """Returns the groups that the portal keeps under a name."""
        return [group for group in self._groups.values() if fold(group.name) == fold(name)]

    def of_user(self, ref: str) -> frozenset[str]:
        """Returns the refs of the groups that a user is a direct member of."""
        return frozenset(self._of_user.get(ref, ()))

    def slot(self, op: CreateGroup) -> Slot:
        """Returns where a new group is to be."""
        if self._nesting == "members":
            return (op.parent.ref if op.parent else None), (fold(op.path[-1]),)
        return None, fold_path(op.path)

    def at(self, slot: Slot) -> ScimGroup | None:
        """Returns the group that is there."""
        return self._slots.get(slot)

    def by_key(self, key: str) -> ScimGroup | None:
        """Returns the group that an operation created."""
        return self._keys.get(key)

    def is_in(self, ref: str, slot: Slot) -> bool:
        """Whether a group is where it is to be."""
        group = self._groups.get(ref)
        return group is not None and slot in self._slots_of(group)

    def has(self, ref: str) -> bool:
        """Whether there is such a group."""
        return ref in self._groups

    def is_outer(self, ref: str) -> bool:
        """Whether there are groups inside a group that is kept in their names."""
        group = self._groups.get(ref)
        path = fold_path(self._own_path(group)) if group is not None else ()
        return any(len(inner) > len(path) > 0 and inner[: len(path)] == path for _, inner in self._slots)

    def add(self, group: ScimGroup, slot: Slot) -> None:
        """Notes a group that was created."""
        self._groups[group.ref] = group
        self._slots[slot] = group
        if self._nesting == "members" and slot[0] is not None:
            self._parents[group.ref].append(slot[0])
        if group.key is not None:
            self._keys[group.key] = group

    def _slots_of(self, group: ScimGroup) -> Iterator[Slot]:
        if self._nesting != "members":
            yield None, fold_path(self._own_path(group))
            return
        parents: list[str | None] = [*self._parents.get(group.ref, ())]
        for parent in parents or [None]:
            yield parent, (fold(group.name),)

    def _own_path(self, group: ScimGroup) -> GroupPath:
        return split_path(group.name, self._separator) if self._nesting == "path" else (group.name,)

    def _paths(self, group: ScimGroup) -> list[GroupPath]:
        if self._nesting != "members":
            return [self._own_path(group)]
        paths: list[GroupPath] = []
        # From the group upwards; a ring of groups that are inside each other has no top and ends where it began.
        climbing: list[tuple[str, GroupPath, frozenset[str]]] = [(group.ref, (group.name,), frozenset({group.ref}))]
        while climbing and len(paths) < _MOST_PATHS:
            ref, path, seen = climbing.pop()
            above = [parent for parent in self._parents.get(ref, ()) if parent not in seen]
            if not above:
                paths.append(path)
            climbing += [(p, (self._groups[p].name, *path), seen | {p}) for p in reversed(above)]
        return list(dict.fromkeys(paths))
