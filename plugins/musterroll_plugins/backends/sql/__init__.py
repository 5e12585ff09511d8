"""The backend `sql`: the tables of an application, in PostgreSQL, MariaDB, MySQL or SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from musterroll import BackendError, Context, UserBackend, UserBackendType, hookimpl
from musterroll_plugins.backends.sql.options import SqlOptions

__all__ = ["SqlOptions", "build", "musterroll_user_backends"]


def build(options: SqlOptions, context: Context) -> UserBackend:
    """Gets ready; the database is asked when something is wanted of it.

    Raises:
        BackendError: the extra is not installed.
        PipelineError: the password cannot be read.
    """
    needed = ("sqlalchemy", *{"postgresql": ("psycopg",), "sqlite": ()}.get(options.product, ("pymysql",)))
    if any(find_spec(name) is None for name in needed):
        raise BackendError('the backend "sql" needs more: pip install "musterroll[sql]"', code="extra.missing")
    from musterroll_plugins.backends.sql.backend import SqlBackend  # noqa: PLC0415 -- quick start-up

    return SqlBackend(options, context)


@hookimpl
def musterroll_user_backends() -> Iterator[UserBackendType[SqlOptions]]:
    """Announces the backend."""
    yield UserBackendType(
        name="sql",
        summary="The tables of an application: PostgreSQL, MariaDB, MySQL, SQLite",
        options=SqlOptions,
        build=build,
    )
