"""A real `musterroll web` on a free port, and a client that goes through its pages as a browser without a script."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx2 as httpx

from support.workplace import Workplace

_ADDRESS = re.compile(r"(http://[\w.\[\]:]+)(/start\?token=(\S+))?")
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


@dataclass
class WebServer:
    """A server that runs."""

    process: subprocess.Popen[str]
    place: Workplace
    url: str
    token: str | None
    state: Path
    clients: list[httpx.Client] = field(default_factory=list)

    def audit(self) -> list[dict[str, Any]]:
        path = self.state / "audit.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def client(self, **options: Any) -> httpx.Client:
        """A client that nobody knows."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=_SECONDS, **options)
        self.clients.append(client)
        return client

    def next_token(self) -> str:
        """The token of the address that was printed last."""
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
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

    def stop(self, *, kill: bool = False) -> None:
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.process.communicate(timeout=60)


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
def web_server(place: Workplace, *options: object, **environment: str) -> Iterator[WebServer]:
    """Starts a server on a free port, and stops it."""
    state = place.folder / "state"
    process = place.start("web", "--port", 0, "--state", state, *options, **environment)
    server: WebServer | None = None
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = _ADDRESS.search(line)
        assert found is not None, line + process.stderr.read()
        server = WebServer(process, place, found[1], found[3], state)
        while not line.startswith("Ctrl-C"):
            line = process.stderr.readline()
            assert line
        yield server
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
            assert "Traceback" not in err, err
    finally:
        for client in server.clients if server else ():
            client.close()
        if process.poll() is None:
            process.kill()
            process.communicate()
