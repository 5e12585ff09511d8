"""Serving an ASGI application with uvicorn, so that a request's connection can be dropped."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from musterroll import UsageError

_Address = tuple[str, int]


class Connections:
    """The open connections by the client's address, which a request's scope tells."""

    def __init__(self) -> None:
        self._open: dict[_Address, asyncio.Transport] = {}

    def drop(self, scope: Mapping[str, Any]) -> None:
        """Drops the connection of a request: the client sees a reset, and no answer."""
        client = scope.get("client")
        transport = self._open.get((client[0], client[1])) if client else None
        if transport is None:
            return
        opened = transport.get_extra_info("socket")
        if opened is not None:
            # Closing then is a reset, with nothing said before; a struct of two numbers, shorter ones on Windows.
            linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()

    def protocol(self) -> type[H11Protocol]:
        """Returns the protocol that tells of its connections here."""
        opened = self._open

        class Protocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    opened[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    opened.pop(self.client, None)
                super().connection_lost(exc)

        return Protocol


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it is ready, and takes Ctrl-C for a wish and not for a failure."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # The original remembers the signal, to raise it once more when everything is closed.
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """Opens the port, before anything else is done.

    Raises:
        UsageError: it cannot be opened.
    """
    listener: socket.socket | None = None
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # The protocol is named because asyncio looks for it before it sets TCP_NODELAY; without that, every answer
        # takes 40 ms longer.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if sys.platform != "win32":  # where it would let two programs have the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except (OSError, UnicodeError) as error:
        if listener is not None:
            listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"the portal cannot listen at {host}, port {port}: {reason}; try --port 0") from None
    return listener


def serve(application: Any, listener: socket.socket, protocol: type[H11Protocol], on_ready: Callable[[], None]) -> None:
    """Serves until Ctrl-C or a wish to terminate; requests that are under way get a second.

    Args:
        application: the ASGI application.
        listener: from `listen`.
        protocol: from `Connections.protocol`.
        on_ready: called when requests are answered.
    """
    config = uvicorn.Config(
        application,
        http=protocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        log_level="critical",  # it would tell of what is done on request
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        # A look-up by filter has a long address; 64 KiB is the usual end of it.
        h11_max_incomplete_event_size=256 * 1024,
    )
    asyncio.run(_Server(config, on_ready).serve([listener]))
