"""What is looked at before the portal sees a request: whom it is meant for, what it says to bring, and how much.

The portal stands over somebody's directory on a computer with a web browser. A page in that browser can send forms
anywhere, and, with a name of its own that leads to this computer, whatever it likes. Neither gets in here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Collection, Iterable

from musterroll_plugins.portal.faults import Application, Message, Receive, Scope, Send, send_error
from musterroll_plugins.portal.settings import is_loopback

MOST_BYTES = 16 * 1024 * 1024
"""A larger body is refused."""

_BODY_SECONDS = 60.0
_CONTENT_TYPES = (b"application/scim+json", b"application/json")
_CLOSE = (b"connection", b"close")
_OURS = ("localhost", "127.0.0.1", "[::1]")


class Guard:
    """An application that lets through what may be meant for the portal.

    Args:
        application: the portal.
        names: the names of the host that requests may be sent to, see `names_of`.
        port: where the portal listens.
        any_address: whether every IP address is a name of the host. A page has no such name that leads elsewhere.
        most_bytes: a larger body is refused.
    """

    def __init__(
        self,
        application: Application,
        names: Collection[str],
        port: int,
        *,
        any_address: bool = False,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._application, self._port, self._any_address, self._most = application, port, any_address, most_bytes
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request, or refuses it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._is_ours(hosts[0].decode("latin-1")):
            await send_error(send, 421, "the portal does not answer to this Host; use the address that it printed")
            return
        try:
            body = await asyncio.wait_for(self._body(receive), _BODY_SECONDS)
        except TimeoutError:
            await send_error(send, 408, "the request did not come to its end", _CLOSE)
            return
        if body is None:
            await send_error(send, 413, f"the request is larger than {self._most} bytes", _CLOSE)
        elif body and not _has_json(scope["headers"]):
            await send_error(send, 415, "the Content-Type must be application/scim+json or application/json")
        elif not _is_readable(body):
            await send_error(send, 400, "the request is no JSON that can be read", scim_type="invalidSyntax")
        else:
            await self._application(scope, _again(body, receive), send)

    def _is_ours(self, host: str) -> bool:
        name, colon, port = host.rpartition(":")
        if not colon or name.count("[") != name.count("]"):
            name, port = host, "80"
        if port != str(self._port):
            return False
        return name.lower() in self._names or (self._any_address and _is_address(name))

    async def _body(self, receive: Receive) -> bytes | None:
        """Reads the body; None where it is too large. All of it is taken in: else nobody would read the answer."""
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                break
            part, more = bytes(message.get("body", b"")), bool(message.get("more_body", False))
            size += len(part)
            if size <= self._most:
                parts.append(part)
            elif size > 4 * self._most:
                break
        return b"".join(parts) if size <= self._most else None


def names_of(host: str) -> tuple[str, ...]:
    """Returns by what names a portal can be asked that listens at an address."""
    bound = f"[{host}]" if ":" in host and not host.startswith("[") else host
    names = (*_OURS, bound)
    if is_loopback(host):
        return names
    return (*names, socket.gethostname(), socket.getfqdn())


def is_any_address(host: str) -> bool:
    """Whether somebody listens at all addresses of this computer, each of which is a name of it."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _has_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    kinds = [value.partition(b";")[0].strip().lower() for name, value in headers if name == b"content-type"]
    return len(kinds) == 1 and kinds[0] in _CONTENT_TYPES


def _is_readable(body: bytes) -> bool:
    """Whether what reads it next can do so: not what is nested a thousand times, or a number of a million digits."""
    try:
        json.loads(body or b"null")
    except (ValueError, RecursionError):
        return False
    return True


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body in one piece, and then what comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return waiting.pop() if waiting else await receive()

    return give
