"""The mock portal stands over somebody's directory: what gets in, and what does not."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

pytest.importorskip("scim2_server", reason="the extra musterroll[portal] is not installed")
pytest.importorskip("uvicorn", reason="the extra musterroll[portal] is not installed")

from musterroll_plugins.portal.guard import MOST_BYTES
from support.mock_portal import Answer, MockPortal, mock_portal

USER = b'{"userName": "eve"}'


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockPortal]:
    """Started without a token."""
    folder = tmp_path_factory.mktemp("portal")
    environment = {"MUSTERROLL_PORTAL_TOKEN": ""}
    with mock_portal(folder / "portal.db", "--passwords", "none", environment=environment) as started:
        found = re.search(r"^token: (\S{20,}) ", started.errors.read_text(), re.MULTILINE)
        assert found is not None
        started.token = found[1]
        yield started


def _users(portal: MockPortal) -> int:
    return int(portal.ask("GET", "/Users").body["totalResults"])


def _send(portal: MockPortal, method: str, body: bytes | None, **headers: str) -> Answer:
    """Sends a request with exactly these headers, and the token."""
    connection = http.client.HTTPConnection(portal.url.split("/")[2], timeout=20)
    connection.putrequest(method, "/v2/Users", skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in {"Authorization": f"Bearer {portal.token}", **headers}.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    with closing(connection):
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, {}, answer.read())


def test_a_token_is_made_and_needed(portal: MockPortal) -> None:
    text = portal.errors.read_text()
    assert f"export MUSTERROLL_PORTAL_TOKEN={portal.token}" in text
    assert 'token = { env = "MUSTERROLL_PORTAL_TOKEN" }' in text
    assert portal.ask("GET", "/Users", authorization=None).status == 401
    assert portal.ask("POST", "/Users", {"userName": "eve"}, authorization="Bearer x").status == 401
    assert _users(portal) == 0


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{}", "localhost", "localhost:1", "127.0.0.1.evil:{}", "[::1"]
)
def test_only_its_own_names(portal: MockPortal, host: str) -> None:
    """A page whose own name leads to this computer is refused."""
    port = portal.url.split("/")[2].split(":")[1]
    assert _send(portal, "GET", None, Host=host.format(port)).status == 421
    for own in ("localhost", "LOCALHOST", "127.0.0.1", "[::1]"):
        assert _send(portal, "GET", None, Host=f"{own}:{port}").status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_what_a_form_sends_is_refused(portal: MockPortal, kind: str | None) -> None:
    headers = {} if kind is None else {"Content_Type": kind}
    assert _send(portal, "POST", USER, **headers).status == 415
    assert _send(portal, "PUT", USER, **headers).status == 415
    assert _users(portal) == 0


@pytest.mark.parametrize("kind", ["application/json", "application/scim+json; charset=utf-8"])
def test_json_is_taken(portal: MockPortal, kind: str) -> None:
    answer = _send(portal, "POST", json.dumps({"userName": f"ana-{kind}"}).encode(), Content_Type=kind)
    assert answer.status == 201
    ref = json.loads(answer.content)["id"]
    assert portal.ask("DELETE", f"/Users/{ref}").status == 204


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b'{"userName": ' + b"1" * 1_000_000 + b"}", b'{"userName": "a"', b"\xff", b'{"a":' * 5000],
    ids=["deep", "digits", "half", "bytes", "deep objects"],
)
def test_what_cannot_be_read_is_said(portal: MockPortal, body: bytes) -> None:
    assert _send(portal, "POST", body, Content_Type="application/json").status == 400
    assert "broke" not in portal.errors.read_text()


def test_large_requests_are_refused_and_never_slow(portal: MockPortal) -> None:
    began = time.monotonic()
    body = b'{"userName": "' + b"x" * MOST_BYTES + b'"}'
    answer = _send(portal, "POST", body, Content_Type="application/json")
    assert answer.status == 413
    assert answer.body["status"] == "413"
    assert time.monotonic() - began < 5
    assert _users(portal) == 0
