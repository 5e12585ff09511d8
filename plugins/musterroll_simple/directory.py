"""Looking at a portal: users by search or by an index of all of them, groups, and who is in them."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from musterroll import Existing, Group, GroupPath, Matching, UserKey, fold, fold_path
from musterroll_simple.calls import Calls
from musterroll_simple.errors import Gone
from musterroll_simple.group_names import split_path
from musterroll_simple.readings import Readings
from musterroll_simple.user_index import UserIndex, value_of

if TYPE_CHECKING:
    from musterroll_simple.backend import SimpleBackend


class Groups:
    """The groups of a portal, as they were read.

    Args:
        groups: all of them.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        self._by_ref: dict[str, Group] = {}
        self._by_path: dict[GroupPath, Group] = {}
        self._outer: set[GroupPath] = set()
        for group in groups:
            self.add(group)

    def add(self, group: Group) -> None:
        """Adds a group that was created meanwhile."""
        self._by_ref[group.ref] = group
        path = fold_path(group.path)
        self._by_path.setdefault(path, group)
        self._outer.add(path[:-1])

    def __iter__(self) -> Iterator[Group]:
        return iter(self._by_ref.values())

    def get(self, ref: str) -> Group | None:
        """Returns the group of a ref."""
        return self._by_ref.get(ref)

    def at(self, path: GroupPath) -> Group | None:
        """Returns the group of a path, compared folded."""
        return self._by_path.get(fold_path(path))

    def is_outer(self, group: Group) -> bool:
        """Whether there are groups inside a group."""
        return fold_path(group.path) in self._outer


class Directory:
    """Looks at a portal, in the event loop.

    Args:
        backend: the team's.
        calls: to call it with.
    """

    def __init__(self, backend: SimpleBackend, calls: Calls) -> None:
        self._backend, self._calls = backend, calls
        self._readings = Readings(self._fill)
        self._groups: Groups | None = None
        self._memberships: Mapping[str, Collection[str]] | None = None
        self._written: dict[str, float] = {}  # ref -> when: what may not be seen everywhere yet
        trusts = backend.trusts_search
        self._trusts_search = backend.matching is Matching.FOLDED if trusts is None else trusts

    def wrote(self, ref: str) -> None:
        """Notes that a user was created or changed just now."""
        if self._backend.lag > 0:
            self._written[ref] = time.monotonic()

    def lag_of(self, ref: str) -> float:
        """For how many seconds a user may still look as if there were none."""
        return max(0.0, self._written.get(ref, float("-inf")) + self._backend.lag - time.monotonic())

    async def show_later(self, seconds: float) -> bool:
        """Waits a little of the time that is left for the portal to show something; returns whether to look again."""
        return seconds > 0 and await self._calls.pause(min(seconds, max(0.05, self._backend.lag / 10)))

    def forget(self) -> None:
        """Forgets everything that was read: it is about to change, or has changed."""
        self._readings.forget()
        self._groups = self._memberships = None
        self._written = {ref: at for ref, at in self._written.items() if self.lag_of(ref) > 0}

    # -- users ----------------------------------------------------------------------------------------------

    async def lookup(self, keys: Sequence[UserKey]) -> dict[UserKey, Sequence[Existing]]:
        """Finds users with their groups."""
        by_field: dict[str, list[UserKey]] = defaultdict(list)
        for key in keys:
            if key.folded:
                by_field[key.field].append(key)
        found: dict[UserKey, Sequence[Existing]] = {}
        for field, wanted in by_field.items():
            found |= await (self._search(wanted) if self._searched(field) else self._in_index(field, wanted))
        if not found or not self._backend.can("list_members"):
            return found
        groups = await self._all_memberships()
        return {key: [_in_groups(user, groups.get(user.ref, ())) for user in users] for key, users in found.items()}

    async def users_after(self, ref: str) -> list[Existing]:
        """Returns the next users by ref, after one, with their groups; all users are read for the first of them."""
        users = (await self._readings.known()).after(ref)
        if not users or not self._backend.can("list_members"):
            return users
        groups = await self._all_memberships()
        return [_in_groups(user, groups.get(user.ref, ())) for user in users]

    def _searched(self, field: str) -> bool:
        return self._trusts_search and self._can_search(field)

    def _can_search(self, field: str) -> bool:
        return self._backend.can("find_user") and field in self._backend.searches

    async def _search(self, keys: Sequence[UserKey]) -> dict[UserKey, Sequence[Existing]]:
        recent = [user for ref in list(self._written) if self.lag_of(ref) > 0 and (user := await self.user(ref))]

        async def one(key: UserKey) -> list[Existing]:
            spellings = [key.raw] if self._backend.matching is Matching.FOLDED else dict.fromkeys([key.raw, key.folded])
            shown = [user for text in spellings for user in await self._found(key.field, text)]
            fresh = [user for user in recent if fold(value_of(user, key.field) or "") == key.folded]
            return list({user.ref: user for user in [*shown, *fresh]}.values())

        found = await asyncio.gather(*map(one, keys))
        return {key: users for key, users in zip(keys, found, strict=True) if users}

    async def _in_index(self, field: str, keys: Sequence[UserKey]) -> dict[UserKey, Sequence[Existing]]:
        users = (await self._readings.known()).find(field, {key.folded for key in keys})
        return {key: users[key.folded] for key in keys if key.folded in users}

    async def _found(self, field: str, text: str) -> list[Existing]:
        async def ask() -> list[Existing]:
            found = await self._calls.once("find_user", field, text)
            if found is None or isinstance(found, Existing):
                found = () if found is None else (found,)
            return [user for user in found if fold(value_of(user, field) or "") == fold(text)]

        try:
            return await self._calls.read(ask)
        except Gone:
            return []

    async def find_now(self, name: str) -> list[Existing]:
        """Finds the users of a username as they are now, by the portal's own comparison where it can search."""
        if self._can_search("username"):
            return await self._found("username", name)
        return (await self._readings.fresh()).find("username", {fold(name)}).get(fold(name), [])

    async def find_late(self, name: str, since: float) -> list[Existing]:
        """Finds the users of a username that was perhaps created, as soon as the portal shows it.

        Args:
            name: the username.
            since: when it was, by `time.monotonic`.
        """
        while True:
            found = await self.find_now(name)
            left = since + self._backend.lag - time.monotonic()
            if found or not await self.show_later(left):
                return found

    async def user(self, ref: str) -> Existing | None:
        """Returns one user as it is now; None where there is none."""
        if not self._backend.can("get_user"):
            return (await self._readings.fresh()).get(ref)
        while True:
            try:
                user: Existing | None = await self._calls.read(lambda: self._calls.once("get_user", ref))
            except Gone:
                user = None
            left = self.lag_of(ref)
            if user is not None or not await self.show_later(left):
                return user

    async def count(self) -> int | None:
        """How many users there are; None where they are not read."""
        return None if self._searched("username") else len(await self._readings.known())

    async def _fill(self, index: UserIndex) -> None:
        async def read() -> None:
            async for users in self._calls.listed("users"):
                index.add(users)
            for ref in list(self._written):
                if self.lag_of(ref) > 0 and self._backend.can("get_user") and (user := await self.user(ref)):
                    index.add([user])

        async with self._calls.lists.reading():
            await self._calls.read(read)

    # -- groups ---------------------------------------------------------------------------------------------

    async def groups(self) -> Groups:
        """Returns all groups; read once until `forget`."""
        if self._groups is None:
            self._groups = await self.fresh_groups()
        return self._groups

    async def fresh_groups(self) -> Groups:
        """Reads all groups."""
        async with self._calls.lists.reading():
            groups: list[Group] = await self._calls.read(lambda: self._all("list_groups"))
        separator = self._backend.group_separator
        if separator is not None:
            groups = [replace(group, path=split_path(group.path[-1], separator)) for group in groups]
        return Groups(groups)

    async def members(self, group: str) -> set[str]:
        """Returns the refs of who is in a group, where the portal tells that of groups.

        Raises:
            Gone: there is no such group.
        """
        return set(await self._calls.read(lambda: self._all("list_members", group)))

    async def inside(self, group: str, users: Sequence[str]) -> set[str]:
        """Returns which of some users are in a group."""
        if self._backend.can("list_members"):
            try:
                return (await self.members(group)).intersection(users)
            except Gone:
                return set()
        read = await asyncio.gather(*map(self.user, users))
        return {ref for ref, user in zip(users, read, strict=True) if user is not None and group in user.groups}

    async def has_members(self, group: str) -> bool:
        """Whether there is anybody in a group."""
        if self._backend.can("list_members"):
            return bool(await self.members(group))
        return (await self._readings.fresh()).has_members(group)

    async def _all_memberships(self) -> Mapping[str, Collection[str]]:
        if self._memberships is None:
            groups = [group.ref for group in await self.groups()]
            found: dict[str, set[str]] = defaultdict(set)

            async def one(group: str) -> None:
                with suppress(Gone):  # meanwhile
                    for user in await self.members(group):
                        found[user].add(group)

            await asyncio.gather(*map(one, groups))
            self._memberships = found
        return self._memberships

    async def _all(self, method: str, *args: object) -> list[Any]:
        return [item async for batch in self._calls.listed(method, *args) for item in batch]


def _in_groups(user: Existing, groups: Collection[str]) -> Existing:
    return replace(user, groups=frozenset(groups))
