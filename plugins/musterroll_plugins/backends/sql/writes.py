"""Performing operations inside a transaction that somebody else begins and commits.

Users are created and changed many at once. What the database refuses is tried again one by one, so that it keeps no
other out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from musterroll import (
    AddMembers,
    BackendError,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Group,
    GroupPath,
    Op,
    Reactivate,
    RemoveMembers,
    Result,
    Status,
    UpdateUser,
    fold,
    fold_path,
)
from musterroll_plugins.backends.sql.dialects import Dialect
from musterroll_plugins.backends.sql.passwords import unusable
from musterroll_plugins.backends.sql.reads import Reads, Row, batches, keys_of
from musterroll_plugins.backends.sql.tables import USERNAME, Described, Tables
from musterroll_plugins.backends.sql.values import ValueMismatchError, key_of, shown, stored
from musterroll_simple import join_path

OneOp = TypeVar("OneOp", bound=Op)

_GONE = "the user no longer exists; run the sheet again"
_GROUP_GONE = "the group no longer exists; run the sheet again"

_KEY = "musterroll_key"

Hashes = Mapping[str, str]


class Writes:
    """Performs operations.

    Args:
        dialect: of the database.
        tables: of the application.
        reads: reads them.
    """

    def __init__(self, dialect: Dialect, tables: Tables, reads: Reads) -> None:
        self._dialect, self._tables, self._reads = dialect, tables, reads
        self._users, self._index = tables.users, reads.index

    def perform(self, connection: sa.Connection, ops: Sequence[Op], hashes: Hashes, now: dt.datetime) -> list[Result]:
        """Performs operations.

        Args:
            connection: within a transaction.
            ops: the operations.
            hashes: of their passwords, by the operations' ids.
            now: the time in UTC.

        Raises:
            DBAPIError: the database cannot be written; the transaction must be rolled back.
        """
        at_work = _AtWork(self, connection, hashes, now)
        return [result for kind, of_kind in groupby(ops, key=type) for result in at_work.perform(kind, list(of_kind))]


class _AtWork:
    """Performs the operations of one transaction."""

    def __init__(self, writes: Writes, connection: sa.Connection, hashes: Hashes, now: dt.datetime) -> None:
        self._dialect, self._tables, self._reads = writes._dialect, writes._tables, writes._reads
        self._users, self._index = self._tables.users, self._reads.index
        self._connection, self._hashes, self._now = connection, hashes, now
        self._mark, self._password = (self._users.described.get(meaning) for meaning in ("mark", "password"))
        self._groups: dict[GroupPath, Group] | None = None

    def perform(self, kind: type[Op], ops: Sequence[Any]) -> Iterator[Result]:
        if kind is CreateUser:
            yield from self._unless_refused(ops, self._create_users)
        elif kind is UpdateUser:
            yield from self._unless_refused(ops, self._update_users)
        elif kind in (Deactivate, Reactivate):
            yield from self._unless_refused(ops, self._set_active)
        else:
            for op in ops:
                yield from self._unless_refused([op], self._one)

    def _unless_refused(self, ops: Sequence[OneOp], work: Callable[[Sequence[OneOp]], list[Result]]) -> list[Result]:
        """Does some work; what the database refuses because of its values leaves no trace."""
        point = self._connection.begin_nested()
        try:
            results = work(ops)
        except DBAPIError as error:
            duplicate = self._dialect.is_duplicate(error)
            if error.connection_invalidated or not (duplicate or self._dialect.is_refusal(error)):
                raise
            point.rollback()  # what the index was told of it is compared again by whoever finds it there
            self._groups = None
            if len(ops) > 1:
                return [result for op in ops for result in self._unless_refused([op], work)]
            status = Status.CONFLICT if duplicate else Status.FAILED
            return [Result(ops[0].id, status, detail=f"the database refused it: {self._dialect.said(error)}")]
        point.commit()
        return results

    # -- users ----------------------------------------------------------------------------------------------

    def _create_users(self, ops: Sequence[CreateUser]) -> list[Result]:
        results: list[Result] = []
        rows: list[Row] = []
        chosen: dict[str, tuple[CreateUser, Mapping[str, str]]] = {}
        promised: set[tuple[str, str]] = set()  # what those before in the same statement will have
        for op in ops:
            held = self._users.single_values(op.user.fields)
            held[USERNAME] = fold(op.user.username)
            answer = self._promised(op, held, promised) or self._in_the_way(op, held)
            if answer is not None:
                results.append(answer)
                continue
            try:
                rows.append(self._new_row(op))
            except ValueMismatchError as error:
                results.append(Result(op.id, Status.FAILED, detail=str(error)))
                continue
            chosen[op.user.username] = op, held
            promised.update(held.items())
        if rows:
            refs = self._insert(rows, chosen.keys())
            for name, (op, folded) in chosen.items():
                self._index.note(refs[name], op.user.fields, folded)
                results.append(Result(op.id, Status.DONE, refs[name]))
        return results

    def _promised(self, op: CreateUser, held: Mapping[str, str], promised: Set[tuple[str, str]]) -> Result | None:
        if promised.isdisjoint(held.items()):
            return None
        name = next(name for name, text in held.items() if (name, text) in promised)
        what = "the username" if name == USERNAME else f"the value of {name}"
        return Result(op.id, Status.CONFLICT, detail=f"{what} is taken")

    def _insert(self, rows: Sequence[Row], names: Collection[str]) -> Mapping[str, str]:
        described = self._users.described
        fixed = {**described.fixed, **self._users.activity(self._now, active=True)}
        fixed |= described.times(self._now, "created", "updated")
        column = described["username"]
        refs = self._dialect.insert_many(self._connection, described, rows, fixed, column)
        if refs.keys() == names:
            return refs
        # The table writes names otherwise: filled up with blanks, in small letters.
        by_name = {fold(shown(column, text) or ""): ref for text, ref in refs.items()}
        if any(fold(name) not in by_name for name in names):
            raise BackendError("the database gives new users other names than it was told; nothing was written")
        return {name: by_name[fold(name)] for name in names}

    def _new_row(self, op: CreateUser) -> Row:
        row = {**self._users.described.new_key(), **self._users.new_row(op.user)}
        if self._mark is not None:
            row[self._mark.name] = op.id
        if (password := self._password) is not None:
            row[password.name] = self._hashes.get(op.id) or (None if password.nullable else unusable())
        return row

    def _in_the_way(self, op: CreateUser, held: Mapping[str, str]) -> Result | None:
        """Whoever has the name or another value of which there may be one only."""
        for other in self._holders(USERNAME, held[USERNAME]):
            found = self._reads.users(self._connection, [other]).get(other)
            if found is None or fold(found.username) != held[USERNAME]:
                continue
            if found.key == op.id:  # a second go at an operation that was done
                return Result(op.id, Status.DONE, other)
            return Result(op.id, Status.CONFLICT, other, f'the username is taken by "{found.username}"')
        return self._taken(op.id, held, None)

    def _taken(self, op: str, held: Mapping[str, str], ref: str | None) -> Result | None:
        """Whoever has one of the values, which are folded, of a field that no two users may have the same of."""
        for name, text in held.items():
            for other in self._holders(name, text) if name != USERNAME else ():
                if other == ref:
                    continue
                found = self._reads.users(self._connection, [other]).get(other)
                if found and fold(found.fields.get(name) or "") == text:
                    detail = f'the value of {name} is taken by "{found.username}"'
                    return Result(op, Status.CONFLICT, detail=detail)
        return None

    def _holders(self, field: str, folded: str) -> Collection[str]:
        return self._index.find(self._connection, field, folded)

    def _update_users(self, ops: Sequence[UpdateUser]) -> list[Result]:
        rows = self._reads.rows(self._connection, [op.user.ref for op in ops], lock=True)
        results = []
        changes: dict[tuple[str, ...], list[Row]] = {}
        for op in ops:
            before = rows.get(op.user.ref)
            if before is None:
                results.append(Result(op.id, Status.FAILED, detail=_GONE))
                continue
            held = self._users.single_values(op.changes)
            if (answer := self._renamed_onto(op) or self._taken(op.id, held, op.user.ref)) is not None:
                results.append(answer)
                continue
            try:
                row = self._users.row(self._with_phone(op.changes, before))
            except ValueMismatchError as error:
                results.append(Result(op.id, Status.FAILED, detail=str(error)))
                continue
            if op.id in self._hashes:
                row[self._users.described["password"].name] = self._hashes[op.id]
            changes.setdefault(tuple(row), []).append({_KEY: before[self._key.name], **row})
            self._index.note(op.user.ref, op.changes)
            results.append(Result(op.id, Status.DONE, op.user.ref))
        for columns, changed in changes.items():
            self._change(columns, changed)
        return results

    def _with_phone(self, changes: Mapping[str, str | None], before: Row) -> Mapping[str, str | None]:
        """Adds the other half of a telephone number that is kept in one column."""
        if "phone" in changes or "calling_code" in changes:
            values = self._users.values(before)
            return {**{name: values.get(name) for name in ("calling_code", "phone")}, **changes}
        return changes

    def _renamed_onto(self, op: UpdateUser) -> Result | None:
        name = fold(op.changes.get(USERNAME) or "")
        for other in self._holders(USERNAME, name) if name else ():
            found = self._reads.users(self._connection, [other]).get(other) if other != op.user.ref else None
            if found is not None and fold(found.username) == name:
                return Result(op.id, Status.CONFLICT, other, f'the username is taken by "{found.username}"')
        return None

    def _set_active(self, ops: Sequence[Deactivate | Reactivate]) -> list[Result]:
        rows = self._reads.rows(self._connection, [op.user.ref for op in ops], lock=True)
        results, changed = [], []
        for op in ops:
            active = isinstance(op, Reactivate)
            row = rows.get(op.user.ref)
            if row is None:
                results.append(Result(op.id, Status.FAILED, detail=_GONE))
            elif self._users.is_active(row) is active:
                results.append(Result(op.id, Status.NOOP, op.user.ref))
            else:
                changed.append({_KEY: row[self._key.name], **self._users.activity(self._now, active=active)})
                results.append(Result(op.id, Status.DONE, op.user.ref))
        if changed:
            self._change(tuple(changed[0])[1:], changed)
        return results

    @property
    def _key(self) -> sa.Column[Any]:
        return self._users.described["key"]

    def _change(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Changes the same columns of several users."""
        times = self._users.described.times(self._now, "updated")
        if not columns and not times:
            return
        table = self._users.described.table
        given: dict[str, Any] = {
            column: sa.bindparam(f"new_{column}", type_=table.c[column].type) for column in columns
        }
        statement = sa.update(table).where(self._key == sa.bindparam(_KEY, type_=self._key.type)).values(given | times)
        named = [{_KEY: row[_KEY], **{f"new_{column}": row[column] for column in columns}} for row in rows]
        self._connection.execute(statement, named)

    # -- groups, and what is done one at a time -------------------------------------------------------------

    def _one(self, ops: Sequence[Op]) -> list[Result]:
        (op,) = ops
        match op:
            case CreateGroup():
                return [self._create_group(op)]
            case AddMembers():
                return [self._add_members(op)]
            case RemoveMembers():
                return [self._remove_members(op)]
            case DeleteUser():
                return [self._delete_user(op)]
            case DeleteGroup():
                return [self._delete_group(op)]
            case _:
                detail = "a database cannot send invites; name a notifier in the pipeline"
                return [Result(op.id, Status.FAILED, detail=detail)]

    @property
    def _of_groups(self) -> Described:
        assert self._tables.groups is not None
        return self._tables.groups

    @property
    def _of_members(self) -> Described:
        assert self._tables.memberships is not None
        return self._tables.memberships

    def _create_group(self, op: CreateGroup) -> Result:
        described, parent = self._of_groups, self._of_groups.get("parent")
        if self._groups is None:
            self._groups = {fold_path(group.path): group for group in self._reads.groups(self._connection)}
        if (same := self._groups.get(fold_path(op.path))) is not None:
            done = Status.DONE if same.key == op.id else Status.NOOP
            return Result(op.id, done, same.ref)
        if op.parent is not None and not self._reads.is_there(self._connection, described, op.parent.ref):
            return Result(op.id, Status.FAILED, detail="the parent group no longer exists; run the sheet again")
        separator = self._tables.separator
        name = join_path(op.path, separator) if separator else op.path[-1]
        row: dict[str, Any] = {**described.new_key(), **described.fixed}
        row |= described.times(self._now, "created", "updated")
        try:
            row[described["name"].name] = stored(described["name"], name)
        except ValueMismatchError as error:
            return Result(op.id, Status.FAILED, detail=f"the group's name: {error}")
        if parent is not None:
            row[parent.name] = None if op.parent is None else key_of(described["key"], op.parent.ref)
        if (mark := described.get("mark")) is not None:
            row[mark.name] = op.id
        ref = self._dialect.insert_one(self._connection, described, row)
        self._groups[fold_path(op.path)] = Group(ref=ref, path=op.path, key=op.id)
        return Result(op.id, Status.DONE, ref)

    def _add_members(self, op: AddMembers) -> Result:
        members, users = self._of_members, self._users.described
        if not self._reads.is_there(self._connection, self._of_groups, op.group.ref):
            return Result(op.id, Status.FAILED, detail=_GROUP_GONE)
        group = key_of(self._of_groups["key"], op.group.ref)
        of_group = members["group"]
        fixed = {**members.fixed, **members.times(self._now, "created")}
        values = [sa.literal(value, members.table.c[name].type) for name, value in fixed.items()]
        chosen = sa.select(users["key"], sa.literal(group, of_group.type), *values).where(*users.scope)
        is_member = sa.select(of_group).where(members["user"] == users["key"], of_group == group).exists()
        added, there = 0, set()
        for batch in batches(keys_of(users["key"], (member.ref for member in op.members))):
            given = chosen.where(users["key"].in_(batch), ~is_member)
            columns = [members["user"].name, of_group.name, *fixed]
            added += self._changed(sa.insert(members.table).from_select(columns, given))
        if added < len(op.members):
            there = set(self._reads.rows(self._connection, [member.ref for member in op.members]))
        gone = {member.ref: _GONE for member in op.members if added < len(op.members) and member.ref not in there}
        return Result(op.id, Status.DONE if added or gone else Status.NOOP, refused=gone)

    def _changed(self, statement: sa.Insert | sa.Delete) -> int:
        return self._dialect.changed(self._connection, statement)

    def _remove_members(self, op: RemoveMembers) -> Result:
        members, group = self._of_members, key_of(self._of_groups["key"], op.group.ref)
        removed = 0
        for batch in batches(keys_of(self._key, (member.ref for member in op.members))):
            where = (members["group"] == group, members["user"].in_(batch))
            removed += self._changed(sa.delete(members.table).where(*where))
        return Result(op.id, Status.DONE if removed else Status.NOOP)

    def _delete_user(self, op: DeleteUser) -> Result:
        described, key = self._users.described, key_of(self._key, op.user.ref)
        if (members := self._tables.memberships) is not None:
            self._connection.execute(sa.delete(members.table).where(members["user"] == key))
        done = self._changed(sa.delete(described.table).where(self._key == key, *described.scope))
        return Result(op.id, Status.DONE if done else Status.NOOP)

    def _delete_group(self, op: DeleteGroup) -> Result:
        described, members = self._of_groups, self._of_members
        key = key_of(described["key"], op.group.ref)
        if self._connection.execute(sa.select(members["user"]).where(members["group"] == key).limit(1)).first():
            return Result(op.id, Status.FAILED, detail="the group still has members")
        paths = {group.ref: group.path for group in self._reads.groups(self._connection)}
        own = paths.get(op.group.ref)
        if own and any(path[: len(own)] == own and ref != op.group.ref for ref, path in paths.items()):
            return Result(op.id, Status.FAILED, detail="the group still has subgroups")
        self._groups = None
        statement = sa.delete(described.table).where(described["key"] == key, *described.scope)
        return Result(op.id, Status.DONE if self._changed(statement) else Status.NOOP)
