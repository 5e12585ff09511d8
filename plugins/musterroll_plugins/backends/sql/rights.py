"""Whether the account may do what a run does, asked of the database without writing anything.

`EXPLAIN` looks at the rights that a statement needs, and does not carry it out. In transactions that may only read,
MariaDB explains no writing, but looks at the rights before it says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from musterroll import BackendError
from musterroll_plugins.backends.sql.dialects import Dialect
from musterroll_plugins.backends.sql.options import SqlOptions
from musterroll_plugins.backends.sql.tables import Described, Tables

_DENIED = ("42501", "1142", "1143", "1044", "1227", "1370")
_READ_ONLY = "1792"


class Rights:
    """The rights that a run needs.

    Args:
        dialect: of the database.
        tables: of the application.
        options: of the backend.
    """

    def __init__(self, dialect: Dialect, tables: Tables, options: SqlOptions) -> None:
        self._dialect, self._tables, self._options = dialect, tables, options

    def insist(self, connection: sa.Connection) -> None:
        """Asks for all of them.

        Raises:
            BackendError: one is missing.
        """
        for what, table, statement in self._statements():
            try:
                with connection.begin_nested():
                    connection.exec_driver_sql(f"EXPLAIN {_text(connection, statement)}")
            except DBAPIError as error:
                code = self._dialect.code(error)
                if code == _READ_ONLY:  # it has the right
                    continue
                if code not in _DENIED:
                    raise
                raise BackendError(
                    f"the account that musterroll signs in as may not {what} {table.name}; nothing was written"
                ) from None

    def _statements(self) -> Iterator[tuple[str, sa.Table, sa.Executable]]:
        users, groups, members = self._tables.users, self._tables.groups, self._tables.memberships
        described, never = users.described, sa.false()
        fields = [column.name for column in users.of_field.values()]
        changed = [*fields, *(c.name for m in ("password", "active", "updated") if (c := described.get(m)) is not None)]
        yield "insert into", described.table, _insertion(described, fields)
        nulls = dict.fromkeys(changed)
        yield "update", described.table, sa.update(described.table).where(described["key"].is_(None)).values(nulls)
        if groups is not None and members is not None:
            yield "insert into", groups.table, _insertion(groups, [])
            yield "insert into", members.table, _insertion(members, [])
            yield "delete from", members.table, sa.delete(members.table).where(members["user"].is_(None))
        if self._options.delete or self._options.create:
            yield "delete from", described.table, sa.delete(described.table).where(never)


def _insertion(described: Described, more: list[str]) -> sa.Executable:
    columns = [column.name for meaning, column in described.columns.items() if meaning != "key"]
    columns += [] if described.makes_keys or "key" not in described.columns else [described["key"].name]
    named = list(dict.fromkeys([*columns, *more, *described.fixed]))
    nothing = sa.select(*(sa.null() for _ in named)).where(sa.false())
    return sa.insert(described.table).from_select(named, nothing)


def _text(connection: sa.Connection, statement: sa.Executable) -> str:
    return str(statement.compile(connection, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]  # all that is executed here can be
