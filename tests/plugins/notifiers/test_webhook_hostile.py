"""Receivers that answer without end, or repeat what they were told in confidence."""

from __future__ import annotations

import base64
import time
import tracemalloc
from typing import Any

import pytest

from musterroll import Context, FieldSet, Message, Notifier, NotifierError, Purpose, Recipient, Sent
from musterroll_plugins.notifiers.webhook import WebhookOptions, build
from support.hostile_servers import Talk, answer, hostile, routes, says

CONTEXT = Context(instance="notifiers[sms]", fields=FieldSet([]), read_only=False)
HEAD = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PATH, KEY, PASSWORD = "T024BE7LD-secret", "Kanarienvogel-4711", "Sesame-7c1f"


def opened(url: Any, **options: Any) -> Notifier:
    return build(WebhookOptions.model_validate({"url": url, "retry_wait": 0, "timeout": 0.7, **options}), CONTEXT)


def send(notifier: Notifier, count: int = 4) -> tuple[list[Sent], str]:
    """What became of messages, and what the notifier said that stopped."""
    sent: list[Sent] = []
    began, told = time.monotonic(), ""
    messages = [
        Message(
            id=f"j1-u{n}",
            purpose=Purpose.INVITE,
            recipient=Recipient(username=f"u{n}", fields={"email": f"u{n}@example.com"}),
        )
        for n in range(count)
    ]
    try:
        sent.extend(notifier.send(iter(messages)))
    except NotifierError as error:
        told = error.message
    finally:
        notifier.close()
    assert time.monotonic() - began < 10
    return sent, told


ENDLESS: dict[str, Talk] = {
    "body": says(HEAD + b"\r\n", b"x" * 65536, again=True),
    "trickle": says(CHUNKED, b"1\r\nx\r\n", every=0.1, again=True),
    "continue": says(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, again=True),
    "headers": says(HEAD, b"X-One: more\r\n" * 1000, again=True),
    "status": says(b"HTTP/1.1 200 O", b"K" * 1000, again=True),
    "success": says(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, again=True),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_answer_without_end(kind: str) -> None:
    with hostile(ENDLESS[kind]) as server:
        tracemalloc.start()
        try:
            sent, told = send(opened(server.url))
            assert tracemalloc.get_traced_memory()[1] < 30_000_000
        finally:
            tracemalloc.stop()
    assert sent
    assert all("\n" not in (one.detail or "") and len(one.detail or "") < 400 for one in sent)
    wanted = {"body": "failed", "trickle": "failed", "success": "sent"}.get(kind, "unknown")
    assert {str(one.status) for one in sent} == {wanted}, told


@pytest.mark.parametrize("way", ["url", "basic", "token", "header"])
def test_whatever_of_the_sign_in_it_repeats(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    def repeats(got: bytes) -> bytes:
        head = got.split(b"\r\n\r\n")[0]
        return answer(b"x" * 150 + head.replace(b"\r\n", b" "), status="400 Bad Request", kind="text/plain")

    with hostile(routes({"POST": repeats})) as server:
        monkeypatch.setenv("A_URL", f"{server.url}/hook/{PATH}?key={KEY}")
        monkeypatch.setenv("A_WORD", PASSWORD)
        options: dict[str, Any] = {"url": {"env": "A_URL"}}
        match way:
            case "basic":
                options |= {"username": "me", "password": {"env": "A_WORD"}}
            case "token":
                options["token"] = {"env": "A_WORD"}
            case "header":
                options["headers"] = {"X-Key": {"env": "A_WORD"}}
        sent, told = send(opened(**options))
    words = " ".join([told, *(str(one.detail) for one in sent)])
    assert "***" in words
    basic = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    for secret in (PATH, PATH[:9], KEY, KEY[:9], PASSWORD, basic, basic[:9]):
        assert secret not in words


def test_a_proxy_that_is_none_and_one_without_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", "localhost:port")
    sent, told = send(opened("http://gateway.example/hook"))
    assert (str(sent[0].status), len(sent)) == ("failed", 1)
    assert "the proxy for gateway.example is none that can be used" in told
    with hostile(says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as proxy:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        sent, _ = send(opened("http://gateway.example/hook"))
        assert {str(one.status) for one in sent} == {"sent"}
