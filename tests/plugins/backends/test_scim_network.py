"""What stands in between, as the portal's backend tells it; the rest is in tests/http."""

from __future__ import annotations

import pytest

from musterroll import BackendError
from support.hostile_servers import answer, hostile, says
from support.scim_backends import Opened
from support.scim_servers import free_port
from support.workplace import Inside


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


def test_from_the_command_line(scratch: Inside) -> None:
    scratch.write(
        "staff.csv", "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\nx,,,,,,,\n,a,b,,c,,,\n"
    )
    scratch.write(
        "musterroll.toml", 'name = "x"\nbackend.use = "scim"\nbackend.options.url = "https://portal.example/v2"\n'
    )
    ended = scratch.run("plan", "staff.csv", HTTPS_PROXY=f"localhost:{free_port()}", no_proxy="")
    assert ended.status == 2, ended.err
    assert [line for line in ended.err.splitlines() if "the proxy for portal.example cannot be reached" in line]
