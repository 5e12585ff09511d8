"""Where the program starts: Ctrl-C while it is still loading ends it as any other one does, without a traceback."""

from __future__ import annotations

import signal

__all__ = ["main"]


def main() -> int:
    """Loads the program, runs the command line that it was called with, and returns the exit status."""
    pressed: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # not where Ctrl-C is ignored, as in the background
        signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        from musterroll_cli.main import main as run  # noqa: PLC0415 -- what takes its time
    finally:
        signal.signal(signal.SIGINT, before)
    return run(interrupted=bool(pressed))
