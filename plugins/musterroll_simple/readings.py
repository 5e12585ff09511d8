"""The reading of all users into an index, by as few readings as can be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from musterroll_simple.user_index import UserIndex


class Readings:
    """Readings of all users, one after the other.

    Args:
        fill: reads all users into an index.

    Attributes:
        current: what was read last; None where it was forgotten.
    """

    def __init__(self, fill: Callable[[UserIndex], Awaitable[None]]) -> None:
        self._fill = fill
        self.current: UserIndex | None = None
        self._going_on: asyncio.Task[UserIndex] | None = None
        self._upcoming: asyncio.Task[UserIndex] | None = None

    async def fresh(self) -> UserIndex:
        """Reads all users, beginning after this call; those who call meanwhile share what is read next.

        The index is to be used at once: the next reading closes it.
        """
        if self._upcoming is None:
            self._upcoming = asyncio.ensure_future(self._read(self._going_on))
        return await asyncio.shield(self._upcoming)

    async def known(self) -> UserIndex:
        """Returns what was read last, and reads where that was forgotten."""
        return self.current if self.current is not None else await self.fresh()

    def forget(self) -> None:
        """Forgets what was read: it is about to change, or has changed."""
        self._replace(None)

    async def _read(self, before: asyncio.Task[UserIndex] | None) -> UserIndex:
        if before is not None:
            await asyncio.wait([before])
        self._going_on, self._upcoming = self._upcoming, None
        index = UserIndex()
        try:
            await self._fill(index)
        except BaseException:
            index.close()
            raise
        self._replace(index)
        return index

    def _replace(self, index: UserIndex | None) -> None:
        old, self.current = self.current, index
        if old is not None:
            old.close()
