"""Fields that name another user, where the portal keeps that user's id, as it does of a manager (RFC 7643, 4.3).

To everybody else such a field has the other user's name, as the portal spells it: names become ids when something is
written, and ids become names when something is read. Whoever is not in the portal's list, as some portals leave those
out who are not active, is shown by the id, marked as one: so an undo can name them again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from musterroll import Desired, Existing, fold
from musterroll_plugins.backends.scim.mapping import ScimMapping

# Those who are named so soon after another are looked for together.
GATHERING_SECONDS = 0.01
_BY_ID = "id:"

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
        fields, lacking = await self.of_fields(user.fields)
        if lacking:
            raise NobodyError("; ".join(lacking.values()))
        return user if fields is user.fields else Desired(username=user.username, fields=fields)

    async def of_fields(self, fields: Mapping[str, str | None]) -> tuple[Mapping[str, str | None], dict[str, str]]:
        """Puts ids in place of names into fields; says why of those that name somebody who is not there."""
        named = {name: text for name in self._mapping.references if (text := fields.get(name))}
        if not named:
            return fields, {}
        stored, lacking = dict(fields), dict[str, str]()
        for name, text in named.items():
            try:
                stored[name] = await self._id(name, text)
            except NobodyError as error:
                del stored[name]
                lacking[name] = str(error)
        return stored, lacking

    async def _id(self, field: str, username: str) -> str:
        folded = fold(username)
        if folded not in self._ids:
            self._next[folded] = username
            if self._upcoming is None:
                self._upcoming = asyncio.ensure_future(self._find_next())
            found = (await asyncio.shield(self._upcoming)).get(folded, ())
            if not found and username.startswith(_BY_ID):  # as it was read
                return username.removeprefix(_BY_ID)
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


def shown_name(ref: str, names: Mapping[str, str]) -> str:
    """Returns what stands in a field that names a user: the name, or failing that the id."""
    return names.get(ref) or f"{_BY_ID}{ref}"


def ids_in(users: Iterable[Existing], mapping: ScimMapping) -> set[str]:
    """Returns the ids of those whom users name."""
    return {ref for user in users for name in mapping.references if (ref := user.fields.get(name))}
