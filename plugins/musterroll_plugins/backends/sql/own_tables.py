"""Tables of our own, for whoever has none: what the options come to with them, and how they are made."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from musterroll_plugins.backends.sql.options import GroupTable, MembershipTable, SqlOptions
from musterroll_plugins.backends.sql.tables import KEY_LENGTH, Col, Described, Tables, UserColumns

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
        text(of_users.key, KEY_LENGTH, primary_key=True),
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
        text(of_groups.key, KEY_LENGTH, primary_key=True),
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
