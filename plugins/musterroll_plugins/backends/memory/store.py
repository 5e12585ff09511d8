"""What an in-memory portal holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from musterroll import GroupPath, Secret, fold


@dataclass(slots=True)
class StoredUser:
    """A user in memory; `fields` holds the filled attributes only."""

    ref: str
    username: str
    fields: dict[str, str]
    key: str
    password: Secret | None = None
    active: bool = True
    groups: set[str] = field(default_factory=set)


@dataclass(slots=True)
class StoredGroup:
    """A group in memory."""

    ref: str
    name: str
    parent: str | None
    key: str


class MemoryStore:
    """What the instances of one in-memory portal share.

    Attributes:
        name: tells stores apart in `identity()`.
        users: by ref.
        groups: by ref.
        writes: how often something was changed; planning must leave it as it is.
    """

    def __init__(self, name: str = "default") -> None:
        self.name = name
        self.users: dict[str, StoredUser] = {}
        self.groups: dict[str, StoredGroup] = {}
        self.writes = 0
        self._numbers = count(1)
        # field -> folded value -> refs; kept up to date so that a look-up costs the same however many users
        self._index: dict[str, dict[str, dict[str, None]]] = {}

    def new_ref(self, kind: str) -> str:
        """Returns a ref that was never used."""
        return f"{kind}{next(self._numbers)}"

    def find(self, name: str, folded: str) -> list[StoredUser]:
        """Returns the users whose field folds to `folded`."""
        return [self.users[ref] for ref in self._index.get(name, {}).get(folded, ())]

    def put(self, user: StoredUser) -> None:
        """Adds a user, or takes one up again after `take`."""
        self.users[user.ref] = user
        for name, text in self._values(user):
            self._index.setdefault(name, {}).setdefault(fold(text), {})[user.ref] = None

    def take(self, ref: str) -> StoredUser:
        """Takes a user out."""
        user = self.users.pop(ref)
        for name, text in self._values(user):
            del self._index[name][fold(text)][ref]
        return user

    def path(self, ref: str) -> GroupPath:
        """Returns a group's levels from the top."""
        levels: list[str] = []
        at: str | None = ref
        while at is not None:
            group = self.groups[at]
            levels.append(group.name)
            at = group.parent
        return tuple(reversed(levels))

    @staticmethod
    def _values(user: StoredUser) -> Iterator[tuple[str, str]]:
        yield "username", user.username
        yield from user.fields.items()
