"""Serving an ASGI application with uvicorn, so that a request's connection can be dropped."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from musterroll_plugins.listener import QuietServer

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
    asyncio.run(QuietServer(config, on_ready).serve([listener]))
