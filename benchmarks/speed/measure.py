"""What a whole process costs, from its start to its end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

# What getrusage counts memory in.
_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Usage:
    """What a process used.

    Attributes:
        cpu: seconds on processors, of the program and of the system for it.
        wall: seconds until it had ended.
        peak: the most memory that it held, in MB. It is never less than what the process held that started it.
    """

    cpu: float
    wall: float
    peak: float


def measured(command: Sequence[str], folder: Path, *, statuses: Collection[int] = (0,)) -> Usage:
    """Runs a command, away from the terminal, and returns what it used.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        statuses: how it may exit.

    Raises:
        RuntimeError: it exited otherwise.
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=said)  # noqa: S603 -- ours
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for already
        if process.returncode not in statuses:
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
            raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}: {text}")
    return Usage(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * _BYTES / 1e6)


def least(usages: Sequence[Usage]) -> Usage:
    """Returns the least time of several runs, since what else a machine does only adds to it, and the highest peak."""
    return Usage(min(u.cpu for u in usages), min(u.wall for u in usages), max(u.peak for u in usages))
