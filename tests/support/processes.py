"""Runs a piece of Python in a process of its own, to be killed or to be in the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_START = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
folder = Path({folder!r})
"""


def start(code: str, folder: Path) -> subprocess.Popen[str]:
    """Starts it; `folder`, `Path`, `os`, `sys` and `time` are there already."""
    tests = Path(__file__).parents[1]
    text = _START.format(tests=str(tests), folder=str(folder)) + code
    return subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Waits until it has printed a line."""
    assert process.stdout is not None
    assert process.stdout.readline().strip() == line
