"""`SimpleBackend`: a team says how ONE user and ONE group are read and written; the rest is derived."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from musterroll import (
    BackendError,
    Capabilities,
    Context,
    Desired,
    Existing,
    Group,
    Matching,
    Op,
    Options,
    Result,
    Secret,
    UserKey,
)

if TYPE_CHECKING:
    from musterroll_simple.parts import Parts

R = TypeVar("R")
Answer: TypeAlias = R | Awaitable[R]
"""What a method returns that is written plain or `async def`."""
Listed: TypeAlias = Iterable[R] | AsyncIterable[R] | Awaitable[Iterable[R]]
"""What a method returns that yields, or returns a list."""


class SimpleBackend:
    """A user backend, derived from how one user and one group are read and written.

    A subclass writes the methods of the first part, plain or `async def`, as many as the portal has: what is not
    overridden is what the portal cannot do. They say what went wrong by raising `Taken`, `Refused`, `Gone`, `NoAnswer`
    or `Busy`. Plain ones are called in threads, `concurrency` of them at once; asynchronous ones in one event loop,
    which lives as long as the backend.

    Args:
        options: of the plugin.
        context: of the instance; kept as `self.context`.

    Attributes:
        context: of the instance.
        concurrency: so many calls at once, at the most.
        tries: so often a call is made that finds the portal busy.
        retry_wait: so many seconds are waited before a second try where the portal does not say, and twice as long each
            further time.
        lag: so many seconds it may take until the portal's lists and searches, or the portal itself, show what was
            written.
        stores_key: `create_user` and `create_group` store `key`, and users and groups show it again.
        matching: how the portal compares usernames.
        passwords: `create_user` can set a password.
        rename: `update_user` can change `username`.
        unique_email: an address may belong to one user only.
        fields: the fields that it stores; None for any.
        searches: the fields by which `find_user` can look.
        trusts_search: whether looking users up by `find_user` is good enough for a plan; by default where the portal
            compares names as musterroll does. Otherwise all users are read once.
        nested_groups: groups can be inside groups.
        group_separator: for a portal without that: what separates the levels of a group in its name.
    """

    concurrency: int = 1
    tries: int = 6
    retry_wait: float = 0.5
    lag: float = 0.0
    stores_key: bool = False
    matching: Matching = Matching.EXACT
    passwords: bool = True
    rename: bool = True
    unique_email: bool = False
    fields: frozenset[str] | None = None
    searches: frozenset[str] = frozenset({"username"})
    trusts_search: bool | None = None
    nested_groups: bool = False
    group_separator: str | None = None

    # -- what a team writes: users --------------------------------------------------------------------------

    def identity(self) -> str:
        """Returns which portal and tenant this is: stable, no secret. Always needed."""
        raise NotImplementedError

    def users(self) -> Listed[Existing]:
        """Yields all users. Always needed, unless `find_user` is trusted."""
        raise NotImplementedError

    def get_user(self, ref: str) -> Answer[Existing | None]:
        """Returns the user of a ref; None, or `Gone`, where there is none. Without it all users are read."""
        raise NotImplementedError

    def find_user(self, field: str, value: str) -> Answer[Existing | Iterable[Existing] | None]:
        """Searches by a field of `searches`; those whom it finds are compared again."""
        raise NotImplementedError

    def create_user(self, user: Desired, password: Secret | None, key: str) -> Answer[str | None]:
        """Creates a user and returns the new ref; None where the portal does not tell, then it is looked for.

        Args:
            user: as `canonical` returned it.
            password: where one was given.
            key: the operation's id, to be stored where `stores_key` says so.
        """
        raise NotImplementedError

    def update_user(self, ref: str, changes: Mapping[str, str | None]) -> Answer[None]:
        """Changes fields, `username` among them; None clears one."""
        raise NotImplementedError

    def set_password(self, ref: str, password: Secret) -> Answer[None]:
        """Sets a new password."""
        raise NotImplementedError

    def set_active(self, ref: str, active: bool) -> Answer[None]:
        """Deactivates a user, or makes one active again."""
        raise NotImplementedError

    def delete_user(self, ref: str) -> Answer[None]:
        """Deletes a user."""
        raise NotImplementedError

    def invite(self, ref: str) -> Answer[None]:
        """Lets the portal itself invite a user. Never done twice, whatever the portal answers."""
        raise NotImplementedError

    def canonical(self, desired: Desired) -> Desired:
        """Returns the user as the portal will store it, with a lower-cased name for instance."""
        return desired

    # -- what a team writes: groups -------------------------------------------------------------------------

    def list_groups(self) -> Listed[Group]:
        """Yields all groups. `with_parents` makes paths where the portal tells a group's parent."""
        return ()

    def list_members(self, group: str) -> Listed[str]:
        """Yields the refs of a group's members, where users do not tell their groups."""
        raise NotImplementedError

    def create_group(self, name: str, parent: str | None, key: str) -> Answer[str | None]:
        """Creates a group and returns the new ref.

        Args:
            name: its own name, or all levels of it where there is a `group_separator`.
            parent: the ref of the group that it is in; None for the top.
            key: the operation's id.
        """
        raise NotImplementedError

    def add_member(self, group: str, user: str) -> Answer[None]:
        """Adds a user to a group; one that is in already stays, or is `Taken`."""
        raise NotImplementedError

    def remove_member(self, group: str, user: str) -> Answer[None]:
        """Takes a user out of a group; one that is not in may be `Gone`."""
        raise NotImplementedError

    def delete_group(self, ref: str) -> Answer[None]:
        """Deletes an empty group."""
        raise NotImplementedError

    # -- what a team may write ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Called whenever the portal is about to be asked for something anew, after it failed as well."""

    async def closing(self) -> None:
        """Closes connections, in the event loop; called once at the end."""

    # -- what is derived ------------------------------------------------------------------------------------

    def __init__(self, options: Options, context: Context) -> None:
        self.context = context
        self.__parts: Parts | None = None

    @property
    def _parts(self) -> Parts:
        try:
            parts = self.__parts
        except AttributeError:
            name = type(self).__name__
            raise TypeError(f"{name}.__init__ must call super().__init__(options, context)") from None
        if parts is None:
            from musterroll_simple.parts import Parts  # noqa: PLC0415 -- quick start-up: it needs asyncio

            parts = self.__parts = Parts(self)
        return parts

    def can(self, method: str) -> bool:
        """Whether a method is overridden."""
        return getattr(type(self), method) is not getattr(SimpleBackend, method)

    def capabilities(self) -> Capabilities:
        """What is overridden, and what the attributes say."""
        groups = self.can("list_groups") and self.can("add_member")
        return Capabilities(
            groups=groups,
            nested_groups=groups and (self.nested_groups or self.group_separator is not None),
            passwords=self.passwords,
            reset_passwords=self.can("set_password"),
            deactivate=self.can("set_active"),
            delete=self.can("delete_user") and (self.can("delete_group") or not groups),
            invite=self.can("invite"),
            rename=self.rename and self.can("update_user"),
            stores_key=self.stores_key,
            unique_email=self.unique_email,
            matching=self.matching,
            fields=self.fields,
        )

    def count_users(self) -> int | None:
        """How many users there are; None where users are looked up by search."""
        return self._parts.count()

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users by any field.

        Raises:
            BackendError: the portal cannot answer.
        """
        return self._parts.lookup(keys) if keys else {}

    def all_users(self) -> Iterator[Existing]:
        """Streams all users.

        Raises:
            BackendError: the portal cannot answer, or only looks users up.
        """
        if not self.can("users"):
            raise BackendError("this portal only looks users up by name and cannot list them")
        return self._parts.all_users()

    def groups(self) -> Iterable[Group]:
        """Returns all groups.

        Raises:
            BackendError: the portal cannot answer.
        """
        return self._parts.groups()

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """Performs operations, `concurrency` at once.

        Raises:
            BackendUnavailableError: the portal keeps failing.
            BackendError: it cannot go on, or was opened for reading only.
        """
        if self.context.read_only:
            raise BackendError("the portal was opened for reading only")
        return self._parts.execute(ops)

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """Says what became of operations, by looking.

        Raises:
            BackendError: the portal cannot answer.
        """
        return iter(self._parts.resolve(doubtful) if doubtful else ())

    def close(self) -> None:
        """Ends threads and event loop. May be called twice."""
        if self.__parts is not None:
            self.__parts.close()
