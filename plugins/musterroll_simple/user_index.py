"""All users of a portal, to be found by any field in our own way of comparing."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from musterroll import Existing, fold

KEY = "<key>"
"""Stands for a field: the id of the operation that created the user."""

_BATCH = 500  # values in one statement; old SQLite versions take 999


class UserIndex:
    """Users in a temporary SQLite database, which goes to the disk when it grows and is gone when it is closed.

    For one thread.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE users (ref TEXT PRIMARY KEY, data TEXT)")
        self._db.execute(
            "CREATE TABLE keys (field TEXT, key TEXT, ref TEXT, PRIMARY KEY (field, key, ref)) WITHOUT ROWID"
        )
        self._indexed: set[str] = set()

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM users").fetchone()
        return int(count)

    def add(self, users: Iterable[Existing]) -> None:
        """Adds users; one that is there already is replaced."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR REPLACE INTO users VALUES (?, ?)",
            ((user.ref, _data(user)) for user in users),
        )
        self._db.execute("COMMIT")
        self._indexed.clear()

    def find(self, field: str, folded: Collection[str]) -> dict[str, list[Existing]]:
        """Returns the users whose field folds to one of the values, by that value.

        Args:
            field: `username`, `KEY`, or a field's name.
            folded: what to look for.
        """
        if field not in self._indexed:
            self._index(field)
        found: dict[str, list[Existing]] = defaultdict(list)
        wanted = [_storable(text) for text in folded]
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            marks = ", ".join("?" * len(batch))
            query = f"SELECT key, ref, data FROM keys JOIN users USING (ref) WHERE field = ? AND key IN ({marks})"  # noqa: S608
            for key, ref, data in self._db.execute(query, (field, *batch)):
                found[key].append(_existing(ref, data))
        return {text: found[stored] for text in folded if (stored := _storable(text)) in found}

    def after(self, ref: str) -> list[Existing]:
        """Returns the next users by ref, after one; of all of them the first begin after ""."""
        query = f"SELECT ref, data FROM users WHERE ref > ? ORDER BY ref LIMIT {_BATCH}"  # noqa: S608 -- a constant
        return [_existing(ref, data) for ref, data in self._db.execute(query, (ref,))]

    def get(self, ref: str) -> Existing | None:
        """Returns the user of a ref; None where there is none."""
        row = self._db.execute("SELECT data FROM users WHERE ref = ?", (ref,)).fetchone()
        return None if row is None else _existing(ref, row[0])

    def has_members(self, group: str) -> bool:
        """Whether anybody says to be in a group."""
        return any(
            group in _existing(ref, data).groups for ref, data in self._db.execute("SELECT ref, data FROM users")
        )

    def close(self) -> None:
        """Forgets everything."""
        self._db.close()

    def _index(self, field: str) -> None:
        self._db.execute("BEGIN")
        self._db.execute("DELETE FROM keys WHERE field = ?", (field,))
        self._db.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", self._keys(field))
        self._db.execute("COMMIT")
        self._indexed.add(field)

    def _keys(self, field: str) -> Iterator[tuple[str, str, str]]:
        for ref, data in self._db.execute("SELECT ref, data FROM users").fetchall():
            user = _existing(ref, data)
            text = value_of(user, field)
            if text:
                yield field, _storable(fold(text)), ref


def value_of(user: Existing, field: str) -> str | None:
    """Returns the value of a field, of `username`, or of `KEY`."""
    if field == KEY:
        return user.key
    return user.username if field == "username" else user.fields.get(field)


def _storable(text: str) -> str:
    """SQLite takes no broken halves of characters; JSON writes them in ASCII."""
    return text if text.isascii() else json.dumps(text)


def _data(user: Existing) -> str:
    return json.dumps([user.username, dict(user.fields), list(user.groups), user.active, user.key])


def _existing(ref: str, data: str) -> Existing:
    username, fields, groups, active, key = json.loads(data)
    return Existing(ref=ref, username=username, fields=fields, groups=frozenset(groups), active=active, key=key)
