"""What is looked at before a page sees a request, and what every answer says to the browser."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any, TypeAlias

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # the one-time address stays here; `no-referrer` would hide the Origin as well
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_HSTS = "max-age=31536000"
_SAFE = ("GET", "HEAD")
_DRAINED = 4  # times the largest body: who sends more does not hear why it is refused


class Guard:
    """An application that lets through what is meant for this server, is not too large, and comes from its own pages.

    Args:
        application: the pages.
        hosts: the names with port by which it can be asked.
        most_bytes: the largest body.
        is_https: whether people come by HTTPS.
    """

    def __init__(self, application: Application, hosts: Collection[str], most_bytes: int, *, is_https: bool) -> None:
        self._application, self._most = application, most_bytes
        self._hosts = frozenset(host.lower() for host in hosts)
        scheme = "https" if is_https else "http"
        self._origins = frozenset(f"{scheme}://{host}" for host in self._hosts)
        self._headers = {**HEADERS, **({"strict-transport-security": _HSTS} if is_https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request, or refuses it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        is_gone = False

        async def receive_until_gone() -> Message:
            nonlocal is_gone
            message = await receive()
            is_gone = is_gone or message["type"] == "http.disconnect"
            return message

        async def answer(message: Message) -> None:
            if is_gone:  # nobody hears it; what was no HTTP has its answer
                return
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if (refusal := self._refusal(scope)) is not None:
            await refusal(scope, receive, answer)
            return
        await self._application(scope, self._limited(receive_until_gone), answer)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return PlainTextResponse("This server does not answer to that name.", 421)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:20]) > _DRAINED * self._most:
            return PlainTextResponse("The request is too large.", 413, {"connection": "close"})
        if scope["method"] not in _SAFE and not self._is_from_here(headers):
            return PlainTextResponse("The form was sent from another site.", 403)
        return None

    def _is_from_here(self, headers: Headers) -> bool:
        """Whether a browser says that a page of ours sends it; programs say nothing."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and origin.lower() not in self._origins:
            return False
        return site in (None, "same-origin", "none")

    def _limited(self, receive: Receive) -> Receive:
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size <= self._most:
                return message
            while message.get("more_body") and size <= _DRAINED * self._most:  # or nobody would read the answer
                message = await receive()
                size += len(message.get("body", b""))
            raise HTTPException(413)

        return limited
