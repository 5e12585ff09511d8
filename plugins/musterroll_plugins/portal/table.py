"""What the tables of users and groups have in common. Nothing here begins or ends a transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from scim2_models import NotFoundException, PreconditionFailedException

from musterroll import fold
from musterroll_plugins.portal.contacts import Json
from musterroll_plugins.portal.filters import Columns, Condition

# Besides the directory's own. A look-up by externalId is what an import does after a lost answer; and groups
# have no time of their last change.
_ADDITIONS = (
    "CREATE INDEX IF NOT EXISTS users_by_operation ON users (operation)",
    """
    CREATE TABLE IF NOT EXISTS group_changes (   -- by the mock portal only
        group_id    TEXT PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE,
        updated_at  TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)


def prepare(connection: sqlite3.Connection) -> None:
    """Adds what the portal needs to a directory's file."""
    for statement in _ADDITIONS:
        connection.execute(statement)
    connection.create_function("mr_fold", 1, lambda value: fold(str(value)), deterministic=True)


class Table:
    """A table of resources. Resources are JSON without `schemas`; `meta` lacks the resource type.

    `brief` leaves the members of groups out.

    Args:
        connection: to a directory that was prepared.
        name: of the table.
        select: finds the rows of all resources.
        columns: what can be looked up without building every resource.
    """

    def __init__(self, connection: sqlite3.Connection, name: str, select: str, columns: Columns) -> None:
        self._db, self._name, self._select, self.columns = connection, name, select, columns

    def count(self) -> int:
        """How many there are."""
        (number,) = self._db.execute(f"SELECT count(*) FROM {self._name}").fetchone()  # noqa: S608 -- a constant
        return int(number)

    def page(self, offset: int, limit: int, *, brief: bool) -> Iterator[Json]:
        """Reads some, in the order of their creation."""
        rows = self._db.execute(f"{self._select} ORDER BY id LIMIT ? OFFSET ?", (limit, offset)).fetchall()
        return (self._to_scim(row, brief=brief) for row in rows)

    def matching(self, condition: Condition | None, *, brief: bool) -> Iterator[Json]:
        """Reads those of a condition, or all, in the order of their creation."""
        where, values = (f"WHERE {condition.sql}", condition.values) if condition else ("", ())
        rows = self._db.execute(f"{self._select} {where} ORDER BY id", values).fetchall()
        return (self._to_scim(row, brief=brief) for row in rows)

    def get(self, ref: str, *, brief: bool = False) -> Json:
        """Reads one. Raises NotFoundException."""
        return self._to_scim(self._row(ref), brief=brief)

    def create(self, resource: Json, now: str, password_hash: str | None) -> str:
        """Stores a new one and returns its id. Raises UniquenessException or InvalidValueException."""
        raise NotImplementedError

    def update(
        self, ref: str, resource: Json, now: str, password_hash: str | None, expected_version: str | None
    ) -> None:
        """Replaces one. Raises NotFoundException, PreconditionFailedException, or as `create` does."""
        raise NotImplementedError

    def delete(self, ref: str, expected_version: str | None) -> None:
        """Removes one. Raises NotFoundException or PreconditionFailedException."""
        raise NotImplementedError

    def _row(self, ref: str, expected_version: str | None = None) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = self._db.execute(f"{self._select} WHERE id = ?", (ref,)).fetchone()
        if row is None:
            raise NotFoundException(detail=f"there is no such {self._name.removesuffix('s')}")
        # A user's memberships are not compared: they can change while a new password is being hashed.
        if expected_version is not None and expected_version.partition(".")[0].rstrip('"') != version(row).rstrip('"'):
            raise PreconditionFailedException
        return row

    def _to_scim(self, row: Sequence[Any], *, brief: bool) -> Json:
        raise NotImplementedError


def version(row: Sequence[Any]) -> str:
    """Returns the version of a row: its first twelve columns, which is all but a user's groups."""
    return f'W/"{digest(row[:12])}"'


def digest(content: object) -> str:
    """Returns a short text that differs for different contents."""
    return hashlib.blake2b(repr(content).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
