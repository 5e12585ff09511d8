"""Proxies, certificates, and the wrong kind of line: one clear line each."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from musterroll import BackendError
from support.certificates import make_certificate
from support.hostile_servers import answer, hostile, says, wants_a_certificate
from support.scim_backends import Opened
from support.scim_servers import Portal, free_port
from support.workplace import Workplace

CONFIG = answer(b"{}")


def complaint(opened: Opened, url: str, **options: object) -> str:
    with pytest.raises(BackendError) as caught:
        opened(url, timeout=5, **options).capabilities()
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_proxy_without_a_scheme_is_one(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    page = answer(b'{"totalResults": 0, "Resources": []}')
    with hostile(says(page)) as proxy:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        assert opened("http://portal.example/scim/v2").count_users() == 0
        assert proxy.calls


@pytest.mark.parametrize("proxy", ["localhost:{}", "http://localhost:{}"])
def test_a_proxy_that_is_not_there(opened: Opened, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(free_port()))
    assert "the proxy for portal.example cannot be reached" in complaint(opened, "https://portal.example/scim/v2")


@pytest.mark.parametrize(
    "proxy", ["localhost:port", "http://", "socks5://localhost:1", "ftp://x:y:z", "htt p://x", "[::1"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_none(opened: Opened, monkeypatch: pytest.MonkeyPatch, proxy: str, scheme: str) -> None:
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy)
    monkeypatch.setenv(f"{scheme}_proxy", proxy)
    message = complaint(opened, f"{scheme}://portal.example/scim/v2")
    assert "proxy" in message.lower(), message


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_wanted(opened: Opened, tmp_path: Path, version: ssl.TLSVersion) -> None:
    certificate = make_certificate(tmp_path)
    with wants_a_certificate(certificate, version) as server:
        url = f"https://127.0.0.1:{server.port}/scim/v2"
        assert "client certificate, which musterroll does not bring" in complaint(opened, url, ca=certificate.path)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (b"<html><h1>400 Bad Request</h1>No required SSL certificate was sent</html>", "wants a client certificate"),
        (b"<html><h1>400</h1>The plain HTTP request was sent to HTTPS port</html>", "wants https in the url"),
    ],
)
def test_what_a_web_server_says_of_it(opened: Opened, page: bytes, told: str) -> None:
    with hostile(says(answer(page, status="400 Bad Request", kind="text/html"))) as server:
        assert told in complaint(opened, server.url)


def test_tls_where_there_is_none_and_the_other_way_round(portal: Portal, opened: Opened, tmp_path: Path) -> None:
    secure = portal.url.replace("http:", "https:")
    assert "it speaks none there; check https" in complaint(opened, secure)
    certificate = make_certificate(tmp_path)
    with hostile(says(CONFIG), certificate.server_context) as server:
        message = complaint(opened, f"http://127.0.0.1:{server.port}/scim/v2")
        assert "broke off" in message or "perhaps it speaks https" in message
        message = complaint(opened, f"https://127.0.0.1:{server.port}/scim/v2")
        assert "is not trusted: self" in message


def test_from_the_command_line(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.write(
        "staff.csv", "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\nx,,,,,,,\n,a,b,,c,,,\n"
    )
    place.write(
        "musterroll.toml", 'name = "x"\nbackend.use = "scim"\nbackend.options.url = "https://portal.example/v2"\n'
    )
    ended = place.run("plan", "staff.csv", HTTPS_PROXY=f"localhost:{free_port()}", no_proxy="")
    assert ended.status == 2, ended.err
    assert [line for line in ended.err.splitlines() if "the proxy for portal.example cannot be reached" in line]
