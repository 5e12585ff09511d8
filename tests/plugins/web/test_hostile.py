"""Requests that mean harm: each gets the right status, and changes nothing."""

from __future__ import annotations

import hashlib
import http.client
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from support.web_server import SHEET, WebServer, job_of, upload_path, web_server, words_of
from support.workplace import Workplace

ACCESS = """
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


class Scene:
    """A server with a customer who has a job and an upload, another one, and ways to send what no browser sends."""

    def __init__(self, server: WebServer) -> None:
        self.server = server
        self.host = server.url.removeprefix("http://")
        self.visitor = server.enter()
        self.job = job_of(self.visitor.import_(SHEET, invites="none"))
        self.upload = upload_path(self.visitor.upload(SHEET.replace("Silva", "Souza")))
        self.csrf = self.visitor.csrf()
        self.cookie = "; ".join(f"{name}={value}" for name, value in self.visitor.client.cookies.items())

    def send(
        self,
        method: str,
        path: str,
        body: bytes | str = b"",
        *,
        hosts: tuple[str, ...] | None = None,
        cookie: str | None = None,
        **headers: str,
    ) -> int:
        """Sends a request as it is, and returns the status."""
        with closing(http.client.HTTPConnection(self.host, timeout=30)) as connection:
            connection.putrequest(method, path, skip_host=True)
            for host in (self.host,) if hosts is None else hosts:
                connection.putheader("host", host)
            if cookie := self.cookie if cookie is None else cookie:
                connection.putheader("cookie", cookie)
            body = body.encode() if isinstance(body, str) else body
            if body or method == "POST":
                headers.setdefault("content_length", str(len(body)))
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            self.text = answer.read().decode("utf-8", "replace")
            self.headers = answer.headers
        return answer.status

    def form(self, path: str, **data: str) -> int:
        return self.form_with({}, path, **data)

    def form_with(self, headers: dict[str, Any], path: str, **data: str) -> int:
        return self.send("POST", path, urlencode(data), content_type="application/x-www-form-urlencoded", **headers)

    def import_from(self, **headers: str) -> int:
        """Begins the import with everything that it takes, but for where the form comes from."""
        return self.form_with(headers, f"/c/test{self.upload}/run", csrf=self.csrf, invites="none")

    def bearer(self, method: str, path: str, who: str, body: str = "", kind: str = "application/json") -> int:
        token = f"Bearer {who}-token-of-twenty-characters"
        return self.send(method, path, body, cookie="", authorization=token, content_type=kind)

    def multipart(self, path: str, name: str, content: bytes, *, csrf: str | None = None, parts: int = 1) -> int:
        fields = f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{self.csrf if csrf is None else csrf}\r\n'
        file = f'--x\r\nContent-Disposition: form-data; name="sheet"; filename="{name}"\r\n\r\n'
        body = fields.encode() + (file.encode() + content + b"\r\n") * parts + b"--x--\r\n"
        return self.send("POST", path, body, content_type="multipart/form-data; boundary=x")

    def state(self) -> dict[str, str]:
        """What could be changed: the portal, the journal, the pipeline, uploads and works."""
        folder = self.server.place.folder
        found = {}
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).as_posix()
            if path.is_file() and not inside.endswith(("audit.jsonl", "-wal", "-shm", ".lock", "musterroll.toml~")):
                is_db = path.suffix in (".db", ".journal")
                found[inside] = _dump(path) if is_db else hashlib.sha256(path.read_bytes()).hexdigest()
        return found


def _dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return hashlib.sha256("\n".join(db.iterdump()).encode()).hexdigest()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    place = Workplace(tmp_path_factory.mktemp("hostile"))
    place.pipeline()
    other = Workplace(place.folder / "other")
    other.folder.mkdir()
    other.pipeline(name="other")
    place.write("access/access.txt", ACCESS)
    files = (place.folder / "musterroll.toml", other.folder / "musterroll.toml")
    with web_server(place, *files, access="access/access.txt", max_upload=1) as server:
        yield Scene(server)


BIG = b"x" * (3 * 1024 * 1024)
HTML = '"><script>alert(1)</script>.csv'
Attack = Callable[[Scene], int]

ATTACKS: dict[str, tuple[int, Attack]] = {
    # who is not let in
    "no session": (401, lambda s: s.send("GET", "/c/test", cookie="")),
    "no session, and a form": (401, lambda s: s.send("POST", "/c/test/uploads", cookie="")),
    "a session that is made up": (401, lambda s: s.send("GET", "/c/test", cookie="musterroll=" + "a" * 43)),
    "a session that is no ASCII": (401, lambda s: s.send("GET", "/c/test", cookie="musterroll=%ff")),
    "a one-time address that was used": (401, lambda s: s.send("GET", "/start?token=used-before", cookie="")),
    "no one-time token": (401, lambda s: s.send("GET", "/start", cookie="")),
    "no token for the API": (401, lambda s: s.send("GET", "/api/customers/test/jobs")),
    "a token that is made up": (401, lambda s: s.bearer("GET", "/api/customers/test/jobs", "nobody")),
    "a session where a token is needed": (401, lambda s: s.send("POST", f"/api/jobs/{s.job}/undo")),
    # another customer's
    "another customer's token": (404, lambda s: s.bearer("GET", "/api/customers/test/jobs", "theirs")),
    "another customer's job": (404, lambda s: s.bearer("GET", f"/api/jobs/{s.job}", "theirs")),
    "another customer's job, to undo": (404, lambda s: s.bearer("POST", f"/api/jobs/{s.job}/undo", "theirs")),
    "an upload under another customer": (404, lambda s: s.send("GET", f"/c/other{s.upload}")),
    "a job under another customer": (404, lambda s: s.send("GET", f"/c/other/jobs/{s.job}")),
    "a customer that does not exist": (404, lambda s: s.send("GET", "/c/nobody")),
    # a role that does not do
    "a viewer imports": (403, lambda s: s.bearer("POST", "/api/customers/test/jobs", "looks", '{"rows": []}')),
    "a viewer undoes": (403, lambda s: s.bearer("POST", f"/api/jobs/{s.job}/undo", "looks")),
    "an importer approves": (403, lambda s: s.bearer("POST", f"/api/jobs/{s.job}/approve", "imports")),
    # forms from elsewhere
    "no CSRF token": (403, lambda s: s.form(f"/c/test{s.upload}/run", invites="all")),
    "a wrong CSRF token": (403, lambda s: s.form(f"/c/test{s.upload}/run", invites="all", csrf="a" * 43)),
    "a CSRF token that is no ASCII": (403, lambda s: s.form(f"/c/test{s.upload}/run", csrf="ä")),
    "a foreign Origin": (403, lambda s: s.import_from(origin="https://evil.example")),
    "an Origin of null": (403, lambda s: s.import_from(origin="null")),
    "a cross-site form": (403, lambda s: s.import_from(sec_fetch_site="cross-site")),
    "an upload without a CSRF token": (403, lambda s: s.multipart("/c/test/uploads", "a.csv", b"x", csrf="")),
    # a forged name of the host
    "a forged Host": (421, lambda s: s.send("GET", "/c/test", hosts=("evil.example",))),
    "a Host with another port": (421, lambda s: s.send("GET", "/c/test", hosts=("127.0.0.1:1",))),
    "two Hosts": (400, lambda s: s.send("GET", "/c/test", hosts=(s.host, "evil.example"))),
    "no Host": (400, lambda s: s.send("GET", "/c/test", hosts=())),
    # paths
    "a traversal in the path": (404, lambda s: s.send("GET", "/static/../../../../etc/passwd")),
    "a traversal that is escaped": (404, lambda s: s.send("GET", "/static/%2e%2e%2f%2e%2e%2fcommand.py")),
    "a traversal in an id": (404, lambda s: s.send("GET", "/c/test/uploads/..%2f..%2fwork")),
    "a traversal in a job": (404, lambda s: s.send("GET", "/c/test/jobs/..%2f..%2fx")),
    "a traversal in a format": (404, lambda s: s.send("GET", "/c/test/blank/..%2fxlsx")),
    "a part of a job's id": (404, lambda s: s.send("GET", f"/c/test/jobs/{s.job[:-1]}")),
    "the last job": (404, lambda s: s.send("GET", "/c/test/jobs/last")),
    "an id with a zero byte": (404, lambda s: s.send("GET", "/c/test/uploads/%00")),
    "a row that is no number": (404, lambda s: s.send("GET", f"/c/test/jobs/{s.job}/rows/x")),
    # methods
    "an act by GET": (404, lambda s: s.send("GET", f"/c/test/jobs/{s.job}/resume")),
    "an import by GET": (303, lambda s: s.send("GET", f"/c/test{s.upload}/run")),
    "a discard by GET": (405, lambda s: s.send("GET", f"/c/test{s.upload}/discard")),
    "a method that nobody has": (405, lambda s: s.send("DELETE", f"/c/test{s.upload}")),
    "an act that does not exist": (404, lambda s: s.form(f"/c/test/jobs/{s.job}/drop", csrf=s.csrf)),
    "an approval of what waits for none": (409, lambda s: s.form(f"/c/test/jobs/{s.job}/approve", csrf=s.csrf)),
    "a release of what is not held": (409, lambda s: s.form(f"/c/test/jobs/{s.job}/release", csrf=s.csrf)),
    "a choice that is none": (422, lambda s: s.form(f"/c/test{s.upload}/run", csrf=s.csrf, invites="everyone")),
    # sizes
    "a file that is too large": (413, lambda s: s.multipart("/c/test/uploads", "a.csv", BIG)),
    "rows that are too large": (
        413,
        lambda s: s.bearer("POST", "/api/customers/test/jobs", "imports", '{"rows": ["' + BIG.decode() + '"]}'),
    ),
    "a length that is far too large": (
        413,
        lambda s: s.send("POST", "/c/test/uploads", b"x", content_length="99999999999"),
    ),
    "a form with a thousand fields": (
        400,
        lambda s: s.form(f"/c/test{s.upload}/run", **{f"f{i}": "" for i in range(1000)}),
    ),
    "two files": (400, lambda s: s.multipart("/c/test/uploads", "a.csv", b"x", parts=2)),
    "rows that are nested a thousand times": (
        400,
        lambda s: s.bearer("POST", "/api/customers/test/jobs", "imports", '{"rows":' + "[" * 100_000 + "}"),
    ),
    # kinds
    "a file that is no sheet": (415, lambda s: s.multipart("/c/test/uploads", "a.exe", b"MZ")),
    "HTML in a file's name": (415, lambda s: s.multipart("/c/test/uploads", "<script>.html", b"x")),
    "a body of another kind": (
        415,
        lambda s: s.bearer("POST", "/api/customers/test/jobs", "imports", "<x/>", "text/xml"),
    ),
    "a JSON that is none": (400, lambda s: s.bearer("POST", "/api/customers/test/jobs", "imports", "{")),
    "a field that does not exist": (
        422,
        lambda s: s.bearer("POST", "/api/customers/test/jobs", "imports", '{"rows": [{"is_admin": "yes"}]}'),
    ),
    "a setting in the rows": (
        422,
        lambda s: s.bearer("POST", "/api/customers/test/jobs", "imports", '{"rows": [], "sets": ["a=1"]}'),
    ),
    "a profile that does not exist": (
        422,
        lambda s: s.bearer("POST", "/api/customers/test/jobs", "imports", '{"rows": [], "profile": "x"}'),
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_request_changes_nothing(name: str, scene: Scene) -> None:
    status, attack = ATTACKS[name]
    before = scene.state()
    assert attack(scene) == status, scene.text
    assert scene.state() == before
    assert "Traceback" not in scene.text
    if status != 400 or "content-security-policy" in scene.headers:  # uvicorn itself answers what is no HTTP
        assert "default-src 'none'" in scene.headers["content-security-policy"]
        assert scene.headers["cache-control"] == "no-store"


def test_who_is_not_let_in_learns_nothing(scene: Scene) -> None:
    for path in ("/", "/c/test", "/c/nobody", f"/c/test/jobs/{scene.job}", f"/c/test{scene.upload}"):
        assert scene.send("GET", path, cookie="") == 401
        for word in ("test", "other", "staff.csv", "ana"):
            assert word not in scene.text


def test_what_the_cells_and_the_file_are_called_is_only_text(scene: Scene) -> None:
    evil = "<img src=x onerror=alert(1)>"
    page = scene.visitor.upload(SHEET.replace("Silva", evil).replace("ana@example.com", evil), HTML)
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "&lt;img src=x" in page.text
    assert "<script>alert(1)</script>.csv" not in page.text
    assert "script>.csv" in words_of(page)  # its name is shown, without what looked like a folder
    scene.visitor.post(upload_path(page) + "/discard")


def test_every_page_has_a_strict_policy_and_no_inline_anything(scene: Scene) -> None:
    paths = ("", "/new", scene.upload, f"{scene.upload}/problems", f"/jobs/{scene.job}", f"/jobs/{scene.job}/undo")
    for path in paths:
        page = scene.visitor.get(path)
        assert page.status_code == 200
        assert "unsafe" not in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        for inline in ("<style", "style=", "onclick", "javascript:", "<script>"):
            assert inline not in page.text
        assert len(page.content) < 100_000


def test_the_cookie_is_for_this_site_only(scene: Scene) -> None:
    client = scene.server.client()
    answer = client.get("/start", params={"token": scene.server.token or ""})
    scene.server.token = scene.server.next_token()
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie


def test_so_many_uploads_and_no_more(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.pipeline()
    with web_server(place, max_uploads=2) as server:
        visitor = server.enter()
        for _ in range(2):
            assert visitor.upload(SHEET).status_code == 200
        refused = visitor.post("/uploads", files={"sheet": ("a.csv", SHEET)})
        assert refused.status_code == 429
        assert "too many uploads" in words_of(refused)


def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.pipeline()
    with web_server(place) as server:
        client = server.client()
        found = [client.get("/start", params={"token": f"guess-{i}"}).status_code for i in range(12)]
        assert found == [401] * 10 + [429] * 2
        assert client.get("/start", params={"token": server.token or ""}).status_code == 429  # even the right one waits
        assert [line["what"] for line in server.audit()][-1] == "sign-in refused: too many tries"


def read_audit(server: WebServer) -> list[tuple[str, str]]:
    return [(line["who"], line["what"]) for line in server.audit()]


def test_every_act_is_in_the_audit_log(scene: Scene) -> None:
    scene.send("GET", "/start?token=guess", cookie="")
    found = {what for _, what in read_audit(scene.server)}
    assert {"sign-in", "upload", "run", "sign-in refused"} <= found
    for line in scene.server.audit():
        assert set(line) == {"when", "who", "what", "customer", "about", "address"}
        assert "Sesame" not in json.dumps(line)
