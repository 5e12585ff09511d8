"""The embedded portal: users, groups and memberships in one SQLite file."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from musterroll import (
    BackendError,
    Capabilities,
    Desired,
    Existing,
    Group,
    Matching,
    Op,
    Result,
    UserKey,
    Wanted,
)
from musterroll_plugins.backends.directory.file import (
    close_directory,
    drop_email_index,
    explained,
    identity,
    open_directory,
    read_soundly,
)
from musterroll_plugins.backends.directory.reads import Reads
from musterroll_plugins.backends.directory.state import DirectoryState
from musterroll_plugins.backends.directory.writes import Writes
from musterroll_plugins.backends.passwords import Hasher

# Operations in one transaction. Names come in no order, so each transaction writes most pages of the index by name once
# more: with two thousand, that is half of what a million users cost. It is what a crash can leave in doubt.
_CHUNK = 4000


class DirectoryBackend:
    """A directory file. For one thread at a time.

    Args:
        path: the file; created unless it is there, or `read_only`.
        read_only: nothing is written, a missing file is an empty directory.
        hash_passwords: store passwords as argon2id hashes; otherwise they are not stored.
        unique_email: an address may belong to one user only.
        clock: the time in UTC.

    Raises:
        BackendError: the file cannot be opened or created, or is none of musterroll's.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool,
        hash_passwords: bool,
        unique_email: bool,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._path, self._read_only = path, read_only
        self._hash_passwords, self._unique_email = hash_passwords, unique_email
        self._clock = clock
        self._db = open_directory(path, read_only=read_only)
        self._reads = Reads(self._db)
        self._writes = Writes(self._db, unique_email=unique_email)
        self._state = DirectoryState(path, self._db)
        with read_soundly(path):
            self._identity = f"directory:{identity(self._db)}"

    def examine(self) -> str:
        """Says what is in the file; one that is not there yet needs a folder to be made in.

        Raises:
            BackendError: there is no such folder.
        """
        if not self._path.exists():
            if not self._path.parent.is_dir():
                raise BackendError(f"{self._path} cannot be made: there is no folder {self._path.parent}")
            return f"{self._path} is not there yet; the first run makes it"
        return f"{self._path}, {self.count_users():,} users"

    def identity(self) -> str:
        """`directory:` and the id in the file, whatever the file is called; `new` for one to be created."""
        return self._identity

    def capabilities(self) -> Capabilities:
        """Everything but invites."""
        return Capabilities(
            delete=True,
            uses_passwords=self._hash_passwords,
            unique_email=self._unique_email,
            changes_values=False,
            matching=Matching.FOLDED,
            chunk=_CHUNK,
        )

    def count_users(self) -> int:
        """How many users there are, deactivated ones included."""
        with read_soundly(self._path):
            return self._reads.count_users()

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users by any field; by another than username and email, the first time indexes all users."""
        with read_soundly(self._path):
            return self._reads.lookup(keys)

    def as_wanted(self, fields: Sequence[str], users: Sequence[Wanted]) -> Sequence[str | None]:
        """Compares users with what is wanted of them. What the file keeps of a damaged user is no reason to stop."""
        with read_soundly(self._path):
            return self._reads.as_wanted(fields, users)

    def state_of_users(self) -> str | None:
        """What the file's times and SQLite's counter of changes come to; None where others keep it in WAL mode."""
        with explained(self._path, "read"):
            return self._state.name()

    def all_users(self) -> Iterator[Existing]:
        """Streams all users, by their names."""
        with read_soundly(self._path):
            yield from self._reads.all_users()

    def groups(self) -> Iterable[Group]:
        """Streams all groups, parents first."""
        with read_soundly(self._path):
            yield from self._reads.groups()

    def canonical(self, desired: Desired) -> Desired:
        """Stored as it is."""
        return desired

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """Performs operations in transactions of some hundred; answers once they are on disk.

        Raises:
            BackendError: the file cannot be written; the operations without an answer did not happen.
        """
        if self._read_only:
            raise BackendError("the directory was opened for reading only")
        return self._execute(iter(ops))

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """Says what became of operations, by the state of the file."""
        with read_soundly(self._path):
            yield from self._reads.resolve(doubtful)

    def close(self) -> None:
        """Closes the file, which then is a single one again."""
        close_directory(self._db, read_only=self._read_only)

    def _execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        with Hasher() as hasher:
            for chunk, hashes in hasher.chunks(ops, hashes=self._hash_passwords, most=_CHUNK):
                yield from self._write(chunk, hashes)

    def _write(self, chunk: Sequence[Op], hashes: Mapping[str, str]) -> list[Result]:
        now = self._clock().isoformat(timespec="seconds")
        self._reads.forget_indexes()
        with explained(self._path, "written"):
            self._state.begin_writing()
            try:
                if len(chunk) == _CHUNK and not self._unique_email:
                    drop_email_index(self._db)
                results = list(self._writes.perform(chunk, hashes, now))
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite has rolled back by itself, or cannot: the next opening does
                    self._db.execute("ROLLBACK")
                raise
        return results
