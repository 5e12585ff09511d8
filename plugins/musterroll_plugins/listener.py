"""Listening at a port, and serving there quietly: for the commands that are servers."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from musterroll import UsageError


class QuietServer(uvicorn.Server):
    """uvicorn's server, which tells when it is ready, and takes Ctrl-C for a wish and not for a failure."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, and tells."""
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends; at the second Ctrl-C at once."""
        # The original remembers the signal, to raise it once more when everything is closed.
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def listen(host: str, port: int, who: str) -> socket.socket:
    """Opens the port, before anything else is done.

    Args:
        host: the address.
        port: the port; 0 for a free one.
        who: listens, for the message, e.g. `the portal`.

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
        raise UsageError(f"{who} cannot listen at {host}, port {port}: {reason}; try --port 0") from None
    return listener
