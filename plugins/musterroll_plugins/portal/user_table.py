"""The directory's table of users as SCIM sees it. Nothing here begins or ends a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from scim2_models import InvalidValueException, UniquenessException

from musterroll import fold
from musterroll_plugins.backends.directory.schema import COLUMNS
from musterroll_plugins.backends.directory.writes import new_id
from musterroll_plugins.portal.contacts import SEVERAL_EMAILS, Json
from musterroll_plugins.portal.filters import Column
from musterroll_plugins.portal.mapping import USER, UserMapping, UserRow
from musterroll_plugins.portal.table import Table, digest


class Users(Table):
    """The table of users.

    Args:
        connection: to a directory that was prepared.
        mapping: for their attributes.
    """

    _SELECT = f"""
        SELECT id, username, {", ".join(COLUMNS)}, attributes, active, operation, created_at, updated_at,
               (SELECT json_group_array(json_array(groups.id, groups.name))
                FROM memberships JOIN groups ON groups.id = memberships.group_id
                WHERE memberships.user_id = users.id)
        FROM users
    """  # noqa: S608 -- made of constants

    def __init__(self, connection: sqlite3.Connection, mapping: UserMapping) -> None:
        self._mapping = mapping
        columns = {
            f"{USER}:id": Column("id IN ({})"),
            f"{USER}:userName": Column("username_key IN ({})", fold),
            f"{USER}:externalId": Column("operation IN ({})"),
            f"{USER}:emails.value": Column(f"email_key IN ({{}}) OR instr(attributes, '{SEVERAL_EMAILS}')", fold),
            f"{USER}:groups.value": Column("id IN (SELECT user_id FROM memberships WHERE group_id IN ({}))", str.lower),
            **{
                urn: Column(f"mr_fold(json_extract(attributes, '$.{text.field}')) IN ({{}})", fold)
                for urn, text in mapping.texts.items()
            },
        }
        super().__init__(connection, "users", self._SELECT, columns)

    def create(self, resource: Json, now: str, password_hash: str | None) -> str:
        """Stores a new user."""
        row, ref = self._mapping.to_row(resource), new_id()
        self._check_username(row.username, None)
        new = {"id": ref, **_columns(row), "password_hash": password_hash, "created_at": now, "updated_at": now}
        marks = ", ".join("?" * len(new))
        self._db.execute(f"INSERT INTO users ({', '.join(new)}) VALUES ({marks})", tuple(new.values()))  # noqa: S608 -- names of columns
        return ref

    def update(
        self, ref: str, resource: Json, now: str, password_hash: str | None, expected_version: str | None
    ) -> None:
        """Replaces a user; the password stays unless there is a new one."""
        stored = self._row(ref, expected_version)
        row = self._mapping.to_row(resource, json.loads(stored[7]))
        self._check_username(row.username, ref)
        new = {**_columns(row), "updated_at": now}
        if password_hash is not None:
            new["password_hash"] = password_hash
        places = ", ".join(f"{column} = ?" for column in new)
        self._db.execute(f"UPDATE users SET {places} WHERE id = ?", (*new.values(), ref))  # noqa: S608 -- names of columns

    def delete(self, ref: str, expected_version: str | None) -> None:
        """Removes a user, memberships included."""
        self._row(ref, expected_version)
        self._db.execute("DELETE FROM users WHERE id = ?", (ref,))

    def _check_username(self, username: str, ref: str | None) -> None:
        key = fold(username)
        if not key:
            raise InvalidValueException(detail="the userName is empty")
        if self._db.execute("SELECT 1 FROM users WHERE username_key = ? AND id IS NOT ?", (key, ref)).fetchone():
            raise UniquenessException(detail="the userName is taken")

    def _to_scim(self, row: Sequence[Any], *, brief: bool) -> Json:
        ref, username, email, forename, surname, calling_code, phone = row[:7]  # as COLUMNS says
        attributes, active, operation, created, updated, groups = row[7:]
        own = json.loads(attributes)
        user = self._mapping.to_scim(
            UserRow(username, email, forename, surname, calling_code, phone, own, bool(active), operation)
        )
        found = sorted(json.loads(groups))
        if found:
            user["groups"] = [
                {"value": group, "$ref": f"Groups/{group}", "display": name, "type": "direct"} for group, name in found
            ]
        # The row's own version comes first: that alone tells whether a write of this user has to be refused.
        version = f'W/"{digest(row[:12])}.{digest(found)}"'
        return {"id": ref, **user, "meta": {"created": created, "lastModified": updated, "version": version}}


def _columns(row: UserRow) -> dict[str, object]:
    return {
        "username": row.username,
        "username_key": fold(row.username),
        **{column: getattr(row, column) for column in COLUMNS},
        "email_key": fold(row.email) if row.email else None,
        "attributes": json.dumps(row.attributes, ensure_ascii=False, separators=(",", ":")),
        "active": row.active,
        "operation": row.external_id,
    }
