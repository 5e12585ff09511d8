"""The directory's table of groups as SCIM sees it. Nothing here begins or ends a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scim2_models import InvalidValueException

from musterroll import fold
from musterroll_plugins.backends.directory.writes import new_id
from musterroll_plugins.portal.contacts import Json
from musterroll_plugins.portal.filters import Column
from musterroll_plugins.portal.mapping import GROUP
from musterroll_plugins.portal.table import Table, version

_APART = "\x1f"  # stands in no name


class Groups(Table):
    """The table of groups. A group's members are users and the groups directly below it.

    SCIM lets groups have the same name, and creates a group before it is put into another one, while names are
    unique among siblings in the directory: where two meet, the key of the later one gets its id appended.

    Args:
        connection: to a directory that was prepared.
    """

    _SELECT = """
        SELECT id, parent_id, name, operation, created_at,
               ifnull((SELECT updated_at FROM group_changes WHERE group_id = groups.id), created_at),
               (SELECT group_concat(user_id) FROM memberships WHERE group_id = groups.id),
               (SELECT group_concat(id) FROM groups AS inner_groups WHERE inner_groups.parent_id = groups.id)
        FROM groups
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        columns = {
            f"{GROUP}:id": Column("id IN ({})"),
            f"{GROUP}:displayName": Column("mr_fold(name) IN ({})", fold),
            f"{GROUP}:externalId": Column("operation IN ({})"),
            f"{GROUP}:members.value": Column(
                "id IN (SELECT group_id FROM memberships WHERE user_id IN ({}))"
                " OR id IN (SELECT parent_id FROM groups WHERE id IN ({}))",
                str.lower,
            ),
        }
        super().__init__(connection, "groups", self._SELECT, columns)

    def create(self, resource: Json, now: str, password_hash: str | None) -> str:
        """Stores a new group, at the top: only its parent's members say where it belongs."""
        ref, name = new_id(), _name(resource)
        values = (ref, name, self._key(None, name, ref), resource.get("externalId"), now)
        self._db.execute("INSERT INTO groups VALUES (?1, NULL, ?2, ?3, ?4, ?5)", values)
        self._set_members(ref, _members(resource), (), ())
        return ref

    def update(
        self, ref: str, resource: Json, now: str, password_hash: str | None, expected_version: str | None
    ) -> None:
        """Replaces a group."""
        row = self._row(ref, expected_version)
        _, parent, before, _, _, _, users, groups = row
        name = _name(resource)
        key = self._key(parent, name, ref)
        self._db.execute(
            "UPDATE groups SET name = ?, name_key = ?, operation = ? WHERE id = ?",
            (name, key, resource.get("externalId"), ref),
        )
        self._pass_on(parent, before)
        self._set_members(ref, _members(resource), _split(users), _split(groups))
        self._db.execute("INSERT OR REPLACE INTO group_changes VALUES (?, ?)", (ref, now))

    def delete(self, ref: str, expected_version: str | None) -> None:
        """Removes a group; the groups below it come to the top."""
        row = self._row(ref, expected_version)
        self._set_members(ref, {}, _split(row[6]), _split(row[7]))
        self._db.execute("DELETE FROM groups WHERE id = ?", (ref,))
        self._pass_on(row[1], row[2])

    def _to_scim(self, row: Sequence[Any], *, brief: bool) -> Json:
        ref, _, name, operation, created, updated, users, groups = row
        group: Json = {"id": ref, "displayName": name}
        if operation:
            group["externalId"] = operation
        if not brief and (users or groups):
            group["members"] = self._members_of(users, groups)
        return {**group, "meta": {"created": created, "lastModified": updated, "version": version(row)}}

    @staticmethod
    def _members_of(users: str | None, groups: str | None) -> list[Json]:
        found = [("User", ref) for ref in _split(users)] + [("Group", ref) for ref in _split(groups)]
        return [{"value": ref, "$ref": f"{kind}s/{ref}", "type": kind} for kind, ref in found]

    # -- writing ----------------------------------------------------------------------------------------------

    def _set_members(
        self, ref: str, wanted: Mapping[str, str | None], users: Iterable[str], groups: Iterable[str]
    ) -> None:
        users, groups = set(users), set(groups)
        for member in groups - wanted.keys():
            self._move(member, None)
        gone = [(member, ref) for member in users - wanted.keys()]
        self._db.executemany("DELETE FROM memberships WHERE user_id = ? AND group_id = ?", gone)
        for member, kind in wanted.items():
            if member in users or member in groups:
                continue
            if kind != "Group" and self._is_there("users", member):
                self._db.execute("INSERT INTO memberships (user_id, group_id) VALUES (?, ?)", (member, ref))
            elif kind != "User" and self._is_there("groups", member):
                self._put_below(member, ref)
            else:
                raise InvalidValueException(detail=f"the member {member} is no user or group of this portal")

    def _put_below(self, member: str, ref: str) -> None:
        above: str | None = ref
        while above is not None:
            if above == member:
                raise InvalidValueException(detail="a group cannot be in itself, nor in a group below it")
            (above,) = self._db.execute("SELECT parent_id FROM groups WHERE id = ?", (above,)).fetchone()
        (parent,) = self._db.execute("SELECT parent_id FROM groups WHERE id = ?", (member,)).fetchone()
        if parent is not None:
            raise InvalidValueException(detail=f"the group {member} is in another group; it can be in one only")
        self._move(member, ref)

    def _move(self, member: str, parent: str | None) -> None:
        before, name = self._db.execute("SELECT parent_id, name FROM groups WHERE id = ?", (member,)).fetchone()
        key = self._key(parent, name, member)
        self._db.execute("UPDATE groups SET parent_id = ?, name_key = ? WHERE id = ?", (parent, key, member))
        self._pass_on(before, name)

    def _key(self, parent: str | None, name: str, ref: str) -> str:
        query = "SELECT 1 FROM groups WHERE ifnull(parent_id, '') = ? AND name_key = ? AND id <> ?"
        key = fold(name)
        return f"{key}{_APART}{ref}" if self._db.execute(query, (parent or "", key, ref)).fetchone() else key

    def _pass_on(self, parent: str | None, name: str) -> None:
        """Gives a name's key, where nobody has it any more, to the next one of that name."""
        key = fold(name)
        same = "FROM groups WHERE ifnull(parent_id, '') = ?1 AND name_key"
        self._db.execute(
            f"""
            UPDATE groups SET name_key = ?2
            WHERE id = (SELECT id {same} > ?3 AND name_key < ?4 ORDER BY name_key LIMIT 1)
              AND NOT EXISTS (SELECT 1 {same} = ?2)
            """,  # noqa: S608 -- a constant
            (parent or "", key, f"{key}{_APART}", f"{key}{_APART}~"),
        )

    def _is_there(self, table: str, ref: str) -> bool:
        query = f"SELECT 1 FROM {table} WHERE id = ?"  # noqa: S608 -- a constant
        return self._db.execute(query, (ref,)).fetchone() is not None


def _name(resource: Json) -> str:
    name: str = resource.get("displayName") or ""
    if not fold(name):
        raise InvalidValueException(detail="the displayName is empty")
    return name


def _members(resource: Json) -> dict[str, str | None]:
    """The ids of the wanted members, and whether each is a `User` or a `Group`, where that is said."""
    return {entry["value"]: entry.get("type") for entry in resource.get("members") or () if entry.get("value")}


def _split(refs: str | None) -> list[str]:
    return refs.split(",") if refs else []
