"""Servers that answer what no server should: raw sockets in an event loop of their own."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from musterroll_http import Pump
from support.certificates import Certificate

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Hostile:
    """A server at work.

    Attributes:
        port: where.
        calls: how many connections there were.
    """

    port: int = 0
    calls: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def hostile(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[Hostile]:
    """Runs one.

    Args:
        talk: called for each connection; when it is over, so is the connection.
        tls: encrypts the line.
    """
    running, pump = Hostile(), Pump("hostile-server")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.calls += 1
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.transport.abort()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)

    server = pump.call(start)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        pump.call(_ended, server)
        pump.close()


@contextmanager
def wants_a_certificate(certificate: Certificate, version: ssl.TLSVersion) -> Iterator[Hostile]:
    """Runs a server that wants to see a certificate, and says so in TLS as asyncio does not."""
    context = certificate.server_context
    context.verify_mode, context.maximum_version = ssl.CERT_REQUIRED, version
    running, ended = Hostile(), threading.Event()

    def serve(listening: socket.socket) -> None:
        while not ended.is_set():
            with suppress(OSError), listening.accept()[0] as calling, calling.dup() as raw:
                running.calls += 1
                with suppress(ssl.SSLError):
                    context.wrap_socket(calling, server_side=True)
                # What the client still sends is taken in: else the line would be reset before it has read the reason.
                raw.shutdown(socket.SHUT_WR)
                raw.settimeout(2)
                while raw.recv(4096):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        running.port = listening.getsockname()[1]
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield running
        finally:
            ended.set()
            thread.join()


async def _ended(server: asyncio.Server) -> None:
    server.close()
    await asyncio.sleep(0.01)  # who was let in at the last moment is served, or nobody would close that line


@asynccontextmanager
async def request(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Reads one request, body and all."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    body = await reader.readexactly(int(length[0])) if length else b""
    yield head + body


def routes(answers: Mapping[str, bytes | Callable[[bytes], bytes]]) -> Talk:
    """Answers by the beginning of the request, e.g. `POST /Users`; the longest that fits counts.

    Args:
        answers: a whole answer, or what makes one of the request.
    """

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with request(reader) as got:
                fitting = [start for start in answers if got.startswith(start.encode())]
                chosen = answers[max(fitting, key=len)] if fitting else answer(b"{}", status="404 Not Found")
                await _write(writer, chosen if isinstance(chosen, bytes) else chosen(got), 0)

    return talk


def says(*parts: bytes, every: float = 0.0, again: bool = False) -> Talk:
    """Answers each request with these parts, one after the other.

    Args:
        parts: of the answer.
        every: so many seconds between them.
        again: the last part comes again and again, without end.
    """

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with request(reader):
                for part in parts:
                    await _write(writer, part, every)
                while again:
                    await _write(writer, parts[-1], every)

    return talk


async def _write(writer: asyncio.StreamWriter, part: bytes, every: float) -> None:
    writer.write(part)
    await writer.drain()
    await asyncio.sleep(every)


def answer(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/scim+json") -> bytes:
    """Makes a whole answer of HTTP."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
