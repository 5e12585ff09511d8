"""What became of operations that have no answer. Nothing here writes to the portal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

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
    Status,
    UpdateUser,
)
from musterroll_simple.directory import Directory
from musterroll_simple.performer import Outcome, Performer, is_so


class Resolver:
    """Looks at the portal as it is now.

    Args:
        directory: to look with.
        performer: knows by what it tells its own creations.
    """

    def __init__(self, directory: Directory, performer: Performer) -> None:
        self._directory, self._performer = directory, performer

    async def resolve(self, doubtful: Sequence[Op]) -> list[Result]:
        """Says what became of each; see `UserBackend.resolve`."""
        outcomes = await asyncio.gather(*map(self._outcome, doubtful))
        return [Result(op.id, *outcome) for op, outcome in zip(doubtful, outcomes, strict=True)]

    async def _outcome(self, op: Op) -> Outcome:
        now = time.monotonic()  # nobody knows how long ago it was
        match op:
            case CreateUser():
                found = await self._directory.find_late(self._performer.canonical_name(op), now)
                outcome = self._performer.created(op, found)
                if outcome is None:
                    self._performer.doubtful.add(op.id)
                return outcome or Outcome(Status.NOT_DONE)
            case CreateGroup():
                return await self._performer.group_created(op, now) or Outcome(Status.NOT_DONE)
            case _:
                return Outcome(Status.DONE if await self._is_so(op) else Status.NOT_DONE)

    async def _is_so(self, op: Op) -> bool:
        match op:
            case UpdateUser():
                # A password cannot be read; setting it again does no harm.
                user = None if op.password is not None else await self._directory.user(op.user.ref)
                return user is not None and is_so(user, op.changes)
            case Deactivate() | Reactivate():
                user = await self._directory.user(op.user.ref)
                return user is not None and user.active == isinstance(op, Reactivate)
            case AddMembers():
                refs = {member.ref for member in op.members}
                return await self._directory.inside(op.group.ref, list(refs)) == refs
            case RemoveMembers():
                return not await self._directory.inside(op.group.ref, [member.ref for member in op.members])
            case DeleteUser():
                return await self._directory.user(op.user.ref) is None
            case DeleteGroup():
                return (await self._directory.fresh_groups()).get(op.group.ref) is None
            case _:
                return False
