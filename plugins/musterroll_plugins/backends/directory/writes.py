"""Performing operations inside a transaction that somebody else begins and commits.

Everything is checked before the first statement that changes something, so an operation that fails leaves
nothing of itself in the transaction, and the others go on. Users are created together, as most operations are that.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias, cast

from musterroll import (
    AddMembers,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Op,
    Reactivate,
    RemoveMembers,
    Result,
    SendInvite,
    Status,
    UpdateUser,
    fold,
)
from musterroll_plugins.backends.directory.reads import BATCH, marks
from musterroll_plugins.backends.directory.schema import COLUMNS

_Answer: TypeAlias = tuple[Status, str | None, str | None]  # status, ref, detail

_GONE = "the user no longer exists; run the sheet again"
_GROUP_GONE = "the group no longer exists; run the sheet again"

# What is no fault of the whole file.
_OF_ONE_OPERATION = (ValueError, TypeError, AttributeError, sqlite3.IntegrityError, sqlite3.DataError)

_OF_USER = (
    *("id", "username", "username_key"),
    *COLUMNS,
    *("email_key", "attributes", "operation", "created_at", "updated_at"),
)
_HAVE_COLUMNS, _EMAIL = frozenset(COLUMNS), COLUMNS.index("email")

_ADD_MEMBER = "INSERT INTO memberships (user_id, group_id) VALUES (?, ?) ON CONFLICT DO NOTHING"

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # json.dumps would make one each time


def new_ids(number: int) -> Iterator[str]:
    """Yields UUIDs of version 7 in hexadecimal.

    They ascend with time: new rows go to the end of every index on them, which is a third faster than UUIDs
    of version 4 when 100,000 users are created.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    first = milliseconds << 12 | (rest << 12) // 1_000_000
    drawn = os.urandom(8 * number)
    for place in range(number):
        moment, random = first + place, int.from_bytes(drawn[8 * place : 8 * place + 8]) >> 2
        yield f"{moment >> 12 << 80 | 0x7 << 76 | (moment & 0xFFF) << 64 | 0x2 << 62 | random:032x}"


def new_id() -> str:
    """Returns one of them."""
    return next(new_ids(1))


class Writes:
    """Performs operations through one connection.

    Args:
        connection: within a transaction whenever `perform` is called.
        unique_email: an address may belong to one user only.
    """

    def __init__(self, connection: sqlite3.Connection, *, unique_email: bool) -> None:
        self._db = connection
        self._unique_email = unique_email

    def perform(self, ops: Iterable[Op], hashes: Mapping[str, str], now: str) -> Iterator[Result]:
        """Performs operations in their order.

        Args:
            ops: the operations.
            hashes: of their passwords, by the operations' ids, where they are to be stored.
            now: the time for `created_at` and `updated_at`.

        Raises:
            sqlite3.Error: the file cannot be written; the transaction must be rolled back.
        """
        for kind, of_kind in groupby(ops, key=type):
            if kind is CreateUser:
                yield from self._create_users(cast("list[CreateUser]", list(of_kind)), hashes, now)
            else:
                for op in of_kind:
                    yield self._perform(op, hashes.get(op.id), now)

    def _perform(self, op: Op, password_hash: str | None, now: str) -> Result:
        refused: dict[str, str] = {}
        try:
            return Result(op.id, *self._do(op, password_hash, now, refused), refused)
        except _OF_ONE_OPERATION as error:
            return Result(op.id, Status.FAILED, detail=_why(error))

    def _do(self, op: Op, password_hash: str | None, now: str, refused: dict[str, str]) -> _Answer:
        match op:
            case CreateGroup():
                return self._create_group(op, now)
            case UpdateUser():
                return self._update_user(op, password_hash, now)
            case AddMembers():
                return self._add_members(op, refused)
            case RemoveMembers():
                return self._remove_members(op)
            case Deactivate() | Reactivate():
                return self._set_active(op.user.ref, now, active=isinstance(op, Reactivate))
            case DeleteUser():
                return self._change("DELETE FROM users WHERE id = ?", op.user.ref)
            case DeleteGroup():
                return self._delete_group(op.group.ref)
            case SendInvite():
                return Status.FAILED, None, "the directory cannot send invites; name a notifier in the pipeline"
            case CreateUser():
                raise AssertionError("users are created together")

    # -- users ----------------------------------------------------------------------------------------------

    def _create_users(self, ops: Sequence[CreateUser], hashes: Mapping[str, str], now: str) -> list[Result]:
        """Creates users: all at once, as mostly every name is free; failing that those whose names are.

        Those of whom the file refuses one are created one by one, so that it keeps no other out.
        """
        why = ""
        for create in (self._create_where_free,) if self._unique_email else (self._create_all, self._create_where_free):
            self._db.execute("SAVEPOINT users")
            try:
                results = create(ops, hashes, now)
            except _OF_ONE_OPERATION as error:
                why = _why(error)
                self._db.execute("ROLLBACK TO users")
                self._db.execute("RELEASE users")
            else:
                self._db.execute("RELEASE users")
                return results
        if len(ops) == 1:
            return [Result(ops[0].id, Status.FAILED, detail=why)]
        return [result for op in ops for result in self._create_users([op], hashes, now)]

    def _create_all(self, ops: Sequence[CreateUser], hashes: Mapping[str, str], now: str) -> list[Result]:
        """Creates users; the file refuses all of them where the name of one is taken."""
        refs = list(new_ids(len(ops)))
        self._insert_users(zip(refs, ops, strict=True), hashes, now)
        return [Result(op.id, Status.DONE, ref) for ref, op in zip(refs, ops, strict=True)]

    def _create_where_free(self, ops: Sequence[CreateUser], hashes: Mapping[str, str], now: str) -> list[Result]:
        """Creates users whose names, and addresses where that matters, nobody has."""
        keys = [fold(op.user.username) for op in ops]
        emails = [_key(op.user.fields.get("email")) if self._unique_email else None for op in ops]
        of_username = self._taken("username_key", keys)
        of_email = self._taken("email_key", [key for key in emails if key])
        results, new = [], []
        for op, key, email, ref in zip(ops, keys, emails, new_ids(len(ops)), strict=True):
            username = op.user.username
            if (other := of_username.get(key)) is not None:
                # A second go at an operation that was done must not stumble over the user it made itself.
                is_ours = other[2] == op.id
                detail = None if is_ours else f'the username is taken by "{other[1]}"'
                results.append(Result(op.id, Status.DONE if is_ours else Status.CONFLICT, other[0], detail))
                continue
            if email and (other := of_email.get(email)) is not None:
                results.append(Result(op.id, Status.CONFLICT, detail=_email_is_taken(other[1])))
                continue
            new.append((ref, op))
            results.append(Result(op.id, Status.DONE, ref))
            of_username[key] = ref, username, op.id
            if email:
                of_email[email] = ref, username, op.id
        self._insert_users(new, hashes, now)
        return results

    def _insert_users(self, users: Iterable[tuple[str, CreateUser]], hashes: Mapping[str, str], now: str) -> None:
        """Inserts users, each with its id. What is None takes SQLite's module longest, so no column is only that."""
        names = (*_OF_USER, "password_hash") if hashes else _OF_USER
        rows = []
        for ref, op in users:
            username, fields = op.user.username, op.user.fields
            columns = list(map(fields.get, COLUMNS))
            if "" in columns:
                columns = [text or None for text in columns]
            has_own = not _HAVE_COLUMNS.issuperset(fields)
            own = {name: text for name, text in fields.items() if text and name not in COLUMNS} if has_own else {}
            row = (ref, username, fold(username), *columns, _key(columns[_EMAIL]), _json(own), op.id, now, now)
            rows.append((*row, hashes.get(op.id)) if hashes else row)
        self._db.executemany(f"INSERT INTO users ({', '.join(names)}) VALUES ({marks(names)})", rows)  # noqa: S608 -- constants

    def _taken(self, column: str, keys: Sequence[str]) -> dict[str, tuple[str, str, str | None]]:
        """Returns who has a username or an address already: key → id, username, operation that created them."""
        taken = {}
        for start in range(0, len(keys), BATCH):
            batch = keys[start : start + BATCH]
            query = f"SELECT {column}, id, username, operation FROM users WHERE {column} IN ({marks(batch)})"  # noqa: S608 -- constants
            taken.update({key: tuple(user) for key, *user in self._db.execute(query, batch).fetchall()})
        return taken

    def _email_taken(self, key: str | None, ref: str | None) -> _Answer | None:
        if not (self._unique_email and key):
            return None
        query = "SELECT username FROM users WHERE email_key = ? AND id IS NOT ?"
        row = self._db.execute(query, (key, ref)).fetchone()
        return None if row is None else (Status.CONFLICT, None, _email_is_taken(row[0]))

    def _update_user(self, op: UpdateUser, password_hash: str | None, now: str) -> _Answer:
        ref = op.user.ref
        row = self._db.execute("SELECT attributes FROM users WHERE id = ?", (ref,)).fetchone()
        if row is None:
            return Status.FAILED, None, _GONE
        new: dict[str, str | None] = {"updated_at": now}
        if password_hash is not None:
            new["password_hash"] = password_hash
        own: dict[str, object] = json.loads(row[0])
        for name, text in op.changes.items():
            if name in COLUMNS:
                new[name] = text or None
            elif name != "username":
                own[name] = text
        if any(name != "username" and name not in COLUMNS for name in op.changes):
            new["attributes"] = _json({name: text for name, text in own.items() if text not in ("", None)})
        if "email" in op.changes:
            new["email_key"] = _key(op.changes["email"])
            if taken := self._email_taken(new["email_key"], ref):
                return taken
        if username := op.changes.get("username"):
            new |= {"username": username, "username_key": fold(username)}
            query = "SELECT id, username FROM users WHERE username_key = ? AND id <> ?"
            if other := self._db.execute(query, (new["username_key"], ref)).fetchone():
                return Status.CONFLICT, other[0], f'the username is taken by "{other[1]}"'
        places = ", ".join(f"{column} = ?" for column in new)  # columns only: own fields are inside `attributes`
        self._db.execute(f"UPDATE users SET {places} WHERE id = ?", (*new.values(), ref))  # noqa: S608 -- see above
        return Status.DONE, ref, None

    def _set_active(self, ref: str, now: str, *, active: bool) -> _Answer:
        if not self._exists("users", ref):
            return Status.FAILED, None, _GONE
        change = "UPDATE users SET active = ?, updated_at = ? WHERE id = ? AND active <> ?"
        status, _, detail = self._change(change, active, now, ref, active)
        return status, ref, detail

    # -- groups ---------------------------------------------------------------------------------------------

    def _create_group(self, op: CreateGroup, now: str) -> _Answer:
        parent, name = op.parent.ref if op.parent else None, op.path[-1]
        if parent is not None and not self._exists("groups", parent):
            return Status.FAILED, None, "the parent group no longer exists; run the sheet again"
        query = "SELECT id, operation FROM groups WHERE ifnull(parent_id, '') = ? AND name_key = ?"
        if same := self._db.execute(query, (parent or "", fold(name))).fetchone():
            return Status.DONE if same[1] == op.id else Status.NOOP, same[0], None
        ref = new_id()
        values = (ref, parent, name, fold(name), op.id, now)
        self._db.execute("INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?)", values)
        return Status.DONE, ref, None

    def _add_members(self, op: AddMembers, refused: dict[str, str]) -> _Answer:
        if not self._exists("groups", op.group.ref):
            return Status.FAILED, None, _GROUP_GONE
        group, refs, before = op.group.ref, [member.ref for member in op.members], self._db.total_changes
        try:
            self._db.executemany(_ADD_MEMBER, [(ref, group) for ref in refs])
        except sqlite3.IntegrityError:  # one of them is not there; some may be members by now
            query = f"SELECT id FROM users WHERE id IN ({marks(refs)})"  # noqa: S608 -- marks
            there = {ref for (ref,) in self._db.execute(query, refs)}
            refused.update({ref: _GONE for ref in refs if ref not in there})
            self._db.executemany(_ADD_MEMBER, [(ref, group) for ref in refs if ref in there])
        added = self._db.total_changes > before
        return Status.DONE if added or refused else Status.NOOP, None, None

    def _remove_members(self, op: RemoveMembers) -> _Answer:
        refs = [member.ref for member in op.members]
        delete = f"DELETE FROM memberships WHERE group_id = ? AND user_id IN ({marks(refs)})"  # noqa: S608 -- marks
        return self._change(delete, op.group.ref, *refs)

    def _delete_group(self, ref: str) -> _Answer:
        if self._db.execute("SELECT 1 FROM memberships WHERE group_id = ?", (ref,)).fetchone():
            return Status.FAILED, None, "the group still has members"
        if self._db.execute("SELECT 1 FROM groups WHERE parent_id = ?", (ref,)).fetchone():
            return Status.FAILED, None, "the group still has subgroups"
        return self._change("DELETE FROM groups WHERE id = ?", ref)

    def _change(self, statement: str, *values: str | bool) -> _Answer:
        return Status.DONE if self._changed(statement, *values) else Status.NOOP, None, None

    def _changed(self, statement: str, *values: str | bool) -> int:
        """Runs a statement; returns how many rows it has changed.

        SQLite is asked: what Python counts is -1 under a Turkish locale, which has other small letters for the I
        of INSERT.
        """
        self._db.execute(statement, values)
        (changed,) = self._db.execute("SELECT changes()").fetchone()
        return int(changed)

    def _exists(self, table: str, ref: str) -> bool:
        query = f"SELECT 1 FROM {table} WHERE id = ?"  # noqa: S608 -- a constant
        return self._db.execute(query, (ref,)).fetchone() is not None


def _why(error: Exception) -> str:
    """Says why one operation failed."""
    match error:
        case UnicodeEncodeError():
            return "a value has characters that cannot be stored; type it anew"
        case sqlite3.Error():
            return f"the directory refused it: {error}"
    return "what is stored of the user makes no sense: the file is damaged"


def _email_is_taken(username: str) -> str:
    return f'the e-mail address is in use by "{username}"'


def _key(email: str | None) -> str | None:
    return fold(email) if email else None


def _json(own: Mapping[str, object]) -> str:
    return _encode(own) if own else "{}"
