"""Performing one operation inside a transaction that somebody else begins and commits.

Everything is checked before the first statement that changes something, so an operation that fails leaves
nothing of itself in the transaction, and the others go on.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from secrets import randbits
from typing import TypeAlias

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
from musterroll_plugins.backends.directory.schema import COLUMNS

_Answer: TypeAlias = tuple[Status, str | None, str | None]  # status, ref, detail

_GONE = "the user no longer exists; run the sheet again"
_GROUP_GONE = "the group no longer exists; run the sheet again"

_INSERT_USER = f"""
    INSERT INTO users (id, username, username_key, {", ".join(COLUMNS)}, email_key,
                       attributes, password_hash, operation, created_at, updated_at)
    VALUES (?, ?, ?, {", ".join("?" * len(COLUMNS))}, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (username_key) DO NOTHING RETURNING id
"""  # noqa: S608 -- made of constants

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # json.dumps would make one each time


def new_id() -> str:
    """Returns a UUID of version 7 in hexadecimal.

    They ascend with time: new rows go to the end of every index on them, which is a third faster than UUIDs
    of version 4 when 100,000 users are created.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    return f"{milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | randbits(62):032x}"


class Writes:
    """Performs operations through one connection.

    Args:
        connection: within a transaction whenever `perform` is called.
        unique_email: an address may belong to one user only.
    """

    def __init__(self, connection: sqlite3.Connection, *, unique_email: bool) -> None:
        self._db = connection
        self._unique_email = unique_email

    def perform(self, op: Op, password_hash: str | None, now: str) -> Result:
        """Performs one operation.

        Args:
            op: the operation.
            password_hash: of its password, where that is to be stored.
            now: the time for `created_at` and `updated_at`.

        Raises:
            sqlite3.Error: the file cannot be written; the transaction must be rolled back.
        """
        refused: dict[str, str] = {}
        try:
            status, ref, detail = self._do(op, password_hash, now, refused)
        except UnicodeEncodeError:
            status, ref, detail = Status.FAILED, None, "a value has characters that cannot be stored; type it anew"
        except (ValueError, TypeError, AttributeError):
            status, ref, detail = Status.FAILED, None, "what is stored of the user makes no sense: the file is damaged"
        except (sqlite3.IntegrityError, sqlite3.DataError) as error:
            status, ref, detail = Status.FAILED, None, f"the directory refused it: {error}"
        return Result(op.id, status, ref, detail, refused)

    def _do(self, op: Op, password_hash: str | None, now: str, refused: dict[str, str]) -> _Answer:
        match op:
            case CreateUser():
                return self._create_user(op, password_hash, now)
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

    # -- users ----------------------------------------------------------------------------------------------

    def _create_user(self, op: CreateUser, password_hash: str | None, now: str) -> _Answer:
        username, fields = op.user.username, op.user.fields
        key = fold(username)
        email_key = _key(fields.get("email"))
        if self._unique_email and email_key:
            # A second go at an operation that was done must not stumble over the user it made itself.
            if taken := self._username_taken(key, op.id):
                return taken
            if taken := self._email_taken(email_key, None):
                return taken
        ref = new_id()
        columns = [fields.get(name) or None for name in COLUMNS]
        own = {name: text for name, text in fields.items() if text and name not in COLUMNS}
        values = (ref, username, key, *columns, email_key, _json(own), password_hash, op.id, now, now)
        if self._db.execute(_INSERT_USER, values).fetchall():
            return Status.DONE, ref, None
        return self._username_taken(key, op.id) or (Status.FAILED, None, "the directory refused it")

    def _username_taken(self, key: str, operation: str) -> _Answer | None:
        row = self._db.execute("SELECT id, username, operation FROM users WHERE username_key = ?", (key,)).fetchone()
        if row is None:
            return None
        ref, username, creator = row
        if creator == operation:
            return Status.DONE, ref, None
        return Status.CONFLICT, ref, f'the username is taken by "{username}"'

    def _email_taken(self, key: str | None, ref: str | None) -> _Answer | None:
        if not (self._unique_email and key):
            return None
        query = "SELECT username FROM users WHERE email_key = ? AND id IS NOT ?"
        row = self._db.execute(query, (key, ref)).fetchone()
        return None if row is None else (Status.CONFLICT, None, f'the e-mail address is in use by "{row[0]}"')

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
        insert = """
            INSERT INTO memberships (user_id, group_id) SELECT id, ? FROM users WHERE id = ?
            ON CONFLICT DO NOTHING
        """
        added = sum(self._changed(insert, op.group.ref, member.ref) for member in op.members)
        if added < len(op.members):
            refused.update({member.ref: _GONE for member in op.members if not self._exists("users", member.ref)})
        return Status.DONE if added or refused else Status.NOOP, None, None

    def _remove_members(self, op: RemoveMembers) -> _Answer:
        delete = "DELETE FROM memberships WHERE user_id = ? AND group_id = ?"
        removed = sum(self._changed(delete, member.ref, op.group.ref) for member in op.members)
        return Status.DONE if removed else Status.NOOP, None, None

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


def _key(email: str | None) -> str | None:
    return fold(email) if email else None


def _json(own: Mapping[str, object]) -> str:
    return _encode(own) if own else "{}"
