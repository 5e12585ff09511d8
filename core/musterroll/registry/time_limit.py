"""Runs a stranger's code for a bounded time, whatever it does."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BrokenOffError(Exception):
    """The code did not come to an end, or ended the way that only a whole program may.

    Attributes:
        cause: what it raised; None where it did not come to an end.
    """

    def __init__(self, cause: BaseException | None) -> None:
        super().__init__(type(cause).__name__ if cause else "endless")
        self.cause = cause


class _Outcome(Generic[T]):
    def __init__(self) -> None:
        self.result: list[T] = []
        self.error: BaseException | None = None


def within(seconds: float, function: Callable[[], T]) -> T:
    """Calls a function and gives up on it after a time.

    It runs in a thread of its own, since nothing else ends code that waits or loops for ever on every system. So a
    KeyboardInterrupt that comes out of it is its own: Ctrl-C arrives here.

    Raises:
        BrokenOffError: it raised something, or did not come to an end.
    """
    outcome = _Outcome[T]()

    def work() -> None:
        try:
            outcome.result.append(function())
        except BaseException as error:  # whatever it is, it must not be printed by the thread
            outcome.error = error

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,), name="musterroll-plugin", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        import ctypes  # noqa: PLC0415 -- seldom needed

        # A loop would take half of the time of everything else. What waits cannot be woken, and costs nothing.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        raise BrokenOffError(None)
    if outcome.error is not None:
        raise BrokenOffError(outcome.error)
    return outcome.result[0]
