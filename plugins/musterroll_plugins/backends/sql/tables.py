"""The tables that the options describe, as they are in the database, and what is not as described."""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError

from musterroll import BackendError, Desired, did_you_mean
from musterroll_plugins.backends.sql.options import Constant, GroupTable, MembershipTable, SqlOptions, UserTable
from musterroll_plugins.backends.sql.passwords import FORMATS
from musterroll_plugins.backends.sql.values import (
    ValueMismatchError,
    moment,
    nothing_given,
    shown,
    stored,
    takes_fields,
)
from musterroll_simple import phones

USERNAME = "username"
_CODE, _PHONE = "calling_code", "phone"
_KEY_LENGTH = 32  # of a UUID in hexadecimal

Fields = Mapping[str, str | None]
Col = sa.Column[Any]


def new_id() -> str:
    """Returns a UUID of version 7 in hexadecimal: new rows go to the end of every index on it."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    return f"{milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0x2 << 62 | random & ((1 << 62) - 1):032x}"


@dataclass(frozen=True)
class Described:
    """A table with its columns of a fixed meaning.

    Attributes:
        table: as it is in the database.
        columns: by their meaning, as `key` or `active`; those that the options name.
        scope: conditions that all rows of ours fulfil.
        fixed: what every new row gets.
        makes_keys: the database makes the key of a new row.
    """

    table: sa.Table
    columns: Mapping[str, Col]
    scope: tuple[sa.ColumnElement[bool], ...] = ()
    fixed: Mapping[str, Constant] = field(default_factory=dict)
    makes_keys: bool = False

    def __getitem__(self, meaning: str) -> Col:
        return self.columns[meaning]

    def get(self, meaning: str) -> Col | None:
        """Returns a column that the options may leave out."""
        return self.columns.get(meaning)

    def new_key(self) -> dict[str, Any]:
        """Returns the key of a new row, where the database does not make it."""
        if self.makes_keys:
            return {}
        key = self["key"]
        return {key.name: uuid.UUID(new_id()) if isinstance(key.type, sa.Uuid) else new_id()}

    def times(self, now: dt.datetime, *meanings: str) -> dict[str, Any]:
        """Returns the columns of times that are to be written."""
        named = [column for meaning in meanings if (column := self.get(meaning)) is not None]
        return {column.name: moment(column, now) for column in named}


class UserColumns:
    """Makes rows of users and users of rows.

    Args:
        options: of the backend.
        described: the table.
        unique: the columns of which no two rows have the same value.
    """

    def __init__(self, options: SqlOptions, described: Described, unique: Collection[str]) -> None:
        self.described = described
        self.of_field = {USERNAME: described["username"]}
        self.of_field |= {name: described.table.c[column] for name, column in options.users.columns.items()}
        self._joint_phone = _PHONE in self.of_field and _CODE not in self.of_field
        self.unique = {name for name, column in self.of_field.items() if column.name in unique and name != USERNAME}
        if options.unique_email and "email" in self.of_field:
            self.unique.add("email")
        self._active_value, self._inactive_value = options.users.active_value, options.users.inactive_value

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the table keeps."""
        joint = {_CODE} if self._joint_phone else set[str]()
        return frozenset((self.of_field.keys() - {USERNAME}) | joint)

    @property
    def changes_values(self) -> bool:
        """Whether some values are shown otherwise than they are given."""
        plain = (
            isinstance(one.type, sa.String) and not isinstance(one.type, sa.CHAR) for one in self.of_field.values()
        )
        return self._joint_phone or not all(plain)

    def row(self, fields: Fields) -> dict[str, Any]:
        """Returns the columns of some fields.

        Raises:
            ValueMismatchError: a column does not take a value.
        """
        return {
            column.name: stored(column, phones.join(fields.get(_CODE), fields.get(_PHONE)) if joint else fields[name])
            for name, column in self.of_field.items()
            if (joint := self._joint_phone and name == _PHONE and (_CODE in fields or _PHONE in fields))
            or name in fields
        }

    def mismatches(self, fields: Fields) -> Iterator[tuple[str, str]]:
        """Yields the fields that the table does not take, and why."""
        for name in self.of_field:
            wanted = {key: text for key, text in fields.items() if key == name or (name == _PHONE and key == _CODE)}
            try:
                self.row(wanted)
            except ValueMismatchError as error:
                yield name, str(error)
            else:
                column = self.of_field[name]
                if name in self.unique and name in fields and not fields[name] and not column.nullable:
                    yield name, nothing_given()

    def values(self, row: Mapping[str, Any]) -> dict[str, str | None]:
        """Returns the fields of a row, the username among them."""
        values = {name: shown(column, row[column.name]) for name, column in self.of_field.items()}
        if self._joint_phone:
            values[_CODE], values[_PHONE] = phones.split(values[_PHONE])
        return values

    def is_so(self, wanted: Fields, row: Mapping[str, Any]) -> bool:
        """Whether a row is as fields want it."""
        values = self.values(row)
        known = self.fields | {USERNAME}
        return all((values.get(name) or None) == (text or None) for name, text in wanted.items() if name in known)

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as the table will show it again."""
        given = {USERNAME: desired.username, **desired.fields}
        for name, column in self.of_field.items():
            if given.get(name) and not (self._joint_phone and name == _PHONE):
                try:
                    given[name] = shown(column, stored(column, given[name]))
                except ValueMismatchError:
                    continue  # `check` says it
        if self._joint_phone and given.get(_PHONE):
            code, given[_PHONE] = phones.split(phones.join(given.get(_CODE), given[_PHONE]))
            if code or _CODE in given:
                given[_CODE] = code
        username = given.pop(USERNAME) or desired.username
        return Desired(username=username, fields=given)

    # -- active or not --------------------------------------------------------------------------------------

    def is_active(self, row: Mapping[str, Any]) -> bool:
        """Whether a user is active."""
        column = self.described.get("active")
        if column is None:
            return True
        value = row[column.name]
        if self._inactive_value:
            return str(value) != self._inactive_value
        return value is None if _tells_when(column) else bool(value)

    def activity(self, now: dt.datetime, *, active: bool) -> dict[str, Any]:
        """Returns the column that says whether a user is active, as it is written."""
        column = self.described.get("active")
        if column is None:
            return {}
        if self._inactive_value:
            return {column.name: self._active_value if active else self._inactive_value}
        if _tells_when(column):
            return {column.name: None if active else moment(column, now)}
        return {column.name: active if isinstance(column.type, sa.Boolean) else int(active)}


def _tells_when(column: Col) -> bool:
    return isinstance(column.type, sa.DateTime | sa.Date)


@dataclass(frozen=True)
class Tables:
    """All tables of an application.

    Attributes:
        users: that of users, with what makes users of its rows.
        groups: that of groups; None without any.
        memberships: that of memberships; None without groups.
        separator: what stands between the levels of a group's name; empty where names have one level.
    """

    users: UserColumns
    groups: Described | None
    memberships: Described | None
    separator: str


class Reflection:
    """Finds out what the tables are like.

    Args:
        connection: to the database.
        options: of the backend.
    """

    def __init__(self, connection: sa.Connection, options: SqlOptions) -> None:
        self._connection, self._options = connection, options
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
        for name in (given.username, *given.columns.values()):
            if not takes_fields(table.c[name]):
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
            isinstance(key.type, sa.String) and (key.type.length or _KEY_LENGTH) >= _KEY_LENGTH
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


# -- tables of our own --------------------------------------------------------------------------------------------

_STANDARD = ("email", "forename", "surname", "calling_code", "phone")


def with_own_tables(options: SqlOptions) -> SqlOptions:
    """Returns options that describe tables of our own, under the names that are given."""
    own = dict.fromkeys(_STANDARD, "")
    columns = {name: options.users.columns.get(name, name) for name in (*own, *options.users.columns)}
    users = options.users.model_copy(
        update={
            "columns": columns,
            "password": "" if options.passwords == "none" else "password_hash",
            "active": "active",
            "created": "created_at",
            "updated": "updated_at",
            "mark": "operation",
        }
    )
    groups = (options.groups or GroupTable()).model_copy(
        update={"parent": "parent_id", "path_separator": "", "created": "created_at", "mark": "operation"}
    )
    memberships = options.memberships or MembershipTable()
    return options.model_copy(update={"users": users, "groups": groups, "memberships": memberships})


def own_tables(options: SqlOptions) -> tuple[sa.MetaData, Tables]:
    """Returns tables of our own that are yet to be made.

    Args:
        options: as `with_own_tables` has made them.
    """
    assert options.groups is not None
    assert options.memberships is not None
    metadata = sa.MetaData()
    bytewise: dict[str, Any] = {}
    for dialect in ("mysql", "mariadb"):
        bytewise |= {f"{dialect}_charset": "utf8mb4", f"{dialect}_collate": "utf8mb4_bin"}

    def made(name: str, *columns: Any) -> sa.Table:
        schema, _, bare = name.rpartition(".")
        return sa.Table(bare, metadata, *columns, schema=schema or None, **bytewise)

    def text(name: str, length: int = 255, **more: Any) -> Col:
        return sa.Column(name, sa.String(length), **more)

    def when(name: str) -> Col:
        return sa.Column(name, sa.DateTime(timezone=True), nullable=False)

    of_users, of_groups = options.users, options.groups
    fields = [text(column) for column in dict.fromkeys(of_users.columns.values())]
    users = made(
        of_users.table,
        text(of_users.key, _KEY_LENGTH, primary_key=True),
        text(of_users.username, unique=True, nullable=False),
        *fields,
        *([text(of_users.password)] if of_users.password else []),
        sa.Column(of_users.active, sa.Boolean, nullable=False),
        text(of_users.mark),
        when(of_users.created),
        when(of_users.updated),
    )
    groups = made(
        of_groups.table,
        text(of_groups.key, _KEY_LENGTH, primary_key=True),
        sa.Column(of_groups.parent, sa.ForeignKey(f"{of_groups.table}.{of_groups.key}")),
        text(of_groups.name, nullable=False),
        text(of_groups.mark),
        when(of_groups.created),
    )
    named = options.memberships
    cascade: dict[str, Any] = {"primary_key": True}
    memberships = made(
        named.table,
        sa.Column(named.user, sa.ForeignKey(f"{of_users.table}.{of_users.key}"), **cascade),
        sa.Column(named.group, sa.ForeignKey(f"{of_groups.table}.{of_groups.key}"), index=True, **cascade),
    )

    def described(table: sa.Table, given: Any, *meanings: str) -> Described:
        named = {meaning: getattr(given, meaning) for meaning in meanings}
        return Described(table, {meaning: table.c[name] for meaning, name in named.items() if name})

    meanings = ("key", "username", "password", "active", "created", "updated", "mark")
    return metadata, Tables(
        UserColumns(options, described(users, of_users, *meanings), ()),
        described(groups, of_groups, "key", "name", "parent", "created", "mark"),
        described(memberships, named, "user", "group"),
        "",
    )
