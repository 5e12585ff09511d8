"""One request after another, and when it is sent again: what certainly was not done, and what is doubtful."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

import musterroll_http
from musterroll import BackendError, BackendUnavailableError, NotifierError, Secret
from musterroll_http import HttpAnswer, HttpClient, HttpError
from support.receivers import Answer, Receiver, script
from support.scim_servers import free_port

from .conftest import Clients

CANARY = "Kanarienvogel-4711"
BUSY, BROKEN, CUT_OFF = Answer(429), Answer(500), Answer(0)


def ask(clients: Clients, client: HttpClient, method: str = "GET", **more: Any) -> HttpAnswer:
    async def once() -> HttpAnswer:
        return await client.request(method, **more)

    return clients.do(once)


def failure(clients: Clients, client: HttpClient, method: str = "GET", **more: Any) -> HttpError:
    with pytest.raises(HttpError) as caught:
        ask(clients, client, method, **more)
    assert "\n" not in caught.value.text
    return caught.value


def test_the_public_names() -> None:
    assert musterroll_http.__all__ == [
        "ClientCredentials",
        "HttpAnswer",
        "HttpClient",
        "HttpError",
        "HttpOptions",
        "Meaning",
        "Paging",
        "Pump",
        "RestBackend",
        "RestOptions",
        "SignIn",
        "check_url",
        "id_in",
        "identity_of",
        "masked",
        "meaning",
        "put_at",
        "quoted",
        "refused_handshake",
        "text_of_id",
        "tls_context",
        "untrusted",
        "value_at",
    ]
    assert all(getattr(musterroll_http, name).__doc__ for name in musterroll_http.__all__)
    with pytest.raises(AttributeError):
        _ = musterroll_http.Line


def test_options_need_neither_aiohttp_nor_an_event_loop() -> None:
    code = (
        "import sys; from musterroll_http import HttpOptions; print({'asyncio', 'aiohttp', 'ssl'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"


def test_without_aiohttp(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(BackendError, match="pip install") as caught:
        clients("http://localhost/")
    assert caught.value.code == "extra.missing"


def test_what_is_sent_and_what_comes_back(server: Receiver, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", CANARY + "\n")
    server.answer = script(Answer(201, '{"id": 7}', {"ETag": "v1"}))
    client = clients(server.url, token={"env": "A_TOKEN"})
    answer = ask(clients, client, "POST", path="/users", params={"a b": "c&d"}, body={"name": "Zoë"})
    assert (answer.status, answer.ok, answer.body, answer.headers["etag"]) == (201, True, {"id": 7}, "v1")
    (request,) = server.requests
    assert request.json == {"name": "Zoë"}
    assert (request.headers["authorization"], request.headers["accept"]) == (f"Bearer {CANARY}", "application/json")
    ask(clients, client, "PUT", content=b"a=b", headers={"content-type": "text/plain", "ACCEPT": "*/*"})
    assert server.requests[1].headers["content-type"] == "text/plain"
    assert server.requests[1].headers["accept"] == "*/*"
    assert server.requests[1].body == b"a=b"


@pytest.mark.parametrize("status", [301, 400, 404, 409, 501])
def test_a_refusal_is_an_answer(server: Receiver, clients: Clients, status: int) -> None:
    server.answer = lambda request: Answer(status, '{"error": {"message": "no\\nway"}}', {"Location": "/elsewhere"})
    answer = ask(clients, clients(server.url))
    assert (answer.status, answer.ok, answer.reason) == (status, False, f"no way ({status})")
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("bad", [BUSY, BROKEN, Answer(408), Answer(503)], ids=lambda a: str(a.status))
def test_what_may_be_done_twice_is_sent_again(server: Receiver, clients: Clients, method: str, bad: Answer) -> None:
    server.answer = script(Answer(), bad, Answer(409))
    client = clients(server.url)
    ask(clients, client)
    answer = ask(clients, client, method)
    assert answer.status == 409
    assert answer.doubtful == (bad is not BUSY)  # an attempt before it may have been carried out
    assert len(server.requests) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("bad", [BROKEN, CUT_OFF, Answer(408), Answer(503), Answer(-1)], ids=lambda a: str(a.status))
def test_what_may_have_been_done_is_doubtful_and_not_sent_again(
    server: Receiver, clients: Clients, method: str, bad: Answer
) -> None:
    server.answer = script(bad)
    client = clients(server.url, timeout=0.5)
    error = failure(clients, client, method)
    assert (error.certain, len(server.requests)) == (False, 1)
    assert client.stopped is None
    assert ask(clients, client, method, repeatable=True).ok


@pytest.mark.parametrize("bad", [BUSY, Answer(425)], ids=lambda a: str(a.status))
def test_what_was_certainly_not_done_is_sent_again(server: Receiver, clients: Clients, bad: Answer) -> None:
    server.answer = script(bad, bad)
    answer = ask(clients, clients(server.url), "POST")
    assert (answer.ok, answer.doubtful, len(server.requests)) == (True, False, 3)


def test_nobody_is_there(clients: Clients) -> None:
    client = clients(f"http://127.0.0.1:{free_port()}/")
    error = failure(clients, client, "POST")
    assert (error.certain, "cannot be reached" in error.text) == (True, True)
    assert isinstance(client.stopped, BackendUnavailableError)
    client = clients("https://nowhere.invalid/", NotifierError)
    assert "nowhere.invalid cannot be found; check the url" in failure(clients, client).text
    assert isinstance(client.stopped, NotifierError)


def test_a_server_that_keeps_failing_is_left_alone(server: Receiver, clients: Clients) -> None:
    server.answer = lambda request: BUSY
    client = clients(server.url, retries=2, name="the portal")
    error = failure(clients, client, "POST")
    assert (error.certain, error.text) == (True, "the portal is too busy: status 429; try again later")
    assert len(server.requests) == 3
    assert failure(clients, client).text == error.text  # and nothing was sent
    assert len(server.requests) == 3
    assert str(client.failed(error)) == error.text
    server.answer = lambda request: Answer()
    client.begin()
    assert ask(clients, client).ok


def test_one_request_that_fails_stops_nobody_who_is_answered(server: Receiver, clients: Clients) -> None:
    server.answer = lambda request: BROKEN if request.method == "PUT" else Answer()
    client = clients(server.url, retries=2, retry_wait=0.1)

    async def both() -> bool:
        failing = asyncio.ensure_future(client.request("PUT"))
        while not failing.done():
            await client.request("GET")
        return isinstance(failing.exception(), HttpError)

    assert clients.do(both)
    assert client.stopped is None


def test_retry_after_is_for_all(server: Receiver, clients: Clients) -> None:
    server.answer = script(Answer(429, headers={"Retry-After": "1"}))
    client, began = clients(server.url), time.monotonic()

    async def two() -> None:
        first = asyncio.ensure_future(client.request("GET"))
        while not server.requests:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        await client.request("GET")
        assert time.monotonic() - began > 0.9
        await first

    clients.do(two)
    assert len(server.requests) == 3


def test_who_wants_to_be_left_alone_for_long_stops_everything(server: Receiver, clients: Clients) -> None:
    server.answer = lambda request: Answer(503, headers={"Retry-After": "86400"})
    client = clients(server.url)
    assert "wants to be left alone until 20" in failure(clients, client, "PUT").text
    assert len(server.requests) == 1


def test_an_interrupted_wait_ends_at_once(server: Receiver, clients: Clients) -> None:
    server.answer = lambda request: Answer(429, headers={"Retry-After": "60"})
    threading.Timer(0.3, clients.cancelled.set).start()
    began = time.monotonic()
    assert failure(clients, clients(server.url), "POST").certain
    assert time.monotonic() - began < 5


def test_no_more_than_allowed(server: Receiver, clients: Clients) -> None:
    server.latency = 0.05

    async def many(client: HttpClient) -> None:
        await asyncio.gather(*(client.request("GET") for _ in range(12)))

    clients.do(many, clients(server.url, concurrency=4))
    assert server.most_at_once == 4
    began = time.monotonic()
    clients.do(many, clients(server.url, requests_per_second=20))
    assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize(("there", "sent"), [(True, 1), (False, 2)])
def test_once_looks_before_it_repeats(server: Receiver, clients: Clients, there: bool, sent: int) -> None:
    server.answer = script(Answer(503))
    client = clients(server.url)

    async def send() -> str:
        return f"made ({(await client.request('POST')).status})"

    async def look() -> str | None:
        return "found" if there else None

    async def work() -> str:
        return await client.once(send, look)

    assert clients.do(work) == ("found" if there else "made (200)")
    assert len(server.requests) == sent


def test_what_is_repeated_of_our_secrets_is_masked(
    server: Receiver, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_URL", f"{server.url}/{CANARY}")
    monkeypatch.setenv("A_WORD", "Sesame-7c1f")
    server.answer = lambda request: Answer(
        400, f"{CANARY} Sesame-7c1f {request.headers['authorization']} hush-hush", content_type="text/plain"
    )
    client = clients({"env": "A_URL"}, username="me", password={"env": "A_WORD"})
    answer = ask(clients, client, "POST", hide=[Secret("hush-hush")])
    assert answer.reason == "*** *** Basic *** *** (400)"


def test_secrets_that_are_none(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_WORD", f"{CANARY}\nX: y")
    cases: list[tuple[Any, dict[str, Any]]] = [
        ("http://localhost/", {"token": {"env": "A_WORD"}}),
        ({"env": "A_WORD"}, {}),
    ]
    for url, options in cases:
        with pytest.raises(BackendError) as caught:
            clients(url, **options)
        assert CANARY not in str(caught.value)
