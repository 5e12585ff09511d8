"""A server of the pages on a free port, and a client that goes through them as a browser without a script does.

It serves in a thread of this process, which is much quicker to start; `web_process` is the command as people start it.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx2 as httpx
import openpyxl

from musterroll_plugins.listener import listen
from musterroll_plugins.web import WebOptions
from musterroll_plugins.web.customers import Customers
from musterroll_plugins.web.desk import Desk
from musterroll_plugins.web.people import read_access
from musterroll_plugins.web.server import address_of_server, make_server, make_site
from musterroll_plugins.web.sessions import Sessions, Tries
from support.fork_workers import forking_worker
from support.workplace import Workplace

_ADDRESS = re.compile(r"(https?://[\w.\[\]:]+)(/start\?token=(\S+))?")
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_SECONDS = 180.0

SHEET = """Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups
guidance,,,,,,,
ana@example.com,ana,Ana,Silva,Sesame-open-7,44,7712345678,Region|North
bo@example.com,bo,Bo,Berg,Meadow-Kite-41,,,Region|South
"""
"""Two good rows."""

MISTAKES = SHEET + "broken,cy,Cy,Clark,Harbour-Gate-55,,,Region||North\n,,Di,Dahl,Orchard-Lane-66,,,\n"
"""Two further rows with three errors."""

DOUBTFUL = """
from musterroll import NotifierType, Options, Sent, SentStatus, hookimpl

class Doubtful:
    channel = "email"

    def can_reach(self, user):
        return True

    def send(self, messages):
        for message in messages:
            yield Sent(message.id, SentStatus.UNKNOWN, "the connection was cut")

    def close(self):
        pass

@hookimpl
def musterroll_notifiers():
    yield NotifierType(name="doubtful", summary="Never sure", options=Options, build=lambda *_: Doubtful())
"""
"""A plugin file, doubtful.py: a notifier that never knows whether a message has arrived."""

POST_IN_DOUBT = """plugins = ["doubtful.py"]
[[notifiers]]
name = "outbox"
enabled = false
[[notifiers]]
name = "post"
use = "doubtful"
"""
"""What a pipeline says that uses it instead of the outbox."""


def two_worksheets() -> bytes:
    """A workbook of which either worksheet could be meant; in the second one Ana is called Olga."""
    book = openpyxl.Workbook()
    for sheet, name in ((book.worksheets[0], "ana"), (book.create_sheet("Others"), "olga")):
        for row in csv.reader(io.StringIO(SHEET.replace("ana,", f"{name},"))):
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class WebServer:
    """A server that runs.

    Attributes:
        place: the folder that it was started in.
        url: its address.
        state: the folder of its state.
        token: the token of the one-time address that was printed last; None where people sign in.
    """

    def __init__(self, place: Workplace, state: Path, first: str, said: Callable[[], str]) -> None:
        found = _ADDRESS.search(first)
        assert found is not None, first
        self.place, self.state, self.url, self.token = place, state, found[1], found[3]
        self._said = said
        self._clients: list[httpx.Client] = []

    def audit(self) -> list[dict[str, Any]]:
        path = self.state / "audit.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def client(self, **options: Any) -> httpx.Client:
        """A client that nobody knows."""
        client = httpx.Client(**{"base_url": self.url, "follow_redirects": True, "timeout": _SECONDS, **options})
        self._clients.append(client)
        return client

    def next_token(self) -> str:
        """The token of the address that was printed last."""
        line = self._said()
        found = _ADDRESS.search(line)
        assert found is not None, line
        return found[3]

    def enter(self, home: str = "/c/test") -> Visitor:
        """Lets a visitor in by the address that was printed, and reads the next one."""
        client = self.client()
        answer = client.get("/start", params={"token": self.token or ""})
        assert answer.status_code == 200, answer.text
        self.token = self.next_token()
        return Visitor(client, home)

    def close(self) -> None:
        """Closes the clients."""
        for client in self._clients:
            client.close()


class InsideServer(WebServer):
    """A server in a thread of this process.

    Attributes:
        later: so many seconds later it is for sessions, and for who has tried too often.
    """

    later = 0.0

    def clock(self) -> float:
        return time.monotonic() + self.later


class ServerProcess(WebServer):
    """A server that is a process of its own."""

    def __init__(self, place: Workplace, state: Path, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self.process, self._err = process, process.stderr
        first = self._err.readline()
        super().__init__(place, state, first or self._err.read(), self._err.readline)
        line = first
        while not line.startswith("Ctrl-C"):
            line = self._err.readline()
            assert line

    def stop(self, *, kill: bool = False) -> str:
        """Stops it; returns what it said last."""
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        return self.process.communicate(timeout=60)[1]


class Visitor:
    """Somebody at the pages: sends forms with what is hidden in them."""

    def __init__(self, client: httpx.Client, home: str = "/c/test") -> None:
        self.client, self.home = client, home
        self.name = home.rpartition("/")[2]

    def get(self, path: str) -> httpx.Response:
        return self.client.get(self.home + path)

    def csrf(self) -> str:
        found = _CSRF.search(self.client.get(self.home).text)
        assert found is not None
        return found[1]

    def post(self, path: str, files: Mapping[str, Any] | None = None, **data: str) -> httpx.Response:
        return self.send(path, data, files)

    def send(self, path: str, data: Mapping[str, str], files: Mapping[str, Any] | None = None) -> httpx.Response:
        return self.client.post(self.home + path, data={"csrf": self.csrf(), **data}, files=files)

    def upload(self, content: str | bytes, name: str = "staff.csv", **data: str) -> httpx.Response:
        """Uploads a sheet, and waits for what its check has found."""
        return self.wait(self.post("/uploads", files={"sheet": (name, content)}, **data))

    def wait(self, answer: httpx.Response) -> httpx.Response:
        """Goes on looking until a work is done."""
        deadline = time.monotonic() + _SECONDS
        while "/work/" in answer.url.path and 'id="progress"' in answer.text:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.05)
            answer = self.client.get(answer.url)
        return answer

    def import_(self, content: str | bytes, name: str = "staff.csv", invites: str = "new") -> httpx.Response:
        """Goes the whole way with a sheet; returns the page of the job."""
        checked = self.upload(content, name)
        assert checked.status_code == 200, checked.text
        return self.wait(self.post(upload_path(checked) + "/run", invites=invites))


def access_by_proxy(**roles: str) -> str:
    """The access file of people whom a proxy names in `X-Person`: names and roles."""
    people = "".join(f'\n[[people]]\nname = "{name}"\nrole = "{role}"\n' for name, role in roles.items())
    return f'[proxy]\nheader = "X-Person"\n{people}'


def upload_path(answer: httpx.Response) -> str:
    """The path of the upload that a page is about, below the customer's."""
    found = re.search(r"/uploads/[0-9a-f]{20}", answer.url.path)
    assert found is not None, answer.url
    return found[0]


def job_of(answer: httpx.Response) -> str:
    """The id of the job that a page is about."""
    found = re.search(r"/jobs/([0-9a-z-]+)", answer.url.path)
    assert found is not None, f"{answer.url}: {words_of(answer)}"
    return found[1]


def words_of(answer: httpx.Response) -> str:
    """What a page says, without its markup."""
    text = re.sub(r"<(head|script)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


@contextmanager
def web_server(place: Workplace, *pipelines: Path, access: str | None = None, **options: Any) -> Iterator[InsideServer]:
    """Serves on a free port, and stops.

    Args:
        place: where the pipelines are.
        pipelines: them, and folders of them; that of the place without any.
        access: the access file, in the place.
        options: further options of the command.
    """
    state, said = place.folder / "state", queue.Queue[str]()
    told = WebOptions(
        pipelines=pipelines or (place.folder / "musterroll.toml",),
        access=place.folder / access if access else None,
        state=state,
        **{"port": 0, **options},
    )
    may = read_access(told.access)
    with listen(told.host, told.port, "the server") as listener:
        url = address_of_server(told, listener)
        site = make_site(told, may, Customers(told.pipelines), url, said.put)
        first = f"{url}/start?token={site.one_time.token}" if site.one_time else url
        server = InsideServer(place, state, first, lambda: said.get(timeout=10))
        site = replace(site, sessions=Sessions(server.clock), tries=Tries(server.clock))
        if worker := forking_worker():
            site = replace(site, desk=Desk(state, worker))
        is_ready = threading.Event()
        serving = make_server(site, told, url, listener, is_ready.set)
        faults: list[str] = []

        async def serve() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, told: faults.append(str(told)))
            await serving.serve([listener])

        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        try:
            assert is_ready.wait(20)
            yield server
        finally:
            server.close()
            serving.should_exit = True
            thread.join(60)
    assert not thread.is_alive()
    assert faults == []


@contextmanager
def web_process(place: Workplace, *options: object) -> Iterator[ServerProcess]:
    """Starts the command on a free port, and stops it."""
    state = place.folder / "state"
    process = place.start("web", "--port", 0, "--state", state, *options)
    server: ServerProcess | None = None
    try:
        server = ServerProcess(place, state, process)
        yield server
        if process.poll() is None:
            err = server.stop()
            assert "Traceback" not in err, err
    finally:
        if server is not None:
            server.close()
        if process.poll() is None:
            process.kill()
            process.communicate()
