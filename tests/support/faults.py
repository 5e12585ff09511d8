"""A portal and a notifier that go wrong in the ways that real ones do.

A test scripts a `Portal` and a `Post`; the plugins `faulty` and `recorder` (announced by a local plugin file that
imports them from here, see `support.pipelines`) find them by name.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from musterroll import (
    BackendError,
    Batch,
    Capabilities,
    Context,
    CreateUser,
    Desired,
    Existing,
    Message,
    NotifierError,
    NotifierType,
    Objection,
    Op,
    Options,
    Reactivate,
    Recipient,
    Result,
    Secret,
    SendInvite,
    Sent,
    SentStatus,
    Status,
    UpdateUser,
    UserBackend,
    UserBackendType,
    UserKey,
    testing,
)
from musterroll.testing import Fault, MemoryBackend
from musterroll_plugins.backends.memory.store import MemoryStore, StoredGroup, StoredUser

__all__ = ["FAULTY", "PORTALS", "POSTS", "RECORDER", "Fault", "FaultyBackend", "Portal", "Post", "no_post", "on"]

Script: TypeAlias = Callable[[Op], Fault | None]


def _fine(_: Op) -> None:
    return None


@dataclass
class Portal:
    """A portal in memory, and what is to go wrong with it.

    Attributes:
        store: its users and groups.
        fault: what goes wrong with an operation.
        doubt: whether `resolve` does not know either.
        before: what happens before anything is done: called with each operation.
        ignores_filters: `lookup` answers with everybody.
        shuffle: answers come in another order.
        suspects: of which new users something may be said, where it says so.
        check: whom it will not take, and why; it does not say beforehand where there is none.
        refuses: fields that no change of a user gets, and why: the rest of it is done.
        handed: the operations that were handed over.
        asked: the operations that `resolve` was asked about.
    """

    store: MemoryStore = field(default_factory=lambda: MemoryStore(uuid.uuid4().hex))
    fault: Script = _fine
    doubt: Callable[[Op], bool] = lambda op: False
    before: Callable[[Op], object] = _fine
    refuses_to_start: bool = False
    ignores_filters: bool = False
    shuffle: random.Random | None = None
    unique_email: bool = False
    can: Mapping[str, object] = field(default_factory=dict)
    canonical: Callable[[Desired], Desired] = lambda desired: desired
    suspects: Callable[[Batch], Iterable[int]] | None = None
    check: Callable[[Desired, str | None, Secret | None], list[Objection]] | None = None
    refuses: Mapping[str, str] = field(default_factory=dict)
    handed: list[Op] = field(default_factory=list)
    asked: list[Op] = field(default_factory=list)
    built: int = 0
    closed: int = 0

    def add(self, username: str, *, active: bool = True, groups: Sequence[str] = (), **fields: str) -> StoredUser:
        """Adds a user that somebody else created."""
        user = StoredUser(self.store.new_ref("u"), username, dict(fields), "somebody", active=active)
        user.groups |= set(groups)
        self.store.put(user)
        return user

    def add_group(self, name: str, parent: str | None = None) -> str:
        """Adds a group; returns its ref."""
        group = StoredGroup(self.store.new_ref("g"), name, parent, "somebody")
        self.store.groups[group.ref] = group
        return group.ref

    def user(self, username: str) -> StoredUser:
        """The one user of exactly that name."""
        (user,) = (user for user in self.store.users.values() if user.username == username)
        return user

    def change(self, username: str, **fields: str) -> None:
        """Changes a user behind everybody's back; an empty text clears a field."""
        user = self.store.take(self.user(username).ref)
        user.fields |= fields
        for name in [name for name, text in fields.items() if not text]:
            del user.fields[name]
        self.store.put(user)

    def names(self) -> list[str]:
        """The usernames, sorted."""
        return sorted(user.username for user in self.store.users.values())

    def groups_of(self, username: str) -> set[str]:
        """The groups of a user, as `Region|North`."""
        return {"|".join(self.store.path(ref)) for ref in self.user(username).groups}

    def reset(self) -> None:
        """Makes it an empty one that works."""
        for name, value in vars(Portal()).items():
            setattr(self, name, value)


PORTALS: dict[str, Portal] = {}


class FaultyOptions(Options):
    """Options of the backend `faulty`: which scripted portal it is."""

    portal: str


class ScriptedMemory(MemoryBackend):
    """A `MemoryBackend` that can what the portal's script says."""

    def __init__(self, portal: Portal, *, read_only: bool) -> None:
        super().__init__(portal.store, read_only=read_only, unique_email=portal.unique_email)
        self.portal = portal

    def capabilities(self) -> Capabilities:
        base = super().capabilities()
        values = {name: getattr(base, name) for name in Capabilities.__slots__}
        return Capabilities(**{**values, **self.portal.can})

    def canonical(self, desired: Desired) -> Desired:
        return self.portal.canonical(desired)

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        found = super().lookup(keys)
        if not self.portal.ignores_filters:
            return found
        everybody = [UserKey.of("username", user.username) for user in self.store.users.values()]
        users = [user for several in super().lookup(everybody).values() for user in several]
        return dict.fromkeys(keys, users)

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        if self.portal.refuses_to_start:
            raise BackendError("the portal is not to be written to")
        return super().execute(ops)

    def _perform(self, op: Op) -> Result:
        if isinstance(op, SendInvite):
            return Result(op.id, Status.DONE)
        if isinstance(op, Reactivate):
            return replace(super()._perform(op), refused=self.portal.refuses)
        if not isinstance(op, UpdateUser) or not (refused := self.portal.refuses.keys() & op.changes.keys()):
            return super()._perform(op)
        changes = {name: text for name, text in op.changes.items() if name not in refused}
        return replace(
            super()._perform(replace(op, changes=changes)),
            refused={name: self.portal.refuses[name] for name in refused},
        )

    def close(self) -> None:
        self.portal.closed += 1


class FaultyBackend(testing.FaultyBackend):
    """A scripted portal behind an unreliable line."""

    def __init__(self, portal: Portal, inner: UserBackend) -> None:
        def fault(op: Op) -> Fault | None:
            portal.before(op)
            return portal.fault(op)

        def doubt(op: Op) -> bool:
            return portal.doubt(op)

        super().__init__(inner, fault, doubt=doubt, shuffle=portal.shuffle)
        self.handed, self.asked = portal.handed, portal.asked
        if portal.check is not None:
            self.check = portal.check
        if portal.suspects is not None:
            self.suspects = portal.suspects
        portal.built += 1


def build_backend(options: FaultyOptions, context: Context) -> FaultyBackend:
    portal = PORTALS[options.portal]
    return FaultyBackend(portal, ScriptedMemory(portal, read_only=context.read_only))


FAULTY = UserBackendType(
    name="faulty", summary="A portal behind an unreliable line", options=FaultyOptions, build=build_backend
)


@dataclass
class Post:
    """A notifier that keeps what it is given.

    Attributes:
        status: what becomes of a message; None: no answer; an exception is raised.
        reaches: whom it can reach.
        sent: the messages it was given.
        closing: raised when it is closed.
    """

    status: Callable[[Message], SentStatus | Exception | None] = lambda message: SentStatus.SENT
    reaches: Callable[[Recipient], bool] = lambda user: bool(user.email)
    sent: list[Message] = field(default_factory=list)
    closing: Exception | None = None

    def invited(self) -> list[str]:
        """The usernames of those that were sent something, in order."""
        return [message.recipient.username for message in self.sent if message.recipient is not None]


POSTS: dict[str, Post] = {}


class RecorderOptions(Options):
    """Options of the notifier `recorder`: which scripted post it is."""

    post: str


class Recorder:
    """Sends nothing, and remembers it."""

    channel = "email"

    def __init__(self, post: Post) -> None:
        self._post = post

    def can_reach(self, user: Recipient) -> bool:
        return self._post.reaches(user)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        for message in messages:
            self._post.sent.append(message)
            status = self._post.status(message)
            if isinstance(status, Exception):
                raise status
            if status is not None:
                yield Sent(message.id, status, None if status is SentStatus.SENT else "the post office said no")

    def close(self) -> None:
        if self._post.closing is not None:
            raise self._post.closing


def build_notifier(options: RecorderOptions, context: Context) -> Recorder:
    return Recorder(POSTS[options.post])


RECORDER = NotifierType(name="recorder", summary="Sends nothing", options=RecorderOptions, build=build_notifier)


def on(kind: type[Op], fault: Fault, *, username: str | None = None, times: int = 10**9) -> Script:
    """A script: operations of a kind (on one user) go wrong, so many times."""
    left = times

    def script(op: Op) -> Fault | None:
        nonlocal left
        if not isinstance(op, kind) or left <= 0 or (username is not None and _name(op) != username):
            return None
        left -= 1
        return fault

    return script


def _name(op: Op) -> str | None:
    if isinstance(op, CreateUser):
        return op.user.username
    return op.user.username if isinstance(op, UpdateUser | SendInvite) else None


def no_post(text: str = "the server is gone") -> NotifierError:
    """What a notifier raises that cannot go on."""
    return NotifierError(text)
