"""Calling what a team has written: plain or asynchronous, so many at once, and again where the portal was busy."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import random
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from musterroll import BackendError, BackendUnavailableError
from musterroll_simple.errors import Busy, NoAnswer, NotTriedError
from musterroll_simple.list_lock import ListLock
from musterroll_simple.pages import AsyncPages, Pages
from musterroll_simple.threads import Threads

if TYPE_CHECKING:
    from musterroll_simple.backend import SimpleBackend

T = TypeVar("T")

_LONGEST_WAIT = 30.0
# A portal that wants to be left alone for longer is left alone until somebody goes on.
_LONGEST_RETRY_AFTER = 300.0
_GLANCE_SECONDS = 0.2
_TOGETHER = 500
# Of files, not of the network: a mistake in the plugin, or in its options.
_LOCAL = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)


class Calls:
    """Calls the methods of a backend, in the event loop.

    Args:
        backend: the team's.

    Attributes:
        lists: keeps our own changes apart from the reading of lists, whose pages a change in between would shift.
        stopped: why nothing more is called; None where it is.
    """

    def __init__(self, backend: SimpleBackend) -> None:
        self._backend, self._cancelled, self._clock = backend, backend.context.cancelled, backend.context.clock
        self._slots = asyncio.Semaphore(max(1, backend.concurrency))
        self._threads = Threads(max(1, backend.concurrency))
        self._answers = self._changes = 0
        self.lists = ListLock()
        self.stopped: BackendError | None = None

    def stop(self, error: BackendError) -> None:
        """Lets nothing more out; the first reason stays."""
        self.stopped = self.stopped or error

    async def once(self, method: str, *args: object) -> Any:
        """Calls a method.

        Raises:
            NoAnswer: also for what libraries of the network raise.
            Exception: whatever the method raises.
        """
        work = getattr(self._backend, method)
        async with self._slots:
            with self._translated():
                if inspect.iscoroutinefunction(work):
                    return await work(*args)
                result = await self._threads.call(work, *args)
                return await result if inspect.isawaitable(result) else result

    async def write(
        self, method: str, *args: object, look: Callable[[], Awaitable[T | None]] | None = None
    ) -> tuple[Any, T | None]:
        """Calls a method that changes something, and again where the portal was busy.

        Args:
            method: its name.
            args: of it.
            look: finds out, before it is called again, whether it was done after all; None where a repetition does no
                harm.

        Returns:
            What the method returned, and what `look` found.

        Raises:
            NotTriedError: everything has stopped before.
            Busy: the portal still was after all tries, or time is up.
        """
        if self.stopped is not None:
            raise NotTriedError(self.stopped.message)
        before, attempt = self._changes, 0
        while True:
            try:
                async with self.lists.change():
                    result = await self.once(method, *args)
            except Busy as busy:
                attempt += 1
                await self._rest(busy, attempt, alone=self._changes == before)
            except (NoAnswer, NotTriedError):
                raise
            except Exception:  # a refusal is an answer, too
                self._changes += 1
                raise
            else:
                self._changes += 1
                return result, None
            if look is not None and (found := await look()) is not None:
                return None, found

    async def read(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does what only reads, and again where the portal was busy or silent.

        Raises:
            BackendError: it stays so, or everything has stopped before.
        """
        before, attempt = self._answers, 0
        while True:
            if self.stopped is not None:
                raise self.stopped
            try:
                return await work()
            except NotTriedError as error:
                raise self._end(error) from None
            except (Busy, NoAnswer) as error:
                attempt += 1
                busy = error if isinstance(error, Busy) else Busy(None, str(error) or "the portal does not answer")
                try:
                    await self._rest(busy, attempt, alone=self._answers == before)
                except Busy as last:
                    raise self._end(last) from None

    async def listed(self, method: str, *args: object) -> AsyncGenerator[list[Any]]:
        """Yields what a method yields, many at a time. What finds the portal busy begins anew, but for `Pages`."""
        found: Iterable[Any] | AsyncIterable[Any] = await self.once(method, *args)
        items = aiter(found) if isinstance(found, AsyncIterable) else iter(found)
        is_full = True
        while is_full:
            batch: list[Any] = []
            fill = partial(self._fill, items, batch)
            is_full = await (self.read(fill) if isinstance(items, Pages | AsyncPages) else fill())
            yield batch

    async def _fill(self, items: Iterator[Any] | AsyncIterator[Any], batch: list[Any]) -> bool:
        """Puts what comes next into a batch, until it is full; returns whether it is."""
        if isinstance(items, Iterator):
            async with self._slots:
                with self._translated():
                    await self._threads.call(_fill, items, batch)
        else:
            with self._translated():
                while len(batch) < _TOGETHER:
                    try:
                        batch.append(await anext(items))
                    except StopAsyncIteration:
                        break
        return len(batch) == _TOGETHER

    async def pause(self, seconds: float) -> bool:
        """Waits; returns whether it may go on, which it may not where the person interrupts or all has stopped."""
        end = time.monotonic() + seconds
        while not self._cancelled.is_set() and self.stopped is None:
            if (left := end - time.monotonic()) <= 0:
                return True
            await asyncio.sleep(min(left, _GLANCE_SECONDS))
        return False

    def close(self) -> None:
        """Ends the threads."""
        self._threads.close()

    async def _rest(self, busy: Busy, attempt: int, *, alone: bool) -> None:
        """Waits before the next try.

        Raises:
            Busy: there shall be none.
        """
        if not busy.again or attempt >= self._backend.tries:
            if alone:  # nobody else was answered either
                self.stop(BackendUnavailableError(str(busy)))
            raise Busy(busy.retry_after, str(busy), again=False)
        wait = busy.retry_after
        if wait is None:
            longest = min(_LONGEST_WAIT, self._backend.retry_wait * 2.0 ** (attempt - 1))
            wait = random.uniform(longest / 2, longest)  # noqa: S311 -- no secret
        elif wait > _LONGEST_RETRY_AFTER:
            until = (self._clock() + dt.timedelta(seconds=min(wait, 1e8))).strftime("%Y-%m-%d %H:%M UTC")
            text = f"the portal wants to be left alone until {until}; go on then"
            self.stop(BackendUnavailableError(text))
            raise Busy(wait, text, again=False)
        else:  # not all come back at the same moment
            wait += random.uniform(0, 0.1 + wait / 10)  # noqa: S311 -- no secret
        if not await self.pause(wait):
            raise Busy(None, f"interrupted while the portal was busy: {busy}", again=False)

    def _end(self, last: Exception) -> BackendError:
        return self.stopped or BackendUnavailableError(str(last))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Counts answers, of which a refusal is one, and takes errors of the network for none."""
        try:
            yield
        except (Busy, NoAnswer, NotTriedError):
            raise
        except _LOCAL:
            raise
        except OSError as error:  # its text may hold the whole address
            raise NoAnswer(f"the portal did not answer ({type(error).__name__})") from error
        except Exception:
            self._answers += 1
            raise
        else:
            self._answers += 1


def _fill(items: Iterator[Any], batch: list[Any]) -> None:
    # Not made a list of at once: what came before somebody was busy would be lost.
    for item in islice(items, _TOGETHER - len(batch)):
        batch.append(item)  # noqa: PERF402 -- see above
