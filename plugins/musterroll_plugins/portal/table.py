"""What the tables of users and groups have in common. Nothing here begins or ends a transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from scim2_models import PreconditionFailedException

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


class Table(Protocol):
    """A table of resources. Resources are JSON without `schemas`; `meta` lacks the resource type."""

    @property
    def columns(self) -> Columns:
        """What can be looked up without building every resource."""
        ...

    def count(self) -> int:
        """How many there are."""
        ...

    def page(self, offset: int, limit: int, *, brief: bool) -> Iterator[Json]:
        """Reads some, in the order of their creation; `brief` leaves the members out."""
        ...

    def matching(self, condition: Condition | None, *, brief: bool) -> Iterator[Json]:
        """Reads those of a condition, or all."""
        ...

    def get(self, ref: str, *, brief: bool = False) -> Json:
        """Reads one. Raises NotFoundException."""
        ...

    def create(self, resource: Json, now: str, password_hash: str | None) -> str:
        """Stores a new one and returns its id. Raises UniquenessException or InvalidValueException."""
        ...

    def update(
        self, ref: str, resource: Json, now: str, password_hash: str | None, expected_version: str | None
    ) -> None:
        """Replaces one. Raises NotFoundException, PreconditionFailedException, or as `create` does."""
        ...

    def delete(self, ref: str, expected_version: str | None) -> None:
        """Removes one. Raises NotFoundException or PreconditionFailedException."""
        ...


def number(connection: sqlite3.Connection, query: str) -> int:
    """Returns the single number that a query finds."""
    (number,) = connection.execute(query).fetchone()
    return int(number)


def matching(connection: sqlite3.Connection, select: str, condition: Condition | None) -> list[tuple[Any, ...]]:
    """Reads the rows of a condition, or all, in the order of their creation."""
    where = f"WHERE {condition.sql}" if condition else ""
    return connection.execute(f"{select} {where} ORDER BY id", condition.values if condition else ()).fetchall()


def version(row: Sequence[Any]) -> str:
    """Returns the version of a row: its first twelve columns, which is all but a user's groups."""
    return f'W/"{digest(row[:12])}"'


def digest(content: object) -> str:
    """Returns a short text that differs for different contents."""
    return hashlib.blake2b(repr(content).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def check_version(stored: str, expected: str | None) -> None:
    """Raises PreconditionFailedException where a resource is no longer what somebody expects it to be."""
    # A user's memberships are not compared: they can change while a new password is being hashed.
    if expected is not None and expected.partition(".")[0].rstrip('"') != stored.rstrip('"'):
        raise PreconditionFailedException
