"""Reading users and groups: by filter, or all of them into an index.

A filter is relied upon only where it cannot miss anybody, or where the portal's own comparison is what counts: who
has a certain id, or whose name the portal takes for a duplicate. Otherwise all users are read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from urllib.parse import quote

from musterroll import Existing, UserKey, fold
from musterroll_plugins.backends.scim.answers import Answer, explained
from musterroll_plugins.backends.scim.client import Client
from musterroll_plugins.backends.scim.discovery import Portal
from musterroll_plugins.backends.scim.groups import GroupBook, StoredGroup
from musterroll_plugins.backends.scim.index import KEY, UserIndex, value_of
from musterroll_plugins.backends.scim.mapping import UserMapping
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.pages import GROUPS, USERS, Pages, RefusedFilterError
from musterroll_plugins.backends.scim.paths import Resource, get_key


class Directory:
    """The users and groups of a portal.

    Args:
        client: to ask with.
        options: of the backend.
        portal: what it can do.
        mapping: makes users of what it says.
    """

    def __init__(self, client: Client, options: ScimOptions, portal: Portal, mapping: UserMapping) -> None:
        self._client, self._options, self._portal, self._mapping = client, options, portal, mapping
        self._pages = Pages(client, options, portal)
        self._filters = portal.filters
        self._index: UserIndex | None = None
        self._reading: asyncio.Task[UserIndex] | None = None
        self._upcoming: asyncio.Task[UserIndex] | None = None
        self._book: GroupBook | None = None
        # Whether a filter sees everybody that we take for the same; `filter` says that the person accepts less.
        self._trusts_filters = options.lookup == "filter" or (options.lookup == "auto" and options.matching == "folded")

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
        if not found or not self._portal.has_groups:
            return found
        groups = await self._groups_of({user.ref for users in found.values() for user in users})
        return {key: [replace(user, groups=groups[user.ref]) for user in users] for key, users in found.items()}

    async def _by_field(self, field: str, keys: Sequence[UserKey]) -> Mapping[str, Sequence[Existing]]:
        folded = {key.folded for key in keys}
        if self._trusts_filters and self._index is None:
            users = await self._filtered_users(field, {text for key in keys for text in (key.raw, key.folded)}, folded)
            if users is not None:
                return users
        return (self._index or await self.fresh_index()).find(field, folded)

    async def find_now(self, field: str, texts: Collection[str]) -> Mapping[str, Sequence[Existing]]:
        """Finds users as they are now, by the portal's own comparison where it takes filters.

        Args:
            field: `username`, `KEY`, or a field's name.
            texts: its values.

        Returns:
            Users without their groups, by folded value.
        """
        wanted = {fold(text) for text in texts}
        users = await self._filtered_users(field, set(texts), wanted)
        return users if users is not None else (await self.fresh_index()).find(field, wanted)

    async def user(self, ref: str) -> tuple[Resource | None, Answer]:
        """Reads one user; None where there is none."""
        return await self._one(USERS, ref)

    async def present(self, refs: Collection[str]) -> set[str]:
        """Returns which of some users there are."""
        found = await self._filtered(USERS, "id", refs, lambda resource: str(get_key(resource, "id")), set(refs))
        if found is not None:
            return {str(get_key(resource, "id")) for resource in found}
        ordered = list(refs)
        read = await asyncio.gather(*(self.user(ref) for ref in ordered))
        return {ref for ref, (_, answer) in zip(ordered, read, strict=True) if answer.status != 404}

    async def count(self) -> int:
        """How many users there are."""
        return await self._pages.total(USERS) if self._index is None else len(self._index)

    async def fresh_index(self) -> UserIndex:
        """Reads all users, beginning after this call; those who call meanwhile share what is read next.

        The index is to be used at once: the next reading closes it.
        """
        if self._upcoming is None:
            self._upcoming = asyncio.ensure_future(self._read_index(self._reading))
        return await asyncio.shield(self._upcoming)

    async def _read_index(self, before: asyncio.Task[UserIndex] | None) -> UserIndex:
        if before is not None:
            await asyncio.wait([before])
        self._reading, self._upcoming = self._upcoming, None
        index = UserIndex()
        try:
            async for page in self._pages.all(USERS):
                index.add(user for resource in page if (user := self._mapping.read(resource)) is not None)
        except BaseException:
            index.close()
            raise
        self.forget_users()
        self._index = index
        return index

    def forget_users(self) -> None:
        """To be called when users are about to change."""
        index, self._index = self._index, None
        if index is not None:
            index.close()

    def forget(self) -> None:
        """Forgets everything that was read."""
        self.forget_users()
        self._book = None

    # -- groups ---------------------------------------------------------------------------------------------

    async def _groups_of(self, refs: Collection[str]) -> dict[str, frozenset[str]]:
        if self._options.memberships == "groups":
            book = await self.book()
            return {ref: book.of_user(ref) for ref in refs}
        ordered = list(refs)
        read = await asyncio.gather(*(self.user(ref) for ref in ordered))
        return {ref: groups_of(resource or {}) for ref, (resource, _) in zip(ordered, read, strict=True)}

    async def book(self) -> GroupBook:
        """Returns all groups with their members; read once until `forget`."""
        if self._book is None:
            self._book = await self.fresh_book()
        return self._book

    async def fresh_book(self, *, members: bool = True) -> GroupBook:
        """Reads all groups.

        Args:
            members: with their members; where groups are kept as members, these are always needed.
        """
        nesting = self._options.nesting
        brief = {} if members or nesting == "members" else {"excludedAttributes": "members"}
        groups = [
            group
            async for page in self._pages.all(GROUPS, brief)
            for resource in page
            if (group := StoredGroup.read(resource)) is not None
        ]
        return GroupBook(groups, nesting, self._options.path_separator)

    async def group(self, ref: str) -> tuple[Resource | None, Answer]:
        """Reads one group; None where there is none."""
        return await self._one(GROUPS, ref)

    async def _one(self, endpoint: str, ref: str) -> tuple[Resource | None, Answer]:
        answer = await self._client.get(f"{endpoint}/{quote(ref, safe='')}")
        if answer.ok and isinstance(answer.body, dict):
            return answer.body, answer
        if answer.status == 404:
            return None, answer
        raise explained(answer, "show a user or group", self._options.url)

    # -- filters --------------------------------------------------------------------------------------------

    async def _filtered_users(
        self, field: str, texts: Collection[str], wanted: Collection[str]
    ) -> dict[str, list[Existing]] | None:
        path = self._filter_path(field)
        if path is None:
            return None

        def value(resource: Resource) -> str:
            user = self._mapping.read(resource)
            return "" if user is None else fold(value_of(user, field) or "")

        resources = await self._filtered(USERS, path, texts, value, wanted)
        if resources is None:
            return None
        found: dict[str, list[Existing]] = {}
        users = {user.ref: user for resource in resources if (user := self._mapping.read(resource)) is not None}
        for user in users.values():
            found.setdefault(fold(value_of(user, field) or ""), []).append(user)
        return found

    def _filter_path(self, field: str) -> str | None:
        """What a filter asks a field by; None for what is only a part of a value."""
        if field in ("username", KEY):
            return "userName" if field == "username" else "externalId"
        path = self._mapping.paths.get(field)
        joint = field == "phone" and "calling_code" not in self._mapping.paths
        return None if path is None or joint else path.plain

    async def _filtered(
        self,
        endpoint: str,
        path: str,
        texts: Collection[str],
        value: Callable[[Resource], str],
        wanted: Collection[str],
    ) -> list[Resource] | None:
        """Asks by filter for several values at once; None where the portal's filters cannot be relied upon."""
        literals = [f"{path} eq {json.dumps(text, ensure_ascii=False)}" for text in sorted(texts) if _can_be_sent(text)]
        found: list[Resource] = []
        for chunk in self._chunks(endpoint, literals):
            if not self._filters:
                return None
            try:
                async with aclosing(self._pages.all(endpoint, {"filter": " or ".join(chunk)})) as pages:
                    async for page in pages:
                        # One that nobody asked for: the filter is not obeyed, and who is wanted may be pages away.
                        if any(value(resource) not in wanted for resource in page):
                            self._filters = False
                            return None
                        found += page
            except RefusedFilterError:
                self._filters = False
                return None
        return found

    def _chunks(self, endpoint: str, literals: Sequence[str]) -> Iterator[list[str]]:
        """Joins so many conditions as an address can hold."""
        room = self._options.max_url - len(f"{self._options.url}{endpoint}?filter=&startIndex=1&count=10000")
        chunk: list[str] = []
        used = 0
        for literal in literals:
            size = len(quote(f" or {literal}", safe=""))
            if chunk and used + size > room:
                yield chunk
                chunk, used = [], 0
            chunk.append(literal)
            used += size
        if chunk:
            yield chunk


def groups_of(resource: Resource) -> frozenset[str]:
    """Returns the refs of the groups that a user says to be a direct member of."""
    listed = get_key(resource, "groups")
    return frozenset(
        str(get_key(one, "value"))
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, Mapping) and get_key(one, "value") and str(get_key(one, "type")).lower() != "indirect"
    )


def _can_be_sent(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
