"""Tells whether a directory's file is still what it was, without looking at a user.

At rest the file is a single one with a rollback journal (see `file.py`). Whoever changes it then, in whatever program,
changes its times, and whoever puts another one in its place, an older copy of it as well, changes what the system knows
of it: the time of its last change (`ctime`) cannot be set. The file is never opened here besides SQLite: closing it
would take its locks away from every connection of this process.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from musterroll_plugins.backends.directory.file import LOCK_SECONDS, bring_to_rest

_EMPTY = "empty"  # so is a directory that is not there yet
_SECOND = 1_000_000_000  # in ns
_TICK = 20_000_000  # ns; times go in steps, the longest of which are half as long
_WHOLE_SECONDS = 2 * _SECOND + _TICK  # likewise where a file system knows whole seconds only


class _Look(NamedTuple):
    """The file at a moment at which nobody could write to it.

    Attributes:
        state: names what is in it.
        version: what SQLite says to this connection until another one has changed something.
    """

    state: str
    version: int


class DirectoryState:
    """The state of the users and groups in a directory, and whether only this connection changes it.

    Args:
        path: the file.
        db: the connection; in autocommit mode.
    """

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self._path, self._db = path, db
        self._last: _Look | None = None  # None as well once somebody else may have changed something
        self._writes = False

    def name(self) -> str | None:
        """Returns a text that is the same as long as everything is; see `TellsState`.

        None where the file is not at rest, which is how a program leaves it that keeps it in WAL mode, and where times
        of files mean something else.
        """
        if not self._writes:
            self._last = self._look()
        elif self._last is not None:
            self._last = self._look_after_writing(self._last)
            self._writes = self._last is None
        return None if self._last is None else self._last.state

    def begin_writing(self) -> None:
        """Begins a transaction that writes; the first one takes the file into WAL mode (why: see `file.py`)."""
        with suppress(sqlite3.OperationalError):  # somebody is reading: the old way works too, and more slowly
            self._db.execute("PRAGMA journal_mode = WAL").fetchall()
        self._db.execute("BEGIN IMMEDIATE")
        if not self._writes:
            self._writes = True
            self._last = None if self._last is None else self._still_alone(self._last)

    def _still_alone(self, last: _Look) -> _Look | None:
        """What is known within the first transaction, where nobody else has written since the last look."""
        version = self._version()
        if not self._is_wal():
            return last if version == last.version else None
        # The other mode is another version, what was changed before it one more; what was changed since is in the WAL.
        wal = self._path.with_name(f"{self._path.name}-wal")
        with suppress(OSError):
            if version == last.version + 1 and wal.stat().st_size == 0:
                return last._replace(version=version)
        return None

    def _look_after_writing(self, last: _Look) -> _Look | None:
        if not self._is_wal():
            return self._look(last)
        with self._for_itself() as is_alone:
            if not is_alone or self._version() != last.version:
                return None
            bring_to_rest(self._db)
            time.sleep(_TICK / _SECOND)  # whatever the clock of the disk says
            return self._look()

    def _look(self, last: _Look | None = None) -> _Look | None:
        """Looks at the file; None where others may be writing to it, or have written since the last look."""
        try:
            self._db.execute("BEGIN")
            try:
                # Having read, it keeps others from writing until its end.
                (anybody,) = self._db.execute(
                    "SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM groups)"
                ).fetchone()
                version = self._version()
                state = self._state_of_file() if anybody else _EMPTY
                is_at_rest = not self._is_wal()
            finally:
                self._db.execute("COMMIT")
        except (OSError, sqlite3.OperationalError):  # locked, or gone
            return None
        is_sure = is_at_rest and state is not None and (last is None or version == last.version)
        return _Look(state, version) if is_sure and state is not None else None

    def _state_of_file(self) -> str | None:
        _, _, name = self._db.execute("PRAGMA database_list").fetchone()
        if os.name != "posix" or not name or not self._path.samefile(name):
            return None
        found = self._path.stat()
        # A change that follows at once must not have the same time.
        is_coarse = not (found.st_ctime_ns % _SECOND or found.st_mtime_ns % _SECOND)
        age = time.time_ns() - max(found.st_ctime_ns, found.st_mtime_ns)
        if is_coarse and age < _WHOLE_SECONDS:
            return None
        if age < _TICK:
            time.sleep((_TICK - max(age, 0)) / _SECOND)
        return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}-{found.st_ctime_ns}"

    def _version(self) -> int:
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _is_wal(self) -> bool:
        (mode,) = self._db.execute("PRAGMA journal_mode").fetchone()
        return bool(mode == "wal")

    @contextmanager
    def _for_itself(self) -> Iterator[bool]:
        """Keeps everybody else out of the file, as far as nobody is in it; says whether that is so."""
        self._db.execute("PRAGMA busy_timeout = 0").fetchall()
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        try:
            is_alone = False
            with suppress(sqlite3.OperationalError):
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute("COMMIT")
                is_alone = True
            yield is_alone
        finally:
            self._db.execute("PRAGMA locking_mode = NORMAL").fetchall()
            with suppress(sqlite3.OperationalError):
                self._db.execute("SELECT 1 FROM meta LIMIT 1").fetchall()  # only now the locks are let go
            self._db.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000:.0f}").fetchall()
