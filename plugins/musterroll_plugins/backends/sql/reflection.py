"""The tables that the options describe, found in the database, and what is not as described."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError

from musterroll import BackendError, did_you_mean
from musterroll_plugins.backends.sql.options import Constant, GroupTable, MembershipTable, SqlOptions, UserTable
from musterroll_plugins.backends.sql.passwords import FORMATS
from musterroll_plugins.backends.sql.tables import KEY_LENGTH, Col, Described, Tables, UserColumns
from musterroll_plugins.backends.sql.values import takes_fields


class Reflection:
    """Finds out what the tables are like.

    Args:
        connection: to the database.
        options: of the backend.
        truths: the fields of truth values.
    """

    def __init__(self, connection: sa.Connection, options: SqlOptions, truths: Collection[str]) -> None:
        self._connection, self._options, self._truths = connection, options, truths
        self._inspector = sa.inspect(connection)
        self._metadata = sa.MetaData()

    def tables(self) -> Tables:
        """Returns the tables.

        Raises:
            BackendError: something is not as the options describe it.
        """
        users = self._users(self._options.users)
        groups = memberships = None
        if self._options.groups is not None and self._options.memberships is not None:
            groups = self._groups(self._options.groups)
            memberships = self._memberships(self._options.memberships)
        separator = self._options.groups.path_separator if self._options.groups else ""
        return Tables(users, groups, memberships, separator)

    def _users(self, given: UserTable) -> UserColumns:
        named = {name: getattr(given, name) for name in ("key", "username", "password", "active", "created", "updated")}
        described = self._described("users", given, {**named, "mark": given.mark}, given.scope, given.columns)
        table = described.table
        for field, name in (("username", given.username), *given.columns.items()):
            if not takes_fields(table.c[name], truths=field in self._truths):
                kind = table.c[name].type
                raise BackendError(
                    f"the column {name} of {given.table} holds no texts that a sheet has: it is {kind!r}"
                )
        length = getattr(described.columns.get("password", table.c[given.key]).type, "length", None)
        if given.password and length is not None and length < FORMATS[self._options.passwords].characters:
            raise BackendError(
                f"the column {given.password} of {given.table} is too short for passwords in the format "
                f"{self._options.passwords}: it takes {length} characters"
            )
        active = described.get("active")
        if (
            active is not None
            and not given.inactive_value
            and not isinstance(active.type, sa.Boolean | sa.Integer | sa.DateTime | sa.Date)
        ):
            raise BackendError(
                f"the column {given.active} of {given.table} is a text: say what it has for users that are active and "
                "inactive (users.active_value, users.inactive_value)"
            )
        unique = self._unique(table)
        if given.username not in unique:
            raise BackendError(
                f"two users of {given.table} could get the same {given.username}: make a unique index on that column"
            )
        return UserColumns(self._options, described, unique)

    def _groups(self, given: GroupTable) -> Described:
        named = {name: getattr(given, name) for name in ("key", "name", "parent", "created", "updated", "mark")}
        return self._described("groups", given, named, given.scope)

    def _memberships(self, given: MembershipTable) -> Described:
        named = {"user": given.user, "group": given.group, "created": given.created}
        return self._described("memberships", given, named, {}, keyed=False)

    def _described(
        self,
        option: str,
        given: UserTable | GroupTable | MembershipTable,
        named: Mapping[str, str],
        scope: Mapping[str, Constant],
        fields: Mapping[str, str] | None = None,
        *,
        keyed: bool = True,
    ) -> Described:
        table = self._table(option, given.table)
        columns = {meaning: _column(table, f"{option}.{meaning}", name) for meaning, name in named.items() if name}
        of_fields = [_column(table, f"{option}.columns.{name}", column) for name, column in (fields or {}).items()]
        for name in (*scope, *given.constants):
            _column(table, f"{option}.constants", name)
        makes_keys = keyed and self._makes_keys(option, columns["key"])
        fixed = {**scope, **given.constants}
        written = {column.name for column in (*columns.values(), *of_fields)} | fixed.keys()
        for column in table.columns:
            if column.name not in written and _must_be_given(column):
                raise BackendError(
                    f"the column {column.name} of {given.table} must have a value and has none by itself: give it one "
                    f"in {option}.constants"
                )
        conditions = tuple(table.c[name] == value for name, value in scope.items())
        return Described(table, columns, conditions, fixed, makes_keys)

    def _table(self, option: str, name: str) -> sa.Table:
        schema, _, bare = name.rpartition(".")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", sa.exc.SAWarning)  # types that it does not know
                return sa.Table(
                    bare, self._metadata, schema=schema or None, autoload_with=self._connection, resolve_fks=False
                )
        except NoSuchTableError:
            there = self._inspector.get_table_names(schema or None)
            raise BackendError(
                f"the database has no table {name}{did_you_mean(bare, there)}: see the option {option}.table"
            ) from None

    def _makes_keys(self, option: str, key: Col) -> bool:
        alone = [column.name for column in key.table.primary_key.columns] == [key.name]
        if not alone and key.name not in self._unique(key.table):
            raise BackendError(f"the column {key.name} of {key.table} is no key: see the option {option}.key")
        if key.server_default is not None or key.identity is not None:
            return True
        if isinstance(key.type, sa.Integer):
            if key.autoincrement is True or (alone and self._connection.dialect.name == "sqlite"):
                return True
        elif isinstance(key.type, sa.Uuid) or (
            isinstance(key.type, sa.String) and (key.type.length or KEY_LENGTH) >= KEY_LENGTH
        ):
            return False
        raise BackendError(f"nothing gives new rows of {key.table} a {key.name}: the column needs a default")

    def _unique(self, table: sa.Table) -> set[str]:
        """Returns the columns of which no two rows can have the same value."""
        found: list[Iterable[str | None]] = [[column.name for column in table.primary_key.columns]]
        found += [one["column_names"] for one in self._inspector.get_unique_constraints(table.name, table.schema)]
        # Of SQLite those that a constraint makes are asked for besides: it reads no constraint behind `VARCHAR(60)`.
        for index in self._inspector.get_indexes(table.name, table.schema, include_auto_indexes=True):
            if index["unique"] and not any(key.endswith("_where") for key in index.get("dialect_options", {})):
                found.append([_of_expression(text) for text in index.get("expressions", index["column_names"])])
        return {name for names in map(list, found) if len(names) == 1 and (name := names[0])}


def _of_expression(text: str | None) -> str | None:
    """Returns the column of `lower((email)::text)`: what is unique in small letters is unique."""
    bare = (text or "").replace("::text", "").replace('"', "")
    return bare.removeprefix("lower(").strip("()") if bare.startswith("lower(") else text


def _must_be_given(column: Col) -> bool:
    return not (
        column.nullable
        or column.server_default is not None
        or column.identity is not None
        or column.computed is not None
        or column.autoincrement is True
        or (column.primary_key and isinstance(column.type, sa.Integer))
    )


def _column(table: sa.Table, option: str, name: str) -> Col:
    if name not in table.c:
        raise BackendError(
            f"the table {table.name} has no column {name}{did_you_mean(name, table.c.keys())}: see the option {option}"
        )
    return table.c[name]
