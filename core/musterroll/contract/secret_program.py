"""A secret that a program prints, e.g. a password manager: within bounds, and never shown."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress

SECONDS = 30.0
"""So long the program may take."""


class ProgramError(Exception):
    """It gives no secret; the text says why, and nothing of what it printed."""


def secret_of(command: Sequence[str], most: int) -> str:
    """Runs a program and returns what it prints, without the end of the line.

    Args:
        command: the program and its arguments.
        most: so many bytes are read.

    Raises:
        ProgramError: it cannot be started, fails, takes too long, or prints no text.
    """
    name = command[0]
    try:
        # A session of its own, so that whatever it starts ends with it.
        program = subprocess.Popen(  # noqa: S603 -- the person names it in the pipeline file
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no program"
        raise ProgramError(f"the program {name} cannot be started: {reason}") from None
    too_long = threading.Event()

    def end() -> None:
        too_long.set()
        _kill(program)

    timer = threading.Timer(SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        assert program.stdout is not None
        with program.stdout as output:
            printed = output.read(most + 1)
        status = program.wait()
    finally:
        timer.cancel()
        _kill(program)
    if too_long.is_set():
        raise ProgramError(f"the program {name} did not end within {SECONDS:g} s")
    if len(printed) > most:
        raise ProgramError(f"the program {name} prints more than a secret")
    if status != 0:
        raise ProgramError(f"the program {name} ended with status {status}; try it in a terminal")
    try:
        text = printed.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ProgramError(f"the program {name} prints no UTF-8 text") from None
    if not text:
        raise ProgramError(f"the program {name} prints nothing")
    return text


def _kill(program: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(program.pid, 9)  # the number of the group is that of its first process
        else:
            program.kill()
