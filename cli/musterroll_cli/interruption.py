"""Ctrl-C while the engine works: the first one ends the work in order, the second one at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_NOTICE = "\ninterrupted: finishing what is under way; press Ctrl-C again to stop at once\n"


@contextmanager
def orderly_interruption(
    cancelled: threading.Event, waiting: Callable[[], str | None] = lambda: None
) -> Iterator[None]:
    """Sets `cancelled` at the first Ctrl-C and raises KeyboardInterrupt at the second.

    `waiting` says which plugin is being waited for: the first Ctrl-C names it, as that may be what hangs. Does
    nothing outside the main thread, where signals cannot be handled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        cancelled.set()
        _tell(_NOTICE)
        if (text := waiting()) is not None:
            _tell(f"{text}\n")

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)


@contextmanager
def immediate_interruption() -> Iterator[None]:
    """Lets Ctrl-C raise KeyboardInterrupt at once, e.g. while a question waits for its answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)


def _tell(text: str) -> None:
    """Writes past all buffers: a signal may arrive in the middle of another write."""
    with suppress(OSError, ValueError, AttributeError):
        os.write(sys.stderr.fileno(), text.encode("ascii", "backslashreplace"))
