"""Fields that name another user, where the portal keeps that user's id, as it does of a manager (RFC 7643, 4.3).

To everybody else such a field has the other user's name, as the portal spells it: names become ids when something is
written, and ids become names when something is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from musterroll import Desired, Existing, fold
from musterroll_plugins.backends.scim.mapping import ScimMapping

# Those who are named so soon after another are looked for together.
GATHERING_SECONDS = 0.01

if TYPE_CHECKING:
    from musterroll_plugins.backends.scim.directory import Directory


class NobodyError(Exception):
    """A field names somebody whom the portal does not have."""


class References:
    """The ids of those who are named, while operations are performed.

    Args:
        mapping: knows the fields.
        directory: to look with.
    """

    def __init__(self, mapping: ScimMapping, directory: Directory) -> None:
        self._mapping, self._directory = mapping, directory
        self._ids: dict[str, str] = {}  # by folded username
        self._next: dict[str, str] = {}  # by folded username: who is looked for next
        self._upcoming: asyncio.Task[Mapping[str, Sequence[Existing]]] | None = None

    def forget(self) -> None:
        """Forgets who was there: others may have written meanwhile."""
        self._ids.clear()

    def note(self, username: str | None, ref: str) -> None:
        """Notes who was created, or got another name."""
        if username and self._mapping.references:
            self._ids[fold(username)] = ref

    async def of_user(self, user: Desired) -> Desired:
        """Puts ids in place of names into a user.

        Raises:
            NobodyError: somebody is not there.
        """
        fields = await self.of_fields(user.fields)
        return user if fields is user.fields else Desired(username=user.username, fields=fields)

    async def of_fields(self, fields: Mapping[str, str | None]) -> Mapping[str, str | None]:
        """Puts ids in place of names into fields.

        Raises:
            NobodyError: somebody is not there.
        """
        named = {name: text for name, text in fields.items() if text and name in self._mapping.references}
        if not named:
            return fields
        return {**fields, **{name: await self._id(name, text) for name, text in named.items()}}

    async def _id(self, field: str, username: str) -> str:
        folded = fold(username)
        if folded not in self._ids:
            self._next[folded] = username
            if self._upcoming is None:
                self._upcoming = asyncio.ensure_future(self._find_next())
            found = (await asyncio.shield(self._upcoming)).get(folded, ())
            if len(found) != 1:
                reason = "the portal has no user" if not found else "the portal has several users"
                raise NobodyError(f'{reason} "{username}", who is named as {field}; run the sheet again')
            self._ids[folded] = found[0].ref
        return self._ids[folded]

    async def _find_next(self) -> Mapping[str, Sequence[Existing]]:
        """Looks for all who are named at the same time together."""
        await asyncio.sleep(GATHERING_SECONDS)
        names, self._next, self._upcoming = self._next, {}, None
        return await self._directory.find_once(names.values())


def ids_in(users: Iterable[Existing], mapping: ScimMapping) -> set[str]:
    """Returns the ids of those whom users name."""
    return {ref for user in users for name in mapping.references if (ref := user.fields.get(name))}
