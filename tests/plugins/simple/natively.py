"""The mini portal by `async def` and aiohttp, found by search where that is good enough to settle what is in doubt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from musterroll import (
    Busy,
    Context,
    Desired,
    Existing,
    Gone,
    Group,
    Matching,
    NoAnswer,
    Refused,
    Secret,
    SimpleBackend,
    Taken,
)
from musterroll_simple import with_parents

from .plain import MiniOptions, body, existing


class Natively(SimpleBackend):
    concurrency = 16
    stores_key = True
    nested_groups = True
    matching = Matching.CASE

    def __init__(self, options: MiniOptions, context: Context) -> None:
        super().__init__(options, context)
        self._url, self.lag = options.url, options.lag
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, method: str, path: str, data: Any = None, **query: str) -> Any:
        self._session = self._session or aiohttp.ClientSession()
        try:
            async with self._session.request(method, self._url + path, json=data, params=query) as answer:
                said = await answer.json()
        except aiohttp.ClientError:
            raise NoAnswer("the line broke") from None
        if answer.status in (429, 503):
            raise Busy(float(answer.headers["Retry-After"]), said["error"])
        if answer.status >= 400:
            raise {404: Gone, 409: Taken}.get(answer.status, Refused)(said["error"])
        return said

    async def pages(self, path: str) -> AsyncIterator[Any]:
        first = 0
        while items := await self.ask("GET", path, first=str(first), max="500"):
            for item in items:
                yield item
            first += len(items)

    async def closing(self) -> None:
        if self._session is not None:
            await self._session.close()

    def identity(self) -> str:
        return f"mini:{self._url}"

    async def users(self) -> AsyncIterator[Existing]:
        async for user in self.pages("/users"):
            yield existing(user)

    async def get_user(self, ref: str) -> Existing:
        return existing(await self.ask("GET", f"/users/{ref}"))

    async def find_user(self, field: str, value: str) -> list[Existing]:
        return [existing(user) for user in await self.ask("GET", "/search", field=field, value=value)]

    async def create_user(self, user: Desired, password: Secret | None, key: str) -> str:
        secret = {"password": password.reveal()} if password else {}
        fields = {**user.fields, "username": user.username}
        return str((await self.ask("POST", "/users", {**body(fields, musterroll=key), **secret}))["id"])

    async def update_user(self, ref: str, changes: Mapping[str, str | None]) -> None:
        await self.ask("PUT", f"/users/{ref}", body(changes))

    async def set_password(self, ref: str, password: Secret) -> None:
        await self.ask("PUT", f"/users/{ref}", {"password": password.reveal()})

    async def set_active(self, ref: str, active: bool) -> None:
        await self.ask("PUT", f"/users/{ref}", {"enabled": active})

    async def delete_user(self, ref: str) -> None:
        await self.ask("DELETE", f"/users/{ref}")

    async def list_groups(self) -> list[Group]:
        shown = [one async for one in self.pages("/groups")]
        groups = [(Group(ref=one["id"], path=(one["name"],), key=one["key"]), one["parent"]) for one in shown]
        return list(with_parents(groups))

    async def create_group(self, name: str, parent: str | None, key: str) -> str:
        return str((await self.ask("POST", "/groups", {"name": name, "parent": parent, "key": key}))["id"])

    async def add_member(self, group: str, user: str) -> None:
        await self.ask("PUT", f"/groups/{group}/members/{user}")

    async def remove_member(self, group: str, user: str) -> None:
        await self.ask("DELETE", f"/groups/{group}/members/{user}")

    async def delete_group(self, ref: str) -> None:
        await self.ask("DELETE", f"/groups/{ref}")
