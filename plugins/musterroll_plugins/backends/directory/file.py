"""Opening a directory's file: creating it, refusing what is none, and saying in one line what went wrong.

While it is written the file is in WAL mode: one fsync for each transaction (`synchronous = FULL`, because an
answer that was given must outlive a power cut: the journal believes it), and a person who looks at the file
meanwhile blocks nobody. When it is closed it goes back to a rollback journal, so that at rest it is a single
file, which can be copied, and read without leaving files beside it. Whatever a kill leaves beside it, the
next opening takes in.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from musterroll import BackendError
from musterroll_plugins.backends.directory.schema import COUNT_CHANGES, COUNT_NO_CHANGES, EMAIL_INDEX, FORMAT, NEEDED

LOCK_SECONDS = 5.0  # how long to wait for another program that is writing
_SMALLEST = 512  # bytes; the smallest page
_PAGE = 16_384  # bytes, of a new file: four times SQLite's, so that its indexes have fewer pages to look for and write

_NO_SQLITE = (
    "it is no SQLite file, or its beginning was overwritten; bring it back from a copy, or name another file as the "
    "backend's path"
)
_DAMAGED = "it is damaged ({why}); bring it back from a copy"
# What code raises that takes a stored value apart which is not what was stored.
_SENSELESS = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turns an error of SQLite into one line.

    Args:
        path: the file.
        doing: what was tried, e.g. `written`.

    Raises:
        BackendError: instead of the error.
    """
    try:
        yield
    except sqlite3.Error as error:
        reason = FORMAT.why_out_of_reach(error)
        if reason is None:
            name = getattr(error, "sqlite_errorname", "")
            # a table or a column is missing, a text is none, …
            reason = _NO_SQLITE if name == "SQLITE_NOTADB" else _DAMAGED.format(why=error)
        raise BackendError(f"the directory {path} cannot be {doing}: {reason}") from error


@contextmanager
def read_soundly(path: Path) -> Iterator[None]:
    """Turns an error of SQLite into one line, and values that make no sense as well: the file is damaged.

    Raises:
        BackendError: instead of the error.
    """
    with explained(path, "read"):
        try:
            yield
        except _SENSELESS as error:
            reason = _DAMAGED.format(why="a value in it makes no sense")
            raise BackendError(f"the directory {path} cannot be read: {reason}") from error


def open_directory(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Opens a directory's file in autocommit mode.

    To be read only, a missing file is an empty directory in memory. To be written, it is created, readable by
    its owner only.

    Raises:
        BackendError: the file cannot be opened or created, or is none of musterroll's, or of a newer one.
    """
    exists = _exists(path)
    if not exists and not path.parent.is_dir():
        # Said when planning already: it is known then that the file cannot be created.
        raise BackendError(f"the directory {path} cannot be created: the folder {path.parent} does not exist")
    if read_only:
        connection = _open_to_read(path) if exists else _in_memory()
    else:
        if not exists:
            _create(path)
        with explained(path, "opened"):
            connection = _connect(path, "rw")
    try:
        with explained(path, "opened"):
            if _is_blank(path, connection):
                if read_only:
                    connection.close()
                    connection = _in_memory()
                _make_schema(connection, read_only=read_only)
            connection = _brought_forward(connection, path, read_only=read_only)
            _look_at_tables(connection)
            if not read_only:
                _try_to_write(connection)
                _make_email_index(connection)  # it lacks where a first import was killed
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -32000")  # KiB: the indexes of some 100,000 users
            # Each checkpoint writes all changed pages once more; half of the default's number of them.
            connection.execute("PRAGMA wal_autocheckpoint = 2000")
    except BaseException:
        connection.close()
        raise
    return connection


def identity(connection: sqlite3.Connection) -> str:
    """Returns the id that the directory was given when it was made, or `new`."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'directory_id'").fetchone()
    return str(row[0])


def drop_email_index(connection: sqlite3.Connection) -> None:
    """Drops the index by address, in the caller's transaction, unless there are users already.

    Of many users it is made in a tenth of the time once they are all there. Whoever looks up an address meanwhile makes
    a temporary one, and adds new users to it for as long as no other is changed, which is counted.
    """
    if has_email_index(connection) and connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is None:
        for statement in ("DROP INDEX users_by_email", *COUNT_CHANGES):
            connection.execute(statement)


def has_email_index(connection: sqlite3.Connection) -> bool:
    """Whether there is the index by address."""
    query = "SELECT 1 FROM sqlite_schema WHERE name = 'users_by_email'"
    return connection.execute(query).fetchone() is not None


def _make_email_index(connection: sqlite3.Connection) -> None:
    """Makes the index by address, unless it is there."""
    if has_email_index(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not has_email_index(connection):  # another process may have been quicker
            for statement in (EMAIL_INDEX, *COUNT_NO_CHANGES):
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def close_directory(connection: sqlite3.Connection, *, read_only: bool) -> None:
    """Closes the file, and makes it a single one again unless somebody else has it open."""
    if not read_only:
        # Where this fails (locked, disk full) everything is safe in the files beside it: the next one will do it.
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout = 0")
            bring_to_rest(connection)
    connection.close()


def bring_to_rest(connection: sqlite3.Connection) -> None:
    """Makes the file a single one again, with all that is to be in it; nothing is left to do for whoever closes it.

    Raises:
        sqlite3.Error: somebody else has it open, or the disk is full.
    """
    _make_email_index(connection)
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()


def _exists(path: Path) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BackendError(f"the directory {path} cannot be opened: {reason}") from None
    if stat.S_ISDIR(found.st_mode):
        raise BackendError(f"the directory {path} cannot be opened: it is a folder; name a file in it")
    if 0 < found.st_size < _SMALLEST:
        # SQLite takes any file that is this small for an empty one, and would write over it.
        raise BackendError(f"the directory {path} cannot be opened: {_NO_SQLITE}")
    return True


def _create(path: Path) -> None:
    try:
        # SQLite would create it readable by all; its files beside it take their permissions from this one.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except FileNotFoundError:
        message = f"the folder {path.parent} does not exist; create it, or change the backend's path"
        raise BackendError(message) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BackendError(f"the directory {path} cannot be created: {reason}") from None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return FORMAT.connect(path, mode, timeout=LOCK_SECONDS, check_same_thread=False)


def _in_memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _open_to_read(path: Path) -> sqlite3.Connection:
    with explained(path, "opened"):
        try:
            return _connect_and_look(path, "ro")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_READONLY"):
                raise
        # A kill in the middle of a transaction: only a connection that may write can roll it back.
        _connect_and_look(path, "rw").close()
        return _connect_and_look(path, "ro")


def _connect_and_look(path: Path, mode: str) -> sqlite3.Connection:
    connection = _connect(path, mode)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _is_blank(path: Path, connection: sqlite3.Connection) -> bool:
    """Whether nothing was written to the file yet.

    Raises:
        BackendError: it is another program's file, or a newer musterroll's.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not application and not tables:
        return True
    if application != FORMAT.application_id:
        raise BackendError(f"{path} is another program's SQLite file; name another file as the backend's path")
    if (newer := FORMAT.newer(connection, path)) is not None:
        raise BackendError(newer)
    return False


def _brought_forward(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Brings a directory of an earlier version forward; to be read only, in a private copy."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == FORMAT.version:
        return connection
    if read_only:
        with closing(connection):
            return FORMAT.upgraded_copy(connection, check_same_thread=False)
    try:
        FORMAT.upgrade(connection, path)
    except OSError as error:
        raise BackendError(
            f"the directory {path} cannot be brought forward, as it cannot be copied: {error.strerror or error}"
        ) from None
    return connection


def _look_at_tables(connection: sqlite3.Connection) -> None:
    """Asks for everything that is needed; somebody may have added tables and columns of their own."""
    for table, columns in NEEDED.items():
        connection.execute(f"SELECT {columns} FROM {table} LIMIT 0")  # noqa: S608 -- constants


def _try_to_write(connection: sqlite3.Connection) -> None:
    """Finds out before anything is done whether the file can be written to, and leaves it as it is."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(f"PRAGMA user_version = {FORMAT.version}")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _make_schema(connection: sqlite3.Connection, *, read_only: bool) -> None:
    connection.execute(f"PRAGMA page_size = {_PAGE}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been quicker between the look and the lock.
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            FORMAT.make(connection)
            directory = "new" if read_only else str(uuid.uuid4())
            connection.execute("INSERT INTO meta VALUES ('directory_id', ?)", (directory,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
