"""What was measured, kept in a folder: a file for each number of rows, and one for portals."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from speed.measure import Usage

_PORTAL = "portal.json"


@dataclass(frozen=True)
class Origin:
    """Where figures come from.

    Attributes:
        date: the day.
        commit: of the sources; with `+` where they had been changed since.
        machine: processors and Python.
    """

    date: str
    commit: str
    machine: str


@dataclass(frozen=True)
class Result:
    """What was measured with sheets of one size.

    Attributes:
        rows: how many users they have.
        rounds: how many times each task was run.
        origin: where the figures come from.
        usages: what each task used, by its name.
    """

    rows: int
    rounds: int
    origin: Origin
    usages: Mapping[str, Usage]

    def ratio(self, task: str, base: str) -> float | None:
        """Returns how many times the CPU seconds of one task are those of another; None where one was not measured."""
        if task not in self.usages or base not in self.usages:
            return None
        return self.usages[task].cpu / self.usages[base].cpu

    def save(self, folder: Path) -> None:
        """Writes it to its file."""
        _write(folder / f"{self.rows}.json", asdict(self))


@dataclass(frozen=True)
class PortalResult:
    """What importing into a SCIM server took.

    Attributes:
        users: how many.
        origin: where the figures come from.
        seconds: of each way, by its name.
        bases: the bare loop that each way is compared with.
    """

    users: int
    origin: Origin
    seconds: Mapping[str, float]
    bases: Mapping[str, str]

    def save(self, folder: Path) -> None:
        """Writes it to its file."""
        _write(folder / _PORTAL, asdict(self))


def results(folder: Path) -> list[Result]:
    """Returns what was measured, by size."""
    return sorted((_result(read) for read in _read(folder, "[0-9]*.json")), key=lambda result: result.rows)


def portal_result(folder: Path) -> PortalResult | None:
    """Returns what was measured with a portal."""
    read = next(_read(folder, _PORTAL), None)
    return None if read is None else PortalResult(**read | {"origin": Origin(**read["origin"])})


def origin() -> Origin:
    """Returns where figures come from that are measured now."""
    root = Path(__file__).parents[2]

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)  # noqa: S603, S607 -- ours
        return done.stdout.strip()

    commit = git("rev-parse", "--short", "HEAD") or "unknown"
    changed = "+" if git("status", "--porcelain", "--untracked-files=no", "core", "plugins", "cli") else ""
    machine = f"{os.cpu_count()} processors, {platform.python_implementation()} {platform.python_version()}"
    return Origin(dt.datetime.now(dt.UTC).date().isoformat(), commit + changed, machine)


def _result(read: dict[str, Any]) -> Result:
    usages = {name: Usage(**usage) for name, usage in read["usages"].items()}
    return Result(read["rows"], read["rounds"], Origin(**read["origin"]), usages)


def _read(folder: Path, pattern: str) -> Iterator[dict[str, Any]]:
    for path in folder.glob(pattern):
        yield json.loads(path.read_text(encoding="utf-8"))


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
