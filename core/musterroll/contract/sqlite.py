"""SQLite files that outlive the version of musterroll that made them: the journal, and a backend's or plugin's own."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from musterroll.contract.translation import gettext

_WRITTEN_BY = "musterroll"  # a key of `meta`
# Nothing is wrong with the file itself.
_OUT_OF_REACH = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_BUSY": "another program has locked it; close that program and try again",
    "SQLITE_LOCKED": "another program has locked it; close that program and try again",
    "SQLITE_READONLY": "it may not be written to (look at the permissions of the file and its folder)",
    "SQLITE_CANTOPEN": "it cannot be opened (look at the permissions of the file and its folder)",
    "SQLITE_PERM": "it may not be opened (look at its permissions)",
    "SQLITE_AUTH": "it may not be opened (look at its permissions)",
    "SQLITE_IOERR": "the disk reported an error, or is full",
    "SQLITE_NOMEM": "the memory is used up",
    "SQLITE_TOOBIG": "a value is too long",
    "SQLITE_INTERRUPT": "it was interrupted",
    "SQLITE_PROTOCOL": "another program has locked it; close that program and try again",
    "SQLITE_NOLFS": "it is too large for this disk",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFormat:
    """What such a file looks like, and how one of an earlier version becomes one of the present version.

    Among its tables is `meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)`, which says which version of musterroll
    made the file or brought it forward.

    Attributes:
        application_id: tells the file from other programs'.
        version: the present one.
        schema: the statements that make its tables.
        steps: by version, the statements that bring a file to the next one. A published step is never changed.
    """

    application_id: int
    version: int
    schema: tuple[str, ...]
    steps: Mapping[int, tuple[str, ...]]

    @staticmethod
    def connect(path: Path, mode: str, *, timeout: float, check_same_thread: bool = True) -> sqlite3.Connection:
        """Opens a file in autocommit mode.

        Args:
            path: of any kind.
            mode: SQLite's: `rw` or `ro`; it is not created.
            timeout: so many seconds another program that writes is waited for.
            check_same_thread: whether only this thread may use the connection.
        """
        # Not Path.as_uri: SQLite takes a Windows share (//server/share) only with an empty authority before it.
        name = path.absolute().as_posix()
        uri = f"file://{quote(os.fsencode(name if name.startswith('/') else f'/{name}'))}?mode={mode}"
        return sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=timeout, check_same_thread=check_same_thread
        )

    @staticmethod
    def why_out_of_reach(error: sqlite3.Error) -> str | None:
        """Returns why a file cannot be used that is not damaged; None for every other error."""
        name = getattr(error, "sqlite_errorname", "")
        # extended codes: SQLITE_IOERR_WRITE, SQLITE_READONLY_DIRECTORY, …
        known = (text for code, text in _OUT_OF_REACH.items() if name == code or name.startswith(f"{code}_"))
        return next(known, None)

    def make(self, db: sqlite3.Connection) -> None:
        """Makes the tables of a new file, in the caller's transaction."""
        db.execute(f"PRAGMA application_id = {self.application_id}")
        for statement in self.schema:  # `executescript` would end the transaction
            db.execute(statement)
        self._sign(db)

    def newer(self, db: sqlite3.Connection, path: Path) -> str | None:
        """Returns why a file cannot be used that a newer version has written; None for every other file."""
        version = _version(db)
        if version <= self.version:
            return None
        try:
            found = db.execute("SELECT value FROM meta WHERE key = ?", (_WRITTEN_BY,)).fetchone()
        except sqlite3.Error:
            found = None
        return gettext(
            "{path} was written by a newer version of musterroll{name} (its version is {version}, "
            "musterroll {ours} knows {known}); update musterroll",
            path=path,
            name=f", {found[0]}" if found is not None else "",
            version=version,
            ours=_ours(),
            known=self.version,
        )

    def upgrade(self, db: sqlite3.Connection, path: Path) -> None:
        """Brings a file of an earlier version forward, whole or not at all; as it was, it stays beside it.

        Raises:
            OSError: the copy cannot be made.
            sqlite3.Error: likewise, or the file cannot be written.
        """
        db.execute("BEGIN IMMEDIATE")
        try:
            version = _version(db)
            if version != self.version:  # else another process was quicker
                statements = self._way_from(version)
                _keep(path, path.with_name(f"{path.name}.v{version}.bak"))
                self._bring_forward(db, statements)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def upgraded_copy(self, db: sqlite3.Connection, *, check_same_thread: bool = True) -> sqlite3.Connection:
        """Brings a private copy forward, for who only looks: the earlier version may need the file still."""
        copy = sqlite3.connect("", isolation_level=None, check_same_thread=check_same_thread)
        try:
            db.backup(copy)
            copy.execute("BEGIN IMMEDIATE")
            self._bring_forward(copy, self._way_from(_version(copy)))
            copy.execute("COMMIT")
        except BaseException:
            copy.close()
            raise
        return copy

    def _way_from(self, version: int) -> list[str]:
        if version not in self.steps:
            raise sqlite3.DatabaseError(f"it has the version {version}, which no musterroll has written")
        return [statement for step in range(version, self.version) for statement in self.steps[step]]

    def _bring_forward(self, db: sqlite3.Connection, statements: Iterable[str]) -> None:
        for statement in statements:
            db.execute(statement)
        self._sign(db)

    def _sign(self, db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_WRITTEN_BY, _ours()))
        db.execute(f"PRAGMA user_version = {self.version}")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _ours() -> str:
    return metadata.version("musterroll")


def _keep(path: Path, copy: Path) -> None:
    """Copies a file as it is. A copy that is there already was made by an attempt that failed, or is older."""
    half = copy.with_name(f"{copy.name}.new")
    try:
        half.unlink(missing_ok=True)
        # Created here and not by SQLite, so that nobody else can read it for a moment.
        os.close(os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        # Not from the connection whose transaction is open: SQLite would wait for that to end.
        source = SqliteFormat.connect(path, "ro", timeout=0)
        with closing(source), closing(SqliteFormat.connect(half, "rw", timeout=0)) as made:
            source.backup(made)
        half.replace(copy)
    except BaseException:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        raise
