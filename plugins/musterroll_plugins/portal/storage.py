"""scim2-server's storage over a directory file: what the portal writes, the backend `directory` sees, and back."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from sqlite3 import Error as SqliteError
from typing import Any, Union, cast

from scim2_models import (
    InvalidValueException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimFilter,
    ScimProvider,
    SearchRequest,
)
from scim2_server.storage import AsyncScimStorage, SearchPage
from scim2_server.utils import parametrize

from musterroll import Secret
from musterroll_plugins.backends.directory.file import close_directory, explained, open_directory
from musterroll_plugins.backends.passwords import Hasher
from musterroll_plugins.portal.contacts import Json
from musterroll_plugins.portal.filters import condition
from musterroll_plugins.portal.group_table import Groups
from musterroll_plugins.portal.mapping import UserMapping
from musterroll_plugins.portal.table import Table, prepare
from musterroll_plugins.portal.user_table import Users


class DirectoryStorage(AsyncScimStorage):
    """Users and groups of a directory file. For one event loop.

    Only the hashing of passwords awaits something, before anything is written; so a write is never interrupted by
    another request. Other programs may read and write the file meanwhile.

    Args:
        path: the file; created unless it is there.
        provider: describes the resources: the standard types User and Group, users perhaps with extensions.
        hash_passwords: store passwords as argon2id hashes; otherwise they are taken and not stored.
        ignore_filters: answer every search with everybody.

    Raises:
        BackendError: the file cannot be opened or created, or is none of musterroll's; of any method: it cannot
            be read or written.
    """

    def __init__(
        self, path: Path, provider: ScimProvider, *, hash_passwords: bool = True, ignore_filters: bool = False
    ) -> None:
        self._path, self._provider = path, provider
        self._hash_passwords, self._ignore_filters = hash_passwords, ignore_filters
        self._db = open_directory(path, read_only=False)
        try:
            with explained(path, "opened"):
                with suppress(SqliteError):  # somebody is reading: the old way works too, and more slowly
                    self._db.execute("PRAGMA journal_mode = WAL").fetchall()
                # No fsync for every answer: what a killed portal has answered is in the file, after a power cut
                # perhaps not. For a rehearsal that is enough.
                self._db.execute("PRAGMA synchronous = NORMAL")
                prepare(self._db)
        except BaseException:
            self._db.close()
            raise
        self._tables: dict[str, Table] = {
            "User": Users(self._db, UserMapping(_user_schemas(provider))),
            "Group": Groups(self._db),
        }
        self._hasher = Hasher()

    def close(self) -> None:
        """Closes the file, which then is a single one again."""
        self._hasher.__exit__(None, None, None)
        close_directory(self._db, read_only=False)

    async def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """Reads a resource."""
        with self._explained("read"):
            found = self._table(resource_type).get(resource_id, brief=_without_members(response_parameters))
        return self._resource(resource_type, found)

    async def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """Reads a page of the resources that match a filter."""
        scim_filter = None if self._ignore_filters else search_request.filter
        start, count = search_request.start_index_0 or 0, search_request.count
        brief = _without_members(search_request) and "member" not in f"{scim_filter}{search_request.sort_by}".lower()
        with self._explained("read"):
            if scim_filter is None and search_request.sort_by is None:
                return self._page(resource_types, start, count, brief=brief)
            found = self._matching(resource_types, scim_filter, brief=brief)
        if search_request.sort_by is not None:
            found = search_request.sort(found)
        return SearchPage(len(found), found[start : None if count is None else start + count])

    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Stores a new resource."""
        password_hash = await self._hash(resource)
        with self._transaction():
            table = self._table(resource_type)
            return self._resource(resource_type, table.get(table.create(_json(resource), _now(), password_hash)))

    async def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Replaces a resource."""
        password_hash = await self._hash(resource)
        ref = str(resource.id)
        with self._transaction():
            table = self._table(resource_type)
            table.update(ref, _json(resource), _now(), password_hash, expected_version)
            return self._resource(resource_type, table.get(ref))

    async def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Removes a resource."""
        with self._transaction():
            self._table(resource_type).delete(resource_id, expected_version)

    # -- reading ----------------------------------------------------------------------------------------------

    def _table(self, resource_type: ResourceType) -> Table:
        return self._tables[str(resource_type.name)]

    def _page(self, resource_types: list[ResourceType], start: int, count: int | None, *, brief: bool) -> SearchPage:
        total, found = 0, list[Resource[Any]]()
        for resource_type in resource_types:
            table = self._table(resource_type)
            there = table.count()
            wanted = there if count is None else count - len(found)
            rows = table.page(max(0, start - total), max(0, wanted), brief=brief)
            found += [self._resource(resource_type, row) for row in rows]
            total += there
        return SearchPage(total, found)

    def _matching(
        self, resource_types: list[ResourceType], scim_filter: ScimFilter[Any] | None, *, brief: bool
    ) -> list[Resource[Any]]:
        candidates: list[Resource[Any]] = []
        for resource_type in resource_types:
            table = self._table(resource_type)
            where = condition(scim_filter, table.columns) if scim_filter is not None else None
            candidates += [self._resource(resource_type, row) for row in table.matching(where, brief=brief)]
        if scim_filter is None or not candidates:
            return candidates
        if not scim_filter.models:
            models = tuple(dict.fromkeys(type(resource) for resource in candidates))
            scim_filter = parametrize(ScimFilter, Union[models])(str(scim_filter))  # noqa: UP007 -- made at run time
        return [resource for resource in candidates if scim_filter.match(resource)]

    def _resource(self, resource_type: ResourceType, stored: Json) -> Resource[Any]:
        model = cast("type[Resource[Any]]", self._provider.model_for(resource_type))
        stored["meta"]["resourceType"] = resource_type.name
        return model.model_validate(stored)

    # -- writing ----------------------------------------------------------------------------------------------

    async def _hash(self, resource: Resource[Any]) -> str | None:
        password = getattr(resource, "password", None)
        if not (password and self._hash_passwords):
            return None
        # In a thread: it takes some 28 ms, in which others can be served.
        hashes = await asyncio.to_thread(self._hasher.hash_all, {"": Secret(password)})
        return hashes[""]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._explained("written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(SqliteError):  # SQLite has rolled back by itself, or cannot: the next opening does
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        with explained(self._path, doing):
            try:
                yield
            except UnicodeEncodeError:
                raise InvalidValueException(detail="a value has characters that cannot be stored") from None


def _json(resource: Resource[Any]) -> Json:
    dumped: Json = resource.model_dump(mode="json")
    return dumped


def _user_schemas(provider: ScimProvider) -> Iterator[Json]:
    """The schema of users, then those of their extensions."""
    schemas = {schema.id: schema for schema in provider.schemas}
    for resource_type in provider.resource_types:
        if resource_type.name == "User":
            extensions = [str(extension.schema_) for extension in resource_type.schema_extensions or ()]
            for urn in (str(resource_type.schema_), *extensions):
                yield schemas[urn].model_dump(mode="json")


def _without_members(parameters: ResponseParameters[Any] | None) -> bool:
    """Whether the answer has no members, so that those of large groups need not be read."""
    if parameters is None:
        return False
    if parameters.attributes:
        return not any("member" in str(path).lower() for path in parameters.attributes)
    return any(str(path).lower().endswith("members") for path in parameters.excluded_attributes or ())


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()
