"""A portal that speaks SCIM 2.0, as a user backend: what the engine calls, and the event loop behind it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from musterroll import (
    BackendError,
    Capabilities,
    Context,
    Desired,
    Existing,
    FieldType,
    Group,
    Op,
    Result,
    UserKey,
)
from musterroll_http import HttpError, Pump, identity_of
from musterroll_plugins.backends.scim.answers import explained
from musterroll_plugins.backends.scim.bulk import AT_ONCE, Bulk
from musterroll_plugins.backends.scim.capabilities import capabilities
from musterroll_plugins.backends.scim.client import ScimClient
from musterroll_plugins.backends.scim.directory import Directory
from musterroll_plugins.backends.scim.discovery import ServiceProvider
from musterroll_plugins.backends.scim.groups import GroupOperations
from musterroll_plugins.backends.scim.mapping import ScimMapping
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.pages import USERS
from musterroll_plugins.backends.scim.performer import TOO_DEEP, Performer
from musterroll_plugins.backends.scim.resolver import Creations, Resolver
from musterroll_plugins.backends.scim.users import UserOperations

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is made once the portal has said what it is."""

    portal: ServiceProvider
    mapping: ScimMapping
    directory: Directory
    bulk: Bulk
    performer: Performer
    resolver: Resolver


class ScimBackend:
    """A portal that speaks SCIM 2.0. For one thread at a time.

    Args:
        options: checked.
        context: of the instance.

    Raises:
        PipelineError: a secret cannot be read.
        BackendError: the certificate file cannot be read.
    """

    def __init__(self, options: ScimOptions, context: Context) -> None:
        self._options, self._context = options, context
        self._client = ScimClient(options, context)
        self._pump = Pump("musterroll-scim")
        self._parts: _Parts | None = None

    def examine(self) -> str:
        """Asks the portal what it is and how many users it has, once.

        Raises:
            BackendError: it does not answer, or does not let us in.
        """
        self._pump.call(self._client.close)
        self._client = ScimClient(self._options.model_copy(update={"retries": 0}), self._context)
        portal, users = self._ready().portal, self.count_users()
        can = (
            ("PATCH", portal.patch),
            ("filters", portal.filters),
            ("bulk", portal.bulk),
            ("groups", portal.has_groups),
        )
        return f"{self.identity()}, {users or 0:,} users; it offers {', '.join(name for name, has in can if has)}"

    def identity(self) -> str:
        """`scim:` with the portal's address, and the tenant where the options name one."""
        return identity_of("scim", self._options.url, self._options.tenant)

    def capabilities(self) -> Capabilities:
        """What the portal says that it can do, and what the options add to that.

        Raises:
            BackendError: there is no such portal.
        """
        parts = self._ready()
        return capabilities(self._options, parts.portal, parts.mapping)

    def count_users(self) -> int | None:
        """How many users there are, deactivated ones included."""
        return self._call(self._count_users)

    async def _count_users(self) -> int:
        return await (await self._discovered()).directory.count()

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users by any mapped field.

        All users are read once for an instance that only reads, unless the portal compares names as we do. What this
        instance writes is seen; what others write meanwhile may not be.

        Raises:
            BackendError: the portal cannot answer.
        """
        return self._call(self._lookup, keys) if keys else {}

    async def _lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        return await (await self._discovered()).directory.lookup(keys)

    def all_users(self) -> Iterator[Existing]:
        """Streams all users, by their ids.

        Raises:
            BackendError: the portal cannot answer.
        """
        ref = ""
        while users := self._call(self._users_after, ref):
            ref = users[-1].ref
            yield from users

    async def _users_after(self, ref: str) -> Sequence[Existing]:
        return await (await self._discovered()).directory.users_after(ref)

    def groups(self) -> Iterable[Group]:
        """Yields all groups.

        Raises:
            BackendError: the portal cannot answer.
        """
        return self._call(self._list_groups)

    async def _list_groups(self) -> Iterable[Group]:
        parts = await self._discovered()
        return list((await parts.directory.book()).listed()) if parts.portal.has_groups else ()

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as the portal will show it again: telephone numbers, spellings that the options name."""
        return self._ready().mapping.canonical(desired)

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """Performs operations, many at once; answers as they come.

        Raises:
            BackendUnavailableError: the portal keeps failing. What was certainly not done has been answered so.
            BackendError: it no longer lets us in.
        """
        if self._context.read_only:
            raise BackendError("the portal was opened for reading only")
        return self._execute(ops)

    def _execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        parts = self._call(self._discovered)
        parts.directory.forget()
        together = parts.bulk.together
        in_flight = self._options.concurrency if together < 2 else max(self._options.concurrency, AT_ONCE * together)
        parts.performer.begin(in_flight)
        stream = self._pump.stream(self._until_stopped(ops), parts.performer.perform, in_flight=in_flight)
        try:
            yield from stream
        finally:
            stream.close()
            parts.directory.forget()
        if self._client.stopped is not None:
            raise self._client.stopped

    def _until_stopped(self, ops: Iterator[Op]) -> Iterator[Op]:
        while self._client.stopped is None:
            op = next(ops, None)
            if op is None:
                return
            yield op

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """Says what became of operations: creations by their id, which the portal keeps, else by username.

        Raises:
            BackendError: the portal cannot answer.
        """
        return iter(self._call(self._resolve, doubtful) if doubtful else ())

    async def _resolve(self, doubtful: Sequence[Op]) -> Sequence[Result]:
        return await (await self._discovered()).resolver.resolve(doubtful)

    def close(self) -> None:
        """Ends all connections and the event loop."""
        try:
            self._pump.call(self._close_connections)
        except RuntimeError:
            pass  # closed already
        finally:
            self._pump.close()

    async def _close_connections(self) -> None:
        if self._parts is not None:
            self._parts.directory.forget()
        await self._client.close()

    # -- in the loop ----------------------------------------------------------------------------------------

    def _call(self, work: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
        self._client.begin()
        try:
            return self._pump.call(work, *args)
        except HttpError as error:
            raise self._client.failed(error) from None
        except RecursionError:
            raise BackendError(TOO_DEEP) from None

    def _ready(self) -> _Parts:
        return self._parts or self._call(self._discovered)

    async def _discovered(self) -> _Parts:
        if self._parts is None:
            self._parts = self._assembled(await self._discover())
        return self._parts

    def _assembled(self, portal: ServiceProvider) -> _Parts:
        options, client = self._options, self._client
        mapping = ScimMapping(options, portal, self._context.fields.of_type(FieldType.USER))
        directory = Directory(client, options, portal, mapping)
        bulk = Bulk(client, portal.bulk if options.bulk == "auto" else None, options.bulk_size)
        name = portal.user_attribute("userName")
        creations = Creations(directory, mapping, unique_names=name is None or name.uniqueness.lower() != "none")
        users = UserOperations(client, bulk, options, portal, mapping, directory, creations)
        groups = GroupOperations(client, options, portal, directory, users)
        performer = Performer(client, users, groups, self._context.cancelled)
        resolver = Resolver(directory, mapping, groups.inside, creations)
        return _Parts(portal, mapping, directory, bulk, performer, resolver)

    async def _discover(self) -> ServiceProvider:
        """Asks the portal what it is; one that does not say has to show a list of users at least."""
        doing = "say what it can do"
        config = await self._client.get("/ServiceProviderConfig")
        if config.status in (401, 403) or (config.unread and config.status < 400):
            raise explained(config, doing, self._options.url)
        if not config.ok:
            users = await self._client.get(USERS, {"startIndex": 1})
            if not users.ok or not isinstance(users.body, dict):
                raise explained(config if users.status == config.status else users, doing, self._options.url)
        schemas = await self._client.get("/Schemas")
        return ServiceProvider.of(config.body if config.ok else None, schemas.body if schemas.ok else None)
