"""Opening a journal's file: making it, bringing it forward, refusing what is none, and looking without writing."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from musterroll.contract.translation import gettext
from musterroll.errors import RefusedError, StateError
from musterroll.journal.damage import corrupt, state_error
from musterroll.journal.schema import APPLICATION_ID, VERSION
from musterroll.journal.upgrades import FORMAT

BUSY_SECONDS = 10.0
_PRAGMAS = (
    "journal_mode = WAL",
    # An intent must be on the disk before the portal hears of it, even when the power fails.
    "synchronous = FULL",
    "cache_size = -16000",  # KiB: what a job of 100,000 rows is working on
)
# Bytes, of a new journal. What a job changes is many rows side by side, and whoever asks about it goes through all of
# them: a quarter of the pages that SQLite would make.
_PAGE = 16_384
_BETWEEN_CHECKPOINTS = 16_000_000  # bytes: few of them, as each writes once more what has changed
_SMALLEST = 512  # bytes; an SQLite file has at least so many
_WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_WAL_HEADER = 32  # bytes


class Looked(NamedTuple):
    """A connection that is only for looking, and what else to let go of with it."""

    db: sqlite3.Connection
    release: Callable[[], None]


def open_to_write(path: Path) -> sqlite3.Connection:
    """Opens a journal, makes it, or brings one of an earlier version forward.

    Raises:
        StateError: it cannot be opened, is damaged, or is no journal; it is never overwritten.
        RefusedError: it has to be brought forward, and another process works with it.
    """
    try:
        folder = path.parent
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The folder holds personal data and never belongs into version control.
            (folder / ".gitignore").touch(0o600)
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        if not path.exists():
            _make(path)
        os.close(os.open(path, os.O_RDWR))
        _refuse_odd_files(path)
    except OSError as error:
        raise StateError(
            gettext("the journal {path} cannot be written: {reason}", path=path, reason=_reason(path, error))
        ) from None
    db: sqlite3.Connection | None = None
    try:
        db = _connect(path, "rw")
        if _version(db, path) < VERSION:
            _upgrade(db, path)
        for pragma in _PRAGMAS:
            db.execute(f"PRAGMA {pragma}").fetchall()
        (page,) = db.execute("PRAGMA page_size").fetchone()
        db.execute(f"PRAGMA wal_autocheckpoint = {_BETWEEN_CHECKPOINTS // page}").fetchall()
    except sqlite3.Error as error:
        _close(db)
        raise state_error(path, error) from error
    except BaseException:
        _close(db)
        raise
    return db


def open_to_look(path: Path) -> Looked | None:
    """Opens a journal, if there is one, to look into it; works where nothing can be written, and writes nothing.

    One of an earlier version is brought forward in a copy, as it may be needed by that version still.

    Raises:
        StateError: it cannot be opened, is damaged, or is no journal.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise StateError(gettext("the journal {path} cannot be read: it is no file", path=path))
        _refuse_odd_files(path)
    except FileNotFoundError:
        _refuse_lost(path)
        return None
    except OSError as error:
        raise StateError(
            gettext("the journal {path} cannot be read: {reason}", path=path, reason=_reason(path, error))
        ) from None
    try:
        return _look(path)
    except sqlite3.Error as error:
        raise state_error(path, error) from error
    except OSError as error:  # of the copy
        raise StateError(
            gettext("the journal {path} cannot be read: {reason}", path=path, reason=_reason(path, error))
        ) from None


def open_temporary() -> sqlite3.Connection:
    """Makes a private journal that vanishes when it is closed."""
    db: sqlite3.Connection | None = None
    try:
        db = sqlite3.connect("", isolation_level=None)
        db.executescript("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
        FORMAT.make(db)
    except sqlite3.Error as error:
        _close(db)
        raise state_error(None, error) from error
    return db


def acquired(path: Path, seconds: float, between: Callable[[], object] = lambda: None) -> FileLock:
    """Takes the lock of a journal's writer. See `Journal.lock`.

    Raises:
        RefusedError: another process has it.
        StateError: it cannot be locked.
    """
    lock = FileLock(path.with_suffix(".lock"), mode=0o600)
    until = time.monotonic() + seconds
    try:
        while True:
            between()
            try:
                lock.acquire(timeout=min(1.0, max(0.0, until - time.monotonic())))
                break
            except Timeout:
                if time.monotonic() >= until:
                    raise
    except Timeout:
        raise RefusedError(
            gettext("another musterroll is working on this pipeline; wait until it has finished"), code="state.locked"
        ) from None
    except OSError as error:
        raise StateError(
            gettext("{path} cannot be locked: {reason}", path=lock.lock_file, reason=_reason(path, error))
        ) from None
    return lock


def is_locked(path: Path) -> bool:
    """Whether a writer is at work now."""
    file = path.with_suffix(".lock")
    try:
        if not file.exists():
            return False
        lock = FileLock(file, mode=0o600)
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError as error:
        return error.errno != errno.EROFS  # where nothing can be written, nobody is writing
    lock.release()
    return False


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return FORMAT.connect(path, mode, timeout=BUSY_SECONDS)


def _close(db: sqlite3.Connection | None) -> None:
    if db is not None:
        db.close()


def _look(path: Path) -> Looked:
    for mode in ("rw", "ro"):
        db = _connect(path, mode)
        try:
            db.execute("PRAGMA query_only = ON")
            if _version(db, path) == VERSION:
                return Looked(db, lambda: None)
        except sqlite3.OperationalError as error:
            db.close()
            if not error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
                raise
            continue
        except BaseException:
            db.close()
            raise
        with closing(db):
            return Looked(FORMAT.upgraded_copy(db), lambda: None)
    return _look_into_copy(path)


def _look_into_copy(path: Path) -> Looked:
    """Copies a journal to where SQLite can write: it cannot read one in WAL mode without files of its own beside it."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="musterroll-", ignore_cleanup_errors=True))
        )
        for file in (path, path.with_name(f"{path.name}-wal")):
            with suppress(FileNotFoundError):
                shutil.copyfile(file, folder / file.name)
        copy = open_to_look(folder / path.name)
        if copy is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        stack.callback(copy.release)
        return Looked(copy.db, stack.pop_all().close)


def _make(path: Path) -> None:
    """Makes the file under another name first: what is there under its own is whole, or damaged."""
    lock = acquired(path, BUSY_SECONDS)
    try:
        if path.exists():  # another process was quicker
            return
        _refuse_lost(path)
        made = path.with_name(f"{path.name}.new")
        for rest in ("", "-journal", "-wal", "-shm"):  # of one that was killed
            made.with_name(made.name + rest).unlink(missing_ok=True)
        # Created here and not by SQLite, so that nobody else can read it for a moment.
        os.close(os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_connect(made, "rw")) as db:
            db.execute(f"PRAGMA page_size = {_PAGE}")
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # what is forgotten gives its room back at once
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            FORMAT.make(db)
            db.execute("COMMIT")
            db.execute("PRAGMA journal_mode = WAL").fetchall()
        made.replace(path)
    except sqlite3.Error as error:
        raise state_error(path, error) from error
    finally:
        lock.release()


def _upgrade(db: sqlite3.Connection, path: Path) -> None:
    lock = acquired(path, BUSY_SECONDS)
    try:
        FORMAT.upgrade(db, path)
    except OSError as error:
        raise StateError(
            gettext(
                "the journal {path} cannot be brought forward, as it cannot be copied: {reason}",
                path=path,
                reason=_reason(path, error),
            )
        ) from None
    finally:
        lock.release()


def _version(db: sqlite3.Connection, path: Path) -> int:
    """Returns a journal's version.

    Raises:
        StateError: it is no journal, a damaged one, or one of a version that is not known here.
    """
    alone = not db.in_transaction
    if alone:
        db.execute("BEGIN")  # one look, whatever others do meanwhile
    try:
        application, version = (db.execute(f"PRAGMA {key}").fetchone()[0] for key in ("application_id", "user_version"))
        shape, newer = _shape_of(db), FORMAT.newer(db, path)
    finally:
        if alone:
            db.execute("ROLLBACK")
    if application != APPLICATION_ID:
        raise StateError(
            gettext(
                "{path} is no journal of musterroll, or its beginning was overwritten; bring it back from a "
                "backup, or move it away",
                path=path,
            ),
            code="state.corrupt",
        )
    if newer is not None:
        raise StateError(newer, code="state.newer")
    if version == VERSION and (missing := _expected_shape() - shape):
        raise corrupt(path, gettext("{part} is missing", part=" ".join(min(missing)).strip()))
    return int(version)


def _shape_of(db: sqlite3.Connection) -> frozenset[tuple[str, str, str]]:
    """The tables, columns and indexes of a database."""
    return frozenset(
        db.execute(
            "SELECT m.type, m.name, coalesce(c.name, '') FROM sqlite_schema AS m "
            "LEFT JOIN pragma_table_info(m.name) AS c ON m.type = 'table' WHERE m.name NOT LIKE 'sqlite_%'"
        )
    )


@cache
def _expected_shape() -> frozenset[tuple[str, str, str]]:
    with closing(open_temporary()) as db:
        return _shape_of(db)


def _refuse_odd_files(path: Path) -> None:
    """Refuses what SQLite would take for empty, and would write over or leave out.

    Raises:
        StateError: the journal is damaged.
    """
    size = path.stat().st_size
    if stat.S_ISREG(path.stat().st_mode) and size < _SMALLEST:
        raise corrupt(path, f"it has {size} bytes only" if size else "it is empty")
    wal = path.with_name(f"{path.name}-wal")
    try:
        with wal.open("rb") as file:
            header = file.read(_WAL_HEADER)
    except FileNotFoundError:
        return
    if header and (len(header) < _WAL_HEADER or not header.startswith(_WAL_MAGIC)):
        raise corrupt(path, f"{wal.name} beside it, which holds the last changes, was overwritten")


def _refuse_lost(path: Path) -> None:
    """Refuses to begin anew beside the rest of a journal: its last changes would be taken for the new one's."""
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists() and wal.stat().st_size:
        raise corrupt(path, f"it is gone, and {wal.name} with its last changes is still there")


def _reason(path: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError):
        for place in (path, path.parent):
            with suppress(OSError, KeyError, NotImplementedError):
                return (
                    f"{reason}; {place} belongs to {place.owner()}: work as that account, or name another folder "
                    "with state in the pipeline"
                )
    return reason
