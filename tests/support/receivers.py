"""A real receiver of webhooks, aiohttp, that answers as a test wants."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from musterroll_http import Pump


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def key(self) -> str:
        """Which message it is about."""
        return self.headers["idempotency-key"]

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        assert self.headers["content-type"] == "application/x-www-form-urlencoded"
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


@dataclass(frozen=True)
class Answer:
    """What is said. Status 0 breaks the line, and -1 says nothing for a while."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass
class Receiver:
    """A receiver on this machine."""

    url: str = ""
    answer: Callable[[Request], Answer] = lambda request: Answer()
    requests: list[Request] = field(default_factory=list)
    most_at_once: int = 0
    latency: float = 0.0
    _at_once: int = 0

    @property
    def keys(self) -> list[str]:
        """Which messages arrived, in order."""
        return [request.key for request in self.requests]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        arrived = Request(request.method, headers, await request.read(), request.path_qs)
        self.requests.append(arrived)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(self.latency)
            answer = self.answer(arrived)
            if answer.status == -1:
                await asyncio.sleep(20)
            if answer.status <= 0:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            return web.Response(
                status=answer.status, text=answer.body, headers=answer.headers, content_type=answer.content_type
            )
        finally:
            self._at_once -= 1


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Runs one."""
    running = Receiver()
    pump = Pump("receiver")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", running.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        return int(runner.addresses[0][1])

    running.url = f"{'https' if tls else 'http'}://127.0.0.1:{pump.call(start)}/hook"
    try:
        yield running
    finally:
        pump.call(runner.cleanup)
        pump.close()


def script(*answers: Answer) -> Callable[[Request], Answer]:
    """Says these one after the other, and then 200."""
    left = list(answers)
    return lambda request: left.pop(0) if left else Answer()
