"""A small portal of our own, over real HTTP: pages of twenty, lists that lag, and faults where a test asks for them.

GET POST /users?first=&max=      GET PUT DELETE /users/ID      GET /search?field=&value=
GET POST /groups?first=&max=     DELETE /groups/ID             PUT DELETE /groups/ID/members/ID
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from aiohttp import web

from musterroll_http import Pump

Object = dict[str, Any]
_PAGE = 20


@dataclass
class Mini:
    """One portal.

    Attributes:
        lag: so many seconds a change is not shown by lists and searches.
        reset_after: the share of writes after which the line breaks, when they are done.
        busy_after: the share of writes that are answered with 503 when they are done.
        busy: the share of requests that are answered with 429, and not done.
        latency: of every request, in seconds.
        seen: the requests, as `GET /users`.
        keys: what came in the header `X-Api-Key`.
        addresses: the addresses that were asked for, with their queries.
        refuses: users with this in their names are refused, by an error that repeats all that was sent.
        at_once: the most requests that were worked on at the same time.
    """

    url: str = ""
    lag: float = 0.0
    reset_after: float = 0.0
    busy_after: float = 0.0
    busy: float = 0.0
    latency: float = 0.0
    users: dict[str, Object] = field(default_factory=dict)
    groups: dict[str, Object] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    addresses: list[str] = field(default_factory=list)
    refuses: str = ""
    bodies: list[Any] = field(default_factory=list)
    at_once: int = 0
    random: random.Random = field(default_factory=lambda: random.Random(7))
    _now: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self._actions: dict[str, Callable[[str, str, web.Request, Any], Any]] = {
            "users": self._users,
            "groups": self._groups,
            "search": self._search,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        kind, _, rest = request.match_info["path"].partition("/")
        self.seen[f"{request.method} /{kind}"] += 1
        self.keys.add(request.headers.get("X-Api-Key", ""))
        self.addresses.append(str(request.rel_url))
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        try:
            body = await request.json() if request.can_read_body else None
            self.bodies.append(body)
            await asyncio.sleep(self.latency)
            if self.random.random() < self.busy:
                return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": "0.01"})
            if self.refuses and body and self.refuses in str(body.get("username")):
                sent = {"body": body, "headers": dict(request.headers)}
                return web.json_response({"error": f"what is this? {sent}"}, status=400)
            try:
                answer = web.json_response(self._actions[kind](request.method, rest, request, body))
            except web.HTTPException as refused:
                answer = web.json_response({"error": refused.text}, status=refused.status)
            if request.method != "GET" and self.random.random() < self.busy_after:
                return web.json_response({"error": "one moment"}, status=503, headers={"Retry-After": "0.01"})
            if request.method != "GET" and self.random.random() < self.reset_after:
                assert request.transport is not None
                request.transport.abort()
            return answer
        finally:
            self._now -= 1

    # -- users ----------------------------------------------------------------------------------------------

    def _users(self, method: str, ref: str, request: web.Request, body: Any) -> Any:
        if not ref and method == "GET":
            return self._page(self.users, request)
        if not ref:
            self._free(body["username"], "")
            return self._put(self.users, {"enabled": True, "groups": [], "attributes": {}, **body})
        user = self._known(self.users, ref)
        if method == "DELETE":
            del self.users[ref]
        elif method == "PUT":
            if "username" in body:
                self._free(body["username"], ref)
            attributes = {**user["attributes"], **body.get("attributes", {})}
            user |= {**body, "attributes": {name: text for name, text in attributes.items() if text is not None}}
        return _shown(user)

    def _search(self, method: str, rest: str, request: web.Request, body: Any) -> Any:
        name, value = request.query["field"], request.query["value"].casefold()
        return [_shown(user) for user in self._visible(self.users) if (user.get(name) or "").casefold() == value]

    def _free(self, username: str, ref: str) -> None:
        for other in self.users.values():
            if other["username"].casefold() == username.casefold() and other["id"] != ref:
                raise web.HTTPConflict(text="the username exists")

    # -- groups ---------------------------------------------------------------------------------------------

    def _groups(self, method: str, rest: str, request: web.Request, body: Any) -> Any:
        ref, _, member = rest.partition("/members/")
        if not ref and method == "GET":
            return self._page(self.groups, request)
        if not ref:
            if body.get("parent") is not None:
                self._known(self.groups, body["parent"])
            return self._put(self.groups, body)
        group = self._known(self.groups, ref)
        if member:
            user = self._known(self.users, member)
            inside = set(user["groups"]) - {ref}
            user["groups"] = sorted(inside | {ref} if method == "PUT" else inside)
        elif method == "DELETE":
            del self.groups[ref]
        return _shown(group)

    # -- both -----------------------------------------------------------------------------------------------

    def _put(self, kept: dict[str, Object], body: Object) -> Object:
        ref = f"id-{next(self._ids)}"
        kept[ref] = {**body, "id": ref, "shown": time.monotonic() + self.lag}
        return {"id": ref}

    def _known(self, kept: dict[str, Object], ref: str) -> Object:
        if ref not in kept:
            raise web.HTTPNotFound(text="there is no such thing")
        return kept[ref]

    def _visible(self, kept: dict[str, Object]) -> list[Object]:
        return [one for one in kept.values() if one["shown"] <= time.monotonic()]

    def _page(self, kept: dict[str, Object], request: web.Request) -> list[Object]:
        first, most = int(request.query.get("first", 0)), min(_PAGE, int(request.query.get("max", _PAGE)))
        return [_shown(one) for one in self._visible(kept)[first : first + most]]


def _shown(one: Object) -> Object:
    return {name: value for name, value in one.items() if name not in ("shown", "password")}


class Portal(Protocol):
    """What a server can hold."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers a request for `/NAME/PATH`, whose path is in `request.match_info`."""
        ...


P = TypeVar("P", bound=Portal)


class PortalServer(Generic[P]):
    """Portals, by name, in one server."""

    def __init__(self, make: Callable[[str], P]) -> None:
        self._portals: dict[str, P] = {}
        self._make = make
        self._pump = Pump("mini-portal")
        self._runner: web.AppRunner | None = None
        self._address = self._pump.call(self._start)

    def portal(self, name: str) -> P:
        """Returns a portal, and makes it where it is new."""
        if name not in self._portals:
            self._portals[name] = self._make(f"{self._address}/{name}")
        return self._portals[name]

    def stop(self) -> None:
        """Stops the server."""
        assert self._runner is not None
        self._pump.call(self._runner.cleanup)
        self._pump.close()

    async def _start(self) -> str:
        app = web.Application()
        app.router.add_route("*", "/{portal}/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        return await self.portal(request.match_info["portal"]).handle(request)


MiniServer: TypeAlias = PortalServer[Mini]


@contextmanager
def portal_server(make: Callable[[str], P]) -> Iterator[PortalServer[P]]:
    """Runs a server; `make` makes a portal of its address."""
    server = PortalServer(make)
    try:
        yield server
    finally:
        server.stop()


def mini_server() -> AbstractContextManager[MiniServer]:
    """Runs a server of mini portals."""
    return portal_server(lambda url: Mini(url=url))
