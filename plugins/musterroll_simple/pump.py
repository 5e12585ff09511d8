"""Between the engine's thread, which owns the journal, and the event loop of a backend that works asynchronously.

The engine calls backends one after another from one thread, pulls operations there and commits there. A `Pump`
gives such a backend an event loop in a thread of its own, and a stream through it: items are pulled and answers
handed out in the caller's thread, while so many as are allowed are worked on in the loop.

    class AcmeBackend:
        def execute(self, ops):
            yield from self._pump.stream(ops, self._perform, in_flight=32)   # async def _perform(op) -> Result

        def close(self):
            self._pump.call(self._session.close)
            self._pump.close()
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import wait
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

I = TypeVar("I")  # noqa: E741 -- an item
R = TypeVar("R")

# A thread that waits looks up so often: on Windows nothing else lets Ctrl-C in.
_LOOK_SECONDS = 0.2
# So long what was cancelled may take to tidy up.
_TIDY_SECONDS = 5.0


class Pump:
    """An event loop in a thread of its own. The thread starts with the first work and ends with `close`.

    To be used by one thread at a time.

    Args:
        name: of the thread, for debuggers.
    """

    def __init__(self, name: str = "musterroll-pump") -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()

    def call(self, work: Callable[..., Coroutine[Any, Any, R]], *args: object) -> R:
        """Does one thing in the loop and waits for it; what it raises is raised here.

        Raises:
            RuntimeError: the pump is closed.
        """
        loop = self._started()
        future = asyncio.run_coroutine_threadsafe(work(*args), loop)
        try:
            while not wait([future], timeout=_LOOK_SECONDS).done:
                self._must_run()
            return future.result()
        finally:
            future.cancel()  # does nothing unless the waiting was broken off

    def stream(
        self, items: Iterator[I], work: Callable[[I], Coroutine[Any, Any, R]], *, in_flight: int
    ) -> Generator[R]:
        """Works on items in the loop; yields the answers in the order in which they come.

        Items are pulled one by one, when there is room. Where the caller stops early, or an item or its work
        raises, what is in flight is cancelled, and waited for.

        Args:
            items: pulled in the caller's thread.
            work: called in the loop, once for each.
            in_flight: so many at once, at the most.

        Raises:
            RuntimeError: the pump is closed.
            Exception: whatever pulling an item or working on it raises.
        """
        loop = self._started()
        done: SimpleQueue[asyncio.Task[R]] = SimpleQueue()
        tasks: set[asyncio.Task[R]] = set()  # of the loop's thread only

        def begin(item: I) -> None:
            task = loop.create_task(work(item))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            task.add_done_callback(done.put)

        waiting, more = 0, True
        try:
            while True:
                while more and waiting < in_flight:
                    try:
                        item = next(items)
                    except StopIteration:
                        more = False
                        break
                    self._must_run()
                    loop.call_soon_threadsafe(begin, item)
                    waiting += 1
                if not waiting:
                    return
                task = self._next(done)
                waiting -= 1
                yield _result(task)
        finally:
            if waiting:
                self._cancel(loop, tasks)

    def close(self) -> None:
        """Cancels what is still going on and ends the thread. May be called twice."""
        with self._lock:
            # A second stop would cut off what the thread does at its end.
            stops, self._closed = not self._closed, True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        if stops:
            loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(_TIDY_SECONDS * 2)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:  # whoever closes it meanwhile finds a thread that runs, or none
            if self._closed:
                raise RuntimeError("the pump is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                # A daemon, so that a program that dies without closing does not hang at its end.
                self._thread = threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def _must_run(self) -> None:
        if self._closed or self._thread is None or not self._thread.is_alive():
            raise RuntimeError("the pump is closed")

    def _next(self, done: SimpleQueue[asyncio.Task[R]]) -> asyncio.Task[R]:
        while True:
            try:
                return done.get(timeout=_LOOK_SECONDS)
            except Empty:
                self._must_run()

    def _cancel(self, loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[R]]) -> None:
        if self._closed:
            return  # `close` has cancelled everything
        if threading.current_thread() is self._thread:
            # A forgotten generator that the garbage collector ends, in here of all threads: waiting would hang.
            for task in list(tasks):
                task.cancel()
            return
        self.call(_cancelled, tasks)


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    if ending:
        await asyncio.wait(ending, timeout=_TIDY_SECONDS)
    for task in ending:
        _forget(task)


def _forget(task: asyncio.Task[Any]) -> None:
    """Looks at what a task raised, as asyncio complains of exceptions that nobody looked at."""
    if task.done() and not task.cancelled():
        task.exception()


def _result(task: asyncio.Task[R]) -> R:
    if task.cancelled():
        raise RuntimeError("the pump was closed while it worked")
    return task.result()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        try:
            loop.run_until_complete(_cancelled(asyncio.all_tasks(loop)))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()
