"""Files that an earlier version has written: what it made by being used, as SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

_FIXTURES = Path(__file__).parents[1] / "fixtures"

COMPLETED, UNDONE, UNDO = "20261127-175304-7bb4", "20261127-175305-zaqt", "20261127-175306-jyvf"
QUARANTINED, INTERRUPTED = "20261127-175307-b35b", "20261127-175308-rrcg"
"""The jobs of the journal. One was killed while it sent the second of two invites."""


def write_earlier(kind: Literal["journal", "directory"], path: Path, *also: tuple[str, str]) -> Path:
    """Makes a journal or a directory as commit 4730a08 has written it.

    Args:
        kind: which of them.
        path: where.
        also: statements that change it, each with its value.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (_FIXTURES / f"{kind}-4730a08.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as db:
        db.executescript(text)
        for statement, value in also:
            db.execute(statement, (value,))
        db.commit()
        if kind == "journal":
            db.execute("PRAGMA journal_mode = WAL").fetchall()
    return path
