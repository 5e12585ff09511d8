"""The mini portal on `RestBackend`, as a team would write it from docs/rest.md."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from musterroll import Desired, Existing, Group, Matching, Secret, UserBackendType, hookimpl
from musterroll_http import Paging, RestBackend, RestOptions, quoted
from musterroll_simple import with_parents

from .plain import body, existing

PAGED = Paging(by="offset", size=500, size_param="max", start_param="first")


class Mini(RestBackend):
    kind = "mini"
    stores_key = True
    nested_groups = True
    matching = Matching.CASE

    async def users(self) -> AsyncIterator[Existing]:
        async for user in self.pages("/users", paging=PAGED):
            yield existing(user)

    async def get_user(self, ref: str) -> Existing:
        return existing(await self.ask("GET", f"/users/{quoted(ref)}"))

    async def find_user(self, field: str, value: str) -> list[Existing]:
        return [existing(user) for user in await self.ask("GET", "/search", params={"field": field, "value": value})]

    async def create_user(self, user: Desired, password: Secret | None, key: str) -> str:
        secret = {"password": password.reveal()} if password else {}
        made = {**body({**user.fields, "username": user.username}, musterroll=key), **secret}
        return str((await self.ask("POST", "/users", made, hide=[password]))["id"])

    async def update_user(self, ref: str, changes: Mapping[str, str | None]) -> None:
        await self.ask("PUT", f"/users/{quoted(ref)}", body(changes))

    async def set_password(self, ref: str, password: Secret) -> None:
        await self.ask("PUT", f"/users/{quoted(ref)}", {"password": password.reveal()}, hide=[password])

    async def set_active(self, ref: str, active: bool) -> None:
        await self.ask("PUT", f"/users/{quoted(ref)}", {"enabled": active})

    async def delete_user(self, ref: str) -> None:
        await self.ask("DELETE", f"/users/{quoted(ref)}")

    async def list_groups(self) -> list[Group]:
        shown = [one async for one in self.pages("/groups", paging=PAGED)]
        groups = [(Group(ref=one["id"], path=(one["name"],), key=one["key"]), one["parent"]) for one in shown]
        return list(with_parents(groups))

    async def create_group(self, name: str, parent: str | None, key: str) -> str:
        return str((await self.ask("POST", "/groups", {"name": name, "parent": parent, "key": key}))["id"])

    async def add_member(self, group: str, user: str) -> None:
        await self.ask("PUT", f"/groups/{quoted(group)}/members/{quoted(user)}")

    async def remove_member(self, group: str, user: str) -> None:
        await self.ask("DELETE", f"/groups/{quoted(group)}/members/{quoted(user)}")

    async def delete_group(self, ref: str) -> None:
        await self.ask("DELETE", f"/groups/{quoted(ref)}")


@hookimpl
def musterroll_user_backends() -> list[UserBackendType[RestOptions]]:
    return [UserBackendType(name="mini", summary="The mini portal", options=RestOptions, build=Mini)]
