"""Finds the users that operations were to create, when no answer says whether they did."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from musterroll import CreateUser, Existing, Result, Status, fold
from musterroll_plugins.backends.scim.index import KEY
from musterroll_plugins.backends.scim.mapping import UserMapping
from musterroll_plugins.backends.scim.reading import Directory

# Those that are looked for so soon after another are looked for together.
_GATHERING_SECONDS = 0.01


class Creations:
    """Looks for created users as the portal has them now.

    Args:
        directory: to look with.
        mapping: compares users.
        unique_names: the portal refuses a second user of the same name.
    """

    def __init__(self, directory: Directory, mapping: UserMapping, *, unique_names: bool) -> None:
        self._directory, self._mapping, self._unique_names = directory, mapping, unique_names
        self.refused: dict[str, str] = {}
        """Creations that the portal took for duplicates, and its words; what is found cannot be theirs."""
        self._next: list[CreateUser] = []
        self._upcoming: asyncio.Task[dict[str, Result]] | None = None

    @property
    def tells_by_itself(self) -> bool:
        """Whether the portal's answer to a repeated creation tells as much as reading all its users would.

        Then `refused` and the stored key tell whose user it is. Where filters work, looking costs next to nothing.
        """
        return self._unique_names and self._mapping.keeps_keys and not self._directory.filters_work

    async def find_one(self, op: CreateUser) -> Result:
        """Says what became of one, together with those who ask at the same time."""
        self._next.append(op)
        if self._upcoming is None:
            self._upcoming = asyncio.ensure_future(self._find_next())
        return (await asyncio.shield(self._upcoming))[op.id]

    async def _find_next(self) -> dict[str, Result]:
        await asyncio.sleep(_GATHERING_SECONDS)
        ops, self._next, self._upcoming = self._next, [], None
        return await self.find(ops)

    async def find(self, ops: Sequence[CreateUser]) -> dict[str, Result]:
        """Says what became of each, by its id."""
        by_key = await self._directory.find_now(KEY, [op.id for op in ops]) if self._mapping.keeps_keys else {}
        mine = {user.key: user for users in by_key.values() for user in users}
        others = [op for op in ops if op.id not in mine]
        by_name = await self._directory.find_now("username", [op.user.username for op in others]) if others else {}
        results = {op.id: Result(op.id, Status.DONE, mine[op.id].ref) for op in ops if op.id in mine}
        for op in others:
            results[op.id] = self._by_name(op, by_name.get(fold(op.user.username), ()))
        return results

    def _by_name(self, op: CreateUser, found: Sequence[Existing]) -> Result:
        for user in found:
            if user.key == op.id or self._is_ours_by_its_looks(op, user):
                return Result(op.id, Status.DONE, user.ref)
        if found:
            return Result(op.id, Status.CONFLICT, found[0].ref, f'the username is taken by "{found[0].username}"')
        if op.id in self.refused:
            return Result(op.id, Status.CONFLICT, None, self.refused[op.id])
        return Result(op.id, Status.NOT_DONE)

    def _is_ours_by_its_looks(self, op: CreateUser, user: Existing) -> bool:
        """For portals that do not keep our key.

        The plan found nobody of this name; a user that now is exactly as we asked for, while the portal never told us
        that it was there before, is the one that we asked for.
        """
        if self._mapping.keeps_keys or op.id in self.refused:
            return False
        wanted = self._mapping.canonical(op.user)
        return self._mapping.is_so({**wanted.fields, "username": wanted.username}, user)
