"""The tables of an application as a user backend: what the engine calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from musterroll import (
    BackendError,
    Batch,
    Capabilities,
    Context,
    Desired,
    Existing,
    FieldType,
    Group,
    Matching,
    Objection,
    Op,
    Result,
    Secret,
    Status,
    UserKey,
    fold,
    gettext,
)
from musterroll_plugins.backends.passwords import CHUNK, Hasher
from musterroll_plugins.backends.sql.connection import Connection, InDoubtError
from musterroll_plugins.backends.sql.dialects import DIALECTS, Sqlite
from musterroll_plugins.backends.sql.options import SqlOptions
from musterroll_plugins.backends.sql.own_tables import own_tables, with_own_tables
from musterroll_plugins.backends.sql.passwords import FORMATS
from musterroll_plugins.backends.sql.reads import Reads, UserIndex
from musterroll_plugins.backends.sql.reflection import Reflection
from musterroll_plugins.backends.sql.rights import Rights
from musterroll_plugins.backends.sql.tables import USERNAME, Tables
from musterroll_plugins.backends.sql.writes import Writes

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is made once the tables are known."""

    tables: Tables
    reads: Reads
    writes: Writes


class SqlBackend:
    """An application's tables. For one thread at a time.

    Args:
        options: checked.
        context: of the instance.

    Raises:
        BackendError: a file that the options name cannot be read.
        PipelineError: the password cannot be read.
    """

    def __init__(self, options: SqlOptions, context: Context) -> None:
        self._options = with_own_tables(options) if options.create else options
        self._context = context
        self._dialect = DIALECTS[options.product](options, context)
        self._connection = Connection(self._dialect, context, options.retries)
        self._parts: _Parts | None = None
        self._unmade: sa.MetaData | None = None  # the tables that are to be made

    # -- what it is -----------------------------------------------------------------------------------------

    def examine(self) -> str:
        """Asks the database what it is and how many users there are, once.

        Raises:
            BackendError: it does not answer, does not let us in, or lacks something.
        """
        self._connection.close()
        self._connection, self._parts = Connection(self._dialect, self._context, 0), None
        self._ready()
        if self._unmade is not None:
            return f"{self._dialect.place}: the tables are not there yet; the first run makes them"
        product = self._connection.read("say what it is", self._dialect.version)
        return f"{product}, {self._dialect.place}, {self.count_users():,} users in {self._options.users.table}"

    def identity(self) -> str:
        """`sql:` with the place of the database and the table of users."""
        return f"{self._dialect.identity}#{self._options.users.table}"

    def capabilities(self) -> Capabilities:
        """What the tables have room for.

        Raises:
            BackendError: the tables are not as they are described.
        """
        tables = self._ready().tables
        passwords = tables.users.described.get("password") is not None
        described = [one for one in (tables.users.described, tables.groups) if one is not None]
        groups = tables.groups
        return Capabilities(
            groups=groups is not None,
            nested_groups=groups is not None and (groups.get("parent") is not None or bool(tables.separator)),
            passwords=passwords,
            reset_passwords=passwords,
            deactivate=tables.users.described.get("active") is not None,
            delete=self._options.delete or self._options.create,
            stores_key=all("mark" in one.columns for one in described),
            unique_email="email" in tables.users.unique,
            changes_values=tables.users.changes_values,
            matching=Matching.FOLDED,
            chunk=CHUNK,
            fields=tables.users.fields,
        )

    # -- reading --------------------------------------------------------------------------------------------

    def count_users(self) -> int:
        """How many users there are, deactivated ones included."""
        return self._reading(0, "count its users", lambda parts, line: parts.reads.count_users(line))

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users by any field. The values of all users are read once for each of those.

        Raises:
            BackendError: the database cannot answer.
        """
        if not keys:
            return {}
        return self._reading({}, "read its users", lambda parts, line: parts.reads.lookup(line, keys))

    def all_users(self) -> Iterator[Existing]:
        """Streams all users, by their keys.

        Raises:
            BackendError: the database cannot answer.
        """
        users, key = self._users_after(None)
        while key is not None:
            yield from users
            users, key = self._users_after(key)

    def _users_after(self, key: object) -> tuple[list[Existing], object]:
        nothing: tuple[list[Existing], object] = [], None
        return self._reading(nothing, "read its users", lambda parts, line: parts.reads.users_after(line, key))

    def groups(self) -> Iterable[Group]:
        """Returns all groups.

        Raises:
            BackendError: the database cannot answer.
        """
        return self._reading([], "read its groups", lambda parts, line: parts.reads.groups(line))

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as the tables will show it again."""
        return self._ready().tables.users.canonical(desired)

    def check(self, user: Desired, ref: str | None, password: Secret | None) -> Iterator[Objection]:
        """Says what the tables will not take of a user: types, lengths, values that are taken.

        Raises:
            BackendError: the database cannot answer.
        """
        users = self._ready().tables.users
        nothing = dict.fromkeys(users.of_field) if ref is None else {}
        fields: dict[str, str | None] = {**nothing, **user.fields, USERNAME: user.username}
        for field, message in users.mismatches(fields):
            yield Objection(field, message)
        for field in sorted(users.unique - {"email"}):  # that of addresses is looked at by the engine
            text = fields.get(field)
            key = UserKey.of(field, text or "")
            for other in self.lookup([key]).get(key, ()) if text else ():
                if other.ref != ref and fold(other.fields.get(field) or "") == key.folded:
                    message = 'The user "{name}" has this value already; give another one'
                    yield Objection(field, gettext(message, name=other.username))
        longest = FORMATS[self._options.passwords].longest if users.described.get("password") is not None else None
        given = b"" if password is None else password.reveal().encode("utf-8", "surrogatepass")
        if longest is not None and len(given) > longest:
            message = "The portal takes passwords of {length} bytes at the most; give a shorter one"
            yield Objection("password", gettext(message, length=longest))

    def suspects(self, batch: Batch) -> set[int]:
        """Says of which new users the tables may not take something, or show it otherwise.

        Raises:
            BackendError: the database cannot answer.
        """
        users = self._ready().tables.users
        suspects = users.suspects(batch)
        for field in users.unique - {"email"}:
            keys = {place: UserKey.of(field, text) for place, text in enumerate(batch.texts(field)) if text}
            found = self.lookup(list(keys.values()))
            suspects.update(place for place, key in keys.items() if found.get(key))
        return suspects

    # -- writing --------------------------------------------------------------------------------------------

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """Performs operations in transactions of some hundred; answers once they are on disk.

        Raises:
            BackendUnavailableError: the database cannot be reached any more.
            BackendError: it lets nobody in, or cannot be written.
        """
        if self._context.read_only:
            raise BackendError("the database was opened for reading only")
        return self._execute(iter(ops))

    def _execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        parts = self._ready()
        parts.reads.index.forget()
        self._make_tables()
        hashed = FORMATS[self._options.passwords].hashed if self._hashes else None
        with Hasher(hashed) if hashed else Hasher() as hasher:
            for chunk, hashes in hasher.chunks(ops, hashes=self._hashes):
                yield from self._write(parts, chunk, hashes)

    @property
    def _hashes(self) -> bool:
        return self._ready().tables.users.described.get("password") is not None

    def _make_tables(self) -> None:
        """Makes tables of our own, where that is wanted and they are not there."""
        if self._unmade is not None:
            self._connection.write(self._unmade.create_all)
            self._unmade = None

    def _write(self, parts: _Parts, chunk: Sequence[Op], hashes: Mapping[str, str]) -> list[Result]:
        def perform(line: sa.Connection) -> list[Result]:
            return parts.writes.perform(line, chunk, hashes, self._context.clock())

        try:
            return self._connection.write(perform)
        except InDoubtError:
            parts.reads.index.forget()
            return [Result(op.id, Status.UNKNOWN) for op in chunk]

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """Says what became of operations: creations by our mark where there is one, else by the looks.

        Raises:
            BackendError: the database cannot answer.
        """
        nothing = [Result(op.id, Status.NOT_DONE) for op in doubtful]
        if doubtful:
            yield from self._reading(nothing, "read its users", lambda parts, line: parts.reads.resolve(line, doubtful))

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    # -- getting ready --------------------------------------------------------------------------------------

    def _ready(self) -> _Parts:
        if self._parts is None:
            tables = self._tables()
            reads = Reads(tables, UserIndex(tables))
            self._parts = _Parts(tables, reads, Writes(self._dialect, tables, reads))
        return self._parts

    def _tables(self) -> Tables:
        if self._options.create:
            metadata, own = own_tables(self._options)
            if self._is_empty():
                self._unmade = metadata
                return own
        truths = self._context.fields.of_type(FieldType.BOOLEAN)
        tables = self._connection.read("show its tables", lambda line: Reflection(line, self._options, truths).tables())
        self._connection.read("say what may be written", Rights(self._dialect, tables, self._options).insist)
        return tables

    def _is_empty(self) -> bool:
        """Whether tables of our own are not there yet."""
        if isinstance(self._dialect, Sqlite) and not self._dialect.path.exists():
            return True
        schema, _, name = self._options.users.table.rpartition(".")
        return not self._connection.read(
            "show its tables", lambda line: sa.inspect(line).has_table(name, schema or None)
        )

    def _reading(self, nothing: T, doing: str, read: Callable[[_Parts, sa.Connection], T]) -> T:
        """Reads something; of tables that are not there yet it is nothing."""
        parts = self._ready()
        return nothing if self._unmade is not None else self._connection.read(doing, lambda line: read(parts, line))
