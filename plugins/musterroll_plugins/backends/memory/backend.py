"""A user backend in memory: a real one, for tests and rehearsals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from musterroll import (
    AddMembers,
    BackendError,
    Capabilities,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Desired,
    Existing,
    Group,
    Matching,
    Op,
    Reactivate,
    RemoveMembers,
    Result,
    SendInvite,
    Status,
    UpdateUser,
    UserKey,
    fold,
)
from musterroll_plugins.backends.memory.store import MemoryStore, StoredGroup, StoredUser

_Answer: TypeAlias = tuple[Status, str | None, str | None]  # status, ref, detail

_GONE = "the user no longer exists; run the sheet again"
_GROUP_GONE = "the group no longer exists; run the sheet again"


class MemoryBackend:
    """A user backend in memory. Passwords are kept as `Secret`s, so that tests can look at them.

    Args:
        store: the users and groups; instances over one store see the same.
        read_only: refuse every write.
        unique_email: an address may belong to one user only.
    """

    def __init__(
        self, store: MemoryStore | None = None, *, read_only: bool = False, unique_email: bool = False
    ) -> None:
        self.store = MemoryStore() if store is None else store
        self.read_only = read_only
        self.unique_email = unique_email

    @property
    def writes(self) -> int:
        """How often something was changed in the store, by any instance."""
        return self.store.writes

    def examine(self) -> str:
        """Says how many users there are, for the time being."""
        return f"in memory, {self.count_users():,} users; they vanish with the program"

    def identity(self) -> str:
        """`memory:` and the store's name."""
        return f"memory:{self.store.name}"

    def capabilities(self) -> Capabilities:
        """Everything but invites."""
        return Capabilities(delete=True, unique_email=self.unique_email, matching=Matching.FOLDED)

    def count_users(self) -> int:
        """How many users there are, deactivated ones included."""
        return len(self.store.users)

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users by any field."""
        found = {key: self.store.find(key.field, key.folded) for key in keys if key.folded}
        return {key: [_existing(user) for user in users] for key, users in found.items() if users}

    def all_users(self) -> Iterator[Existing]:
        """Streams all users."""
        return map(_existing, list(self.store.users.values()))

    def groups(self) -> Iterable[Group]:
        """Streams all groups."""
        for group in list(self.store.groups.values()):
            yield Group(ref=group.ref, path=self.store.path(group.ref), key=group.key)

    def canonical(self, desired: Desired) -> Desired:
        """Stored as it is."""
        return desired

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """Performs operations one by one."""
        if self.read_only:
            raise BackendError("this backend was opened for reading only")
        return map(self._perform, ops)

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """Says what became of operations, by the store's state."""
        for op in doubtful:
            status, ref = self._outcome(op)
            yield Result(op.id, status, ref)

    def close(self) -> None:
        """Does nothing: the store lives on."""

    # -- performing -----------------------------------------------------------------------------------------

    def _perform(self, op: Op) -> Result:
        refused: dict[str, str] = {}
        status, ref, detail = self._do(op, refused)
        return Result(op.id, status, ref, detail, refused)

    def _do(self, op: Op, refused: dict[str, str]) -> _Answer:
        match op:
            case CreateUser():
                return self._create_user(op)
            case CreateGroup():
                return self._create_group(op)
            case UpdateUser():
                return self._update_user(op)
            case AddMembers():
                return self._add_members(op, refused)
            case RemoveMembers():
                return self._remove_members(op)
            case Deactivate() | Reactivate():
                return self._set_active(op, active=isinstance(op, Reactivate))
            case DeleteUser():
                return self._delete(op.user.ref in self.store.users, lambda: self.store.take(op.user.ref))
            case DeleteGroup():
                return self._delete_group(op)
            case SendInvite():
                return Status.FAILED, None, "this portal cannot send invites"

    def _wrote(self, ref: str | None = None) -> _Answer:
        self.store.writes += 1
        return Status.DONE, ref, None

    def _create_user(self, op: CreateUser) -> _Answer:
        for other in self.store.find("username", fold(op.user.username)):
            if other.key == op.id:
                return Status.DONE, other.ref, None
            return Status.CONFLICT, other.ref, f'the username is taken by "{other.username}"'
        fields = {name: text for name, text in op.user.fields.items() if text}
        if taken := self._email_taken(fields.get("email"), None):
            return taken
        user = StoredUser(self.store.new_ref("u"), op.user.username, fields, op.id, op.password)
        self.store.put(user)
        return self._wrote(user.ref)

    def _update_user(self, op: UpdateUser) -> _Answer:
        ref = op.user.ref
        if ref not in self.store.users:
            return Status.FAILED, None, _GONE
        username = op.changes.get("username")
        for other in self.store.find("username", fold(username)) if username else ():
            if other.ref != ref:
                return Status.CONFLICT, other.ref, f'the username is taken by "{other.username}"'
        if taken := self._email_taken(op.changes.get("email"), ref):
            return taken
        user = self.store.take(ref)
        for name, text in op.changes.items():
            if name == "username":
                user.username = text or user.username
            elif text:
                user.fields[name] = text
            else:
                user.fields.pop(name, None)
        user.password = op.password or user.password
        self.store.put(user)
        return self._wrote(ref)

    def _email_taken(self, email: str | None, ref: str | None) -> _Answer | None:
        if not self.unique_email or not email:
            return None
        others = (user for user in self.store.find("email", fold(email)) if user.ref != ref)
        other = next(others, None)
        return (Status.CONFLICT, None, f'the e-mail address is in use by "{other.username}"') if other else None

    def _create_group(self, op: CreateGroup) -> _Answer:
        parent = op.parent.ref if op.parent else None
        if parent is not None and parent not in self.store.groups:
            return Status.FAILED, None, "the parent group no longer exists; run the sheet again"
        if same := self._group(parent, op.path[-1]):
            return Status.DONE if same.key == op.id else Status.NOOP, same.ref, None
        group = StoredGroup(self.store.new_ref("g"), op.path[-1], parent, op.id)
        self.store.groups[group.ref] = group
        return self._wrote(group.ref)

    def _group(self, parent: str | None, name: str) -> StoredGroup | None:
        groups = self.store.groups.values()
        return next((g for g in groups if g.parent == parent and fold(g.name) == fold(name)), None)

    def _add_members(self, op: AddMembers, refused: dict[str, str]) -> _Answer:
        if op.group.ref not in self.store.groups:
            return Status.FAILED, None, _GROUP_GONE
        refused.update({member.ref: _GONE for member in op.members if member.ref not in self.store.users})
        users = [self.store.users[member.ref] for member in op.members if member.ref not in refused]
        new = [user for user in users if op.group.ref not in user.groups]
        for user in new:
            user.groups.add(op.group.ref)
        return self._wrote() if new else (Status.DONE if refused else Status.NOOP, None, None)

    def _remove_members(self, op: RemoveMembers) -> _Answer:
        users = [self.store.users[member.ref] for member in op.members if member.ref in self.store.users]
        members = [user for user in users if op.group.ref in user.groups]
        for user in members:
            user.groups.discard(op.group.ref)
        return self._wrote() if members else (Status.NOOP, None, None)

    def _set_active(self, op: Deactivate | Reactivate, *, active: bool) -> _Answer:
        user = self.store.users.get(op.user.ref)
        if user is None:
            return Status.FAILED, None, _GONE
        if user.active == active:
            return Status.NOOP, user.ref, None
        user.active = active
        return self._wrote(user.ref)

    def _delete(self, exists: bool, delete: Callable[[], object]) -> _Answer:
        if not exists:
            return Status.NOOP, None, None
        delete()
        return self._wrote()

    def _delete_group(self, op: DeleteGroup) -> _Answer:
        ref = op.group.ref
        if any(ref in user.groups for user in self.store.users.values()):
            return Status.FAILED, None, "the group still has members"
        if any(group.parent == ref for group in self.store.groups.values()):
            return Status.FAILED, None, "the group still has subgroups"
        return self._delete(ref in self.store.groups, lambda: self.store.groups.pop(ref))

    # -- what became of it ----------------------------------------------------------------------------------

    def _outcome(self, op: Op) -> tuple[Status, str | None]:
        if isinstance(op, CreateUser):
            mine = next((user for user in self.store.users.values() if user.key == op.id), None)
            others = self.store.find("username", fold(op.user.username))
            if mine is not None:
                return Status.DONE, mine.ref
            return (Status.CONFLICT, others[0].ref) if others else (Status.NOT_DONE, None)
        if isinstance(op, CreateGroup):
            own = next((group for group in self.store.groups.values() if group.key == op.id), None)
            same = self._group(op.parent.ref if op.parent else None, op.path[-1])
            if own is not None:
                return Status.DONE, own.ref
            return (Status.NOOP, same.ref) if same else (Status.NOT_DONE, None)
        return (Status.DONE if self._is_done(op) else Status.NOT_DONE), None

    def _is_done(self, op: Op) -> bool:
        match op:
            case UpdateUser():
                user = self.store.users.get(op.user.ref)
                return user is not None and op.password is None and _is_so(user, op.changes)
            case AddMembers():
                return all(self._is_member(member.ref, op.group.ref) for member in op.members)
            case RemoveMembers():
                return not any(self._is_member(member.ref, op.group.ref) for member in op.members)
            case Deactivate() | Reactivate():
                user = self.store.users.get(op.user.ref)
                return user is not None and user.active == isinstance(op, Reactivate)
            case DeleteUser():
                return op.user.ref not in self.store.users
            case DeleteGroup():
                return op.group.ref not in self.store.groups
            case _:
                return False

    def _is_member(self, user: str, group: str) -> bool:
        return user in self.store.users and group in self.store.users[user].groups


def _is_so(user: StoredUser, wanted: Mapping[str, str | None]) -> bool:
    stored = {**user.fields, "username": user.username}
    return all((stored.get(name) or None) == (text or None) for name, text in wanted.items())


def _existing(user: StoredUser) -> Existing:
    return Existing(
        ref=user.ref,
        username=user.username,
        fields=dict(user.fields),
        groups=frozenset(user.groups),
        active=user.active,
        key=user.key,
    )
