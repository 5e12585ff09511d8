"""Runs the command line in forked processes, and kills them at a given commit of the journal.

A process that has everything imported forks a child for each command, which costs a hundredth of a start: so a
job can be killed at each of its commits. The child is a real process, killed by a real SIGKILL.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

_SHEET = """Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups
guidance,,,,,,,
ana@example.com,ana,Ana,Silva,Sesame-open-7,44,7712345678,A|B
"""
When = Literal["before", "after"]
Program = Literal["musterroll", "worker"]


@dataclass(frozen=True)
class Command:
    """How a command ended: `status` is None where it was killed."""

    status: int | None
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        document: dict[str, Any] = json.loads(self.out)
        return document


class ForkServer:
    """Asks the process that forks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.kills = 0

    def run(
        self,
        folder: Path,
        *words: object,
        program: Program = "musterroll",
        commit: int | None = None,
        when: When = "after",
        seconds: float = 0,
    ) -> Command:
        """Runs a command of musterroll.

        Args:
            folder: where it runs.
            words: the command line, without the program.
            program: what runs them: the command line, or a worker of the pages.
            commit: the commit of the journal at which it is killed, from 1; None for none.
            when: whether that is just before or just after it.
            seconds: after which it is killed; 0 for never.
        """
        out, err = folder / ".out", folder / ".err"
        order = {"folder": str(folder), "words": list(map(str, words)), "commit": commit, "when": when}
        order["program"] = program
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({**order, "seconds": seconds}), file=self._process.stdin, flush=True)
        status = json.loads(self._process.stdout.readline())
        self.kills += status == -signal.SIGKILL
        command = Command(None if status == -signal.SIGKILL else status, out.read_text("utf-8"), err.read_text("utf-8"))
        assert "Traceback" not in command.err, command.err
        assert status >= 0 or status == -signal.SIGKILL, command.err
        return command


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    """Starts the process that forks, and stops it."""
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        yield ForkServer(process)
    finally:
        process.communicate()


def _serve() -> None:
    import_everything()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _work(order)
        _, status = os.waitpid(child, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


def import_everything() -> None:
    """Plans a sheet once: what that imports, every child has."""
    import aiohttp  # noqa: F401 -- in the process that forks only

    from musterroll_cli.main import main

    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        sheet = Path(folder, "sheet.csv")
        sheet.write_text(_SHEET, encoding="utf-8")
        assert main(["plan", str(sheet), "--set", f"state={folder}", "--set", f"backend.options.path={folder}/x"]) == 0


def _work(order: dict[str, Any]) -> None:
    """What the child does; it never returns."""
    os.chdir(order["folder"])
    for number, name in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if order["commit"] is not None:
        _die_at(order["commit"], order["when"])
    if order["seconds"]:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, order["seconds"])
    if order["program"] == "worker":
        from musterroll_plugins.web.worker import main as work

        work(*map(Path, order["words"]))
        status = 0
    else:
        from musterroll_cli.main import main

        status = main(order["words"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _die_at(number: int, when: When) -> None:
    from musterroll.journal.journal import Journal

    commit, left = Journal.commit, number

    def counted(journal: Journal) -> None:
        nonlocal left
        counts = journal.path is not None and journal._db.in_transaction
        left -= counts
        if counts and left == 0 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(journal)
        if counts and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(Journal, "commit", counted)  # noqa: B010 -- the type checker would not let it be replaced


if __name__ == "__main__":
    _serve()
