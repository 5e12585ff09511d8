"""A server with customers, jobs, uploads and people, and ways to send it what no browser sends."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from support.web_server import SHEET, InsideServer, Visitor, job_of, upload_path, web_server
from support.workplace import Workplace

PEOPLE = """
[proxy]
header = "X-Person"

[[people]]
name = "vera"
role = "viewer"
customers = ["test"]

[[people]]
name = "ivan"
role = "importer"
customers = ["test"]

[[people]]
name = "olga"
role = "approver"
customers = ["other"]
"""
PROGRAMS = """
[[programs]]
name = "theirs"
role = "approver"
customers = ["other"]
token = "theirs-token-of-twenty-characters"

[[programs]]
name = "looks"
role = "viewer"
token = "looks-token-of-twenty-characters"

[[programs]]
name = "imports"
role = "importer"
customers = ["test"]
token = "imports-token-of-twenty-characters"
"""
_MINUTE = 61.0


class Scene:
    """Two customers, of whom one has jobs and an upload.

    Attributes:
        server: lets in who has the address that was printed, and programs.
        team: the same customers behind a proxy that signs people in.
        job: a job that has completed.
        limited: a job that a limit has stopped.
        printed, deleted: the paths of slips with first passwords: those are there, these were deleted.
        slips: the id of the first ones.
        upload: the path of an upload that waits for answers.
        work: the id of its check.
        headers, text: of the last answer.
    """

    def __init__(self, server: InsideServer, team: InsideServer) -> None:
        self.server, self.team = server, team
        self.host = server.url.removeprefix("http://")
        self.visitor = server.enter()
        self.job = job_of(self.visitor.import_(SHEET, invites="none"))
        rows = "".join(f",new{i},N,,Harbour-Gate-{i},,,\n" for i in range(9))
        self.limited = job_of(self.visitor.import_(SHEET + rows, invites="none"))
        self.printed, self.deleted = self._slips("pia"), self._slips("pat")
        self.slips = self.printed.rpartition("/")[2]
        self.visitor.post(f"{self.deleted}/delete")
        self.upload = upload_path(self.visitor.upload(SHEET.replace("Silva", "Souza")))
        record = json.loads((server.state / self.upload[1:] / "upload.json").read_text("utf-8"))
        self.work: str = record["check"]
        self.csrf, self.cookie = self._session(self.visitor)
        self.text, self.headers = "", http.client.HTTPMessage()

    def _slips(self, name: str) -> str:
        """Creates somebody whose first password is on a slip; returns the path of it."""
        page = self.visitor.import_("\n".join([*SHEET.splitlines()[:2], f",{name},P,,,,,"]), invites="none")
        return f"/jobs/{job_of(page)}/passwords/{page.text.partition('/passwords/')[2][:20]}"

    def begin(self) -> None:
        """A minute later: who tried too often may try again; with a session that is new, and one that has ended."""
        self.server.later += _MINUTE
        former = self.server.enter()
        self.old_csrf, self.old_cookie = self._session(former)
        former.client.post("/sign-out", data={"csrf": self.old_csrf})
        self.used = self.server.token or ""
        self.visitor = self.server.enter()
        self.csrf, self.cookie = self._session(self.visitor)

    def _session(self, visitor: Visitor) -> tuple[str, str]:
        return visitor.csrf(), "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())

    # What is sent

    def raw(self, request: bytes, *, to: InsideServer | None = None) -> int:
        """Sends bytes as they are, and reads the answer."""
        self.text, self.headers = "", http.client.HTTPMessage()
        host, _, port = (to or self.server).url.removeprefix("http://").partition(":")
        with closing(socket.create_connection((host, int(port)), timeout=20)) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was there
                connection.sendall(request)
            answer = http.client.HTTPResponse(connection, method=request.partition(b" ")[0].decode("latin-1"))
            try:
                answer.begin()
                self.text = answer.read().decode("utf-8", "replace")
            except ConnectionResetError:  # likewise
                if len(request) < 65536:
                    raise
                return 400
            self.headers = answer.headers
        return answer.status

    def send(
        self,
        method: str,
        path: str,
        body: bytes | str = b"",
        *,
        hosts: tuple[str, ...] | None = None,
        cookie: str | None = None,
        lines: tuple[str, ...] = (),
        to: InsideServer | None = None,
        **headers: str,
    ) -> int:
        """Sends a request that is put together as it is said, and returns the status.

        Args:
            method: the method.
            path: the path, as it goes over the line.
            body: the body.
            hosts: other names of the host, so many lines.
            cookie: another cookie than that of the session.
            lines: further lines of the head.
            to: another server.
            headers: further headers.
        """
        body = body.encode() if isinstance(body, str) else body
        host = (to or self.server).url.removeprefix("http://")
        if body or method == "POST":
            headers.setdefault("content_length", str(len(body)))
        cookie = self.cookie if cookie is None else cookie
        head = [f"{method} {path} HTTP/1.1", *(f"host: {one}" for one in ((host,) if hosts is None else hosts))]
        head += [f"cookie: {cookie}"] if cookie else []
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        request = "\r\n".join([*head, *lines, "connection: close", "", ""]).encode("utf-8")
        return self.raw(request + body, to=to)

    def form(self, path: str, *, head: dict[str, Any] | None = None, **data: Any) -> int:
        """Sends a form."""
        return self.send(
            "POST", path, urlencode(data), content_type="application/x-www-form-urlencoded", **(head or {})
        )

    def imports(self, **head: Any) -> int:
        """Begins the import with everything that it takes, but for what is said of the head."""
        data = urlencode({"csrf": self.csrf, "invites": "none"})
        head.setdefault("content_type", "application/x-www-form-urlencoded")
        return self.send("POST", f"/c/test{self.upload}/run", data, **head)

    def bearer(
        self, method: str, path: str, who: str, body: str = "", kind: str = "application/json", **head: Any
    ) -> int:
        """Sends a request of a program."""
        token = f"Bearer {who}-token-of-twenty-characters"
        return self.send(method, path, body, cookie="", authorization=token, content_type=kind, **head)

    def rows(self, body: str, **head: Any) -> int:
        """Sends rows, as the program that may import."""
        return self.bearer("POST", "/api/customers/test/jobs", "imports", body, **head)

    def multipart(
        self, *parts: tuple[str, bytes], csrf: bool = True, path: str = "/c/test/uploads", **head: Any
    ) -> int:
        """Sends a form with files; each part as (its `Content-Disposition` after `form-data;`, what is in it)."""
        told = [('name="csrf"', self.csrf.encode())] * csrf
        body = b"".join(
            f"--x\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() + content + b"\r\n"
            for name, content in (*told, *parts)
        )
        return self.send("POST", path, body + b"--x--\r\n", content_type="multipart/form-data; boundary=x", **head)

    def as_(self, name: str, method: str, path: str) -> int:
        """Sends a request of somebody whom the proxy names, with the CSRF token of a session that is theirs."""
        self.send("GET", "/c/test" if name != "olga" else "/c/other", cookie="", to=self.team, x_person=name)
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        cookie = self.headers["set-cookie"].partition(";")[0]
        body = urlencode({"csrf": found[1] if found else ""}) if method == "POST" else ""
        kind = "application/x-www-form-urlencoded"
        return self.send(method, path, body, cookie=cookie, to=self.team, x_person=name, content_type=kind)

    # What it changes

    def state(self) -> dict[str, str]:
        """What could be changed: the portal, the journal, the pipeline, uploads and works."""
        folder = self.server.place.folder
        found = {}
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).as_posix()
            if path.is_file() and not inside.endswith(("audit.jsonl", "-wal", "-shm", ".lock", "musterroll.toml~")):
                found[inside] = (_dump if path.suffix in (".db", ".journal") else _digest)(path)
        return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return hashlib.sha256("\n".join(db.iterdump()).encode()).hexdigest()


@contextmanager
def page_scene(folder: Path) -> Iterator[Scene]:
    """Sets the scene."""
    place = Workplace(folder)
    makes = '[sheet.make]\npassword = { generate = "words" }\n'
    place.pipeline(f"{makes}[limits]\ncreate = 5", passwords="argon2id")
    other = Workplace(folder / "other")
    other.folder.mkdir()
    other.pipeline(name="other")
    place.write("access/programs.txt", PROGRAMS)
    place.write("access/people.txt", PEOPLE + PROGRAMS)
    files = (place.folder / "musterroll.toml", other.folder / "musterroll.toml")
    with (
        web_server(place, *files, access="access/programs.txt", max_upload=1) as server,
        web_server(place, *files, access="access/people.txt", max_upload=1) as team,
    ):
        yield Scene(server, team)
