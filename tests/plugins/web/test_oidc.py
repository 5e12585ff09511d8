"""Signing in with a real OpenID provider on this computer."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest

from support.web_server import Visitor, WebServer, web_server, words_of
from support.workplace import Workplace

_ACCESS = """
[oidc]
issuer = "{issuer}"
client_id = "musterroll"
client_secret = {{ env = "OIDC_SECRET" }}

[[people]]
name = "ana@example.com"
role = "importer"
"""
_USERS = [
    {"sub": "1", "email": "ana@example.com", "email_verified": True},
    {"sub": "2", "email": "mallory@example.com", "email_verified": True},
    {"sub": "3", "email": "ana@example.com", "email_verified": False},
]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    claims = [word for user in _USERS for word in ("--user-claims", json.dumps(user))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen([*command, *claims], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            issuer = f"http://localhost:{port}"
            for _ in range(200):
                try:
                    httpx.get(f"{issuer}/.well-known/openid-configuration")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield issuer
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def server(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    place = Workplace(tmp_path_factory.mktemp("oidc"))
    place.pipeline()
    place.write("access/access.txt", _ACCESS.format(issuer=provider))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OIDC_SECRET", "a-secret-of-the-client")
        with web_server(place, access="access/access.txt") as started:
            yield started


def signed_in(server: WebServer, subject: str) -> tuple[httpx.Response, httpx.Client]:
    """Goes to the provider, says who one is, and comes back."""
    client = server.client()
    form = client.get("/sign-in")
    assert "Authorize Client" in form.text
    return client.post(form.url, data={"sub": subject}), client


def test_who_is_known_comes_in(server: WebServer) -> None:
    assert "Sign in" in words_of(server.client().get("/"))
    answer, client = signed_in(server, "1")
    assert answer.status_code == 200
    assert "You are signed in" in words_of(answer)
    jobs = Visitor(client).get("")
    assert "ana@example.com" in words_of(jobs)
    assert ("ana@example.com", "sign-in") in [(line["who"], line["what"]) for line in server.audit()]


@pytest.mark.parametrize("subject", ["2", "3"], ids=["not in the list", "address not verified"])
def test_who_is_not_stays_outside(subject: str, server: WebServer) -> None:
    answer, client = signed_in(server, subject)
    assert answer.status_code == 401
    assert client.get("/c/test").status_code == 401


def test_an_answer_that_nobody_asked_for_is_not_believed(server: WebServer) -> None:
    client = server.client()
    client.follow_redirects = False
    there = client.get("/sign-in").headers["location"]
    query = parse_qs(urlsplit(there).query)
    assert query["code_challenge_method"] == ["S256"]
    state = query["state"][0]
    assert client.get("/sign-in/back", params={"code": "made-up", "state": "made-up"}).status_code == 401
    client.get("/sign-in")
    assert client.get("/sign-in/back", params={"code": "made-up", "state": state}).status_code == 401
    assert server.client().get("/sign-in/back", params={"code": "x", "state": state}).status_code == 401  # no cookie
    assert client.get("/sign-in/back", params={"error": "access_denied", "state": state}).status_code == 401


def test_a_provider_that_is_away_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_SECRET", "a-secret-of-the-client")
    place = Workplace(tmp_path)
    place.pipeline()
    place.write("access.txt", _ACCESS.format(issuer="http://127.0.0.1:1"))
    with web_server(place, access="access.txt") as alone:
        answer = alone.client().get("/sign-in")
        assert answer.status_code == 503
        assert "the provider that signs people in cannot be reached" in words_of(answer)
