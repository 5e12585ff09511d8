"""One SQLite file a pipeline, with one writer at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from musterroll.errors import RefusedError, StateError
from musterroll.journal.schema import APPLICATION_ID, SCHEMA, VERSION

# A reader that only looks whether a writer lives holds the lock for a moment; a writer waits that long.
_LOCK_SECONDS = 1.0
_BUSY_SECONDS = 10.0
_PRAGMAS = (
    "journal_mode = WAL",
    # An intent must be on the disk before the portal hears of it, even when the power fails.
    "synchronous = FULL",
    # KiB: what a job of 100,000 rows is working on; and fewer checkpoints, each of which writes it once more.
    "cache_size = -16000",
    "wal_autocheckpoint = 4000",
)
_SMALLEST = 512  # bytes; an SQLite file has at least so many


class Journal:
    """The journal's file: connection, transactions and lock. What the tables mean is told by the stores.

    Every SQLite error comes out as `StateError` in one line.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._db = connection
        self.path = path

    @classmethod
    def open(cls, folder: Path, name: str) -> Journal:
        """Opens the journal of a pipeline, or creates it.

        Args:
            folder: the state folder; created if need be, for the owner only.
            name: the pipeline's name.

        Raises:
            StateError: it cannot be opened, or is not a journal; it is never overwritten.
        """
        path = journal_path(folder, name)
        try:
            if not folder.is_dir():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                # The folder holds personal data and never belongs into version control.
                (folder / ".gitignore").touch(0o600)
                (folder / ".gitignore").write_text("*\n", encoding="utf-8")
            # Created here and not by SQLite, so that nobody else can read it for a moment.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StateError(f"the journal {path} cannot be written: {error.strerror or error}") from None
        return cls(_connect(path), path)

    @classmethod
    def open_existing(cls, folder: Path, name: str) -> Journal | None:
        """Opens the journal if there is one."""
        return cls.open(folder, name) if journal_path(folder, name).is_file() else None

    @classmethod
    def temporary(cls) -> Journal:
        """Makes a private journal that vanishes when it is closed: for planning without a trace."""
        try:
            db = sqlite3.connect("", isolation_level=None)
            db.executescript("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
            _make_tables(db)
        except sqlite3.Error as error:
            raise _state_error(None, error) from error
        return cls(db, None)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lets one writer in. An operating-system lock: it frees itself when its holder dies.

        Raises:
            RefusedError: another process works on this state.
        """
        if self.path is None:
            yield
            return
        lock = _acquired(self.path, _LOCK_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def is_locked(self) -> bool:
        """Whether a writer is at work now."""
        if self.path is None or not self.path.with_suffix(".lock").exists():
            return False
        lock = FileLock(self.path.with_suffix(".lock"), mode=0o600)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            return True
        lock.release()
        return False

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Runs one statement.

        Raises:
            StateError: SQLite refused.
        """
        try:
            return self._db.execute(sql, values)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def change(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Runs one statement and returns how many rows it has changed, as SQLite itself says.

        What Python counts is -1 under a Turkish locale, which has other small letters for the I of INSERT.

        Raises:
            StateError: SQLite refused.
        """
        self.execute(sql, values)
        (changed,) = self.execute("SELECT changes()").fetchone()
        return int(changed)

    def executemany(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Runs one statement many times.

        Raises:
            StateError: SQLite refused.
        """
        try:
            self._db.executemany(sql, values)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Streams the rows of a query; the rows may be changed meanwhile by other statements.

        Raises:
            StateError: SQLite refused.
        """
        cursor = self.execute(sql, values)
        try:
            for row in cursor:  # noqa: UP028 -- `yield from` closes the cursor, which fails once the journal is closed
                yield row
        except sqlite3.Error as error:
            raise self._error(error) from error

    def begin(self) -> None:
        """Begins a transaction if none is open."""
        if not self._db.in_transaction:
            self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Commits the open transaction, if there is one."""
        if self._db.in_transaction:
            self.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits what is done inside, together with what was open before; rolls back when it raises."""
        self.begin()
        try:
            yield
        except BaseException:
            if self._db.in_transaction:
                self._db.rollback()
            raise
        self.commit()

    def size(self) -> int:
        """Returns how many bytes it takes on the disk."""
        if self.path is None:
            return 0
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def shrink(self) -> None:
        """Gives the space of what was deleted back.

        Raises:
            StateError: there is no room to do so, or somebody is looking. What was deleted stays deleted.
        """
        self.execute("VACUUM")
        # Whoever looks now keeps the file from shrinking until they are done; that is not worth waiting for.
        self.execute("PRAGMA busy_timeout = 0").fetchall()
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}").fetchall()

    def close(self) -> None:
        """Lets go of the file. What is not committed is lost."""
        self._db.close()

    def _error(self, error: sqlite3.Error) -> StateError:
        return _state_error(self.path, error)


def journal_path(folder: Path, name: str) -> Path:
    """The journal's file."""
    return folder / f"{name}.journal"


def _acquired(path: Path, seconds: float) -> FileLock:
    lock = FileLock(path.with_suffix(".lock"), mode=0o600)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise RefusedError(
            "another musterroll is working on this pipeline; wait until it has finished", code="state.locked"
        ) from None
    except OSError as error:
        raise StateError(f"{lock.lock_file} cannot be locked: {error.strerror or error}") from None
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    size = path.stat().st_size
    if 0 < size < _SMALLEST:
        # SQLite may take a file that is this small for an empty one, and would write over it.
        raise StateError(f"{path} is no journal of musterroll; move it away")
    if size == 0:
        _create(path)
    try:
        db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
        try:
            db.execute("BEGIN")  # one look, whatever others do meanwhile
            blank = _is_blank(db, path)
            db.execute("COMMIT")
            if blank:  # its maker is still at it, or was killed
                _create(path)
            for pragma in _PRAGMAS:
                db.execute(f"PRAGMA {pragma}").fetchall()
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise _state_error(path, error) from error
    return db


def _create(path: Path) -> None:
    """Makes the tables, unless another process was quicker. Under the lock: SQLite cannot wait for WAL mode."""
    lock = _acquired(path, _BUSY_SECONDS)
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)) as db:
            db.execute("PRAGMA journal_mode = WAL").fetchall()
            db.execute("BEGIN IMMEDIATE")
            if _is_blank(db, path):
                _make_tables(db)
            db.execute("COMMIT")
    except sqlite3.Error as error:
        raise _state_error(path, error) from error
    finally:
        lock.release()


def _is_blank(db: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are still to be made.

    Raises:
        StateError: it is another program's file, or another version's.
    """
    application, version = (db.execute(f"PRAGMA {key}").fetchone()[0] for key in ("application_id", "user_version"))
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if not application and not tables:
        return True
    if application != APPLICATION_ID:
        raise StateError(f"{path} is no journal of musterroll; move it away")
    if version != VERSION:
        raise StateError(
            f"{path} was written by another version of musterroll (journal version {version}, this one knows {VERSION})"
        )
    return False


def _make_tables(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")
    for statement in SCHEMA:
        db.execute(statement)


def _state_error(path: Path | None, error: sqlite3.Error) -> StateError:
    where = path if path is not None else "(temporary)"
    if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return StateError(
            f"the journal {where} is damaged; restore it from a backup or move it away", code="state.corrupt"
        )
    return StateError(f"the journal {where} cannot be used: {error}")
