"""What an answer means, on `RestBackend`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from musterroll import (
    BackendError,
    BackendUnavailableError,
    CreateUser,
    Deactivate,
    Desired,
    Result,
    Secret,
    Status,
    UpdateUser,
    UserKey,
    UserRef,
)
from musterroll.testing import make_context
from musterroll_http import RestOptions, identity_of
from support.receivers import Answer, Receiver, Request, receiver

from .rest import Mini

CANARY = "Kanarienvogel-4711"
ANA = UserRef("id-1", "ana")


class Portal:
    """Answers as a test says, by method."""

    def __init__(self, server: Receiver) -> None:
        self.says: dict[str, list[Answer]] = {}
        server.answer, self.server, self.backends = self._answer, server, list[Mini]()

    def _answer(self, request: Request) -> Answer:
        left = self.says.get(request.method, [])
        return left.pop(0) if left else Answer(200, "[]" if request.method == "GET" else '{"id": "id-1"}')

    def open(self, **options: Any) -> Mini:
        self.backends.append(Mini(RestOptions(url=self.server.url, **options), make_context(read_only=False)))
        self.backends[-1].retry_wait = 0.01
        return self.backends[-1]

    def perform(self, op: Any, **options: Any) -> Result:
        (result,) = self.open(**options).execute(iter([op]))
        return result

    def sent(self) -> list[str]:
        return [request.method for request in self.server.requests]


@pytest.fixture
def portal() -> Iterator[Portal]:
    with receiver() as server:
        portal = Portal(server)
        yield portal
        for backend in portal.backends:
            backend.close()


def creation(password: str | None = None) -> CreateUser:
    secret = Secret(password) if password else None
    return CreateUser(id="op-1", user=Desired(username="ana", fields={}), password=secret)


FOUND = Answer(
    200,
    '[{"id": "id-7", "username": "ana", "enabled": true, "groups": [], "attributes": {"musterroll": "op-1"}}]',
)


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        (Answer(400, '{"error": "the name is odd"}'), Status.FAILED, "the name is odd (400)"),
        (Answer(403, '{"error": "not yours"}'), Status.FAILED, "not yours (403)"),
        (Answer(409, '{"error": "there is one"}'), Status.CONFLICT, "there is one (409)"),
        (Answer(500, '{"error": "oh"}'), Status.FAILED, "oh (500)"),
        (Answer(422, "<html>", content_type="text/html"), Status.FAILED, "it answered with a web page (422)"),
    ],
)
def test_what_a_refused_creation_is(answer: Answer, status: Status, detail: str, portal: Portal) -> None:
    portal.says = {"POST": [answer]}
    result = portal.perform(creation())
    assert (result.status, result.detail) == (status, detail)
    assert portal.sent().count("POST") == 1


@pytest.mark.parametrize("answer", [Answer(429), Answer(503, "", {"Retry-After": "0"}), Answer(500)])
def test_what_may_have_been_created_is_looked_for(answer: Answer, portal: Portal) -> None:
    portal.says = {"POST": [answer], "GET": [FOUND]}
    result = portal.perform(creation())
    assert (result.status, result.ref) == (Status.DONE, "id-7")
    assert portal.sent() == ["POST", "GET"]


def test_what_was_not_created_is_created_after_all(portal: Portal) -> None:
    portal.says = {"POST": [Answer(429), Answer(503)]}
    assert portal.perform(creation()).status is Status.DONE
    assert portal.sent() == ["POST", "GET", "POST", "GET", "POST"]


def test_what_can_be_repeated_is_repeated(portal: Portal) -> None:
    portal.says = {"PUT": [Answer(0), Answer(429, "", {"Retry-After": "0"}), Answer(500)]}
    assert portal.perform(Deactivate(id="1", user=ANA)).status is Status.DONE
    portal.says = {"PUT": [Answer(500)] * 3}
    assert portal.perform(Deactivate(id="1", user=ANA)).status is Status.FAILED
    portal.says = {"PUT": [Answer(404, '{"error": "gone"}')]}
    result = portal.perform(UpdateUser(id="1", user=ANA, changes={"surname": "X"}))
    assert (result.status, result.detail) == (Status.FAILED, "gone (404)")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(401), "does not accept the token"),
        (Answer(302, "", {"Location": "https://elsewhere.example"}), "set url to the address"),
        (Answer(200, "<html>", content_type="text/html"), "answers with a web page instead of JSON"),
        (Answer(429, "", {"Retry-After": "3600"}), "left alone until"),
    ],
)
def test_what_stops_everything(answer: Answer, words: str, portal: Portal) -> None:
    portal.says = {"GET": [answer] * 9, "PUT": [answer] * 9}
    with pytest.raises(BackendError, match=words):
        portal.open().lookup([UserKey.of("username", "ana")])
    with pytest.raises(BackendError, match=words):
        list(portal.open().execute(iter([Deactivate(id=str(n), user=ANA) for n in range(50)])))
    assert portal.sent().count("PUT") <= 20


def test_secrets_show_nowhere(portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    portal.server.answer = lambda request: Answer(
        400, '{"error": "refused: ' + request.body.decode().replace('"', "'") + request.headers["authorization"] + '"}'
    )
    result = portal.perform(creation(CANARY), token="tok-4711-sesame")
    assert "refused" in (result.detail or "")
    assert CANARY not in f"{result} {caplog.text}"
    assert "tok-4711-sesame" not in f"{result} {caplog.text}"
    assert not any(CANARY in str(request.headers) for request in portal.server.requests)


def test_who_the_portal_is(portal: Portal) -> None:
    assert portal.open(tenant="north").identity() == f"mini:{portal.server.url}#north"
    assert identity_of("x", "https://portal.example:443/api/", "") == "x:https://portal.example/api"
    assert portal.open().examine().endswith("0 users")
    portal.says = {"GET": [Answer(503)]}
    with pytest.raises(BackendError):
        portal.open().examine()
    assert portal.sent() == ["GET", "GET"]


def test_what_is_created_may_be_told_by_its_address() -> None:
    from musterroll_http import HttpAnswer, id_in

    assert id_in(HttpAnswer.of(201, None, {"Location": "https://x/users/a%2Fb/?x"})) == "a/b"
    assert id_in(HttpAnswer.of(201, {"user": {"nr": 7}}, {}), "user.nr") == "7"
    assert id_in(HttpAnswer.of(201, {}, {})) is None
    for odd in ({"id": "x" * 2000}, {"id": "a\nb"}, {"id": [1]}, {"id": True}):
        with pytest.raises(BackendError):
            id_in(HttpAnswer.of(201, odd, {}))


class Late(Mini):
    concurrency, tries, lag = 2, 3, 0.5


def test_what_a_class_says_holds_where_the_options_say_nothing(portal: Portal) -> None:
    def opened(kind: type[Mini], **options: Any) -> tuple[int, int, float]:
        backend = kind(RestOptions(url=portal.server.url, **options), make_context())
        portal.backends.append(backend)
        return backend.concurrency, backend.tries, backend.lag

    assert opened(Late) == (2, 3, 0.5)
    assert opened(Late, concurrency=16, retries=6, lag=0.0) == (16, 7, 0.0)
    assert opened(Mini) == (16, 7, 0.0)


def test_reads_are_repeated_as_often_as_the_class_says(portal: Portal) -> None:
    portal.says = {"GET": [Answer(503, "", {"Retry-After": "0"})] * 9}
    late = Late(RestOptions(url=portal.server.url), make_context())
    portal.backends.append(late)
    with pytest.raises(BackendUnavailableError):
        late.count_users()
    assert portal.sent() == ["GET"] * 3


def test_page_size_and_max_users_hold_for_every_list(portal: Portal) -> None:
    users = '[{"id": "%s", "username": "%s", "enabled": true, "groups": [], "attributes": {}}]'
    portal.says = {"GET": [Answer(200, users % (name, name)) for name in ("ana", "bo", "cy")]}
    assert portal.open(page_size=7).count_users() == 3
    assert {parse_qs(urlsplit(request.path).query)["max"][0] for request in portal.server.requests} == {"7"}
    portal.says = {"GET": [Answer(200, users % (name, name)) for name in ("ana", "bo", "cy")]}
    with pytest.raises(BackendError, match="after 2 there is more"):
        portal.open(max_users=2).count_users()
