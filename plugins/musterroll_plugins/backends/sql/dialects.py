"""What differs from one database to another: connecting, reading only, many rows at once, and what errors mean."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import NullPool

from musterroll import BackendError, Context
from musterroll_plugins.backends.sql.options import SqlOptions
from musterroll_plugins.backends.sql.tables import Described
from musterroll_plugins.backends.sql.values import ref_of

_LONGEST = 300
_BATCH = 500

Row = Mapping[str, Any]


class Dialect:
    """A database of some kind.

    Args:
        options: of the backend.
        context: of the instance.

    Raises:
        PipelineError: the password cannot be read.
    """

    driver = ""
    title = ""

    def __init__(self, options: SqlOptions, context: Context) -> None:
        self._options, self._read_only = options, context.read_only
        self._parts = urlsplit(options.url or "")
        self.identity = f"sql:{options.product}:{self.place}"
        connect = self._arguments()
        if options.password is not None:
            connect["password"] = context.secret(options.password).reveal()
        # Statements are never shown with their values: hashes of passwords are among them.
        self.engine = sa.create_engine(self._url(), poolclass=NullPool, hide_parameters=True, connect_args=connect)
        event.listen(self.engine, "connect", lambda connection, _: self._prepare(connection))

    @property
    def place(self) -> str:
        """Which database it is."""
        host = self._parts.hostname or str(self._options.socket)
        return f"{host}:{self._parts.port or 'usual'}/{self._database}"

    @property
    def _database(self) -> str:
        return unquote(self._parts.path.strip("/"))

    def _url(self) -> sa.URL:
        user = None if self._parts.username is None else unquote(self._parts.username)
        host = self._parts.hostname
        return sa.URL.create(self.driver, user, host=host, port=self._parts.port, database=self._database)

    def _arguments(self) -> dict[str, Any]:
        raise NotImplementedError

    def _prepare(self, connection: Any) -> None:
        """Sets a new connection up; where nothing may be written, so that the database itself refuses it."""
        raise NotImplementedError

    def version(self, connection: sa.Connection) -> str:
        """Returns the product and its version."""
        return f"{self.title} {'.'.join(map(str, connection.dialect.server_version_info or ()))}"

    def code(self, error: sa.exc.DBAPIError) -> str:
        """Returns the database's own code of an error."""
        raise NotImplementedError

    def is_duplicate(self, error: sa.exc.DBAPIError) -> bool:
        """Whether another row has a value already of which there may be one only."""
        raise NotImplementedError

    def is_refusal(self, error: sa.exc.DBAPIError) -> bool:
        """Whether it is about a row: a value or a constraint."""
        return isinstance(error, sa.exc.IntegrityError | sa.exc.DataError)

    def is_passing(self, error: sa.exc.DBAPIError) -> bool:
        """Whether other programs were in the way, so that the same again may go well."""
        raise NotImplementedError

    def refuses_connection(self, error: sa.exc.DBAPIError) -> bool:
        """Whether it lets nobody in, for a reason that stays."""
        raise NotImplementedError

    def said(self, error: sa.exc.DBAPIError) -> str:
        """Returns what the database says, in one line."""
        text = self._words(error.orig)
        return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:_LONGEST]

    def _words(self, error: Any) -> str:
        return str(error)

    def insert_many(
        self, connection: sa.Connection, target: Described, rows: Sequence[Row], fixed: Row, name: sa.Column[Any]
    ) -> dict[str, str]:
        """Inserts rows that have the same columns.

        Args:
            connection: within a transaction.
            target: the table.
            rows: what they differ in.
            fixed: what they have in common.
            name: a column in which all rows differ.

        Returns:
            Their refs, by what they have in that column.
        """
        connection.execute(sa.insert(target.table), [{**fixed, **row} for row in rows])
        key = target["key"]
        if not target.makes_keys:
            return {row[name.name]: ref_of(row[key.name]) for row in rows}
        names = [row[name.name] for row in rows]
        refs: dict[str, str] = {}
        for start in range(0, len(names), _BATCH):
            query = sa.select(name, key).where(name.in_(names[start : start + _BATCH]), *target.scope)
            refs.update((text, ref_of(value)) for text, value in connection.execute(query))
        return refs

    def changed(self, connection: sa.Connection, statement: sa.Insert | sa.Delete) -> int:
        """Carries a statement out; returns how many rows it has changed."""
        return connection.execute(statement).rowcount

    def insert_one(self, connection: sa.Connection, target: Described, row: Row) -> str:
        """Inserts a row; returns its ref."""
        key = target["key"]
        if not target.makes_keys:
            connection.execute(sa.insert(target.table).values(row))
            return ref_of(row[key.name])
        if connection.dialect.insert_returning:
            return ref_of(connection.execute(sa.insert(target.table).values(row).returning(key)).scalar_one())
        (made,) = connection.execute(sa.insert(target.table).values(row)).inserted_primary_key or (None,)
        return ref_of(made)


class PostgreSql(Dialect):
    """PostgreSQL, by psycopg."""

    driver, title = "postgresql+psycopg", "PostgreSQL"

    def _arguments(self) -> dict[str, Any]:
        given: dict[str, Any] = {
            "connect_timeout": max(2, int(self._options.timeout)),
            "application_name": "musterroll",
        }
        if self._options.socket is not None:
            return {**given, "host": str(self._options.socket), "sslmode": "disable"}
        if self._options.security == "none":
            return {**given, "sslmode": "disable"}
        return {**given, "sslmode": "verify-full", "sslrootcert": str(self._options.ca or "system")}

    def _prepare(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(self._options.timeout * 1000)}")
            if self._read_only:
                cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.commit()

    def code(self, error: sa.exc.DBAPIError) -> str:
        """Returns the SQLSTATE."""
        return getattr(error.orig, "sqlstate", None) or ""

    def is_duplicate(self, error: sa.exc.DBAPIError) -> bool:
        """A unique or an exclusion constraint."""
        return self.code(error) in ("23505", "23P01")

    def is_refusal(self, error: sa.exc.DBAPIError) -> bool:
        """Values, constraints, and what a trigger raises."""
        return self.code(error)[:2] in ("22", "23", "44", "P0")

    def is_passing(self, error: sa.exc.DBAPIError) -> bool:
        """A deadlock, a conflict of transactions, a lock that was not given up in time, too many connections."""
        return self.code(error)[:2] in ("40", "53") or self.code(error) in ("55P03", "57P03")

    def refuses_connection(self, error: sa.exc.DBAPIError) -> bool:
        """A wrong password, no such database, a certificate; the driver has nothing but words for them."""
        said = str(error.orig)
        return any(word in said for word in ("FATAL:  pass", "FATAL:  role", "FATAL:  data", "pg_hba", "certificate"))

    def _words(self, error: Any) -> str:
        # Not its details, which may show the whole row.
        return getattr(getattr(error, "diag", None), "message_primary", None) or str(error)

    def insert_many(
        self, connection: sa.Connection, target: Described, rows: Sequence[Row], fixed: Row, name: sa.Column[Any]
    ) -> dict[str, str]:
        """Inserts rows with one statement, which gets all of them as one text, in JSON."""
        table, varying = target.table, list(rows[0])
        text = json.dumps(rows, ensure_ascii=False, check_circular=False, separators=(",", ":"), default=str)
        rows_of = sa.func.json_to_recordset(sa.cast(sa.literal(text, sa.Text), sa.JSON))
        columns = (sa.column(column, sa.Text) for column in varying)
        given = rows_of.table_valued(*columns).render_derived(with_types=True)
        chosen = [_cast(given.c[column], table.c[column]) for column in varying]
        chosen += [sa.literal(value, table.c[column].type) for column, value in fixed.items()]
        statement = sa.insert(table).from_select([*varying, *fixed], sa.select(*chosen)).returning(name, target["key"])
        return {name: ref_of(key) for name, key in connection.execute(statement).all()}


def _cast(given: sa.ColumnElement[Any], column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """A text is not cast: that would cut it off where it is too long."""
    plain = isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum)
    return given if plain else sa.cast(given, column.type)


class MariaDb(Dialect):
    """MariaDB and MySQL, by PyMySQL."""

    driver, title = "mariadb+pymysql", "MariaDB"
    # a check constraint, a trigger's own word, a view's condition: by the driver they are the connection's fault
    _REFUSALS = frozenset({"3819", "4025", "1644", "1369", "1265", "1366", "1292", "1364"})

    def _arguments(self) -> dict[str, Any]:
        seconds = max(1, int(self._options.timeout))
        given: dict[str, Any] = {
            "charset": "utf8mb4",
            "connect_timeout": seconds,
            "read_timeout": 2 * seconds,
            "write_timeout": 2 * seconds,
        }
        if self._options.socket is not None:
            return {**given, "unix_socket": str(self._options.socket)}
        if self._options.security == "none":
            return {**given, "ssl_disabled": True}
        try:
            return {**given, "ssl": ssl.create_default_context(cafile=self._options.ca)}
        except OSError:
            raise BackendError(f"the file {self._options.ca} with certificates cannot be read") from None

    def _prepare(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            # Otherwise what is too long is cut off without a word.
            cursor.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")
            cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {max(1, int(self._options.timeout))}")
            if self._read_only:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
        connection.commit()

    def code(self, error: sa.exc.DBAPIError) -> str:
        """Returns the number of the error."""
        return str(error.orig.args[0]) if error.orig is not None and error.orig.args else ""

    def is_duplicate(self, error: sa.exc.DBAPIError) -> bool:
        """A unique index."""
        return self.code(error) in ("1062", "1586")

    def is_refusal(self, error: sa.exc.DBAPIError) -> bool:
        """Values and constraints."""
        return super().is_refusal(error) or self.code(error) in self._REFUSALS

    def is_passing(self, error: sa.exc.DBAPIError) -> bool:
        """A deadlock, a lock that was not given up in time, too many connections."""
        return self.code(error) in ("1213", "1205", "1020", "1040", "1203")

    def refuses_connection(self, error: sa.exc.DBAPIError) -> bool:
        """A wrong password, no such database, a certificate."""
        return self.code(error) in ("1044", "1045", "1049", "1698") or "certificate" in str(error.orig)

    def _words(self, error: Any) -> str:
        return str(error.args[-1]) if getattr(error, "args", None) else str(error)


class MySql(MariaDb):
    """MySQL."""

    driver, title = "mysql+pymysql", "MySQL"


class Sqlite(Dialect):
    """A file of SQLite."""

    driver, title = "sqlite", "SQLite"

    @property
    def path(self) -> Path:
        """The file."""
        assert self._options.file is not None
        return self._options.file.absolute()

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self.path)

    def _url(self) -> sa.URL:
        mode = "ro" if self._read_only else "rwc" if self._options.create else "rw"
        return sa.URL.create(self.driver, database=self.path.as_uri(), query={"mode": mode, "uri": "true"})

    def _arguments(self) -> dict[str, Any]:
        return {"timeout": self._options.timeout, "isolation_level": None, "check_same_thread": False}

    def _prepare(self, connection: Any) -> None:
        connection.execute("PRAGMA foreign_keys = ON")  # what may only be read was opened so

    def code(self, error: sa.exc.DBAPIError) -> str:
        """Returns the name of the error."""
        return getattr(error.orig, "sqlite_errorname", None) or ""

    def is_duplicate(self, error: sa.exc.DBAPIError) -> bool:
        """A unique index or a primary key."""
        return self.code(error) in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")

    def is_passing(self, error: sa.exc.DBAPIError) -> bool:
        """Another program is writing."""
        return self.code(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))

    def refuses_connection(self, error: sa.exc.DBAPIError) -> bool:
        """No such file, or no database."""
        return self.code(error).startswith(("SQLITE_CANTOPEN", "SQLITE_NOTADB"))

    def changed(self, connection: sa.Connection, statement: sa.Insert | sa.Delete) -> int:
        """See `Dialect.changed`. Python's module counts by how a statement begins, which a Turkish locale breaks."""
        connection.execute(statement)
        return int(connection.scalar(sa.text("SELECT changes()")) or 0)


DIALECTS: Mapping[str, type[Dialect]] = {
    "postgresql": PostgreSql,
    "mariadb": MariaDb,
    "mysql": MySql,
    "sqlite": Sqlite,
}
"""The kinds of databases, by `SqlOptions.product`."""
