"""The notifier `webhook` with a real receiver."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from musterroll import (
    Context,
    Field,
    FieldSet,
    Message,
    Notifier,
    NotifierError,
    Purpose,
    Recipient,
    Sent,
    SentStatus,
)
from musterroll_plugins.notifiers.webhook import WebhookOptions, build
from support.certificates import make_certificate
from support.receivers import Answer, Receiver, receiver, script

NOW = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
NAMES = ("username", "forename", "email", "calling_code", "phone")
FIELDS = FieldSet(Field(name=name, heading=name) for name in NAMES)
CONTEXT = Context(instance="notifiers[sms]", fields=FIELDS, read_only=False, clock=lambda: NOW)
CANARY = "Kanarienvogel-4711"


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def opened(url: str | dict[str, str], context: Context = CONTEXT, **options: Any) -> Notifier:
    """A notifier that does not wait between attempts."""
    return build(WebhookOptions.model_validate({"url": url, "retry_wait": 0, "timeout": 5, **options}), context)


def invite(name: str = "ana", **fields: str) -> Message:
    fields = {"email": f"{name}@example.com", "calling_code": "44", "phone": "7712345678", **fields}
    values = {"pipeline": "acme", "job": "j1", "valid_days": "14", "expires": "2030-01-16"}
    recipient = Recipient(username=name, fields=fields)
    return Message(id=f"j1-invite-{name}", purpose=Purpose.INVITE, recipient=recipient, values=values)


FINISHED = Message(
    id="j1-finished",
    purpose=Purpose.FINISHED,
    recipient=None,
    values={"pipeline": "acme", "job": "j1", "state": "completed", "sheet": "2030", "rows": "3", "created": "2"},
)


def send(notifier: Notifier, *messages: Message) -> list[Sent]:
    try:
        return list(notifier.send(iter(messages)))
    finally:
        notifier.close()


def outcomes(sent: list[Sent]) -> str:
    return " ".join(sorted(f"{one.message.rpartition('-')[2]}:{one.status}" for one in sent))


def stopped(notifier: Notifier, messages: list[Message], match: str) -> tuple[list[Sent], int]:
    """Sends until it stops; returns the answers, and how many messages were not asked for."""
    asked, sent = iter(messages), list[Sent]()
    sending = notifier.send(asked)
    with pytest.raises(NotifierError, match=match) as caught:
        sent.extend(sending)
    notifier.close()
    assert "\n" not in caught.value.message
    return sent, len(list(asked))


# -- what is sent -----------------------------------------------------------------------------------------------


def test_our_own_document(hook: Receiver) -> None:
    assert outcomes(send(opened(hook.url), invite(forename="Zoë"), FINISHED)) == "ana:sent finished:sent"
    first, second = hook.requests
    assert first.json == {
        "id": "j1-invite-ana",
        "purpose": "invite",
        "pipeline": "acme",
        "job": "j1",
        "user": {
            "username": "ana",
            "phone_number": "447712345678",
            "email": "ana@example.com",
            "calling_code": "44",
            "phone": "7712345678",
            "forename": "Zoë",
        },
        "valid_days": 14,
        "expires": "2030-01-16",
    }
    assert (first.method, first.key) == ("POST", "j1-invite-ana")
    assert (second.json["sheet"], second.json["rows"]) == ("2030", 3)


def test_the_body_that_a_gateway_wants(hook: Receiver) -> None:
    body = {
        "to": "+{phone_number}",
        "flash": False,
        "parts": [{"text": "Hello {forename}, {{ok}}\n{expires}", "order": 1}],
    }
    finished = {"text": "{sheet}: {created} of {rows}"}
    send(opened(hook.url, body=body, finished_body=finished), invite(forename='"}\\'), FINISHED)
    assert hook.requests[0].json == {
        "to": "+447712345678",
        "flash": False,
        "parts": [{"text": 'Hello "}\\, {ok}\n2030-01-16', "order": 1}],
    }
    assert hook.requests[1].json == {"text": "2030: 2 of 3"}


def test_a_form(hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PASSWORD", CANARY)
    body = {"To": "+{phone_number}", "Body": "Grüße {forename} & co", "max": 3}
    notifier = opened(
        hook.url, encoding="form", body=body, username="AC1", password={"env": "GATEWAY_PASSWORD"}, method="PUT"
    )
    send(notifier, invite(forename="a=b&To=x"))
    (request,) = hook.requests
    assert request.form == {"To": "+447712345678", "Body": "Grüße a=b&To=x & co", "max": "3"}
    assert (request.method, request.headers["authorization"][:6]) == ("PUT", "Basic ")
    send(opened(hook.url, encoding="form"), invite())
    assert hook.requests[1].form["user.username"] == "ana"


def test_headers_and_secrets(hook: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEY", CANARY)
    monkeypatch.setenv("GATEWAY_URL", hook.url + f"?key={CANARY}")
    (tmp_path / "token").write_text(CANARY + "\n")
    headers = {"X-Key": {"env": "GATEWAY_KEY"}, "content-type": "application/vnd.acme+json", "X-Of": "acme"}
    notifier = opened({"env": "GATEWAY_URL"}, headers=headers, token={"file": str(tmp_path / "token")})
    hook.answer = script(Answer(400, f'{{"error": {{"message": "no {CANARY} for you"}}}}'))
    (sent,) = send(notifier, invite())
    assert sent.status is SentStatus.FAILED
    assert str(sent.detail).endswith("refused it (400: no *** for you)")
    seen = hook.requests[0].headers
    assert (seen["x-key"], seen["x-of"], seen["authorization"]) == (CANARY, "acme", f"Bearer {CANARY}")
    assert seen["content-type"] == "application/vnd.acme+json"
    assert CANARY not in repr(vars(notifier))


def test_a_receiver_can_check_the_signature_as_the_docs_say(hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", CANARY)
    send(opened(hook.url, secret={"env": "HOOK_SECRET"}), invite())
    (request,) = hook.requests
    page = (Path(__file__).parents[3] / "docs" / "invites.md").read_text(encoding="utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "def is_genuine" in block]
    module: dict[str, Any] = {"__name__": "docs"}
    exec(code, module)  # noqa: S102 -- our own page
    is_genuine = module["is_genuine"]
    header, then = request.headers["musterroll-signature"], NOW.timestamp()
    assert is_genuine(header, request.body, CANARY, now=then + 10)
    assert not is_genuine(header, request.body + b" ", CANARY, now=then)
    assert not is_genuine(header, request.body, CANARY + "x", now=then)
    assert not is_genuine(header, request.body, CANARY, now=then + 3600)  # an old one, sent again by somebody
    digest = hmac.new(CANARY.encode(), f"{int(then)}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert header == f"t={int(then)},v1={digest}"


@pytest.mark.parametrize(
    ("needs", "reached"),
    [
        ("email", "email both"),
        ("phone", "phone both"),
        ("any", "email phone both"),
        ("nothing", "none email phone both"),
    ],
)
def test_whom_it_reaches(needs: str, reached: str) -> None:
    phone = {"calling_code": "44", "phone": "7712345678"}
    people = {"none": {}, "email": {"email": "a@b.example"}, "phone": phone, "both": {"email": "a@b.example", **phone}}
    notifier = opened("http://127.0.0.1:9/", needs=needs, channel="sms")
    found = [name for name, fields in people.items() if notifier.can_reach(Recipient(username="x", fields=fields))]
    assert " ".join(found) == reached
    assert notifier.channel == "sms"


# -- answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success(hook: Receiver, status: int) -> None:
    hook.answer = script(Answer(status))
    assert outcomes(send(opened(hook.url), invite())) == "ana:sent"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 501])
def test_refusals_are_not_repeated(hook: Receiver, status: int) -> None:
    hook.answer = script(Answer(status, '{"detail": "unknown number"}'))
    sent = send(opened(hook.url, idempotent=True), invite("ana"), invite("bo"))
    assert outcomes(sent) == "ana:failed bo:sent"
    assert f"({status}: unknown number)" in str(sent[0].detail)
    assert hook.keys == ["j1-invite-ana", "j1-invite-bo"]


@pytest.mark.parametrize("status", [425, 429])
def test_busy_is_tried_again(hook: Receiver, status: int) -> None:
    hook.answer = script(Answer(status), Answer(status))
    assert outcomes(send(opened(hook.url), invite())) == "ana:sent"
    assert hook.keys == ["j1-invite-ana"] * 3


@pytest.mark.parametrize(("status", "kind"), [(429, "seconds"), (503, "date")])
def test_retry_after_is_honoured_for_all(hook: Receiver, status: int, kind: str) -> None:
    times: list[float] = []
    # By the receiver's clock, which it sends along; ours is years away.
    after = "1" if kind == "seconds" else format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2))

    def answer(request: object) -> Answer:
        times.append(time.monotonic())
        return Answer(status, headers={"Retry-After": after}) if len(times) == 2 else Answer()

    hook.answer = answer
    sent = send(opened(hook.url, concurrency=2, idempotent=True), *map(invite, ("ana", "bo", "cy", "di")))
    assert {one.status for one in sent} == {SentStatus.SENT}
    assert len(times) == 5
    # One that was on its way already may come in between.
    assert times[3] - times[1] > 0.9


def test_who_wants_to_be_left_alone_is(hook: Receiver) -> None:
    hook.answer = lambda request: Answer(429, headers={"Retry-After": "86400"})
    people = [invite(f"u{n}") for n in range(9)]
    sent, left = stopped(opened(hook.url), people, "wants to be left alone until 2030-01-03 03:04 UTC")
    assert (outcomes(sent), left) == ("u0:failed", 8)


def test_always_busy_stops_and_leaves_the_rest_due(hook: Receiver) -> None:
    hook.answer = lambda request: Answer(429)
    sent, left = stopped(opened(hook.url, retries=2), [invite(f"u{n}") for n in range(9)], "too busy")
    assert (outcomes(sent), left, len(hook.requests)) == ("u0:failed", 8, 3)


@pytest.mark.parametrize(
    "answer",
    [*map(Answer, (500, 502, 503, 408, 0)), Answer(503, headers={"Retry-After": "0"})],
    ids=lambda a: f"{a.status}{a.headers or ''}",
)
def test_what_may_have_been_done_is_held_and_not_repeated(hook: Receiver, answer: Answer) -> None:
    hook.answer = script(answer)
    sent = send(opened(hook.url), invite("ana"), invite("bo"))
    assert outcomes(sent) == "ana:unknown bo:sent"
    assert hook.keys == ["j1-invite-ana", "j1-invite-bo"]


@pytest.mark.parametrize("answer", [Answer(500), Answer(502), Answer(503), Answer(0)], ids=lambda a: str(a.status))
def test_to_a_receiver_that_knows_the_key_it_is_sent_again(hook: Receiver, answer: Answer) -> None:
    hook.answer = script(answer, answer)
    assert outcomes(send(opened(hook.url, idempotent=True), invite("ana"), invite("bo"))) == "ana:sent bo:sent"
    assert hook.keys == ["j1-invite-ana"] * 3 + ["j1-invite-bo"]
    assert len({request.body for request in hook.requests}) == 2


def test_a_doubt_remains_whatever_comes_after_it(hook: Receiver) -> None:
    hook.answer = script(Answer(500), Answer(409, '{"error": "in progress"}'))
    assert outcomes(send(opened(hook.url, idempotent=True), invite())) == "ana:unknown"


def test_a_slow_answer_is_held(hook: Receiver) -> None:
    hook.answer = script(Answer(-1))
    (sent,) = send(opened(hook.url, timeout=0.3), invite())
    assert (sent.status, "took too long" in str(sent.detail)) == (SentStatus.UNKNOWN, True)


def test_a_receiver_that_always_breaks_does_not_make_everything_doubtful(hook: Receiver) -> None:
    hook.answer = lambda request: Answer(500)
    people = [invite(f"u{n}") for n in range(30)]
    sent, left = stopped(opened(hook.url, concurrency=2), people, "without a success")
    assert {one.status for one in sent} == {SentStatus.UNKNOWN}
    assert (len(sent) <= 5, len(sent) + left) == (True, 30)


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (Answer(401, "who are you?", content_type="text/plain"), r"token or password \(401: who are you\?\)"),
        (Answer(302, headers={"Location": "/elsewhere"}), r"redirect \(302\)"),
    ],
)
def test_what_goes_wrong_for_all_stops_everything(hook: Receiver, answer: Answer, match: str) -> None:
    hook.answer = lambda request: answer
    sent, left = stopped(opened(hook.url), [invite(f"u{n}") for n in range(9)], match)
    assert (outcomes(sent), left, len(hook.requests)) == ("u0:failed", 8, 1)


def test_several_at_once(hook: Receiver) -> None:
    hook.latency = 0.02
    sent = send(opened(hook.url, concurrency=4), *(invite(f"u{n}") for n in range(40)))
    assert {one.status for one in sent} == {SentStatus.SENT}
    assert (len(set(hook.keys)), len(hook.keys), hook.most_at_once) == (40, 40, 4)


def test_an_interrupted_wait_ends_at_once(hook: Receiver) -> None:
    cancelled = threading.Event()
    context = Context(instance="x", fields=FIELDS, read_only=False, cancelled=cancelled)

    def answer(request: object) -> Answer:
        cancelled.set()
        return Answer(429, headers={"Retry-After": "60"})

    hook.answer = answer
    began = time.monotonic()
    assert outcomes(send(opened(hook.url, context), invite())) == "ana:failed"
    assert time.monotonic() - began < 3


# -- the line ---------------------------------------------------------------------------------------------------


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sent, left = stopped(opened(f"http://127.0.0.1:{port}/"), [invite("ana"), invite("bo")], "cannot be reached: ")
    assert (outcomes(sent), left) == ("ana:failed", 1)
    stopped(opened("http://nowhere.invalid/"), [invite()], "nowhere.invalid cannot be found; check the url")


def test_certificates(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with receiver(tls=certificate.server_context) as hook:
        sent, _ = stopped(opened(hook.url), [invite()], "is not trusted: self")
        assert outcomes(sent) == "ana:failed"
        assert outcomes(send(opened(hook.url, ca=certificate.path), invite())) == "ana:sent"
    with pytest.raises(NotifierError, match="cannot be used"):
        opened("https://127.0.0.1/", ca=tmp_path / "none.pem")


def test_the_proxy_of_the_environment(hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", hook.url.removesuffix("/hook"))
    monkeypatch.setenv("no_proxy", "")
    assert outcomes(send(opened("http://nowhere.invalid/x"), invite())) == "ana:sent"
    assert hook.requests[0].headers["host"] == "nowhere.invalid"


# -- options ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"url": "gateway.example"}, "write the whole address"),
        ({"url": "https://robot:x@gateway.example/"}, "leave user and password out"),
        ({"headers": {"X Y": "1"}}, "cannot be the name of a header"),
        ({"headers": {"X": "a\r\nY: b"}}, "no header has"),
        ({"username": "robot"}, "belong together"),
        ({"encoding": "form", "body": {"a": {"b": "c"}}}, "a form has no tables"),
        ({"body": {"a": [{"b": "{x"}]}}, r'a\[0\].b: a single "{"'),
        ({"body": {"a": dt.date(2030, 1, 1)}}, "a: write dates"),
    ],
)
def test_mistakes(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        WebhookOptions.model_validate({"url": "https://gateway.example/", **options})


def test_secrets_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", f"{CANARY}\nX: y")
    url, ref = "https://gateway.example/", {"env": "GATEWAY"}
    for wrong, options in ((url, {"token": ref}), (ref, {}), (url, {"headers": {"X": ref}})):
        with pytest.raises(NotifierError) as caught:
            opened(wrong, **options)
        assert CANARY not in str(caught.value)


def test_without_the_extra() -> None:
    code = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "from musterroll import NotifierError, Context, FieldSet\n"
        "from musterroll_plugins.notifiers.webhook import WebhookOptions, build\n"
        "try: build(WebhookOptions(url='http://localhost/'), Context(instance='x', fields=FieldSet([])))\n"
        "except NotifierError as error: print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "musterroll[webhook]"' in ended.stdout
