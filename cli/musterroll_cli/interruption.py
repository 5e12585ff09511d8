"""Ctrl-C while the engine works: the first one ends the work in order, the second one at once.

What else ends a program (SIGTERM, SIGHUP, a closed console window) counts as Ctrl-C, wherever there is such a signal.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeAlias

_Handler: TypeAlias = Callable[[int, FrameType | None], Any]

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
"""Those that end the work. Windows has other ones."""


@contextmanager
def handling(handler: _Handler) -> Iterator[None]:
    """Lets a handler have the signals that end the work, but for those that are ignored, as by `nohup`.

    Does nothing outside the main thread, where signals cannot be handled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    handled = {number: old for number, old in before.items() if old is not signal.SIG_IGN}
    for number in handled:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in handled.items():
            signal.signal(number, old if old is not None else signal.SIG_DFL)


@contextmanager
def orderly_interruption(
    cancelled: threading.Event, waiting: Callable[[], str | None] = lambda: None, *, notice: str
) -> Iterator[None]:
    """Sets `cancelled` at the first Ctrl-C and raises KeyboardInterrupt at the second.

    Args:
        cancelled: what the engine looks at.
        waiting: says which plugin is being waited for: the first Ctrl-C names it, as that may be what hangs.
        notice: what the first Ctrl-C says. It is made before, since a signal comes in the middle of anything.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        if cancelled.is_set():
            signal.default_int_handler(number, frame)
        cancelled.set()
        _tell(f"\n{notice}\n")
        if (text := waiting()) is not None:
            _tell(f"{text}\n")

    with handling(interrupt):
        yield


@contextmanager
def immediate_interruption() -> Iterator[None]:
    """Lets Ctrl-C raise KeyboardInterrupt at once, e.g. while a question waits for its answer."""
    with handling(signal.default_int_handler):
        yield


def _tell(text: str) -> None:
    """Writes past all buffers: a signal may arrive in the middle of another write."""
    with suppress(OSError, ValueError, AttributeError):
        os.write(sys.stderr.fileno(), text.encode("ascii", "backslashreplace"))
