"""Plain blocking methods on `SimpleBackend` against a bare aiohttp loop: creating users in a portal over HTTP.

    python benchmarks/simple.py [USERS] [MILLISECONDS]

The portal is a small aiohttp server in a process of its own that takes so many milliseconds for each request, as
portals do over a network. Both have 16 requests in flight; the blocking methods use http.client, a connection a thread.
Only the ratio counts; the goal is 50 %.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import aiohttp

from musterroll import CreateUser, Desired, Existing, Options, Secret, SimpleBackend, Status
from musterroll.testing import make_context

CONCURRENCY = 16
SERVER = """
import asyncio, itertools, sys
from aiohttp import web
ids, latency = itertools.count(), float(sys.argv[1]) / 1000

async def create(request):
    await request.json()
    await asyncio.sleep(latency)
    return web.json_response({"id": str(next(ids))}, status=201)

async def main():
    app = web.Application()
    app.router.add_post("/users", create)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


def body(number: int) -> dict[str, str]:
    """What is sent for one user."""
    return {"username": f"user{number}", "email": f"user{number}@example.com", "forename": "Ana", "surname": "Silva"}


async def bare(url: str, count: int) -> None:
    """The same requests, and nothing else."""
    numbers = iter(range(count))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def worker() -> None:
            for number in numbers:
                async with session.post(f"{url}/users", json=body(number)) as answer:
                    assert (await answer.json())["id"]

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


class Blocking(SimpleBackend):
    """A portal by blocking code, as a team would write it."""

    concurrency = CONCURRENCY

    def __init__(self, url: str) -> None:
        super().__init__(Options(), make_context(read_only=False))
        self._host, self._local = urlsplit(url).netloc, threading.local()

    def identity(self) -> str:
        """Which portal."""
        return "benchmark"

    def users(self) -> Iterable[Existing]:
        """Nobody is there."""
        return ()

    def create_user(self, user: Desired, password: Secret | None, key: str) -> str:
        """Creates one."""
        if not hasattr(self._local, "line"):
            self._local.line = http.client.HTTPConnection(self._host, timeout=30)
        line: http.client.HTTPConnection = self._local.line
        content = json.dumps({"username": user.username, **user.fields})
        line.request("POST", "/users", content, {"Content-Type": "application/json"})
        return str(json.load(line.getresponse())["id"])


def blocking(url: str, count: int) -> None:
    """The same through the backend."""
    backend = Blocking(url)
    users = (Desired(username=body(number).pop("username"), fields=body(number)) for number in range(count))
    ops = (CreateUser(id=str(number), user=user) for number, user in enumerate(users))
    assert {result.status for result in backend.execute(ops)} == {Status.DONE}
    backend.close()


def main() -> None:
    """Prints users a second, and the ratio."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    latency = sys.argv[2] if len(sys.argv) > 2 else "10"
    server = subprocess.Popen([sys.executable, "-c", SERVER, latency], stdout=subprocess.PIPE, text=True)  # noqa: S603 -- ours
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    try:
        rates = []
        works: tuple[tuple[str, Callable[[], object]], ...] = (
            ("bare aiohttp loop", lambda: asyncio.run(bare(url, count))),
            ("blocking methods", lambda: blocking(url, count)),
        )
        for name, work in works:
            started = time.perf_counter()
            work()
            rates.append(count / (time.perf_counter() - started))
            print(f"{name:20} {rates[-1]:8.0f} users/s")
        print(f"{'ratio':20} {rates[1] / rates[0]:8.0%}")
    finally:
        server.kill()


if __name__ == "__main__":
    main()
