"""`musterroll portal` from outside: a program that answers HTTP."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("scim2_server", reason="the extra musterroll[portal] is not installed")
pytest.importorskip("uvicorn", reason="the extra musterroll[portal] is not installed")

from musterroll_cli.main import main
from support.mock_portal import MockPortal, mock_portal

TOKEN = "canary-token-5d1"
SCHEMA = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
    "id": "urn:acme:2.0:User",
    "name": "Acme",
    "attributes": [{"name": "staffNumber", "type": "string"}, {"name": "remote", "type": "boolean"}],
}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockPortal]:
    """With a token, and otherwise as good as it can be."""
    folder = tmp_path_factory.mktemp("portal")
    (folder / "acme.json").write_text(json.dumps(SCHEMA))
    options = ["--passwords", "none", "--verbose", "--user-schema", str(folder / "acme.json")]
    environment = {"MUSTERROLL_PORTAL_TOKEN": TOKEN}
    with mock_portal(folder / "portal.db", *options, environment=environment) as started:
        yield started


@pytest.mark.slow
def test_scim2_tester_is_content(portal: MockPortal) -> None:
    tester = pytest.importorskip("scim2_tester", reason="scim2-tester is not installed")
    httpx2 = pytest.importorskip("httpx2", reason="httpx2 is not installed")
    from scim2_client.engines.httpx2 import SyncSCIMClient

    with httpx2.Client(base_url=portal.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        results = tester.check_server(SyncSCIMClient(client))
    assert len(results) > 100
    wrong = [result for result in results if result.status is not tester.Status.SUCCESS]
    assert [f"{result.title}: {result.reason}" for result in wrong] == []


def test_it_says_where_it_is_and_how_to_use_it(portal: MockPortal) -> None:
    text = portal.errors.read_text()
    assert f'options = {{ url = "{portal.url}", token = {{ env = "MUSTERROLL_PORTAL_TOKEN" }} }}' in text
    assert TOKEN not in text


def test_only_the_token_opens_it(portal: MockPortal) -> None:
    for authorization in (None, "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}"):
        answer = portal.ask("GET", "/Users", authorization=authorization)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert portal.ask("GET", "/Users", authorization="Bearer \xe9").status == 400
    assert portal.ask("GET", "/Users", authorization=f"Bearer {TOKEN}").status == 200
    config = portal.ask("GET", "/ServiceProviderConfig")
    assert config.status == 200
    assert config.body["authenticationSchemes"][0]["type"] == "oauthbearertoken"


def test_users_can_have_further_attributes(portal: MockPortal) -> None:
    acme = {"staffNumber": "7", "remote": True}
    body = {"userName": "acme-7", "urn:acme:2.0:User": acme}
    created = portal.ask("POST", "/Users", body, authorization=f"Bearer {TOKEN}")
    assert created.status == 201, created.content
    found = portal.ask(
        "GET", "/Users?filter=urn:acme:2.0:User:staffNumber%20eq%20%227%22", authorization=f"Bearer {TOKEN}"
    )
    assert [user["urn:acme:2.0:User"] for user in found.body["Resources"]] == [acme]


def test_it_is_quick(portal: MockPortal) -> None:
    """Without TCP_NODELAY an answer on an open connection takes 40 ms longer."""
    host, port = portal.url.split("/")[2].split(":")
    connection = http.client.HTTPConnection(host, int(port))
    times = []
    for _ in range(20):
        begun = time.perf_counter()
        connection.request("GET", "/v2/ServiceProviderConfig")
        connection.getresponse().read()
        times.append(time.perf_counter() - begun)
    connection.close()
    assert sorted(times)[10] < 0.035


def test_the_connection_drops_once_the_user_is_there(tmp_path: Path) -> None:
    options = ["--fault", "reset-after-commit:1", "--duplicate-status", "500", "--no-patch", "--no-bulk"]
    with mock_portal(tmp_path / "portal.db", *options) as portal:
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            portal.ask("POST", "/Users", {"userName": "ana", "password": "canary-pw-77"})
        (user,) = portal.ask("GET", "/Users?filter=userName%20eq%20%22ANA%22").body["Resources"]
        assert user["userName"] == "ana"

        again = portal.ask("POST", "/Users", {"userName": "ana"})
        assert again.status == 500
        assert again.headers["content-type"].startswith("text/html")

        config = portal.ask("GET", "/ServiceProviderConfig").body
        assert (config["patch"]["supported"], config["bulk"]["supported"]) == (False, False)
        assert portal.ask("PATCH", f"/Users/{user['id']}", {"Operations": []}).status == 501
        assert portal.ask("POST", "/Bulk", {"Operations": []}).status == 501
        assert portal.stop() == 0 or os.name == "nt"
        assert "canary" not in portal.errors.read_text()
        assert "Traceback" not in portal.errors.read_text()


@pytest.mark.skipif(os.name == "nt", reason="needs Ctrl-C")
def test_a_request_that_hangs_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with mock_portal(tmp_path / "portal.db", "--fault", "timeout:1") as portal:
        before = portal.errors.read_text()
        with pytest.raises(TimeoutError):
            portal.ask("GET", "/Users", timeout=0.3)
        host, port = portal.url.split("/")[2].split(":")
        with socket.create_connection((host, int(port))) as waiting:
            waiting.sendall(b"GET /v2/Users HTTP/1.1\r\nHost: x\r\n\r\n")
            assert portal.stop() == 0
        assert portal.errors.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["portal.db"]


@pytest.mark.slow
def test_what_a_killed_portal_has_answered_is_there(tmp_path: Path) -> None:
    with mock_portal(tmp_path / "portal.db") as portal:
        assert portal.ask("POST", "/Users", {"userName": "ana"}).status == 201
        portal.process.kill()
        portal.process.wait()
    with mock_portal(tmp_path / "portal.db") as portal:
        assert portal.ask("GET", "/Users").body["totalResults"] == 1


def test_a_port_that_is_in_use_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["portal", str(tmp_path / "portal.db"), "--port", str(port)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"port {port}" in line
    assert "--port 0" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--fault", "430:0.1"], "--fault: there is no kind"),
        (["--fault", "429:0.6", "--fault", "500:0.6"], "add up to more than 1"),
        (["--latency", "50"], "--latency: write a time with its unit"),
        (["--port", "99999"], "--port: must be at most 65535"),
        (["--port", "http"], "--port: should be a whole number"),
        (["--passwords", "md5"], '--passwords: must be "argon2id" or "none"'),
        (["--duplicate-status", "200"], "--duplicate-status: should be a status of an error"),
        (["--host", "no.such.host.invalid"], "cannot listen at no.such.host.invalid"),
        (["--user-schema", "nowhere.json"], "the schema nowhere.json cannot be read"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["portal", "--port", "0", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["no json", "[1]", '{"a": 1}', '{"id": "urn:x", "name": "x", "attributes": 7}'])
def test_a_schema_that_is_none_is_told(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text(text)
    assert main(["portal", str(tmp_path / "p.db"), "--port", "0", "--user-schema", str(tmp_path / "x.json")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_another_programs_file_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("not a directory")
    assert main(["portal", str(tmp_path / "notes.txt"), "--port", "0"]) == 2
    assert "SQLite" in capsys.readouterr().err
    assert main(["portal", str(tmp_path / "missing" / "portal.db"), "--port", "0"]) == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["scim2_server", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(missing: str, tmp_path: Path) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None\nfrom musterroll_cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "portal", str(tmp_path / "portal.db")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f'error: the portal needs {missing.replace("_", "-")}: pip install "musterroll[portal]"'
    ]


def test_the_help_ends_with_an_example_and_needs_no_server(tmp_path: Path) -> None:
    code = (
        "import sys; from musterroll_cli.main import main; main(['portal', '--help']);"
        "print('LOADED', [name for name in ('scim2_server', 'scim2_models', 'uvicorn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    *lines, loaded = done.stdout.splitlines()
    assert loaded == "LOADED []"
    assert lines[-1].strip().startswith("musterroll portal ")
    assert "--fault KIND:RATE" in done.stdout
    assert "127.0.0.1" in done.stdout
