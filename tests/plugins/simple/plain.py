"""The mini portal by plain methods and the standard library, as a team would write it from docs/plugins/backends.md."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from musterroll import Context, Desired, Existing, Group, Options, Secret, UserBackendType, hookimpl
from musterroll_simple import Busy, Gone, Refused, SimpleBackend, Taken, with_parents

NAMES = {"email": "email", "forename": "firstName", "surname": "lastName", "username": "username"}


class MiniOptions(Options):
    url: str
    lag: float = 0.0


def body(fields: Mapping[str, str | None], **more: Any) -> dict[str, Any]:
    named = {NAMES[name]: text for name, text in fields.items() if name in NAMES}
    attributes = {name: text for name, text in fields.items() if name not in NAMES}
    return {**named, "attributes": {**attributes, **more}}


def existing(user: dict[str, Any]) -> Existing:
    attributes = dict(user["attributes"])
    key, groups = attributes.pop("musterroll", None), frozenset(user["groups"])
    fields = {name: user.get(theirs) for name, theirs in NAMES.items() if name != "username"} | attributes
    ref, username, active = user["id"], user["username"], user["enabled"]
    return Existing(ref=ref, username=username, fields=fields, groups=groups, active=active, key=key)


class Mini(SimpleBackend):
    concurrency = 8
    stores_key = True
    nested_groups = True

    def __init__(self, options: MiniOptions, context: Context) -> None:
        super().__init__(options, context)
        self._url, self.lag = options.url, options.lag

    def ask(self, method: str, path: str, data: Any = None) -> Any:
        content, headers = json.dumps(data).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, content if data else None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                words = json.load(error)["error"]
            if error.code in (429, 503):
                raise Busy(float(error.headers["Retry-After"]), words) from None
            raise {404: Gone, 409: Taken}.get(error.code, Refused)(words) from None

    def pages(self, path: str) -> Iterator[Any]:
        first = 0
        while items := self.ask("GET", f"{path}?first={first}&max=500"):
            yield from items
            first += len(items)  # the portal gives fewer than it is asked for

    def identity(self) -> str:
        return f"mini:{self._url}"

    def users(self) -> Iterator[Existing]:
        return map(existing, self.pages("/users"))

    def get_user(self, ref: str) -> Existing:
        return existing(self.ask("GET", f"/users/{quote(ref)}"))

    def create_user(self, user: Desired, password: Secret | None, key: str) -> str:
        secret = {"password": password.reveal()} if password else {}
        fields = {**user.fields, "username": user.username}
        return str(self.ask("POST", "/users", {**body(fields, musterroll=key), **secret})["id"])

    def update_user(self, ref: str, changes: Mapping[str, str | None]) -> None:
        self.ask("PUT", f"/users/{quote(ref)}", body(changes))

    def set_password(self, ref: str, password: Secret) -> None:
        self.ask("PUT", f"/users/{quote(ref)}", {"password": password.reveal()})

    def set_active(self, ref: str, active: bool) -> None:
        self.ask("PUT", f"/users/{quote(ref)}", {"enabled": active})

    def delete_user(self, ref: str) -> None:
        self.ask("DELETE", f"/users/{quote(ref)}")

    def list_groups(self) -> Iterator[Group]:
        shown = self.pages("/groups")
        groups = ((Group(ref=one["id"], path=(one["name"],), key=one["key"]), one["parent"]) for one in shown)
        return with_parents(groups)

    def create_group(self, name: str, parent: str | None, key: str) -> str:
        return str(self.ask("POST", "/groups", {"name": name, "parent": parent, "key": key})["id"])

    def add_member(self, group: str, user: str) -> None:
        self.ask("PUT", f"/groups/{quote(group)}/members/{quote(user)}")

    def remove_member(self, group: str, user: str) -> None:
        self.ask("DELETE", f"/groups/{quote(group)}/members/{quote(user)}")

    def delete_group(self, ref: str) -> None:
        self.ask("DELETE", f"/groups/{quote(ref)}")


@hookimpl
def musterroll_user_backends() -> Iterator[UserBackendType[MiniOptions]]:
    yield UserBackendType(name="mini", summary="The mini portal", options=MiniOptions, build=Mini)
