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
)
from musterroll_plugins.backends.scim.creations import Creations
from musterroll_plugins.backends.scim.group_book import GroupBook
from musterroll_plugins.backends.scim.mapping import UserMapping
from musterroll_plugins.backends.scim.reading import Directory

Inside = Callable[[str, Sequence[UserRef]], Awaitable[set[str] | None]]


class Resolver:
    """Looks at the portal as it is now.

    Args:
        directory: to look with.
        mapping: compares users.
        inside: says who of some users is in a group.
        creations: finds users that were to be created.
    """

    def __init__(self, directory: Directory, mapping: UserMapping, inside: Inside, creations: Creations) -> None:
        self._directory, self._mapping, self._inside, self._creations = directory, mapping, inside, creations

    async def resolve(self, doubtful: Sequence[Op]) -> list[Result]:
        """Says what became of each; see `UserBackend.resolve`."""
        creations = [op for op in doubtful if isinstance(op, CreateUser)]
        users = await self._creations.find(creations) if creations else {}
        book: GroupBook | None = None
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
        return None if resource is None else self._mapping.read(resource)


def _group(op: CreateGroup, book: GroupBook) -> Result:
    slot = book.slot(op)
    own, same = book.by_key(op.id), book.at(slot)
    if own is not None and book.is_in(own.ref, slot):
        return Result(op.id, Status.DONE, own.ref)
    return Result(op.id, Status.NOOP, same.ref) if same is not None else Result(op.id, Status.NOT_DONE)
