"""Servers that answer without end or without sense, proxies, certificates: one clear line each, and soon."""

from __future__ import annotations

import ssl
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from musterroll import BackendError
from musterroll_http import HttpAnswer, HttpClient, HttpError
from support.certificates import make_certificate
from support.hostile_servers import Talk, answer, hostile, says, wants_a_certificate
from support.receivers import Receiver
from support.scim_servers import free_port

from .conftest import Clients

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def ask(clients: Clients, client: HttpClient) -> HttpAnswer:
    async def once() -> HttpAnswer:
        return await client.request("GET")

    return clients.do(once)


def complaint(clients: Clients, client: HttpClient) -> str:
    """What is said of a request that fails; it must come soon."""
    began = time.monotonic()
    with pytest.raises(HttpError) as caught:
        ask(clients, client)
    assert time.monotonic() - began < 10
    text = caught.value.text
    assert "\n" not in text
    assert len(text) < 400
    return text


def _bomb() -> bytes:
    """A mebibyte of gzip that is a gibibyte: the same piece, which needs nothing from before it, again and again."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    return head + (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)) * 1000


ENDLESS: dict[str, tuple[Talk, str]] = {
    "body": (says(HEAD + b"\r\n", b"x" * 65536, again=True), "larger than 1 MiB"),
    "chunks": (says(CHUNKED, b"ffff\r\n" + b"x" * 65535 + b"\r\n", again=True), "larger than 1 MiB"),
    "trickle": (says(CHUNKED, b"1\r\n \r\n", every=0.1, again=True), "took too long"),
    "continue": (says(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, again=True), "took too long"),
    "headers": (says(HEAD, b"X-One: more\r\n" * 1000, again=True), "headers have no end"),
    "header": (says(HEAD + b"X-One: ", b"more" * 1000, again=True), "headers have no end"),
    "status": (says(b"HTTP/1.1 200 O", b"K" * 1000, again=True), "headers have no end"),
    "trailers": (says(CHUNKED + b"0\r\n", b"X-One: more\r\n" * 1000, again=True), "headers have no end"),
    "late trailers": (
        says(CHUNKED + b"0\r\n", b"X-One: more\r\n" * 1000, every=0.05, again=True),
        "headers have no end",
    ),
    "no http": (says(b"\x15\x03\x01\x00\x02\x02\x50"), "perhaps it speaks https"),
    "bomb": (says(answer(_bomb(), "Content-Encoding: gzip")), "larger than 1 MiB"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_answer_without_end(clients: Clients, kind: str) -> None:
    talk, told = ENDLESS[kind]
    with hostile(talk) as server:
        client = clients(server.url, timeout=0.7, max_answer=1048576)
        tracemalloc.start()
        try:
            assert told in complaint(clients, client)
            assert tracemalloc.get_traced_memory()[1] < 30_000_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": ' + b"1" * 1_000_000 + b"}",
        b'{"a": NaN}',
        b'{"a": 0, "a": 1}',
        b'{"a":' * 50_000,
        b"[" * 500_000,
        b"\xff",
    ],
    ids=["digits", "nan", "twice", "objects", "lists", "bytes"],
)
def test_json_that_is_none(clients: Clients, body: bytes) -> None:
    with hostile(says(answer(body))) as server:
        got = ask(clients, clients(server.url))
    assert (got.ok, got.body, got.reason) == (False, None, "it answered with something that is no JSON (200)")


def test_a_proxy_without_a_scheme_is_one(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    with hostile(says(answer(b"{}"))) as proxy:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        assert ask(clients, clients("http://portal.example/v2")).ok
        assert proxy.calls


@pytest.mark.parametrize("proxy", ["localhost:{}", "http://localhost:{}"])
def test_a_proxy_that_is_not_there(clients: Clients, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(free_port()))
    told = complaint(clients, clients("https://portal.example/v2"))
    assert "the proxy for portal.example cannot be reached" in told


@pytest.mark.parametrize(
    "proxy", ["localhost:port", "http://", "socks5://localhost:1", "ftp://x:y:z", "htt p://x", "[::1"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_none(clients: Clients, monkeypatch: pytest.MonkeyPatch, proxy: str, scheme: str) -> None:
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy)
    monkeypatch.setenv(f"{scheme}_proxy", proxy)
    client = clients(f"{scheme}://portal.example/v2")
    assert "proxy" in complaint(clients, client).lower()
    assert type(client.stopped) is BackendError  # somebody has to change something


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_wanted(clients: Clients, tmp_path: Path, version: ssl.TLSVersion) -> None:
    certificate = make_certificate(tmp_path)
    with wants_a_certificate(certificate, version) as server:
        client = clients(f"https://127.0.0.1:{server.port}/", ca=certificate.path)
        assert "client certificate, which musterroll does not bring" in complaint(clients, client)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (b"<html><h1>400 Bad Request</h1>No required SSL certificate was sent</html>", "wants a client certificate"),
        (b"<html><h1>400</h1>The plain HTTP request was sent to HTTPS port</html>", "wants https in the url"),
    ],
)
def test_what_a_web_server_says_of_it(clients: Clients, page: bytes, told: str) -> None:
    with hostile(says(answer(page, status="400 Bad Request", kind="text/html"))) as server:
        assert told in ask(clients, clients(server.url)).reason


def test_tls_where_there_is_none_and_the_other_way_round(server: Receiver, clients: Clients, tmp_path: Path) -> None:
    told = complaint(clients, clients(server.url.replace("http:", "https:")))
    assert "it speaks none there; check https" in told
    certificate = make_certificate(tmp_path)
    with hostile(says(answer(b"{}")), certificate.server_context) as secure:
        told = complaint(clients, clients(f"http://127.0.0.1:{secure.port}/"))
        assert "broke off" in told or "perhaps it speaks https" in told
        url = f"https://127.0.0.1:{secure.port}/"
        assert "is not trusted: self" in complaint(clients, clients(url))
        assert ask(clients, clients(url, ca=certificate.path)).ok
