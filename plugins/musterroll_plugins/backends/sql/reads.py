"""Looking users and groups up, and finding out what became of operations. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from musterroll import (
    AddMembers,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Existing,
    Group,
    Op,
    Reactivate,
    RemoveMembers,
    Result,
    Status,
    UpdateUser,
    UserKey,
    UserRef,
    fold,
    fold_path,
)
from musterroll_plugins.backends.sql.tables import USERNAME, Described, Tables
from musterroll_plugins.backends.sql.values import key_of, ref_of, shown
from musterroll_simple import split_path, with_parents

BATCH = 500
"""So many values stand in one statement."""

Row = Mapping[str, Any]
_NOTHING: Mapping[str, str] = {}
_Refs = dict[str, tuple[str, ...]]  # who may have a value, by the folded value: mostly one, so no more than a tuple


def batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Yields values in lists that a statement can have."""
    waiting = list(values)
    for start in range(0, len(waiting), BATCH):
        yield waiting[start : start + BATCH]


def keys_of(column: sa.Column[Any], refs: Iterable[str]) -> dict[Any, str]:
    """Returns the refs of keys; of what can be no key there is none."""
    return {key: ref for ref in refs if (key := key_of(column, ref)) is not None}


def _by_ref(key: sa.Column[Any], rows: Iterable[Mapping[Any, Any]]) -> dict[str, Row]:
    """Rows as they can be kept, by the refs of their keys."""
    return {ref_of(row[key.name]): {str(name): value for name, value in row.items()} for row in rows}


def _add(refs: _Refs, folded: str, ref: str) -> None:
    others = refs.get(folded, ())
    if ref not in others:
        refs[folded] = (*others, ref)


class UserIndex:
    """Who has which name: databases compare names otherwise than we do, so all are read once and compared here.

    Args:
        tables: of the application.
    """

    def __init__(self, tables: Tables) -> None:
        self._users = tables.users
        self._refs: dict[str, _Refs] = {}  # by field

    def forget(self) -> None:
        """Notes that others may have written, or that what was noted did not happen."""
        self._refs.clear()

    def note(self, ref: str, fields: Mapping[str, str | None], folded: Mapping[str, str] = _NOTHING) -> None:
        """Notes what a user has now; what the user had before is read again by whoever looks.

        Args:
            ref: of the user.
            fields: the values.
            folded: those of some fields, folded already.
        """
        for field, refs in self._refs.items():
            if text := folded.get(field) or fold(fields.get(field) or ""):
                _add(refs, text, ref)

    def find(self, connection: sa.Connection, field: str, folded: str) -> Collection[str]:
        """Returns the refs of those who may have a value."""
        if field not in self._refs:
            self._refs[field] = self._read(connection, field)
        return self._refs[field].get(folded, ())

    def _read(self, connection: sa.Connection, field: str) -> _Refs:
        users = self._users
        key = users.described["key"]
        column = users.of_field.get("phone" if field == "calling_code" and field not in users.of_field else field)
        found: _Refs = {}
        if column is None:
            return found
        query = sa.select(key, column).where(column.is_not(None), *users.described.scope)
        for row in connection.execute(query.execution_options(yield_per=5000)):
            if field in ("phone", "calling_code"):
                text = users.values(defaultdict(lambda: None, {column.name: row[1]})).get(field)
            else:
                text = shown(column, row[1])
            if text:
                _add(found, fold(text), ref_of(row[0]))
        return found


class Reads:
    """Reads through a connection that is given for each call, within a transaction.

    Args:
        tables: of the application.
        index: of its users.
    """

    def __init__(self, tables: Tables, index: UserIndex) -> None:
        self._tables, self._users, self.index = tables, tables.users, index
        described = self._users.described
        columns = [described["key"], *self._users.of_field.values()]
        columns += [column for name in ("active", "mark") if (column := described.get(name)) is not None]
        self._columns = list({column.name: column for column in columns}.values())

    def count_users(self, connection: sa.Connection) -> int:
        """How many users there are."""
        described = self._users.described
        query = sa.select(sa.func.count()).select_from(described.table).where(*described.scope)
        return int(connection.execute(query).scalar_one())

    def lookup(self, connection: sa.Connection, keys: Sequence[UserKey]) -> dict[UserKey, list[Existing]]:
        """Finds users by any field."""
        candidates = {key: self.index.find(connection, key.field, key.folded) for key in keys if key.folded}
        found = self.users(connection, {ref: None for refs in candidates.values() for ref in refs})
        return {key: [found[ref] for ref in refs if ref in found] for key, refs in candidates.items()}

    def users(self, connection: sa.Connection, refs: Iterable[str]) -> dict[str, Existing]:
        """Reads users as they are now, by ref; those who are gone are left out."""
        return self._with_groups(connection, self.rows(connection, refs))

    def users_after(self, connection: sa.Connection, key: object) -> tuple[list[Existing], object]:
        """Reads the next users by key, after one; None for the first.

        Returns:
            The users who have a name, and the last key; None where there are no more.
        """
        described = self._users.described
        column = described["key"]
        query = sa.select(*self._columns).where(*described.scope).order_by(column).limit(BATCH)
        read = connection.execute(query if key is None else query.where(column > key)).mappings().all()
        users = self._with_groups(connection, _by_ref(column, read)).values()
        return [user for user in users if user.username], read[-1][column.name] if read else None

    def rows(self, connection: sa.Connection, refs: Iterable[str], *, lock: bool = False) -> dict[str, Row]:
        """Reads rows of users.

        Args:
            connection: within a transaction.
            refs: of the users.
            lock: nobody else may change them until the transaction ends.
        """
        described = self._users.described
        query = sa.select(*self._columns).where(*described.scope)
        query = query.with_for_update() if lock else query
        return self._by_key(connection, query, described["key"], refs)

    def _by_key(
        self, connection: sa.Connection, query: sa.Select[Any], key: sa.Column[Any], refs: Iterable[str]
    ) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for batch in batches(keys_of(key, refs)):
            found |= _by_ref(key, connection.execute(query.where(key.in_(batch))).mappings())
        return found

    def _groups_of(self, connection: sa.Connection, refs: Iterable[str]) -> dict[str, set[str]]:
        groups: dict[str, set[str]] = defaultdict(set)
        if (described := self._tables.memberships) is not None:
            query = sa.select(described["user"], described["group"])
            for batch in batches(keys_of(self._users.described["key"], refs)):
                for user, group in connection.execute(query.where(described["user"].in_(batch))):
                    groups[ref_of(user)].add(ref_of(group))
        return groups

    def _with_groups(self, connection: sa.Connection, rows: Mapping[str, Row]) -> dict[str, Existing]:
        groups = self._groups_of(connection, rows)
        return {ref: self._existing(ref, row, groups[ref]) for ref, row in rows.items()}

    def _existing(self, ref: str, row: Row, groups: Iterable[str]) -> Existing:
        values = self._users.values(row)
        mark = self._users.described.get("mark")
        return Existing(
            ref=ref,
            username=values.pop(USERNAME) or "",
            fields=values,
            groups=frozenset(groups),
            active=self._users.is_active(row),
            key=None if mark is None else row[mark.name],
        )

    # -- groups ---------------------------------------------------------------------------------------------

    def groups(self, connection: sa.Connection) -> list[Group]:
        """Reads all groups."""
        described = self._tables.groups
        if described is None:
            return []
        key, name, parent, mark = described["key"], described["name"], described.get("parent"), described.get("mark")
        asked = [column for column in (key, name, parent, mark) if column is not None]
        read: list[tuple[Group, str | None]] = []
        for row in connection.execute(sa.select(*asked).where(*described.scope)).mappings():
            text = shown(name, row[name.name]) or ""
            separator = self._tables.separator
            path = split_path(text, separator) if separator else (text,)
            above = None if parent is None or row[parent.name] is None else ref_of(row[parent.name])
            its_mark = None if mark is None else row[mark.name]
            read.append((Group(ref=ref_of(row[key.name]), path=path, key=its_mark), above))
        return list(with_parents(read))

    def is_there(self, connection: sa.Connection, described: Described, ref: str) -> bool:
        """Whether there is such a row."""
        key = key_of(described["key"], ref)
        query = sa.select(sa.literal(1)).where(described["key"] == key, *described.scope)
        return key is not None and connection.execute(query).first() is not None

    def members(self, connection: sa.Connection, group: str, members: Iterable[UserRef]) -> set[str]:
        """Returns the refs of those who are members of a group."""
        described, groups = self._tables.memberships, self._tables.groups
        found: set[str] = set()
        if described is None or groups is None or (key := key_of(groups["key"], group)) is None:
            return found
        query = sa.select(described["user"]).where(described["group"] == key)
        for batch in batches(keys_of(self._users.described["key"], (member.ref for member in members))):
            found.update(ref_of(user) for (user,) in connection.execute(query.where(described["user"].in_(batch))))
        return found

    # -- what became of operations --------------------------------------------------------------------------

    def resolve(self, connection: sa.Connection, doubtful: Sequence[Op]) -> list[Result]:
        """Says what became of operations, by the state of the tables."""
        self.index.forget()
        names = {op.user.username: fold(op.user.username) for op in doubtful if isinstance(op, CreateUser)}
        keys = [UserKey("username", name, folded) for name, folded in names.items()]
        found = self.lookup(connection, keys) if keys else {}
        named = {fold(user.username): user for users in found.values() for user in users}
        groups = self.groups(connection) if any(isinstance(op, CreateGroup) for op in doubtful) else []
        by_path = {fold_path(group.path): group for group in groups}
        updated = [op.user.ref for op in doubtful if isinstance(op, UpdateUser | Deactivate | Reactivate | DeleteUser)]
        rows = self.rows(connection, updated)
        return [Result(op.id, *self._outcome(connection, op, named, by_path, rows)) for op in doubtful]

    def _outcome(
        self,
        connection: sa.Connection,
        op: Op,
        named: Mapping[str, Existing],
        groups: Mapping[tuple[str, ...], Group],
        rows: Mapping[str, Row],
    ) -> tuple[Status, str | None]:
        match op:
            case CreateUser():
                user = named.get(fold(op.user.username))
                if user is None:
                    return Status.NOT_DONE, None
                return (Status.DONE if self.is_ours(op, user) else Status.CONFLICT), user.ref
            case CreateGroup():
                group = groups.get(fold_path(op.path))
                return (Status.NOT_DONE, None) if group is None else (Status.DONE, group.ref)
            case UpdateUser():
                # A password cannot be compared cheaply; setting it again does no harm.
                row = rows.get(op.user.ref)
                done = op.password is None and row is not None and self._users.is_so(op.changes, row)
            case Deactivate() | Reactivate():
                row = rows.get(op.user.ref)
                done = row is not None and self._users.is_active(row) is isinstance(op, Reactivate)
            case DeleteUser():
                done = op.user.ref not in rows
            case AddMembers():
                inside = self.members(connection, op.group.ref, op.members)
                done = inside == {member.ref for member in op.members}
            case RemoveMembers():
                done = not self.members(connection, op.group.ref, op.members)
            case DeleteGroup():
                groups_ = self._tables.groups
                done = groups_ is None or not self.is_there(connection, groups_, op.group.ref)
            case _:
                done = False
        return (Status.DONE if done else Status.NOT_DONE), None

    def is_ours(self, op: CreateUser, user: Existing) -> bool:
        """Whether an operation has created a user: by our mark, or where there is none by the looks."""
        if self._users.described.get("mark") is not None:
            return user.key == op.id
        wanted = {name: text for name, text in op.user.fields.items() if name in self._users.fields}
        return (
            user.active
            and user.username == op.user.username
            and all((user.fields.get(name) or None) == (text or None) for name, text in wanted.items())
        )
