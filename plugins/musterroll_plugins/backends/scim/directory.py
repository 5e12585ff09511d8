"""Reading users and groups: by filter, or all of them into an index.

A filter is relied upon only where it cannot miss anybody, or where the portal's own comparison is what counts: who
has a certain id, or whose name the portal takes for a duplicate. Otherwise all users are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from musterroll import Existing, UserKey, fold
from musterroll_http import HttpAnswer
from musterroll_plugins.backends.scim.answers import explained
from musterroll_plugins.backends.scim.client import ScimClient
from musterroll_plugins.backends.scim.discovery import ServiceProvider
from musterroll_plugins.backends.scim.filters import Filters
from musterroll_plugins.backends.scim.group_index import GroupIndex, ScimGroup
from musterroll_plugins.backends.scim.mapping import ScimMapping
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.pages import GROUPS, USERS, Pages
from musterroll_plugins.backends.scim.paths import Resource, get_key, objects
from musterroll_plugins.backends.scim.references import ids_in, shown_name
from musterroll_simple import Readings, UserIndex

K = TypeVar("K")


class Directory:
    """The users and groups of a portal.

    Args:
        client: to ask with.
        options: of the backend.
        portal: what it can do.
        mapping: makes users of what it says.
    """

    def __init__(self, client: ScimClient, options: ScimOptions, portal: ServiceProvider, mapping: ScimMapping) -> None:
        self._client, self._options, self._portal, self._mapping = client, options, portal, mapping
        self._pages = Pages(client, options, portal)
        self._filters = Filters(self._pages, options, mapping, supported=portal.filters)
        self._readings = Readings(self._fill)
        self._book: GroupIndex | None = None
        # Whether a filter sees everybody that we take for the same; `filter` says that the person accepts less.
        self._trusts_filters = options.lookup == "filter" or (options.lookup == "auto" and options.matching == "folded")

    @property
    def filters_work(self) -> bool:
        """Whether the portal takes filters for users, and obeys them, as far as is known."""
        return self._filters.find_users

    # -- users ----------------------------------------------------------------------------------------------

    async def lookup(self, keys: Sequence[UserKey]) -> dict[UserKey, Sequence[Existing]]:
        """Finds users with their groups, by any mapped field.

        Raises:
            BackendError: the portal cannot answer.
        """
        by_field: dict[str, list[UserKey]] = {}
        for key in keys:
            if key.folded and (key.field == "username" or key.field in self._mapping.fields):
                by_field.setdefault(key.field, []).append(key)
        found: dict[UserKey, Sequence[Existing]] = {}
        for field, wanted in by_field.items():
            users = await self._by_field(field, wanted)
            found.update({key: users[key.folded] for key in wanted if key.folded in users})
        if self._mapping.references:
            found = await self._all_with_names(found)
        if not found or not self._portal.has_groups:
            return found
        groups = await self._groups_of({user.ref for users in found.values() for user in users})
        return {key: [replace(user, groups=groups[user.ref]) for user in users] for key, users in found.items()}

    async def users_after(self, ref: str) -> list[Existing]:
        """Returns the next users by ref, after one, with their groups; all users are read for the first of them.

        Raises:
            BackendError: the portal cannot answer.
        """
        users = await self.with_names((await self._readings.known()).after(ref))
        if not users or not self._portal.has_groups:
            return users
        groups = await self._groups_of({user.ref for user in users})
        return [replace(user, groups=groups[user.ref]) for user in users]

    async def _by_field(self, field: str, keys: Sequence[UserKey]) -> Mapping[str, Sequence[Existing]]:
        folded = {key.folded for key in keys}
        if self._trusts_filters and self._readings.current is None:
            users = await self._filters.users(field, {text for key in keys for text in (key.raw, key.folded)}, folded)
            if users is not None:
                return users
        return (await self._readings.known()).find(field, folded)

    async def find_now(self, field: str, texts: Collection[str]) -> Mapping[str, Sequence[Existing]]:
        """Finds users as they are now, by the portal's own comparison where it takes filters.

        Args:
            field: `username`, `KEY`, or a field's name.
            texts: its values.

        Returns:
            Users without their groups, by folded value.
        """
        wanted = {fold(text) for text in texts}
        users = await self._filters.users(field, set(texts), wanted)
        if users is None:
            users = (await self._readings.fresh()).find(field, wanted)
        if self._mapping.references:
            return await self._all_with_names(users)
        return users

    async def find_once(self, usernames: Collection[str]) -> Mapping[str, Sequence[Existing]]:
        """Finds users by name; without filters among those who were there when all of them were read."""
        wanted = {fold(name) for name in usernames}
        users = await self._filters.users("username", set(usernames), wanted)
        return users if users is not None else (await self._readings.known()).find("username", wanted)

    async def with_names(self, users: Sequence[Existing]) -> list[Existing]:
        """Puts names in place of the ids by which users name each other."""
        refs = ids_in(users, self._mapping)
        names = await self._names(refs) if refs else {}
        named = [
            {name: shown_name(ref, names) for name in self._mapping.references if (ref := user.fields.get(name))}
            for user in users
        ]
        return [replace(user, fields={**user.fields, **fields}) for user, fields in zip(users, named, strict=True)]

    async def _all_with_names(self, found: Mapping[K, Sequence[Existing]]) -> dict[K, Sequence[Existing]]:
        """As `with_names`, for all at once."""
        users = {user.ref: user for several in found.values() for user in several}
        named = {user.ref: user for user in await self.with_names(list(users.values()))}
        return {key: [named[user.ref] for user in several] for key, several in found.items()}

    async def _names(self, refs: Collection[str]) -> Mapping[str, str]:
        if self._readings.current is None and (names := await self._filters.names(refs)) is not None:
            return names
        index = await self._readings.known()
        return {ref: user.username for ref in refs if (user := index.get(ref)) is not None}

    async def user(self, ref: str) -> tuple[Resource | None, HttpAnswer]:
        """Reads one user; None where there is none."""
        return await self._one(USERS, ref)

    async def present(self, refs: Collection[str]) -> set[str]:
        """Returns which of some users there are."""
        found = await self._filters.names(set(refs))
        if found is not None:
            return set(found)
        ordered = list(refs)
        read = await asyncio.gather(*(self.user(ref) for ref in ordered))
        return {ref for ref, (_, answer) in zip(ordered, read, strict=True) if answer.status != 404}

    async def count(self) -> int:
        """How many users there are."""
        index = self._readings.current
        return await self._pages.total(USERS) if index is None else len(index)

    async def _fill(self, index: UserIndex) -> None:
        async with self._client.lists.reading():
            async for page in self._pages.all(USERS):
                index.add(user for resource in page if (user := self._mapping.read(resource)) is not None)

    def forget(self) -> None:
        """Forgets everything that was read: it is about to change, or has changed."""
        self._readings.forget()
        self._book = None

    # -- groups ---------------------------------------------------------------------------------------------

    async def _groups_of(self, refs: Collection[str]) -> dict[str, frozenset[str]]:
        if self._options.memberships == "groups":
            book = await self.book()
            return {ref: book.of_user(ref) for ref in refs}
        ordered = list(refs)
        read = await asyncio.gather(*(self.user(ref) for ref in ordered))
        return {ref: groups_of(resource or {}) for ref, (resource, _) in zip(ordered, read, strict=True)}

    async def book(self) -> GroupIndex:
        """Returns all groups with their members; read once until `forget`."""
        if self._book is None:
            self._book = await self.fresh_book()
        return self._book

    async def fresh_book(self, *, members: bool = True) -> GroupIndex:
        """Reads all groups.

        Args:
            members: with their members; where groups are kept as members, these are always needed.
        """
        nesting = self._options.nesting
        brief = {} if members or nesting == "members" else {"excludedAttributes": "members"}
        async with self._client.lists.reading():
            groups = [
                group
                async for page in self._pages.all(GROUPS, brief)
                for resource in page
                if (group := ScimGroup.read(resource)) is not None
            ]
        return GroupIndex(groups, nesting, self._options.path_separator)

    async def groups_named(self, name: str) -> list[ScimGroup]:
        """Finds groups of a name as they are now, wherever they are; where filters do not work, among all groups."""
        found = await self._filters.groups(name)
        if found is None:
            return (await self.fresh_book(members=False)).named(name)
        return [group for one in found if (group := ScimGroup.read(one)) is not None]

    async def group(self, ref: str) -> tuple[Resource | None, HttpAnswer]:
        """Reads one group; None where there is none."""
        return await self._one(GROUPS, ref)

    async def _one(self, endpoint: str, ref: str) -> tuple[Resource | None, HttpAnswer]:
        answer = await self._client.get(f"{endpoint}/{quote(ref, safe='', errors='surrogatepass')}")
        if answer.ok and isinstance(answer.body, dict):
            return answer.body, answer
        if answer.status == 404:
            return None, answer
        raise explained(answer, "show a user or group", self._options.url)


def groups_of(resource: Resource) -> frozenset[str]:
    """Returns the refs of the groups that a user says to be a direct member of."""
    return frozenset(
        str(get_key(one, "value"))
        for one in objects(resource, "groups")
        if get_key(one, "value") and str(get_key(one, "type")).lower() != "indirect"
    )
