"""Kills a command at random moments, to see what it has kept."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Killer:
    """Runs a command and kills it after a random time.

    The process is given no chance to clean up: SIGKILL, or its like on Windows.

    Attributes:
        folder: where the command runs.
        random: where the moments come from; seed it, so that a failure can be repeated.
        environment: the environment; None for the present one.
        kills: how many commands were killed before they ended.
        survived: how many ended by themselves first.
    """

    folder: Path
    random: random.Random
    environment: Mapping[str, str] | None = None
    kills: int = field(default=0, init=False)
    survived: int = field(default=0, init=False)

    def run(self, command: Sequence[str], *, earliest: float, latest: float) -> int | None:
        """Runs a command once.

        Args:
            command: the program and its arguments.
            earliest: seconds after which it may be killed.
            latest: seconds after which it is killed at the latest.

        Returns:
            The exit status; None where it was killed.
        """
        process = subprocess.Popen(  # noqa: S603 -- the caller's command
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            status = process.wait(self.random.uniform(earliest, latest))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.kills += 1
            return None
        self.survived += 1
        return status


def duration(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> float:
    """Runs a command to its end and returns how many seconds it took."""
    started = time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)  # noqa: S603 -- likewise
    return time.monotonic() - started
