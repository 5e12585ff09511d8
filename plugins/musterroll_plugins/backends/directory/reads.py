"""Looking users and groups up, and finding out what became of operations. Nothing here writes to the file."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Sized
from typing import NamedTuple

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
    Wanted,
    fold,
)
from musterroll_plugins.backends.directory.file import has_email_index
from musterroll_plugins.backends.directory.schema import COLUMNS

BATCH = 500
"""So many values stand in one statement; old SQLite versions take 999."""

_GROUPS = "(SELECT group_concat(group_id) FROM memberships WHERE user_id = users.id)"
_USER = f"""
    SELECT id, username, {", ".join(COLUMNS)}, attributes, active, operation, {_GROUPS}
    FROM users
"""  # noqa: S608 -- made of constants


def _keyed(key: str) -> str:
    """The query of users with another value in front."""
    return _USER.replace("SELECT id,", f"SELECT {key}, id,", 1)


# The fields whose folded values the file itself keeps.
_KEPT = {"username": "username_key", "email": "email_key"}


class _Indexed(NamedTuple):
    """What a temporary index was made of.

    Attributes:
        version: changes with whatever another connection writes.
        schema: of the file; a VACUUM, which gives users other numbers, changes it too.
        changes: how often a user was changed or deleted since a large first import began; None where none goes on.
        last: the number of the last user.
    """

    version: int
    schema: int
    changes: str | None
    last: int


class Reads:
    """Reads through one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._db.create_function("mr_fold", 1, lambda value: fold(str(value)), deterministic=True)
        self._indexed: dict[str, _Indexed] = {}  # by field

    def forget_indexes(self) -> None:
        """To be called when this connection writes: SQLite tells only of the others' changes."""
        self._indexed.clear()

    def count_users(self) -> int:
        """How many users there are."""
        (users,) = self._db.execute("SELECT count(*) FROM users").fetchone()
        return int(users)

    def all_users(self) -> Iterator[Existing]:
        """Streams all users, by their names."""
        query = f"{_keyed('username_key')} WHERE username_key > ? ORDER BY username_key LIMIT {BATCH}"
        after = ""
        # Batch by batch: an unfinished SELECT would keep the writer from tidying up.
        while rows := self._db.execute(query, (after,)).fetchall():
            after = rows[-1][0]
            yield from (_existing(row[1:]) for row in rows)

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users by any field."""
        by_field: dict[str, list[UserKey]] = defaultdict(list)
        for key in keys:
            if key.folded:
                by_field[key.field].append(key)
        found: dict[UserKey, list[Existing]] = {}
        for field, wanted in by_field.items():
            users = self._by_key(field, {key.folded for key in wanted})
            found.update({key: users[key.folded] for key in wanted if key.folded in users})
        return found

    def as_wanted(self, fields: Sequence[str], users: Sequence[Wanted]) -> list[str | None]:
        """Says which users are as they are wanted already: the ref of each, or None."""
        refs: dict[str, str] = {}
        wanted = {user.folded: user for user in users}
        own = [place for place, name in enumerate(fields) if name not in COLUMNS]
        values = [f"ifnull({name}, '')" if name in COLUMNS else "''" for name in fields]
        query = f"SELECT {', '.join(['username_key', 'id', 'attributes', _GROUPS, 'username', *values])} FROM users"  # noqa: S608 -- constants
        where = f"{query} WHERE active = 1 AND username_key"
        for key, ref, attributes, groups, username, *stored in self._where(where, list(wanted)):
            user = wanted[key]
            if own:
                of_file = json.loads(attributes)
                for place in own:
                    stored[place] = of_file.get(fields[place], "")
            has_values = user.values == tuple(stored) or all(map(_is_kept, user.values, stored))
            is_member = user.groups == (groups,) or _has_groups(groups, user.groups)
            if has_values and is_member and user.username == username:
                refs[key] = ref
        return [refs.get(user.folded) if wanted[user.folded] is user else None for user in users]

    def _by_key(self, field: str, folded: Collection[str]) -> dict[str, list[Existing]]:
        if field in _KEPT and (field != "email" or has_email_index(self._db)):
            key = f"users.{_KEPT[field]}"
            source = _keyed(key)
        else:
            key = "found.key"
            source = f"{_keyed(key)} JOIN {self._index(field)} AS found ON found.user_id = users.id"
        users: dict[str, list[Existing]] = defaultdict(list)
        for row in self._where(f"{source} WHERE {key}", folded):
            users[row[0]].append(_existing(row[1:]))
        return users

    def _index(self, field: str) -> str:
        """Makes a temporary table of a field's folded values, unless it is there and up to date.

        While a large first import goes on, those are added who came since: else each look would read all users.
        """
        table = f'temp."by_{field.encode().hex()}"'
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        known = self._indexed.get(field)
        if known is not None and known.version == version:
            return table
        # First: whoever comes or is changed while it is made is taken in by the next look, once more at the worst.
        now = self._state(version)
        if known is None or now.changes is None or known[1:3] != now[1:3]:
            known = None
            self._db.execute(f"DROP TABLE IF EXISTS {table}")
            self._db.execute(f"CREATE TABLE {table} (key TEXT, user_id TEXT, PRIMARY KEY (key, user_id)) WITHOUT ROWID")
        if field in COLUMNS:
            key = _KEPT.get(field) or f"mr_fold({field})"
            values = f"SELECT {key}, id FROM users WHERE {field} IS NOT NULL AND users.rowid > ?"  # noqa: S608 -- constants
        else:
            values = (
                "SELECT mr_fold(own.value), users.id FROM users, json_each(attributes) AS own "
                "WHERE users.rowid > ? AND own.key = ?"
            )
        after = 0 if known is None else known.last
        self._db.execute(f"INSERT OR IGNORE INTO {table} {values}", (after,) if field in COLUMNS else (after, field))
        self._indexed[field] = now
        return table

    def _state(self, version: int) -> _Indexed:
        (schema,) = self._db.execute("PRAGMA schema_version").fetchone()
        changes = "SELECT value FROM meta WHERE key = 'changes'"
        counted = f"SELECT ({changes}), (SELECT ifnull(max(rowid), 0) FROM users)"  # noqa: S608 -- constants
        return _Indexed(version, schema, *self._db.execute(counted).fetchone())

    def groups(self) -> Iterator[Group]:
        """Streams all groups, parents first."""
        paths: dict[str | None, tuple[str, ...]] = {None: ()}
        # fetchall: an unfinished SELECT would keep the writer from tidying up.
        rows = self._db.execute(
            """
            WITH RECURSIVE tree (depth, id, parent_id, name, operation) AS (
                SELECT 0, id, parent_id, name, operation FROM groups WHERE parent_id IS NULL
                UNION ALL
                SELECT tree.depth + 1, groups.id, groups.parent_id, groups.name, groups.operation
                FROM groups JOIN tree ON groups.parent_id = tree.id
            )
            SELECT id, parent_id, name, operation FROM tree ORDER BY depth
            """
        ).fetchall()
        for ref, parent, name, operation in rows:
            _refuse_other_than_text(ref, name)
            paths[ref] = (*paths[parent], name)
            yield Group(ref=ref, path=paths[ref], key=operation)

    # -- what became of operations --------------------------------------------------------------------------

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """Says what became of operations, by the state of the file."""
        ids = json.dumps([op.id for op in doubtful if isinstance(op, CreateUser | CreateGroup)])
        # Nothing indexes `operation`: one pass over the users is cheaper than an index kept up for every user.
        made_by = "WHERE operation IN (SELECT value FROM json_each(?))"
        users, groups = (
            dict(self._db.execute(f"SELECT operation, id FROM {table} {made_by}", (ids,)).fetchall())  # noqa: S608 -- constants
            for table in ("users", "groups")
        )
        for op in doubtful:
            status, ref = self._outcome(op, users, groups)
            yield Result(op.id, status, ref)

    def _outcome(self, op: Op, users: Mapping[str, str], groups: Mapping[str, str]) -> tuple[Status, str | None]:
        if isinstance(op, CreateUser):
            if op.id in users:
                return Status.DONE, users[op.id]
            other = self._one("SELECT id FROM users WHERE username_key = ?", fold(op.user.username))
            return (Status.CONFLICT, other) if other else (Status.NOT_DONE, None)
        if isinstance(op, CreateGroup):
            if op.id in groups:
                return Status.DONE, groups[op.id]
            parent = op.parent.ref if op.parent else ""
            same = "SELECT id FROM groups WHERE ifnull(parent_id, '') = ? AND name_key = ?"
            other = self._one(same, parent, fold(op.path[-1]))
            return (Status.NOOP, other) if other else (Status.NOT_DONE, None)
        return (Status.DONE if self._is_done(op) else Status.NOT_DONE), None

    def _is_done(self, op: Op) -> bool:
        match op:
            case UpdateUser():
                # A password cannot be compared cheaply; setting it again does no harm.
                return op.password is None and self._is_so(op)
            case AddMembers():
                return self._members(op.group.ref, op.members) == {member.ref for member in op.members}
            case RemoveMembers():
                return not self._members(op.group.ref, op.members)
            case Deactivate() | Reactivate():
                active = self._one("SELECT active FROM users WHERE id = ?", op.user.ref)
                return active == str(int(isinstance(op, Reactivate)))
            case DeleteUser():
                return not self._one("SELECT id FROM users WHERE id = ?", op.user.ref)
            case DeleteGroup():
                return not self._one("SELECT id FROM groups WHERE id = ?", op.group.ref)
            case _:
                return False

    def _is_so(self, op: UpdateUser) -> bool:
        row = self._db.execute(f"{_USER} WHERE id = ?", (op.user.ref,)).fetchone()
        if row is None:
            return False
        user = _existing(row)
        stored = {**user.fields, "username": user.username}
        return all(stored.get(name) == (text or None) for name, text in op.changes.items())

    def _members(self, group: str, members: Sequence[UserRef]) -> set[str]:
        refs = {member.ref for member in members}
        inside = "SELECT user_id FROM memberships WHERE group_id = ? AND user_id"
        return {row[0] for row in self._where(inside, refs, group)}

    def _one(self, query: str, *values: str) -> str | None:
        row = self._db.execute(query, values).fetchone() if all(map(_storable, values)) else None
        return None if row is None else str(row[0])

    def _where(self, query: str, values: Collection[str], *before: str) -> Iterator[tuple[str, ...]]:
        """Completes `… WHERE column` with `IN (…)`, in batches."""
        waiting = list(filter(_storable, values))
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            yield from self._db.execute(f"{query} IN ({marks(batch)})", (*before, *batch)).fetchall()


def marks(values: Sized) -> str:
    """Returns a `?` for each of some values."""
    return ", ".join("?" * len(values))


def _is_kept(wanted: str, stored: object) -> bool:
    return not wanted or wanted == stored


def _has_groups(stored: str | None, wanted: Iterable[str]) -> bool:
    return set(wanted).issubset((stored or "").split(","))


def _refuse_other_than_text(*values: object) -> None:
    """Refuses what SQLite stores in a column of texts all the same.

    Raises:
        TypeError: the file is damaged.
    """
    if not all(value is None or isinstance(value, str) for value in values):
        raise TypeError("not a text")


def _storable(text: str) -> bool:
    """Whether there can be such a text in the file: a broken half of a character cannot."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _existing(row: tuple[str, ...]) -> Existing:
    ref, username, *columns, attributes, active, operation, groups = row
    _refuse_other_than_text(ref, username, *columns)
    own = {name: None if value is None else str(value) for name, value in json.loads(attributes).items()}
    return Existing(
        ref=ref,
        username=username,
        fields={**own, **{name: text or None for name, text in zip(COLUMNS, columns, strict=True)}},
        groups=frozenset(groups.split(",")) if groups else frozenset(),
        active=bool(active),
        key=operation,
    )
