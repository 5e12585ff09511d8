"""Where the program starts: Ctrl-C while it is still loading ends it as any other one does, without a traceback."""

from __future__ import annotations

import gc
import signal

from musterroll_cli.interruption import SIGNALS, handling

__all__ = ["main"]


def main() -> int:
    """Loads the program, runs the command line that it was called with, and returns the exit status."""
    # Modules are made of many objects that all stay, and rows of few that refer to each other: looking them through
    # again and again costs a short command some percent.
    gc.set_threshold(200_000, 20, 20)
    pressed: list[int] = []
    with handling(lambda number, _frame: pressed.append(number)):
        from musterroll_cli.main import main as run  # noqa: PLC0415 -- what takes its time
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    status = run(interrupted=bool(pressed))
    for number in SIGNALS:  # all is said and done: a signal that comes now must not change how the program ends
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()  # the interpreter looks for garbage once more before it ends, which costs a short command a fifth
    return status
