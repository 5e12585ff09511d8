"""The contract of backends, kept by SQLite files and by real PostgreSQL and MariaDB servers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from musterroll import UserBackend
from musterroll.testing import BackendContract
from support.evidence import Counterpart
from support.sql_servers import (
    PASSWORD,
    CommitLine,
    DatabaseServer,
    needs_mariadb,
    needs_postgres,
    needs_sql,
)
from support.sql_tables import DESCRIBED, application, changed, make_file, open_sql

OWN_TABLES: dict[str, Any] = {
    "create": True,
    "passwords": "argon2id",
    "users": {"columns": {"department": "department"}},
}


def verified(stored: str, password: str) -> bool:
    """Whether a password is the one of an argon2id hash, by the library that applications use."""
    import argon2

    try:
        return argon2.PasswordHasher().verify(stored, password)
    except argon2.exceptions.VerificationError:
        return False


class SqlContract(BackendContract):
    """Each test has a database of its own."""

    product: ClassVar[str]
    options: ClassVar[dict[str, Any]] = DESCRIBED
    unique_mail: ClassVar[bool] = False
    missing_ref = "999999999"

    def statements(self) -> list[str]:
        return [] if self.options.get("create") else application(self.product, unique_mail=self.unique_mail)

    def hash_of(self, folder: Path, username: str) -> str:
        raise NotImplementedError

    def signs_in(self, folder: Path, username: str, password: str) -> bool | None:
        return verified(self.hash_of(folder, username), password)

    @property
    def password_query(self) -> str:
        if self.options.get("create"):
            return "SELECT password_hash FROM users WHERE username = 'ana'"
        return "SELECT password FROM accounts WHERE login = 'ana'"


class SqliteContract(SqlContract):
    COUNTERPART = ("sql", "SQLite")
    product = "sqlite"

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "portal").mkdir()
        if self.statements():
            make_file(tmp_path / "portal.db", self.statements())
        return tmp_path / "portal"

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        path = folder / "portal.db" if self.options.get("create") else folder.parent / "portal.db"
        return open_sql(read_only=read_only, file=path, **self.options)

    def hash_of(self, folder: Path, username: str) -> str:
        path = folder / "portal.db" if self.options.get("create") else folder.parent / "portal.db"
        with closing(sqlite3.connect(path)) as file:
            return str(file.execute(self.password_query).fetchone()[0])

    def test_what_it_can(self, backend: UserBackend) -> None:
        Counterpart("sql", "SQLite", sqlite3.sqlite_version).can(backend.capabilities())
        self.create(backend, "ana")
        assert "1 users" in backend.examine()  # type: ignore[attr-defined]  # of those that can be examined


class ServerContract(SqlContract):
    server: DatabaseServer
    between: CommitLine

    def begin(self, server: DatabaseServer) -> Iterator[None]:
        self.server, self.between = server, CommitLine(server.port)
        self.database = server.empty_database()
        self._make_tables()
        yield
        self.between.close()

    def _make_tables(self) -> None:
        """As the importer, whose they are then."""
        import sqlalchemy as sa

        drivers = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
        url = self.server.url(self.database).replace(f"{self.product}://importer", f"importer:{PASSWORD}")
        engine = sa.create_engine(f"{drivers[self.product]}://{url}", poolclass=sa.NullPool)
        with engine.begin() as line:
            for statement in self.statements():
                line.exec_driver_sql(statement)

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        url = self.server.url(self.database, port=self.between.port)
        return open_sql(read_only=read_only, url=url, password=PASSWORD, security="none", **self.options)

    def breaking_line(self, folder: Path) -> AbstractContextManager[object]:
        return self.between

    def hash_of(self, folder: Path, username: str) -> str:
        return str(self.server.do(self.password_query, database=self.database)[0][0])

    def test_what_it_can(self, backend: UserBackend) -> None:
        Counterpart("sql", self.title, self.server.version()).can(backend.capabilities())  # type: ignore[attr-defined]
        self.create(backend, "ana")
        assert self.title in backend.examine()  # type: ignore[attr-defined]

    title: ClassVar[str]


class PostgresContract(ServerContract):
    COUNTERPART = ("sql", "PostgreSQL")
    product, title = "postgresql", "PostgreSQL"

    @pytest.fixture(autouse=True)
    def _begin(self, postgres_server: DatabaseServer) -> Iterator[None]:
        yield from self.begin(postgres_server)


class MariaDbContract(ServerContract):
    COUNTERPART = ("sql", "MariaDB")
    product, title = "mariadb", "MariaDB"

    @pytest.fixture(autouse=True)
    def _begin(self, mariadb_server: DatabaseServer) -> Iterator[None]:
        yield from self.begin(mariadb_server)


# An application that gives us no room for a mark, keeps the levels of a group in its name, and a number in one column.
WITHOUT_MARKS = changed(
    DESCRIBED,
    users={"mark": None, "columns": {"calling_code": None}, "updated": None},
    groups={"mark": None, "parent": None, "path_separator": "/"},
)


@needs_sql
class TestSqliteApplication(SqliteContract):
    """An application's file."""


@needs_sql
class TestSqliteWithoutMarks(SqliteContract):
    """Without marks, with unique addresses."""

    options = WITHOUT_MARKS
    unique_mail = True


@needs_sql
class TestSqliteOwnTables(SqliteContract):
    """Tables of our own."""

    options = OWN_TABLES
    missing_ref = "f" * 32


@needs_postgres
class TestPostgresApplication(PostgresContract):
    """An application's tables."""


@needs_postgres
@pytest.mark.slow
class TestPostgresWithoutMarks(PostgresContract):
    """Without marks, with unique addresses."""

    options = WITHOUT_MARKS
    unique_mail = True


@needs_postgres
@pytest.mark.slow
class TestPostgresOwnTables(PostgresContract):
    """Tables of our own."""

    options = OWN_TABLES
    missing_ref = "f" * 32


@needs_mariadb
@pytest.mark.slow
class TestMariaDbApplication(MariaDbContract):
    """An application's tables."""


@needs_mariadb
@pytest.mark.slow
class TestMariaDbWithoutMarks(MariaDbContract):
    """Without marks, with unique addresses."""

    options = WITHOUT_MARKS
    unique_mail = True


@needs_mariadb
@pytest.mark.slow
class TestMariaDbOwnTables(MariaDbContract):
    """Tables of our own."""

    options = OWN_TABLES
    missing_ref = "f" * 32
