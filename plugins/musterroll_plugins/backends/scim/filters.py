"""Asking for users and groups by filter (RFC 7644, 3.4.2.2), for as long as the portal's filters can be relied upon."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import aclosing
from urllib.parse import quote

from musterroll import Existing, fold
from musterroll_plugins.backends.scim.mapping import ScimMapping
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.pages import GROUPS, USERS, Pages, RefusedFilterError
from musterroll_plugins.backends.scim.paths import Resource, get_key
from musterroll_simple import KEY, value_of


class Filters:
    """Finds users by filter.

    Args:
        pages: to ask with.
        options: of the backend.
        mapping: makes users of what the portal says.
        supported: whether the portal takes filters.
    """

    def __init__(self, pages: Pages, options: ScimOptions, mapping: ScimMapping, *, supported: bool) -> None:
        self._pages, self._mapping = pages, mapping
        self._reliable = {USERS, GROUPS} if supported else set[str]()
        self._room = options.max_url - len(f"{options.url}{USERS}?filter=&startIndex=1&count=10000")

    @property
    def find_users(self) -> bool:
        """Whether the portal takes filters for users, and obeys them, as far as is known."""
        return USERS in self._reliable

    async def users(
        self, field: str, texts: Collection[str], wanted: Collection[str]
    ) -> dict[str, list[Existing]] | None:
        """Finds users by a field.

        Args:
            field: `username`, `KEY`, or a field's name.
            texts: what to ask for.
            wanted: the folded values that an answer may have.

        Returns:
            Users without their groups, by folded value; None where filters are of no use for that.
        """
        path = self._path(field)
        if path is None:
            return None

        def value(resource: Resource) -> str:
            user = self._mapping.read(resource)
            return "" if user is None else fold(value_of(user, field) or "")

        resources = await self._ask(USERS, path, texts, value, wanted)
        if resources is None:
            return None
        found: dict[str, list[Existing]] = {}
        users = {user.ref: user for resource in resources if (user := self._mapping.read(resource)) is not None}
        for user in users.values():
            found.setdefault(fold(value_of(user, field) or ""), []).append(user)
        return found

    async def names(self, refs: Collection[str]) -> dict[str, str] | None:
        """Returns the usernames of those of some users who are there; None where filters are of no use for that."""
        found = await self._ask(USERS, "id", refs, _ref, refs)
        return None if found is None else {_ref(user): str(get_key(user, "userName") or "") for user in found}

    async def groups(self, name: str) -> list[Resource] | None:
        """Finds groups by name; None where filters are of no use for that."""

        def value(resource: Resource) -> str:
            return fold(str(get_key(resource, "displayName")))

        return await self._ask(GROUPS, "displayName", [name], value, [fold(name)])

    def _path(self, field: str) -> str | None:
        """What a filter asks a field by; None for what is only a part of a value."""
        if field in ("username", KEY):
            return "userName" if field == "username" else "externalId"
        path = self._mapping.paths.get(field)
        joint = field == "phone" and "calling_code" not in self._mapping.paths
        return None if path is None or joint else path.plain

    async def _ask(
        self,
        endpoint: str,
        path: str,
        texts: Collection[str],
        value: Callable[[Resource], str],
        wanted: Collection[str],
    ) -> list[Resource] | None:
        """Asks for several values at once; None where the portal's filters cannot be relied upon."""
        conditions = [f"{path} eq {json.dumps(text, ensure_ascii=False)}" for text in sorted(texts) if _is_whole(text)]
        found: list[Resource] = []
        for chunk in self._chunks(conditions):
            if endpoint not in self._reliable:
                return None
            try:
                async with aclosing(self._pages.all(endpoint, {"filter": " or ".join(chunk)})) as pages:
                    async for page in pages:
                        # One that nobody asked for: the filter is not obeyed, and who is wanted may be pages away.
                        if any(value(resource) not in wanted for resource in page):
                            self._reliable.discard(endpoint)
                            return None
                        found += page
            except RefusedFilterError:
                self._reliable.discard(endpoint)
                return None
        return found

    def _chunks(self, conditions: Sequence[str]) -> Iterator[list[str]]:
        """Joins so many conditions as an address can hold."""
        chunk: list[str] = []
        used = 0
        for condition in conditions:
            size = len(quote(f" or {condition}", safe=""))
            if chunk and used + size > self._room:
                yield chunk
                chunk, used = [], 0
            chunk.append(condition)
            used += size
        if chunk:
            yield chunk


def _ref(resource: Resource) -> str:
    return str(get_key(resource, "id"))


def _is_whole(text: str) -> bool:
    """Whether a text can be sent at all: not with half a character."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
