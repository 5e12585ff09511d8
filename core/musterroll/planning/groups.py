"""Matches the groups that rows name with those that the backend has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import count

from musterroll.model.users import Group, GroupPath, fold_path

_WORD = re.compile(r"\d+|[^\W\d]+")


@dataclass(slots=True)
class Target:
    """A group that the plan may touch.

    Attributes:
        id: its number in the plan.
        path: its levels; the stored spelling, or that of the first row that names it.
        parent: the number of the group above.
        ref: the backend's id; None for a group that does not exist.
        stored: whether the plan's store has it already.
    """

    id: int
    path: GroupPath
    parent: int | None
    ref: str | None
    stored: bool = False


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
        # By all levels but one: names that can be taken for one another stand in the same place.
        self._siblings: dict[tuple[int, GroupPath], dict[str, GroupPath]] = {}
        for folded, target in self._targets.items():
            for place, level in enumerate(folded):
                self._siblings.setdefault(_around(folded, place), {})[level] = target.path

    def _add(self, folded: GroupPath, path: GroupPath, ref: str | None) -> Target:
        parent = self._targets.get(folded[:-1])
        target = Target(next(self._numbers), path, parent.id if parent else None, ref)
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

    def near(self, path: GroupPath) -> GroupPath | None:
        """Returns an existing group that differs in one level only, and in that by a slip of the pen."""
        folded = fold_path(path)
        if folded not in self._near:
            self._near[folded] = next(self._nearest(folded), None)
        return self._near[folded]

    def _nearest(self, folded: GroupPath) -> Iterator[GroupPath]:
        for place, level in enumerate(folded):
            siblings = self._siblings.get(_around(folded, place), {})
            others = [name for name in siblings if not _of_one_series(level, name)]
            yield from (siblings[name] for name in get_close_matches(level, others, n=1, cutoff=0.8))


def _around(folded: GroupPath, place: int) -> tuple[int, GroupPath]:
    return place, (*folded[:place], *folded[place + 1 :])


def _of_one_series(one: str, other: str) -> bool:
    """Whether two names differ in numbers or single letters only, as Team 1 and Team 2 do."""
    return _stem(one) == _stem(other)


def _stem(name: str) -> list[str]:
    return [word for word in _WORD.findall(name) if len(word) > 1 and not word.isdigit()]


@dataclass(frozen=True, slots=True)
class Membership:
    """What becomes of a row's groups: targets to add and to remove."""

    add: tuple[Target, ...] = ()
    remove: tuple[Target, ...] = ()
