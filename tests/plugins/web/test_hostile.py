"""Requests that mean harm: each gets the right status, and changes nothing."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.page_attacks import HTML, KINDS
from support.page_scene import Scene, page_scene
from support.slips import told_by
from support.web_server import SHEET, WebServer, upload_path, web_server, words_of
from support.workplace import Workplace


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with page_scene(tmp_path_factory.mktemp("hostile")) as set_up:
        yield set_up


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_request_changes_nothing(kind: str, scene: Scene) -> None:
    scene.begin()
    before = scene.state()
    for number, (status, attack) in enumerate(KINDS[kind]):
        assert attack(scene) == status, (kind, number, scene.text)
        assert "Traceback" not in scene.text
        assert "<script>alert" not in scene.text
        assert "x-evil" not in scene.headers
        assert "access-control-allow-origin" not in scene.headers
        assert scene.headers.get("location", "/c/test").startswith("/c/test")
        if status != 400 or "content-security-policy" in scene.headers:  # uvicorn itself answers what is no HTTP
            assert "default-src 'none'" in scene.headers["content-security-policy"]
            assert scene.headers["cache-control"] == "no-store"
    assert scene.state() == before


def test_there_are_so_many_hostile_requests() -> None:
    assert len(KINDS) > 30
    assert sum(map(len, KINDS.values())) > 400


def test_a_workbook_that_swells_is_said_and_forgotten(scene: Scene) -> None:
    scene.begin()
    before = scene.state()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", b" " * (300 * 1024 * 1024))
    page = scene.visitor.upload(bomb.getvalue(), "staff.xlsx")
    assert "could not be checked" in words_of(page)
    scene.visitor.post(upload_path(page) + "/discard")
    assert scene.state() == before


def test_who_sends_half_a_request_and_goes_is_no_failure_of_the_server(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    host, _, port = scene.host.partition(":")
    for body in (b"csrf=", b"zz\r\n"):
        with socket.create_connection((host, int(port))) as connection:
            kind = "transfer-encoding: chunked" if body.startswith(b"z") else "content-length: 5000"
            head = f"POST /c/test/uploads HTTP/1.1\r\nhost: {scene.host}\r\ncookie: {scene.cookie}\r\n{kind}\r\n"
            connection.sendall(head.encode() + b"content-type: application/x-www-form-urlencoded\r\n\r\n" + body)
    assert scene.send("GET", "/health") == 200
    assert capfd.readouterr().err == ""


def test_who_is_not_let_in_learns_nothing(scene: Scene) -> None:
    for path in ("/", "/c/test", "/c/nobody", f"/c/test/jobs/{scene.job}", f"/c/test{scene.upload}"):
        assert scene.send("GET", path, cookie="") == 401
        for word in ("test", "other", "staff.csv", "ana"):
            assert word not in scene.text


def test_what_the_cells_and_the_file_are_called_is_only_text(scene: Scene) -> None:
    evil = "<img src=x onerror=alert(1)>"
    page = scene.visitor.upload(SHEET.replace("Silva", evil).replace("ana@example.com", evil), f'">{HTML}.csv')
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "&lt;img src=x" in page.text
    assert "<script>alert(1)</script>.csv" not in page.text
    assert "script>.csv" in words_of(page)  # its name is shown, without what looked like a folder
    scene.visitor.post(upload_path(page) + "/discard")


def test_every_page_has_a_strict_policy_and_no_inline_anything(scene: Scene) -> None:
    paths = ("", "/new", scene.upload, f"{scene.upload}/problems", f"/jobs/{scene.job}", f"/jobs/{scene.job}/undo")
    for path in (*paths, scene.printed.partition("/passwords")[0], f"{scene.printed}/delete"):
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
        # The log does not grow with whoever goes on.
        noted = [line["what"] for line in server.audit()]
        assert noted == [*["sign-in refused"] * 10, "sign-in refused: too many tries"]


def read_audit(server: WebServer) -> list[tuple[str, str]]:
    return [(line["who"], line["what"]) for line in server.audit()]


def test_every_act_is_in_the_audit_log(scene: Scene) -> None:
    scene.begin()
    scene.send("GET", "/start?token=guess", cookie="")
    scene.bearer("GET", "/api/openapi.json", "guess")
    scene.bearer("POST", f"/api/jobs/{scene.job}/undo", "looks")
    scene.form(f"/c/test{scene.upload}/run", csrf="x")
    scene.form(f"/c/test{scene.printed}", csrf=scene.csrf)
    told = told_by(scene.text)
    scene.as_("ivan", "POST", f"/c/test{scene.printed}")
    found = {what for _, what in read_audit(scene.server)}
    assert {"sign-in", "upload", "run", "sign-in refused", "token refused"} <= found
    assert f"refused: POST /api/jobs/{scene.job}/undo" in found
    assert "refused: a form without the token of its session" in found
    assert {"download of first passwords", "deletion of first passwords", "refused: first passwords"} <= found
    assert len(told) == 1
    for line in scene.server.audit():
        assert set(line) == {"when", "who", "is_program", "what", "customer", "about", "address"}
        assert not any(secret in json.dumps(line) for secret in ("Sesame", *told.values()))
