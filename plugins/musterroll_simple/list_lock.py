"""Our own changes and the reading of whole lists, kept apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager


class ListLock:
    """Keeps our own changes apart from the reading of whole lists, whose pages a change in between would shift.

    Changes go on side by side, and readings, but never both.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Condition()
        self._changes = self._readings = 0

    @asynccontextmanager
    async def change(self) -> AsyncGenerator[None]:
        """Around a request that changes something: waits until nobody reads."""
        await self._wait(lambda: not self._readings)
        self._changes += 1
        try:
            yield
        finally:
            self._changes -= 1
            await self._tell()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[None]:
        """Around the reading of a list: holds up further changes, and waits for those under way."""
        self._readings += 1
        try:
            await self._wait(lambda: not self._changes)
            yield
        finally:
            self._readings -= 1
            await self._tell()

    async def _wait(self, free: Callable[[], bool]) -> None:
        async with self._turn:
            await self._turn.wait_for(free)

    async def _tell(self) -> None:
        async with self._turn:
            self._turn.notify_all()
