"""A real SCIM server for tests: scim2-server under uvicorn, with faults where a test asks for them."""

from __future__ import annotations

import asyncio
import functools
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import uvicorn
from scim2_models import ResourceType, Schema, ScimProvider, ServiceProviderConfig
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.memory import AsyncInMemoryStorage
from scim2_server.utils import (
    load_default_provider,
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_PATIENCE_SECONDS = 40.0


@dataclass
class Faults:
    """What goes wrong in a portal; a share is a probability for each request.

    Attributes:
        busy: the share that is answered with 429.
        retry_after: the header that comes with it; `date` for a date one second ahead.
        reset_after: the share of writes after which the line breaks, when they are done.
        reset_before: the share of writes before which it breaks.
        busy_after: the share of writes that are answered with 503 when they are done, or with another `status_after`.
        ignore_filters: filters are taken and not obeyed.
        ignore_paging: every page is the first one.
        dead: the line breaks before anything is done.
        duplicate_status: what is said to a duplicate.
        latency: in seconds.
        page_limit: more than so many are never shown at once.
        statuses: answers that come instead, by method and beginning of the path, e.g. `("PATCH", "/Users")`.
        html: these answers are web pages.
        random: decides.
        seen: the requests, as `GET /Users`.
        bodies: what was sent with them.
        tokens: the Authorization headers that are let in; everybody where there are none.
        token_service: what POST /token gives, one after the other.
        hidden: the names of users whom it does not show, as many do not who are not active.
        echo: errors repeat what was sent, and the Authorization header.
        before: what happens before a request is looked at, by method and path.
        happened: how often there was which fault.
    """

    busy: float = 0.0
    retry_after: str | None = "1"
    reset_after: float = 0.0
    reset_before: float = 0.0
    busy_after: float = 0.0
    status_after: int = 503
    ignore_filters: bool = False
    ignore_paging: bool = False
    dead: bool = False
    duplicate_status: int | None = None
    latency: float = 0.0
    page_limit: int | None = None
    statuses: dict[tuple[str, str], int] = field(default_factory=dict)
    html: bool = False
    random: random.Random = field(default_factory=lambda: random.Random(7))
    seen: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    token_service: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    echo: bool = False
    before: Callable[[str, str], object] = lambda method, path: None
    happened: Counter[str] = field(default_factory=Counter)

    def writes(self) -> list[str]:
        """The requests that change something."""
        return [request for request in self.seen if not request.startswith("GET")]


_provider = functools.cache(load_default_provider)


def provider(change: Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object]) -> ScimProvider:
    """Describes another portal.

    Args:
        change: gets the configuration, and the schemas and resource types by id, as JSON, and changes them.
    """
    config = load_default_service_provider_config().model_dump()
    schemas = {urn: schema.model_dump() for urn, schema in load_default_schemas().items()}
    kinds = {name: kind.model_dump() for name, kind in load_default_resource_types().items()}
    change(config, schemas, kinds)
    return ScimProvider.from_discovery(
        [Schema.model_validate(schema) for schema in schemas.values()],
        [ResourceType.model_validate(kind) for kind in kinds.values()],
        config=ServiceProviderConfig.model_validate(config),
    )


def attribute(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns the definition of an attribute."""
    return next(one for one in schema["attributes"] if one["name"] == name)


class Portal:
    """One portal of a `Server`: users and groups of its own."""

    def __init__(self, url: str, provider: ScimProvider | None = None) -> None:
        self.url = url
        self.faults = Faults()
        self.most_at_once = self._at_once = self.longest_url = 0
        self.provider = provider or _provider()
        self.storage = AsyncInMemoryStorage()
        self._app = ASGIApplication(self.storage, self.provider)

    def users(self) -> list[Any]:
        """The stored users."""
        return [resource for resource in self.storage.resources if type(resource).__name__.startswith("User")]

    def groups(self) -> list[Any]:
        """The stored groups."""
        return [resource for resource in self.storage.resources if type(resource).__name__.startswith("Group")]

    def register(self, **attributes: Any) -> Any:
        """Stores a user as somebody else would; returns the stored one."""
        return self._store("User", attributes)

    def register_group(self, **attributes: Any) -> Any:
        """Stores a group as somebody else would; returns the stored one."""
        return self._store("Group", attributes)

    def _store(self, name: str, attributes: dict[str, Any]) -> Any:
        kind = next(kind for kind in self.provider.resource_types if kind.name == name)
        model: Any = self.provider.model_for(kind)
        return self.storage.storage.create(kind, model.model_validate(attributes))

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or does not."""
        faults = self.faults
        method, path = str(scope["method"]), str(scope["path"]).removeprefix(scope["root_path"]).removeprefix("/v2")
        faults.seen.append(f"{method} /{path.lstrip('/').partition('/')[0]}")
        length = len(self.url) + len(path) + len(scope["query_string"]) + 1
        self.longest_url = max(self.longest_url, length)
        body = await _body(receive)
        faults.bodies.append(body)
        if path == "/token" and faults.token_service:
            token = {"access_token": faults.token_service.pop(0), "token_type": "bearer", "expires_in": 3600}
            await _answer(send, 200, json.dumps(token).encode())
            return
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if faults.latency:
                await asyncio.sleep(faults.latency)
            await self._serve(scope, receive, send, body, method, path)
        finally:
            self._at_once -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send, body: bytes, method: str, path: str) -> None:
        faults = self.faults
        faults.before(method, path)
        if faults.dead:
            _reset(receive)
            return
        if faults.tokens and dict(scope["headers"]).get(b"authorization", b"").decode() not in faults.tokens:
            await _answer(send, 401, b'{"detail": "who are you?"}')
            return
        if faults.random.random() < faults.busy:
            faults.happened["busy"] += 1
            await _answer(send, 429, b"", {"Retry-After": _retry_after(faults.retry_after)})
            return
        for (verb, start), status in faults.statuses.items():
            if method == verb and path.startswith(start):
                sent = json.dumps(
                    {"detail": f"{body.decode()} {dict(scope['headers']).get(b'authorization', b'').decode()}"}
                )
                text = sent if faults.echo else "<!doctype html><p>Sorry" if faults.html else "{}"
                await _answer(send, status, text.encode(), html=faults.html)
                return
        writes = method != "GET"
        if writes and faults.random.random() < faults.reset_before:
            _reset(receive)
            return
        if faults.ignore_filters or faults.page_limit or faults.ignore_paging:
            scope = {**scope, "query_string": self._query(scope["query_string"])}
        started: dict[str, Any] = {}

        async def keep(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
                return
            status = started["status"]
            if writes and faults.random.random() < faults.reset_after:
                faults.happened["reset_after"] += 1
                _reset(receive)
            elif writes and faults.random.random() < faults.busy_after:
                faults.happened["busy_after"] += 1
                await _answer(send, faults.status_after, b"", {"Retry-After": "0"})
            elif status == 409 and faults.duplicate_status is not None:
                faults.happened["duplicate"] += 1
                await _answer(send, faults.duplicate_status, b"<html>Oops</html>", html=True)
            elif faults.hidden and method == "GET" and path.startswith("/Users"):
                shown = _shown(json.loads(message["body"]), faults.hidden)
                await _answer(send, 404 if shown is None else status, json.dumps(shown or {}).encode())
            else:
                await send(started)
                await send(message)

        async def give() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, give, keep)

    def _query(self, query: bytes) -> bytes:
        parts = [part for part in query.split(b"&") if part]
        if self.faults.ignore_filters:
            self.faults.happened["ignored filter"] += any(part.startswith(b"filter=") for part in parts)
            parts = [part for part in parts if not part.startswith(b"filter=")]
        if self.faults.ignore_paging:
            parts = [part for part in parts if not part.startswith(b"startIndex=")]
        if self.faults.page_limit:
            parts = [part for part in parts if not part.startswith(b"count=")]
            parts.append(b"count=%d" % self.faults.page_limit)
        return b"&".join(parts)


def _shown(answer: dict[str, Any], hidden: set[str]) -> dict[str, Any] | None:
    """Takes users out of an answer; None where nothing is left of it."""
    if "Resources" not in answer:
        return None if answer.get("userName") in hidden else answer
    users = [user for user in answer["Resources"] if user["userName"] not in hidden]
    gone = len(answer["Resources"]) - len(users)
    return {**answer, "Resources": users, "totalResults": answer["totalResults"] - gone, "itemsPerPage": len(users)}


class Server:
    """uvicorn in a thread; the first part of the path says which portal is meant."""

    def __init__(self, **options: Any) -> None:
        self._portals: dict[str, Portal] = {}
        # Named as TCP, as asyncio turns Nagle's delay of 40 ms off for those only.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.scheme = "https" if "ssl_certfile" in options else "http"
        config = uvicorn.Config(
            self._serve, interface="asgi3", log_level="critical", lifespan="off", ws="none", access_log=False, **options
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        wait_until(lambda: self._server.started)

    def portal(self, name: str, provider: ScimProvider | None = None) -> Portal:
        """Returns the portal of a name; an empty one where it is new."""
        if name not in self._portals:
            self._portals[name] = Portal(f"{self.scheme}://127.0.0.1:{self.port}/{name}/v2", provider)
        return self._portals[name]

    def stop(self) -> None:
        """Ends it."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._serve_until_stopped())

    async def _serve_until_stopped(self) -> None:
        await self._server.serve(sockets=[self._socket])
        await asyncio.sleep(0.01)  # until those are known who were let in at the last moment
        for connection in list(self._server.server_state.connections):  # left open, as it was forced to end
            connection.transport.abort()
        await asyncio.sleep(0.01)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = str(scope["path"]).split("/")[1]
        portal = self._portals.get(name)
        if portal is None:
            await _answer(send, 404, b"<html><title>Not here</title></html>", html=True)
            return
        await portal.serve({**scope, "root_path": f"/{name}"}, receive, send)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _answer(
    send: Send, status: int, body: bytes, headers: dict[str, str] | None = None, *, html: bool = False
) -> None:
    kind = "text/html" if html else "application/scim+json"
    every = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
    listed = [(name.encode(), value.encode()) for name, value in every.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def _retry_after(wanted: str | None) -> str:
    if wanted == "date":
        return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    return wanted or ""


def _reset(receive: Receive) -> None:
    """Breaks the line off; uvicorn offers no other way."""
    receive.__self__.transport.abort()  # type: ignore[attr-defined]


def free_port() -> int:
    """Returns a port that nobody listens at."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def wait_until(ready: Callable[[], bool]) -> None:
    """Waits until something is so."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while not ready():
        assert time.monotonic() < end, "it does not start"
        time.sleep(0.02)
