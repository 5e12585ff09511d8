"""Matches the groups that rows name with those that the backend has."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from musterroll.contract.users import Group, GroupPath, fold_path
from musterroll.journal.targets import Target
from musterroll.plan.near_names import NearPaths


class GroupIndex:
    """The groups of the backend, and those that the plan will create.

    Args:
        groups: all groups of the backend.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        self._targets: dict[GroupPath, Target] = {}
        self._by_ref: dict[str, Target] = {}
        self._numbers = count(1)
        self._spellings: dict[GroupPath, Target] = {}  # the paths as rows spell them
        self._near: dict[GroupPath, GroupPath | None] = {}
        # Parents first, so that their numbers are known.
        for group in sorted(groups, key=lambda group: len(group.path)):
            self._by_ref[group.ref] = self._add(fold_path(group.path), group.path, group.ref)
        self._existing: NearPaths | None = None

    def _add(self, folded: GroupPath, path: GroupPath, ref: str | None) -> Target:
        parent = self._targets.get(folded[:-1])
        target = Target(path, next(self._numbers), parent.id if parent else None, ref)
        # Of two groups that fold to one name rows mean the first; a portal that has both keeps them apart itself.
        self._targets.setdefault(folded, target)
        return target

    def __len__(self) -> int:
        """How many groups the backend has."""
        return len(self._by_ref)

    def find(self, path: GroupPath) -> Target | None:
        """Returns the group of that name: an existing one, or one that the plan will create."""
        target = self._spellings.get(path)
        if target is None and (target := self._targets.get(fold_path(path))) is not None:
            self._spellings[path] = target
        return target

    def of_ref(self, ref: str) -> Target | None:
        """Returns an existing group by the backend's id."""
        return self._by_ref.get(ref)

    def create(self, path: GroupPath) -> Target:
        """Notes that a group is to be created, and those above it; existing levels keep their spelling."""
        target: Target | None = None
        for depth in range(1, len(path) + 1):
            folded = fold_path(path[:depth])
            spelled = (*(target.path if target else ()), path[depth - 1])
            target = self._targets.get(folded) or self._add(folded, spelled, None)
        assert target is not None
        return target

    def ancestors(self, target: Target) -> list[Target]:
        """Returns the groups above and the group itself, from the top."""
        folded = fold_path(target.path)
        above = (self._targets.get(folded[:depth]) for depth in range(1, len(folded)))
        return [*(level for level in above if level is not None), target]

    def exists(self, path: GroupPath) -> bool:
        """Whether the backend has the group."""
        target = self.find(path)
        return target is not None and target.ref is not None

    def near(self, path: GroupPath) -> GroupPath | None:
        """Returns an existing group that differs in one level only, and in that by a slip of the pen."""
        if self._existing is None:
            self._existing = NearPaths(folded for folded, target in self._targets.items() if target.ref is not None)
        folded = fold_path(path)
        if folded not in self._near:
            found = self._existing.find(folded)
            self._near[folded] = None if found is None else self._targets[self._existing[found]].path
        return self._near[folded]
