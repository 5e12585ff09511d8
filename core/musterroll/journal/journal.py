"""One SQLite file a pipeline, with one writer at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from musterroll.contract.text import fold
from musterroll.contract.translation import gettext
from musterroll.errors import StateError
from musterroll.journal.damage import corrupt, state_error
from musterroll.journal.file import BUSY_SECONDS, acquired, is_locked, open_temporary, open_to_look, open_to_write

# A reader that only looks whether a writer lives holds the lock for a moment; a writer waits that long.
_LOCK_SECONDS = 1.0
_NEAR = 10  # numbers; so many of others cost less than a statement of their own
_FETCHED = 100  # rows at once; one by one costs a call each


class Journal:
    """The journal's file: connection, transactions and lock. What the tables mean is told by the stores.

    Every SQLite error comes out as `StateError` in one line.

    Attributes:
        path: the file; None of a temporary journal.
        writer: which of its writers this is, by their order, once it has begun to write; None before.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path | None, release: Callable[[], None] = lambda: None
    ) -> None:
        self._db = connection
        self._given: dict[int, Any] = {}
        connection.create_function("given", 1, self._given.get)
        connection.create_function("mr_fold", 1, fold, deterministic=True)
        self._release = release
        self._held: dict[Path, tuple[int, int]] = {}  # the files of a writer, each with what it is for the system
        self.path = path
        self.writer: int | None = None
        self._is_counted = False  # for good: whatever was not committed was not counted

    @classmethod
    def open(cls, folder: Path, name: str) -> Journal:
        """Opens the journal of a pipeline, or creates it.

        Args:
            folder: the state folder; created if need be, for the owner only.
            name: the pipeline's name.

        Raises:
            StateError: it cannot be opened, or is not a journal; it is never overwritten.
            RefusedError: it is of an earlier version, and another process works with it.
        """
        path = journal_path(folder, name)
        return cls(open_to_write(path), path)

    @classmethod
    def open_existing(cls, folder: Path, name: str) -> Journal | None:
        """Opens the journal to write, if there is one."""
        looked = cls.look(folder, name)
        if looked is None:
            return None
        looked.close()
        return cls.open(folder, name)

    @classmethod
    def look(cls, folder: Path, name: str) -> Journal | None:
        """Opens the journal to look into it, if there is one; works where nothing can be written.

        Raises:
            StateError: it cannot be opened, or is not a journal.
        """
        path = journal_path(folder, name)
        looked = open_to_look(path)
        return None if looked is None else cls(looked.db, path, looked.release)

    @classmethod
    def temporary(cls) -> Journal:
        """Makes a private journal that vanishes when it is closed: for planning without a trace."""
        return cls(open_temporary(), None)

    @contextmanager
    def lock(self, seconds: float = 0.0, between: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Lets one writer in. An operating-system lock: it frees itself when its holder dies.

        Until it is let go, every commit looks whether the files are still where they were.

        Args:
            seconds: how long another process is waited for; a moment in any case.
            between: called now and then meanwhile; may raise, to wait no longer.

        Raises:
            RefusedError: another process works on this state.
            StateError: the journal is damaged.
        """
        if self.path is None:
            yield
            return
        lock = acquired(self.path, max(seconds, _LOCK_SECONDS), between)
        try:
            self._held = {file: _what_is_at(file) for file in (self.path, Path(lock.lock_file))}
            self._check()
            yield
        finally:
            self._held, self.writer, self._is_counted = {}, None, False
            lock.release()

    def is_locked(self) -> bool:
        """Whether a writer is at work now."""
        return bool(self._held) or (self.path is not None and is_locked(self.path))

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Runs one statement.

        Raises:
            StateError: SQLite refused.
        """
        cursor = None
        try:
            cursor = self._db.cursor(_Cursor)
            cursor.journal = self
            return cursor.execute(sql, values)
        except sqlite3.Error as error:
            if cursor is not None:
                cursor.close()  # whoever keeps the error would keep the file open with it, after `close` too
            raise self._error(error) from error
        except UnicodeEncodeError:
            raise _unstorable() from None

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
        except UnicodeEncodeError:
            raise _unstorable() from None

    def execute_given(self, sql: str, values: Sequence[Any], given: Mapping[int, Any]) -> None:
        """Runs one statement for many numbers, far more quickly than once for each.

        Args:
            sql: the statement; in it `given(number)` is what is given for a number, or NULL. The last two places are a
                first and a last number: it is run once for numbers that are close together.
            values: of the places before.
            given: by number.

        Raises:
            StateError: SQLite refused.
        """
        self._given.update(given)
        try:
            for first, last in _close_together(sorted(given)):
                self.execute(sql, (*values, first, last))
        finally:
            self._given.clear()

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Streams the rows of a query; the rows may be changed meanwhile by other statements.

        Raises:
            StateError: SQLite refused.
        """
        for row in self.execute(sql, values):  # noqa: UP028 -- `yield from` would close what is closed with the journal
            yield row

    def begin(self) -> None:
        """Begins a transaction if none is open. The first one of whoever has locked the journal counts a writer."""
        if self._db.in_transaction:
            return
        self.execute("BEGIN IMMEDIATE")
        # Not when it is locked: one that turns out to be damaged stays as it is.
        if self._held and not self._is_counted:
            try:
                self.writer = self._next_writer()
            except BaseException:
                self._db.rollback()
                raise

    def commit(self) -> None:
        """Commits the open transaction, if there is one.

        Raises:
            StateError: SQLite refused, or the writer's files are not where they were any more.
        """
        if self._db.in_transaction:
            self.execute("COMMIT")
            self._is_counted = self.writer is not None
        for file, was in self._held.items():
            if _what_is_at(file) != was:
                raise StateError(
                    gettext(
                        "the state folder was deleted or moved while this job was at work ({file} is gone), so it "
                        "was stopped; put the folder back and go on with `musterroll jobs resume`",
                        file=file,
                    ),
                    code="state.gone",
                )

    def _next_writer(self) -> int:
        self.execute(
            "INSERT INTO meta VALUES ('writers', '1') ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + 1"
        )
        (writers,) = self.execute("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'writers'").fetchone()
        return int(writers)

    def next_turn(self) -> int:
        """Counts on: what happens later has a higher number, whatever the clock says. Within a transaction."""
        self.execute("UPDATE turn SET value = value + 1")
        (turn,) = self.execute("SELECT value FROM turn").fetchone()
        return int(turn)

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

    def give_room_back(self) -> None:
        """Gives the room of what was just deleted back, as far as that is quickly done."""
        with suppress(sqlite3.Error):  # nothing is lost by it
            # Not `execute`, which goes no further than the first page.
            self._db.executescript("PRAGMA incremental_vacuum")

    def shrink(self) -> None:
        """Gives the space of what was deleted back.

        Raises:
            StateError: there is no room to do so, or somebody is looking. What was deleted stays deleted.
        """
        self.execute("PRAGMA auto_vacuum = INCREMENTAL")  # for journals of earlier versions
        self.execute("VACUUM")
        # Whoever looks now keeps the file from shrinking until they are done; that is not worth waiting for.
        self.execute("PRAGMA busy_timeout = 0").fetchall()
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}").fetchall()

    def close(self) -> None:
        """Closes the file. What is not committed is lost."""
        self._db.close()
        self._release()

    def _check(self) -> None:
        """Refuses to write with a damaged journal: what it no longer knows would be done a second time."""
        found = self.execute("PRAGMA integrity_check(1)").fetchone()
        if found != ("ok",):
            raise corrupt(self.path, "an integrity check has failed")

    def _error(self, error: sqlite3.Error) -> StateError:
        return state_error(self.path, error)


class _Cursor(sqlite3.Cursor):
    """A damaged page is met only when its rows are fetched."""

    journal: Journal

    # A generator costs less than a call for each row.
    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        try:
            while rows := super().fetchmany(_FETCHED):
                yield from rows
        except sqlite3.Error as error:
            raise state_error(self.journal.path, error) from error

    def fetchone(self) -> Any:
        try:
            return super().fetchone()
        except sqlite3.Error as error:
            raise state_error(self.journal.path, error) from error

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except sqlite3.Error as error:
            raise state_error(self.journal.path, error) from error


def journal_path(folder: Path, name: str) -> Path:
    """The journal's file."""
    return folder / f"{name}.journal"


def _close_together(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Divides ascending numbers where many are left out; yields the first and the last one of each part."""
    ends = [place for place in range(1, len(numbers)) if numbers[place] - numbers[place - 1] > _NEAR]
    for begin, end in pairwise((0, *ends, len(numbers))):
        if begin < end:
            yield numbers[begin], numbers[end - 1]


def _what_is_at(file: Path) -> tuple[int, int]:
    """Which file that is for the system: one that is put in its place is another one."""
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _unstorable() -> StateError:
    return StateError(gettext("a text has half a character, which the journal cannot hold"), code="state.unstorable")
