"""Where the program starts: Ctrl-C while it is still loading ends it as any other one does, without a traceback."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from contextlib import suppress

from musterroll_cli.interruption import SIGNALS, handling

__all__ = ["main"]


def main() -> int:
    """Loads the program, runs the command line that it was called with, and returns the exit status."""
    # Modules are made of many objects that all stay, and rows of few that refer to each other: looking them through
    # again and again costs a short command some percent.
    gc.set_threshold(200_000, 20, 20)
    pressed: list[int] = []
    ended: list[int] = []
    atexit.register(_leave, ended)  # the first to be registered is the last to be called
    with handling(lambda number, _frame: pressed.append(number)):
        from musterroll_cli.main import main as run  # noqa: PLC0415 -- what takes its time
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    status = run(interrupted=bool(pressed))
    for number in SIGNALS:  # all is said and done: a signal that comes now must not change how the program ends
        signal.signal(number, signal.SIG_IGN)
    ended.append(status)
    return status


def _leave(ended: list[int]) -> None:
    """Ends the process once all is done: taking a program's objects apart one by one takes as long as a small sheet."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it may be closed, and who read it may have gone
            stream.flush()
    if ended:
        os._exit(ended[-1])
