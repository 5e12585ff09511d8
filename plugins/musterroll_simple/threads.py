"""Plain methods, many at once: each in a thread, without holding up the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

R = TypeVar("R")


class _Job:
    """A call that waits for a thread."""

    def __init__(self, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._work, self._args = work, args
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self._loop.create_future()
        self._lock = threading.Lock()
        self._begun = self._taken_back = False

    def take_back(self) -> bool:
        """Lets it not begin any more; returns whether that was in time."""
        with self._lock:
            self._taken_back = not self._begun
            return self._taken_back

    def run(self) -> None:
        """Does it, in the thread that calls this."""
        with self._lock:
            if self._taken_back:
                return
            self._begun = True
        result: Any = None
        error: BaseException | None = None
        try:
            result = self._work(*self._args)
        except StopIteration as end:  # no future takes one
            error = RuntimeError(f"{type(end).__name__} was raised where nobody iterates")
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # the loop has been closed meanwhile: nobody waits any more
            self._loop.call_soon_threadsafe(self._answer, result, error)

    def _answer(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class Threads:
    """Threads that are started when they are needed, and never keep the program from ending.

    Args:
        most: so many at the most.
    """

    def __init__(self, most: int) -> None:
        self._most, self._started, self._busy = most, 0, 0
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()

    async def call(self, work: Callable[..., R], *args: Any) -> R:
        """Calls a function in a thread. Where the waiting is broken off, what has begun is waited for."""
        job = _Job(work, args)
        self._busy += 1
        if self._busy > self._started < self._most:
            self._started += 1
            # A daemon: a portal that never answers must not keep the program from ending.
            threading.Thread(target=self._run, name="musterroll-simple-call", daemon=True).start()
        self._jobs.put(job)
        try:
            await asyncio.shield(job.future)
        except asyncio.CancelledError:
            if not job.take_back():
                await asyncio.wait([job.future])
            raise
        finally:
            self._busy -= 1
        result: R = job.future.result()
        return result

    def close(self) -> None:
        """Ends all threads that have nothing to do."""
        for _ in range(self._started):
            self._jobs.put(None)
        self._started = 0

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
