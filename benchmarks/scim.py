"""SCIM against a bare aiohttp loop: 2,000 users and 50 nested groups into scim2-server under uvicorn.

    python benchmarks/scim.py [USERS]

The bare loop sends the same requests with the same number in flight, and looks at nothing but the status. Only the
ratios count; all are of one run, each against an empty portal of its own. The goal for the backend is 80 %. A second
run of the same sheet only looks, so it is measured by a bare loop that reads all users and groups.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from musterroll import (
    AddMembers,
    Context,
    CreateGroup,
    CreateUser,
    Desired,
    FieldSet,
    GroupRef,
    Op,
    Result,
    Secret,
    Status,
    UserRef,
)
from musterroll.engine import run as run_pipeline
from musterroll.pipeline.loader import load_pipeline
from musterroll_plugins.backends.scim import ScimOptions, build
from sample_users import PASSWORD, fields, write_sheet

WRITING, READING = "bare aiohttp loop", "bare reading"
CONCURRENCY = 32
REGIONS, TEAMS = 5, 9  # a region and its teams: 5 + 45 groups
BATCH = PAGE = 200
CORE = "urn:ietf:params:scim:schemas:core:2.0"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

SERVER = """
import sys
import uvicorn
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.memory import AsyncInMemoryStorage
from scim2_server.utils import load_default_provider
app = ASGIApplication(AsyncInMemoryStorage(), load_default_provider())
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical", access_log=False)
"""


def team_of(n: int) -> int:
    """The team that a user is in."""
    return n % (REGIONS * TEAMS)


# -- the bare loop ------------------------------------------------------------------------------------------


def body(n: int) -> dict[str, Any]:
    """The request that creates a user."""
    return {
        "schemas": [f"{CORE}:User"],
        "userName": f"user{n}",
        "externalId": f"bare-{n}",
        "active": True,
        "name": {"givenName": "Ana", "familyName": f"Silva {n}"},
        "emails": [{"value": f"user{n}@example.com", "type": "work"}],
        "phoneNumbers": [{"value": f"+44 77{n:08d}", "type": "work"}],
        "password": PASSWORD,
    }


async def at_once(work: Callable[[int], Awaitable[str]], count: int) -> list[str]:
    """Does so many things, with so many in flight as allowed."""
    numbers = iter(range(count))
    done: dict[int, str] = {}

    async def worker() -> None:
        for n in numbers:
            done[n] = await work(n)

    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return [done[n] for n in range(count)]


async def bare(url: str, count: int) -> None:
    """The same requests, and nothing else."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post(path: str, content: dict[str, Any]) -> str:
            async with session.post(url + path, json=content) as answer:
                shown = await answer.json(content_type=None)
                assert answer.status == 201, shown
                return str(shown["id"])

        async def add(group: str, members: Sequence[dict[str, str]]) -> str:
            operation = {"op": "add", "path": "members", "value": members}
            content = {"schemas": [PATCH], "Operations": [operation]}
            async with session.patch(f"{url}/Groups/{group}", json=content) as answer:
                assert answer.status in (200, 204), await answer.text()
                return group

        async def team(n: int) -> str:
            group = await post("/Groups", {"schemas": [f"{CORE}:Group"], "displayName": f"Team {n}"})
            await add(regions[n % REGIONS], [{"value": group, "type": "Group"}])
            return group

        async def region(n: int) -> str:
            return await post("/Groups", {"schemas": [f"{CORE}:Group"], "displayName": f"Region {n}"})

        regions = await at_once(region, REGIONS)
        teams = []
        for start in range(0, REGIONS * TEAMS, REGIONS):  # one child of a region at a time: the server loses others
            teams += await asyncio.gather(*(team(start + n) for n in range(REGIONS)))
        users = await at_once(lambda n: post("/Users", body(n)), count)
        members: list[list[dict[str, str]]] = [[] for _ in teams]
        for n, user in enumerate(users):
            members[team_of(n)].append({"value": user})

        async def fill(n: int) -> str:
            for start in range(0, len(members[n]), BATCH):
                await add(teams[n], members[n][start : start + BATCH])
            return teams[n]

        await at_once(fill, len(teams))


async def bare_reading(url: str, count: int) -> None:
    """Reads all users and groups, page by page."""
    pages = [f"/Users?startIndex={start}&count={PAGE}" for start in range(1, count + 1, PAGE)]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def read(path: str) -> None:
            async with session.get(url + path) as answer:
                assert answer.status == 200
                await answer.json(content_type=None)

        await read(f"/Groups?startIndex=1&count={PAGE}")
        await asyncio.gather(*map(read, pages))


# -- the backend --------------------------------------------------------------------------------------------


def backend(url: str, count: int, **options: Any) -> None:
    """The same through `execute`, as the engine would call it."""
    context = Context(instance="backend", fields=FieldSet([]), read_only=False)
    portal = build(ScimOptions.model_validate({"url": url, "concurrency": CONCURRENCY, **options}), context)

    def perform(ops: Sequence[Op]) -> dict[str, Result]:
        results = {result.op: result for result in portal.execute(iter(ops))}
        assert all(result.status is Status.DONE for result in results.values()), list(results.values())[:3]
        return results

    try:
        regions = [CreateGroup(id=f"r{n}", path=(f"Region {n}",), parent=None) for n in range(REGIONS)]
        made = perform(regions)
        above = [GroupRef(str(made[op.id].ref), op.path) for op in regions]
        teams = [
            CreateGroup(id=f"t{n}", path=(f"Region {n % REGIONS}", f"Team {n}"), parent=above[n % REGIONS])
            for n in range(REGIONS * TEAMS)
        ]
        made = perform(teams)
        groups = [GroupRef(str(made[op.id].ref), op.path) for op in teams]
        users = [
            CreateUser(id=f"u{n}", user=Desired(username=f"user{n}", fields=fields(n)), password=Secret(PASSWORD))
            for n in range(count)
        ]
        made = perform(users)
        members: list[list[UserRef]] = [[] for _ in groups]
        for n, op in enumerate(users):
            members[team_of(n)].append(UserRef(str(made[op.id].ref), op.user.username))
        perform([AddMembers(id=f"m{n}", group=groups[n], members=tuple(members[n])) for n in range(len(groups))])
    finally:
        portal.close()


# -- the engine ---------------------------------------------------------------------------------------------


def engine(url: str, count: int, folder: Path) -> tuple[float, float]:
    """The same through `run`, from a csv; returns the seconds of the first run and of the second."""
    sheet = folder / "users.csv"
    write_sheet(sheet, count, password=PASSWORD, group=lambda n: f"Region {team_of(n) % REGIONS}|Team {team_of(n)}")
    file_ = folder / "musterroll.toml"
    options = f'{{ url = "{url}", concurrency = {CONCURRENCY} }}'
    file_.write_text(
        f'name = "benchmark"\nbackend.use = "scim"\nbackend.options = {options}\ninvites.send_to = "none"\n',
        encoding="utf-8",
    )
    taken = []
    for _ in range(2):
        pipeline = load_pipeline(file_)
        started = time.perf_counter()
        with run_pipeline(pipeline, sheet) as report:
            taken.append(time.perf_counter() - started)
            assert report.job is not None, report.error
            assert report.job.state == "completed", report.job.state
    return taken[0], taken[1]


class Server:
    """scim2-server under uvicorn, in a process of its own."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v2"
        self._process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)])  # noqa: S603 -- ourselves

    def __enter__(self) -> str:
        asyncio.run(self._up())
        return self.url

    async def _up(self) -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(400):
                try:
                    async with session.get(f"{self.url}/Schemas") as answer:
                        await answer.read()
                        return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        raise RuntimeError("the server does not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def timed(work: Callable[[], object]) -> float:
    """Returns the seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def free_port() -> int:
    """Returns a port that nobody listens at."""
    import socket  # noqa: PLC0415 -- for this alone

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def measure(count: int) -> tuple[dict[str, float], dict[str, str]]:
    """Imports so many users in each way.

    Returns:
        The seconds of each way by its name, and the name of the bare loop that each is compared with.
    """
    with Server(free_port()) as url:
        writing = timed(lambda: asyncio.run(bare(url, count)))
        reading = timed(lambda: asyncio.run(bare_reading(url, count)))
    with Server(free_port()) as url:
        single = timed(lambda: backend(url, count, bulk="never"))
    with Server(free_port()) as url:
        bulk = timed(lambda: backend(url, count))
    with Server(free_port()) as url, tempfile.TemporaryDirectory() as folder:
        first, second = engine(url, count, Path(folder))
    seconds = {
        WRITING: writing,
        "backend, one request each": single,
        "backend, /Bulk": bulk,
        "the whole run, from csv": first,
        READING: reading,
        "the same sheet again": second,
    }
    return seconds, {name: READING if name in (READING, "the same sheet again") else WRITING for name in seconds}


def main() -> None:
    """Measures and prints."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    seconds, bases = measure(count)
    for name, taken in seconds.items():
        print(f"{name:28} {taken:6.2f} s  {count / taken:6.0f} users/s  {seconds[bases[name]] / taken:5.0%}")


if __name__ == "__main__":
    main()
