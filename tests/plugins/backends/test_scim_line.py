"""What a person hears of a portal that cannot be used, and how a busy or broken one is treated."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from musterroll import (
    BackendError,
    BackendUnavailableError,
    Context,
    CreateUser,
    Desired,
    FieldSet,
    Op,
    Result,
    Secret,
    Status,
    UpdateUser,
    UserBackend,
    UserKey,
    UserRef,
)
from musterroll_plugins.backends.scim import ScimOptions, build
from support.scim_servers import Faults, Portal, Server, free_port

CANARY = "Canary-7c1f-Sesame"
TOKEN = "Token-3f9a-Sesame"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def portal(server: Server, request: pytest.FixtureRequest) -> Portal:
    return server.portal(f"{request.node.name}".encode().hex())


class Opened:
    """The backends of one test, closed at its end."""

    def __init__(self) -> None:
        self.backends: list[UserBackend] = []
        self.cancelled = threading.Event()

    def __call__(self, url: str, *, read_only: bool = False, **options: Any) -> UserBackend:
        context = Context(instance="backend", fields=FieldSet([]), read_only=read_only, cancelled=self.cancelled)
        backend = build(ScimOptions.model_validate({"url": url, **options}), context)
        self.backends.append(backend)
        return backend


@pytest.fixture
def opened() -> Iterator[Opened]:
    opened = Opened()
    yield opened
    for backend in opened.backends:
        backend.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "musterroll-scim"]


def creations(count: int, start: int = 0, password: str | None = None) -> list[Op]:
    secret = None if password is None else Secret(password)
    return [
        CreateUser(id=f"op-{n}", user=Desired(username=f"user{n}", fields={"surname": "Silva"}), password=secret)
        for n in range(start, start + count)
    ]


def run(backend: UserBackend, *ops: Op) -> dict[str, Result]:
    return {result.op: result for result in backend.execute(iter(ops))}


def statuses(results: dict[str, Result]) -> set[Status]:
    return {result.status for result in results.values()}


class TestCannotBeUsed:
    def plan(self, backend: UserBackend) -> None:
        backend.capabilities()
        list(backend.groups())
        backend.lookup([UserKey.of("username", "ana")])

    def complaint(self, backend: UserBackend) -> str:
        """What planning hears, and executing before it pulls anything."""
        with pytest.raises(BackendError) as planning:
            self.plan(backend)

        def ops() -> Iterator[Op]:
            raise AssertionError("it pulls operations")
            yield

        with pytest.raises(BackendError) as executing:
            list(backend.execute(ops()))
        assert "\n" not in planning.value.message
        assert CANARY not in planning.value.message + executing.value.message
        return planning.value.message

    def test_wrong_token(self, portal: Portal, opened: Opened) -> None:
        portal.faults.tokens = {"Bearer right"}
        assert "401" in self.complaint(opened(portal.url, token=CANARY))
        assert portal.faults.writes() == []

    def test_token_that_may_not_read_users(self, portal: Portal, opened: Opened) -> None:
        portal.faults.statuses = {("GET", "/Users"): 403}
        backend = opened(portal.url)
        with pytest.raises(BackendError, match=r"403.*ask for the right"):
            backend.lookup([UserKey.of("username", "ana")])

    @pytest.mark.parametrize("path", ["", "/nowhere/v2", "/nowhere"])
    def test_wrong_url(self, server: Server, opened: Opened, path: str) -> None:
        message = self.complaint(opened(f"http://127.0.0.1:{server.port}{path}"))
        assert "check the url, it often ends in /scim/v2" in message

    def test_web_page(self, portal: Portal, opened: Opened) -> None:
        portal.faults.statuses, portal.faults.html = {("GET", "/"): 200}, True
        assert "a web page instead of SCIM" in self.complaint(opened(portal.url))

    def test_redirect(self, portal: Portal, opened: Opened) -> None:
        portal.faults.statuses, portal.faults.html = {("GET", "/"): 302}, True
        assert "set url to the address that it leads to" in self.complaint(opened(portal.url))

    def test_nobody_there(self, opened: Opened) -> None:
        backend = opened(f"http://127.0.0.1:{free_port()}/scim")
        message = self.complaint(backend)
        assert "cannot be reached" in message
        with pytest.raises(BackendUnavailableError):
            backend.capabilities()

    def test_unknown_host(self, opened: Opened) -> None:
        started = time.monotonic()
        assert "cannot be found" in self.complaint(opened("https://portal.invalid/scim"))
        assert time.monotonic() - started < 5

    def test_nobody_answers(self, opened: Opened) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/scim"
            assert "took too long" in self.complaint(opened(url, timeout=0.2))

    def test_https_where_there_is_none(self, server: Server, opened: Opened) -> None:
        assert "no secure connection" in self.complaint(opened(f"https://127.0.0.1:{server.port}/scim"))

    @pytest.mark.parametrize("status", [413, 414])
    def test_too_large(self, portal: Portal, opened: Opened, status: int) -> None:
        portal.faults.statuses = {("GET", "/Users"): status}
        backend = opened(portal.url)
        with pytest.raises(BackendError, match=rf"requests of this size \({status}\)"):
            backend.lookup([UserKey.of("username", "ana")])

    def test_refused_client(self, portal: Portal, opened: Opened) -> None:
        sign_in: dict[str, Any] = {"client_id": "c", "client_secret": CANARY, "token_url": portal.url + "/token"}
        assert "gives no token" in self.complaint(opened(portal.url, **sign_in))

    def test_certificates(self, tmp_path: Path, opened: Opened) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run([*command.split(), *names], check=True, capture_output=True)
        server = Server(ssl_certfile=str(certificate), ssl_keyfile=str(key))
        try:
            portal = server.portal("x")
            assert "is not trusted: self" in self.complaint(opened(portal.url))
            assert opened(portal.url, ca=certificate).count_users() == 0
            wrong = tmp_path / "none.pem"
            with pytest.raises(BackendError, match="cannot be used"):
                opened(portal.url, ca=wrong)
            wrong.write_text("nothing", encoding="utf-8")
            with pytest.raises(BackendError, match="no certificates"):
                opened(portal.url, ca=wrong)
        finally:
            server.stop()

    def test_without_the_extra(self) -> None:
        code = (
            "import sys; sys.modules['aiohttp'] = None\n"
            "from musterroll import BackendError, Context, FieldSet\n"
            "from musterroll_plugins.backends.scim import ScimOptions, build\n"
            "try: build(ScimOptions(url='http://localhost/'), Context(instance='backend', fields=FieldSet([])))\n"
            "except BackendError as error: print(error)"
        )
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert 'pip install "musterroll[scim]"' in ended.stdout


class TestBusy:
    @pytest.mark.parametrize("retry_after", ["0.05", "date", None])
    @pytest.mark.parametrize("bulk", ["auto", "never"])
    def test_waits_as_long_as_it_is_asked_to(
        self, portal: Portal, opened: Opened, retry_after: str | None, bulk: str
    ) -> None:
        portal.faults = Faults(busy=0.3, retry_after=retry_after)
        results = run(opened(portal.url, bulk=bulk), *creations(20))
        assert statuses(results) == {Status.DONE}
        assert len(portal.users()) == 20

    def test_a_portal_that_wants_to_be_left_alone_pauses_the_job(self, portal: Portal, opened: Opened) -> None:
        backend = opened(portal.url)
        backend.capabilities()
        portal.faults = Faults(busy=1.0, retry_after="86400")
        results: list[Result] = []
        with pytest.raises(BackendUnavailableError, match="left alone until"):
            results.extend(backend.execute(iter(creations(500))))
        assert {result.status for result in results} <= {Status.NOT_DONE}
        assert portal.users() == []

    def test_a_person_who_interrupts_does_not_wait(self, portal: Portal, opened: Opened) -> None:
        backend = opened(portal.url)
        backend.capabilities()
        portal.faults = Faults(busy=1.0, retry_after="60")
        threading.Timer(0.3, opened.cancelled.set).start()
        started = time.monotonic()
        results = run(backend, *creations(3))
        assert time.monotonic() - started < 5
        assert statuses(results) == {Status.NOT_DONE}

    def test_requests_per_second(self, portal: Portal, opened: Opened) -> None:
        backend = opened(portal.url, requests_per_second=20, bulk="never")
        backend.capabilities()
        started = time.monotonic()
        run(backend, *creations(10))
        assert time.monotonic() - started >= 0.45

    def test_no_more_at_once_than_allowed(self, portal: Portal, opened: Opened) -> None:
        portal.faults.latency = 0.05
        backend = opened(portal.url, concurrency=4, bulk="never")
        backend.capabilities()
        started = time.monotonic()
        run(backend, *creations(12))
        assert time.monotonic() - started >= 0.15
        assert portal.most_at_once == 4


class TestBroken:
    @pytest.mark.parametrize("bulk", ["auto", "never"])
    def test_portal_that_dies_in_the_middle(self, tmp_path: Path, opened: Opened, bulk: str) -> None:
        server = Server()
        portal = server.portal("x")
        backend = opened(portal.url, retries=2, bulk=bulk, bulk_size=20, concurrency=4)
        ops = creations(400)
        results: dict[str, Result] = {}
        pulled = 0

        def pull() -> Iterator[Op]:
            nonlocal pulled
            for op in ops:
                pulled += 1
                if pulled == 100:
                    server.stop()
                yield op

        with pytest.raises(BackendUnavailableError) as caught:
            results.update((result.op, result) for result in backend.execute(pull()))
        assert "\n" not in caught.value.message
        assert pulled < 400
        assert len(results) == pulled
        assert statuses(results) <= {Status.DONE, Status.UNKNOWN, Status.NOT_DONE}
        stored = {user.external_id for user in portal.users()}
        assert {op for op, result in results.items() if result.status is Status.DONE} <= stored
        assert stored.isdisjoint(op for op, result in results.items() if result.status is Status.NOT_DONE)
        with pytest.raises(BackendUnavailableError):
            list(backend.resolve(ops[:3]))

    def test_a_line_that_always_breaks_stops_the_job_early(self, portal: Portal, opened: Opened) -> None:
        backend = opened(portal.url, concurrency=4, bulk="never")
        backend.capabilities()
        portal.faults.reset_before = 1.0
        results: list[Result] = []
        with pytest.raises(BackendUnavailableError):
            results.extend(backend.execute(iter(creations(1000))))
        assert len(results) < 100
        assert {result.status for result in results} <= {Status.UNKNOWN, Status.NOT_DONE}

    def test_a_token_that_ends_in_the_middle(self, portal: Portal, opened: Opened) -> None:
        portal.faults.tokens = {"Bearer right"}
        backend = opened(portal.url, token="right", bulk="never")
        ops = creations(200)

        def pull() -> Iterator[Op]:
            for number, op in enumerate(ops):
                if number == 50:
                    portal.faults.tokens = {"Bearer other"}
                yield op

        results: list[Result] = []
        with pytest.raises(BackendError, match="401"):
            results.extend(backend.execute(pull()))
        assert {result.status for result in results} == {Status.DONE, Status.NOT_DONE}
        assert sum(result.status is Status.DONE for result in results) == len(portal.users())

    def test_server_errors_leave_creations_in_doubt_and_are_not_repeated(self, portal: Portal, opened: Opened) -> None:
        backend = opened(portal.url, bulk="never")
        portal.faults.statuses = {("POST", "/Users"): 500}
        (result,) = run(backend, *creations(1)).values()
        assert result.status is Status.UNKNOWN
        assert portal.faults.writes() == ["POST /Users"]
        assert [found.status for found in backend.resolve(creations(1))] == [Status.NOT_DONE]

    def test_a_refusal_is_told_in_the_portals_words(self, portal: Portal, opened: Opened) -> None:
        portal.faults.statuses, portal.faults.echo = {("POST", "/Users"): 400}, True
        (result,) = run(opened(portal.url), *creations(1)).values()
        assert result.status is Status.FAILED
        assert str(result.detail).startswith("the portal refused it: {")
        assert str(result.detail).endswith("(400)")


class TestSecrets:
    def test_the_canary_is_found_nowhere(
        self, portal: Portal, opened: Opened, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        portal.faults.tokens = {f"Bearer {TOKEN}"}
        portal.faults.echo = True  # what is refused is repeated in the error
        backend = opened(portal.url, token=TOKEN, bulk="never")
        ops = creations(3, password=CANARY)
        seen: list[object] = [run(backend, *ops), run(backend, *creations(2, password=CANARY))]
        portal.faults.statuses = {("PATCH", "/"): 400, ("POST", "/"): 400}
        user = UserRef("nobody", "nobody")
        reset = UpdateUser(id="op-9", user=user, changes={}, password=Secret(CANARY))
        seen += [run(backend, reset, *creations(1, 7, password=CANARY)), backend.identity(), backend, caplog.text]
        assert any(CANARY.encode() in body for body in portal.faults.bodies)
        assert "***" in repr(seen)
        assert CANARY not in repr(seen)
        assert TOKEN not in repr(seen)

    def test_basic(self, portal: Portal, opened: Opened) -> None:
        portal.faults.tokens = {"Basic bWU6cMOkc3N3b3Jk"}  # me:pässword
        assert opened(portal.url, username="me", password="pässword").count_users() == 0

    def test_client_credentials_are_renewed(self, portal: Portal, opened: Opened) -> None:
        portal.faults.token_service = ["first", "second"]
        sign_in: dict[str, Any] = {"client_id": "c", "client_secret": "s", "scope": "scim"}
        sign_in["token_url"] = portal.url + "/token"
        backend = opened(portal.url, **sign_in)
        portal.faults.tokens = {"Bearer first"}
        assert backend.count_users() == 0
        portal.faults.tokens = {"Bearer second"}
        assert statuses(run(backend, *creations(20))) == {Status.DONE}
        assert portal.faults.seen.count("POST /token") == 2
        form = b"grant_type=client_credentials&scope=scim"
        assert portal.faults.bodies.count(form) == 2
