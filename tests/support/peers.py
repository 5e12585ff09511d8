"""What musterroll is compared with when its speed is measured, where it is installed (`make peers`)."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from speed.sheets import search_path
from speed.tasks import peer
from support.programs import needs

_MODULES = ("frictionless", "pandas", "python_calamine")

needs_peers = needs(
    None if all(map(find_spec, _MODULES)) else "what musterroll is compared with is not installed: make peers",
)


@dataclass(frozen=True)
class Verdict:
    """What a program says of a sheet: how many rows it has, and which of them are bad."""

    rows: int
    bad: list[int]


def verdict_of(module: str, sheet: Path) -> Verdict:
    """Has a peer look at a sheet, in a process of its own as when it is measured."""
    done = subprocess.run(
        (*peer(module), str(sheet)),
        env=os.environ | {"PYTHONPATH": search_path()},
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    return Verdict(said["rows"], said.get("bad", []))
