"""Performing operations: each by the methods that a team has written, an answer to each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

from musterroll import (
    AddMembers,
    BackendError,
    BackendUnavailableError,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Existing,
    Group,
    Op,
    Reactivate,
    RemoveMembers,
    Result,
    SendInvite,
    Status,
    UpdateUser,
    fold_path,
)
from musterroll_simple.calls import Calls
from musterroll_simple.directory import Directory, Groups
from musterroll_simple.errors import Broke, Busy, Gone, NoAnswer, NotTriedError, Refused, Taken
from musterroll_simple.group_names import join_path

if TYPE_CHECKING:
    from musterroll_simple.backend import SimpleBackend

# So many operations in a row, at the least, have to come to nothing before the job is paused.
_LEAST_IN_VAIN = 20

_GONE = "the user no longer exists; run the sheet again"
_GROUP_GONE = "the group no longer exists; run the sheet again"
_PARENT_GONE = "the parent group no longer exists; run the sheet again"
_CANNOT = "this portal cannot do that"


class Outcome(NamedTuple):
    """What became of an operation; as `Result`."""

    status: Status
    ref: str | None = None
    detail: str | None = None
    refused: Mapping[str, str] = {}


class Performer:
    """Performs operations, in the event loop.

    Args:
        backend: the team's.
        calls: to call it with.
        directory: to look at the portal with.
    """

    def __init__(self, backend: SimpleBackend, calls: Calls, directory: Directory) -> None:
        self._backend, self._calls, self._directory = backend, calls, directory
        self._groups: asyncio.Task[Groups] | None = None
        self._locks: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()
        self._in_vain, self._most_in_vain = 0, _LEAST_IN_VAIN
        self.refused: dict[str, str] = {}
        """Creations that the portal took for duplicates, and its words; what is found cannot be theirs."""
        self.doubtful: set[str] = set()
        """Creations of which nobody knew, and that were not there when they were looked for: a slow portal may do them
        later, even when whoever asked for them is dead. Then it is no wonder that they are there."""

    def begin(self) -> None:
        """To be called before operations are performed: what was known of the groups may be old."""
        self._groups = None
        # What is under way when the portal has a bad moment fails together.
        self._in_vain, self._most_in_vain = 0, max(_LEAST_IN_VAIN, 2 * self._backend.concurrency)

    async def perform(self, op: Op) -> Result:
        """Performs one operation; whatever goes wrong there is its result.

        Raises:
            Exception: what is a mistake in the plugin.
        """
        try:
            outcome = await self._outcome(op)
        except NotTriedError as error:
            outcome = Outcome(Status.NOT_DONE, None, str(error))
        except (Busy, NoAnswer) as error:
            outcome = Outcome(Status.UNKNOWN, None, str(error) or "the portal did not answer")
        except Refused as error:
            outcome = Outcome(Status.FAILED, None, _words(error))
        except BackendError as error:
            self._calls.stop(error)
            outcome = Outcome(Status.UNKNOWN, None, error.message)
        self._count(outcome)
        return Result(op.id, *outcome)

    def _count(self, outcome: Outcome) -> None:
        """Stops when one operation after another comes to nothing, for whatever reason; a refusal is something."""
        if outcome.status not in (Status.UNKNOWN, Status.NOT_DONE):
            self._in_vain = 0
            return
        self._in_vain += 1
        if self._in_vain >= self._most_in_vain and not self._backend.context.cancelled.is_set():
            self._calls.stop(BackendUnavailableError(f"one operation after another fails: {outcome.detail}"))

    async def _outcome(self, op: Op) -> Outcome:
        match op:
            case CreateUser() if self._backend.can("create_user"):
                return await self._create_user(op)
            case UpdateUser():
                return await self._update(op)
            case Deactivate() | Reactivate() if self._backend.can("set_active"):
                await self._of_user("set_active", op.user.ref, isinstance(op, Reactivate))
                return Outcome(Status.DONE, op.user.ref)
            case DeleteUser() if self._backend.can("delete_user"):
                try:
                    await self._calls.write("delete_user", op.user.ref)
                except Gone:
                    return Outcome(Status.NOOP)
                return Outcome(Status.DONE)
            case CreateGroup() if self._backend.can("create_group"):
                return await self._create_group(op)
            case DeleteGroup() if self._backend.can("delete_group"):
                return await self._delete_group(op)
            case AddMembers() if self._backend.can("add_member"):
                return await self._members("add_member", op)
            case RemoveMembers() if self._backend.can("remove_member"):
                return await self._members("remove_member", op)
            case SendInvite() if self._backend.can("invite"):
                # An invite cannot be looked for, so it is tried once: whoever was busy may have sent it.
                await self._calls.once("invite", op.user.ref)
                return Outcome(Status.DONE, op.user.ref)
        return Outcome(Status.FAILED, None, _CANNOT)

    # -- users ----------------------------------------------------------------------------------------------

    async def _create_user(self, op: CreateUser) -> Outcome:
        wanted = self._backend.canonical(op.user)
        tried = [time.monotonic()]  # since when it may be there

        async def look() -> Outcome | None:
            found = await self._directory.find_late(wanted.username, tried[-1])
            tried.append(time.monotonic())
            return self.created(op, found)

        try:
            ref, found = await self._calls.write("create_user", wanted, op.password, op.id, look=look)
        except Taken as taken:
            return await self._taken(op, taken, first=len(tried) == 1 and op.id not in self.doubtful)
        except Broke as broke:
            return await look() or Outcome(Status.FAILED, None, _words(broke))
        if found is not None:
            return found
        if not ref:  # the portal does not tell
            there = await self._directory.find_late(wanted.username, time.monotonic())
            ref = there[0].ref if there else None
        if not ref:
            return Outcome(Status.UNKNOWN, None, "the portal did not say the new user's id")
        self._directory.wrote(ref)
        return Outcome(Status.DONE, ref)

    async def _taken(self, op: CreateUser, taken: Taken, *, first: bool) -> Outcome:
        words = str(taken) or f'the username "{op.user.username}" is taken'
        found = await self._directory.find_now(self.canonical_name(op))
        if first and not any(user.key == op.id for user in found if self._backend.stores_key):
            self.refused[op.id] = words
        return self.created(op, found) or Outcome(Status.CONFLICT, None, words)

    def canonical_name(self, op: CreateUser) -> str:
        """The username as the portal stores it."""
        return self._backend.canonical(op.user).username

    def created(self, op: CreateUser, found: list[Existing]) -> Outcome | None:
        """Says by the users of its name what became of a creation; None where there are none."""
        for user in found:
            if user.key == op.id if self._backend.stores_key else self._is_ours_by_its_looks(op, user):
                self._directory.wrote(user.ref)
                return Outcome(Status.DONE, user.ref)
        if found:
            return Outcome(Status.CONFLICT, found[0].ref, f'the username is taken by "{found[0].username}"')
        return Outcome(Status.CONFLICT, None, self.refused[op.id]) if op.id in self.refused else None

    def _is_ours_by_its_looks(self, op: CreateUser, user: Existing) -> bool:
        """For portals that do not keep our key.

        The plan found nobody of this name; a user that now is exactly as we asked for, while the portal never told us
        that it was there before, is the one that we asked for.
        """
        if op.id in self.refused:
            return False
        wanted = self._backend.canonical(op.user)
        return is_so(user, {**wanted.fields, "username": wanted.username})

    async def _update(self, op: UpdateUser) -> Outcome:
        changes, rename = op.changes, op.changes.get("username")
        if (changes and not self._backend.can("update_user")) or (rename is not None and not self._backend.rename):
            return Outcome(Status.FAILED, None, _CANNOT)
        if op.password is not None and not self._backend.can("set_password"):
            return Outcome(Status.FAILED, None, "this portal cannot set the password of a user that is there already")
        try:
            if changes:
                await self._of_user("update_user", op.user.ref, changes)
            if op.password is not None:
                await self._of_user("set_password", op.user.ref, op.password)
        except Taken as taken:
            return Outcome(Status.CONFLICT, None, str(taken) or "the username or the address is taken")
        return Outcome(Status.DONE, op.user.ref)

    async def _of_user(self, method: str, ref: str, *args: object) -> None:
        await self._soon(ref, lambda: self._calls.write(method, ref, *args))
        self._directory.wrote(ref)

    async def _soon(self, ref: str, work: Callable[[], Awaitable[Any]]) -> None:
        """Does something with a user whom the portal may not know everywhere yet."""
        while True:
            try:
                await work()
            except Gone:
                left = self._directory.lag_of(ref)
                if not await self._directory.show_later(left):
                    raise
            else:
                return

    # -- groups ---------------------------------------------------------------------------------------------

    async def _known_groups(self) -> Groups:
        if self._groups is None:
            self._groups = asyncio.ensure_future(self._directory.fresh_groups())
        return await asyncio.shield(self._groups)

    async def _create_group(self, op: CreateGroup) -> Outcome:
        known = await self._known_groups()
        async with self._locks.setdefault(fold_path(op.path), asyncio.Lock()):
            if (same := known.at(op.path)) is not None:
                return self._same_group(op, same)
            if op.parent is not None and known.get(op.parent.ref) is None:
                return Outcome(Status.FAILED, None, _PARENT_GONE)
            separator = self._backend.group_separator
            name = op.path[-1] if separator is None else join_path(op.path, separator)
            parent = op.parent.ref if op.parent is not None and separator is None else None
            tried = [time.monotonic()]

            async def look() -> Outcome | None:
                outcome = await self.group_created(op, tried[-1], known)
                tried.append(time.monotonic())
                return outcome

            try:
                ref, found = await self._calls.write("create_group", name, parent, op.id, look=look)
            except Broke as broke:
                return await look() or Outcome(Status.FAILED, None, _words(broke))
            except Taken as taken:
                found = await self.group_created(op, time.monotonic(), known if len(tried) > 1 else None)
                return found or Outcome(
                    Status.FAILED, None, str(taken) or "the portal says that a group of this name exists elsewhere"
                )
            if found is None and not ref:
                found = await self.group_created(op, time.monotonic(), known)
                if found is None:
                    return Outcome(Status.UNKNOWN, None, "the portal did not say the new group's id")
            outcome = found or Outcome(Status.DONE, ref)
            known.add(Group(ref=outcome.ref or "", path=op.path, key=op.id))
            return outcome

    async def group_created(self, op: CreateGroup, since: float, before: Groups | None = None) -> Outcome | None:
        """Says whether there is a group now that was perhaps created; waits until it would show.

        Args:
            op: the creation.
            since: when it was, by `time.monotonic`.
            before: the groups as they were then, where that is known: without keys, a new one is ours.
        """
        while True:
            same = (await self._directory.fresh_groups()).at(op.path)
            if same is not None:
                return self._same_group(op, same, new=before is not None and before.get(same.ref) is None)
            left = since + self._backend.lag - time.monotonic()
            if not await self._directory.show_later(left):
                return None

    def _same_group(self, op: CreateGroup, same: Group, *, new: bool = False) -> Outcome:
        ours = same.key == op.id if self._backend.stores_key else new
        return Outcome(Status.DONE if ours else Status.NOOP, same.ref)

    async def _delete_group(self, op: DeleteGroup) -> Outcome:
        groups = await self._directory.fresh_groups()
        group = groups.get(op.group.ref)
        try:
            if group is None:
                return Outcome(Status.NOOP)
            if groups.is_outer(group):
                return Outcome(Status.FAILED, None, "the group still has subgroups")
            if await self._directory.has_members(group.ref):
                return Outcome(Status.FAILED, None, "the group still has members")
            await self._calls.write("delete_group", group.ref)
        except Gone:
            return Outcome(Status.NOOP)
        return Outcome(Status.DONE)

    async def _members(self, method: str, op: AddMembers | RemoveMembers) -> Outcome:
        gone: dict[str, str] = {}
        refused: dict[str, str] = {}
        doubtful: list[Exception] = []

        async def one(user: str) -> None:
            try:
                await self._soon(user, lambda: self._calls.write(method, op.group.ref, user))
                self._directory.wrote(user)
            except Taken:  # is in already
                pass
            except Gone as error:
                gone[user] = str(error) or _GONE
            except Refused as error:
                refused[user] = _words(error)
            except (Busy, NoAnswer, NotTriedError) as error:
                doubtful.append(error)

        await asyncio.gather(*(one(member.ref) for member in op.members))
        if doubtful:
            tried = [error for error in doubtful if not isinstance(error, NotTriedError)]
            raise (tried or doubtful)[0]
        if gone and (await self._directory.fresh_groups()).get(op.group.ref) is None:
            return Outcome(Status.FAILED, None, _GROUP_GONE)
        # Who is gone is in no group any more.
        return Outcome(Status.DONE, None, None, refused if method == "remove_member" else refused | gone)


def is_so(user: Existing, wanted: Mapping[str, str | None]) -> bool:
    """Whether a user has these values; an empty one is none."""
    stored = {**user.fields, "username": user.username}
    return all((stored.get(name) or None) == (text or None) for name, text in wanted.items())


def _words(error: Refused) -> str:
    return str(error) or (_GONE if isinstance(error, Gone) else "the portal refused it")
