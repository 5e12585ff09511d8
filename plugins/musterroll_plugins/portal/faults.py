"""Misbehaviour on request: an ASGI application around the portal."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, TypeAlias

from musterroll_plugins.portal.settings import FaultSetting, Kind

Scope: TypeAlias = dict[str, Any]
Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_DISCOVERY = ("serviceproviderconfig", "schemas", "resourcetypes")
_WRITING = ("POST", "PUT", "PATCH", "DELETE")


class Faulty:
    """An application that misbehaves now and then.

    Args:
        application: the good one.
        faults: what goes wrong, and how often.
        drop: drops the connection of a scope.
        retry_after: the seconds that a 429 or 503 asks to wait for.
        latency: the seconds before each answer.
        discovery: whether the endpoints that say what the portal can do misbehave as well.
        seed: for the same misbehaviour every time.
        verbose: whether to tell of every request on standard error.
    """

    def __init__(
        self,
        application: Application,
        faults: Sequence[FaultSetting] = (),
        *,
        drop: Callable[[Mapping[str, Any]], None],
        retry_after: int = 1,
        latency: float = 0.0,
        discovery: bool = False,
        seed: int | None = None,
        verbose: bool = False,
    ) -> None:
        self._application, self._faults, self._drop = application, tuple(faults), drop
        self._retry_after, self._latency, self._discovery = retry_after, latency, discovery
        self._random = random.Random(seed)  # noqa: S311 -- nothing to guess
        self._verbose = verbose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request, or does not."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        begun = time.perf_counter()
        # Drawn before anything is awaited, so that a seed gives the same faults to the same order of requests.
        fault = self._draw(scope)
        status: list[object] = []

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        if self._latency:
            await asyncio.sleep(self._latency)
        try:
            if fault is None:
                await self._application(scope, receive, watched)
            elif fault.after_commit:
                await self._commit_and_fail(fault, scope, receive, watched)
            else:
                await self._fail(fault, scope, receive, watched)
        finally:
            if self._verbose:
                because = f" ({fault}, on request)" if fault else ""
                spent = round((time.perf_counter() - begun) * 1000)
                outcome = status[0] if status else "no answer"
                print(f"{scope['method']} {scope['path']}: {outcome}{because}, {spent} ms", file=sys.stderr, flush=True)

    def _draw(self, scope: Scope) -> FaultSetting | None:
        if not self._discovery and scope["path"].rstrip("/").lower().split("/")[-1] in _DISCOVERY:
            return None
        writes = scope["method"] in _WRITING and not scope["path"].endswith("/.search")
        number = self._random.random()
        for fault in self._faults:
            number -= fault.rate
            if number < 0:
                return fault if writes or not fault.after_commit else None
        return None

    async def _commit_and_fail(self, fault: FaultSetting, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the request be carried out and keeps the answer back; what was refused is answered as usual."""
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._application(scope, receive, keep)
        if answer[0]["status"] < 400:
            await self._fail(fault, scope, receive, send)
            return
        for message in answer:
            await send(message)

    async def _fail(self, fault: FaultSetting, scope: Scope, receive: Receive, send: Send) -> None:
        if not fault.after_commit:
            await _drain(receive)
        match fault.kind:
            case Kind.TOO_MANY:
                await send_error(send, 429, "too many requests", (b"retry-after", str(self._retry_after).encode()))
            case Kind.UNAVAILABLE:
                date = formatdate(time.time() + self._retry_after, usegmt=True)
                await send_page(send, 503, ((b"retry-after", date.encode()),))
            case Kind.BROKEN:
                await send_page(send, 500)
            case Kind.TIMEOUT:
                await _gone(receive)
            case Kind.RESET:
                self._drop(scope)
                await _gone(receive)


async def _drain(receive: Receive) -> None:
    """Reads a request to its end: a connection with an unread request cannot be used for another one."""
    while (await receive()).get("more_body"):
        pass


async def _gone(receive: Receive) -> None:
    """Waits until the client has gone: an answer is never given."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_error(
    send: Send, status: int, detail: str, *headers: tuple[bytes, bytes], scim_type: str | None = None
) -> None:
    """Sends an error as SCIM has them."""
    error = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": detail}
    body = json.dumps({**error, "scimType": scim_type} if scim_type else error).encode()
    await _send(send, status, [(b"content-type", b"application/scim+json"), *headers], body)


async def send_page(send: Send, status: int, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Sends the HTML page that web servers show when what is behind them is broken."""
    text = f"{status} {HTTPStatus(status).phrase}"
    page = f"<!DOCTYPE html>\n<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>\n"
    await _send(send, status, [(b"content-type", b"text/html; charset=utf-8"), *headers], page.encode())


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})
