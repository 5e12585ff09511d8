"""What became of operations that have no answer. Nothing here writes to the portal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from musterroll import (
    AddMembers,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Existing,
    Op,
    Reactivate,
    RemoveMembers,
    Result,
    Status,
    UpdateUser,
    UserRef,
    fold,
)
from musterroll_plugins.backends.scim.directory import Directory
from musterroll_plugins.backends.scim.group_index import GroupIndex
from musterroll_plugins.backends.scim.mapping import ScimMapping
from musterroll_plugins.backends.scim.references import GATHERING_SECONDS
from musterroll_simple import KEY

Inside = Callable[[str, Sequence[UserRef]], Awaitable[set[str] | None]]


class Creations:
    """Looks for created users as the portal has them now.

    Args:
        directory: to look with.
        mapping: compares users.
        unique_names: the portal refuses a second user of the same name.
    """

    def __init__(self, directory: Directory, mapping: ScimMapping, *, unique_names: bool) -> None:
        self._directory, self._mapping, self._unique_names = directory, mapping, unique_names
        self.refused: dict[str, str] = {}
        """Creations that the portal took for duplicates, and its words; what is found cannot be theirs."""
        self._doubted: set[str] = set()  # not there when they were looked for: a slow portal may do them later
        self._next: list[CreateUser] = []
        self._upcoming: asyncio.Task[dict[str, Result]] | None = None

    @property
    def tells_by_itself(self) -> bool:
        """Whether the portal's answer to a repeated creation tells as much as reading all its users would.

        Then `refused` and the stored key tell whose user it is. Where filters work, looking costs next to nothing.
        """
        return self._unique_names and self._mapping.keeps_keys and not self._directory.filters_work

    async def find_one(self, op: CreateUser) -> Result:
        """Says what became of one, together with those who ask at the same time."""
        self._next.append(op)
        if self._upcoming is None:
            self._upcoming = asyncio.ensure_future(self._find_next())
        return (await asyncio.shield(self._upcoming))[op.id]

    async def _find_next(self) -> dict[str, Result]:
        await asyncio.sleep(GATHERING_SECONDS)
        ops, self._next, self._upcoming = self._next, [], None
        return await self.find(ops)

    async def find(self, ops: Sequence[CreateUser]) -> dict[str, Result]:
        """Says what became of each, by its id."""
        by_key = await self._directory.find_now(KEY, [op.id for op in ops]) if self._mapping.keeps_keys else {}
        mine = {user.key: user for users in by_key.values() for user in users}
        others = [op for op in ops if op.id not in mine]
        by_name = await self._directory.find_now("username", [op.user.username for op in others]) if others else {}
        results = {op.id: Result(op.id, Status.DONE, mine[op.id].ref) for op in ops if op.id in mine}
        for op in others:
            results[op.id] = self._by_name(op, by_name.get(fold(op.user.username), ()))
        return results

    def _by_name(self, op: CreateUser, found: Sequence[Existing]) -> Result:
        for user in found:
            if user.key == op.id or self._looks_like(op, user):
                return Result(op.id, Status.DONE, user.ref)
        if found:
            return Result(op.id, Status.CONFLICT, found[0].ref, f'the username is taken by "{found[0].username}"')
        if op.id in self.refused:
            return Result(op.id, Status.CONFLICT, None, self.refused[op.id])
        self._doubted.add(op.id)
        return Result(op.id, Status.NOT_DONE)

    def is_taken_by_itself(self, op: CreateUser, user: Existing) -> bool:
        """Whether the user who has the name of a creation was made by it: by an earlier request without an answer.

        One that was looked for before may have been done since, even for whoever died over it; then it is no wonder
        that the name is taken.
        """
        return user.key == op.id or (op.id in self._doubted and self._looks_like(op, user))

    def _looks_like(self, op: CreateUser, user: Existing) -> bool:
        """For portals that do not keep our key.

        The plan found nobody of this name; a user that now is exactly as we asked for, while the portal never told us
        that it was there before, is the one that we asked for.
        """
        if self._mapping.keeps_keys or op.id in self.refused:
            return False
        wanted = self._mapping.canonical(op.user)
        return self._mapping.is_so({**wanted.fields, "username": wanted.username}, user)


class Resolver:
    """Looks at the portal as it is now.

    Args:
        directory: to look with.
        mapping: compares users.
        inside: says who of some users is in a group.
        creations: finds users that were to be created.
    """

    def __init__(self, directory: Directory, mapping: ScimMapping, inside: Inside, creations: Creations) -> None:
        self._directory, self._mapping, self._inside, self._creations = directory, mapping, inside, creations

    async def resolve(self, doubtful: Sequence[Op]) -> list[Result]:
        """Says what became of each; see `UserBackend.resolve`."""
        creations = [op for op in doubtful if isinstance(op, CreateUser)]
        users = await self._creations.find(creations) if creations else {}
        book: GroupIndex | None = None
        if any(isinstance(op, CreateGroup) for op in doubtful):
            book = await self._directory.fresh_book(members=False)

        async def outcome(op: Op) -> Result:
            if isinstance(op, CreateUser):
                return users[op.id]
            if isinstance(op, CreateGroup):
                assert book is not None
                return _group(op, book)
            return Result(op.id, Status.DONE if await self._is_so(op) else Status.NOT_DONE)

        return await asyncio.gather(*map(outcome, doubtful))

    async def _is_so(self, op: Op) -> bool:
        match op:
            case UpdateUser():
                # A password cannot be read; setting it again does no harm.
                user = await self._user(op.user)
                return user is not None and op.password is None and self._mapping.is_so(op.changes, user)
            case Deactivate() | Reactivate():
                user = await self._user(op.user)
                return user is not None and user.active == isinstance(op, Reactivate)
            case AddMembers():
                inside = await self._inside(op.group.ref, op.members)
                return inside is not None and all(member.ref in inside for member in op.members)
            case RemoveMembers():
                inside = await self._inside(op.group.ref, op.members)
                return inside is None or not inside
            case DeleteUser():
                return (await self._directory.user(op.user.ref))[0] is None
            case DeleteGroup():
                return (await self._directory.group(op.group.ref))[0] is None
            case _:
                return False

    async def _user(self, user: UserRef) -> Existing | None:
        resource, _ = await self._directory.user(user.ref)
        found = None if resource is None else self._mapping.read(resource)
        return None if found is None else (await self._directory.with_names([found]))[0]


def _group(op: CreateGroup, book: GroupIndex) -> Result:
    slot = book.slot(op)
    own, same = book.by_key(op.id), book.at(slot)
    if own is not None and book.is_in(own.ref, slot):
        return Result(op.id, Status.DONE, own.ref)
    return Result(op.id, Status.NOOP, same.ref) if same is not None else Result(op.id, Status.NOT_DONE)
