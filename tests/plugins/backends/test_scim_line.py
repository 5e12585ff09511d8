"""What a person hears of a portal that cannot be used, and how a busy or broken one is treated."""

from __future__ import annotations

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from musterroll import (
    BackendError,
    BackendUnavailableError,
    Op,
    Result,
    Status,
    UserBackend,
    UserKey,
)
from support.scim_backends import Opened, creations, perform, statuses
from support.scim_servers import Faults, Portal, Server, free_port

CANARY = "Canary-7c1f-Sesame"


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

    def test_certificates(
        self, tmp_path: Path, make_certificate: Callable[[Path], tuple[Path, Path]], opened: Opened
    ) -> None:
        certificate, key = make_certificate(tmp_path)
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


class TestBusy:
    @pytest.mark.slow
    @pytest.mark.parametrize("retry_after", ["0.05", "date", None])
    @pytest.mark.parametrize("bulk", ["auto", "never"])
    def test_waits_as_long_as_it_is_asked_to(
        self, portal: Portal, opened: Opened, retry_after: str | None, bulk: str
    ) -> None:
        portal.faults = Faults(busy=0.3, retry_after=retry_after)
        results = perform(opened(portal.url, bulk=bulk, retries=15), *creations(20))
        assert statuses(results) == {Status.DONE}
        assert len(portal.users()) == 20

    @pytest.mark.parametrize(("retry_after", "least"), [("0.4", 0.4), (None, 0.25)])
    def test_those_who_wait_do_not_all_come_back_at_once(
        self, portal: Portal, opened: Opened, retry_after: str | None, least: float
    ) -> None:
        backend = opened(portal.url, concurrency=16, bulk="never")
        backend.capabilities()
        portal.faults = Faults(retry_after=retry_after)
        arrivals: dict[bytes, list[float]] = defaultdict(list)

        def note(method: str, path: str) -> None:
            if method == "POST":
                arrivals[portal.faults.bodies[-1]].append(time.monotonic())
            portal.faults.busy = float(len(portal.faults.seen) <= 16)

        portal.faults.before = note
        assert statuses(perform(backend, *creations(16))) == {Status.DONE}
        waits = [again - first for first, again in arrivals.values()]
        assert min(waits) >= least
        assert max(waits) - min(waits) > 0.06

    def test_a_portal_that_wants_to_be_left_alone_pauses_the_job(self, portal: Portal, opened: Opened) -> None:
        backend = opened(portal.url)
        backend.capabilities()
        portal.faults = Faults(busy=1.0, retry_after="86400")
        results: list[Result] = []
        with pytest.raises(BackendUnavailableError, match="left alone until"):
            results.extend(backend.execute(iter(creations(500))))
        assert statuses(results) <= {Status.NOT_DONE, Status.UNKNOWN}  # what was sent may have been done all the same
        assert len(results) < 500
        assert portal.users() == []

    def test_a_person_who_interrupts_does_not_wait(self, portal: Portal, opened: Opened) -> None:
        backend = opened(portal.url)
        backend.capabilities()
        portal.faults = Faults(busy=1.0, retry_after="60")
        threading.Timer(0.3, opened.cancelled.set).start()
        started = time.monotonic()
        results = perform(backend, *creations(3))
        assert time.monotonic() - started < 5
        assert statuses(results) == {Status.UNKNOWN}

    def test_requests_per_second(self, portal: Portal, opened: Opened) -> None:
        backend = opened(portal.url, requests_per_second=20, bulk="never")
        backend.capabilities()
        started = time.monotonic()
        perform(backend, *creations(10))
        assert time.monotonic() - started >= 0.45

    def test_no_more_at_once_than_allowed(self, portal: Portal, opened: Opened) -> None:
        portal.faults.latency = 0.05
        backend = opened(portal.url, concurrency=4, bulk="never")
        backend.capabilities()
        started = time.monotonic()
        perform(backend, *creations(12))
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
        assert statuses(results.values()) <= {Status.DONE, Status.UNKNOWN, Status.NOT_DONE}
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
        assert statuses(results) <= {Status.UNKNOWN, Status.NOT_DONE}

    @pytest.mark.parametrize("options", [{"bulk": "never"}, {"bulk_size": 10}, {"duplicate_status": [409, 500]}])
    def test_a_portal_that_breaks_over_everything_stops_the_job_early(
        self, portal: Portal, opened: Opened, options: dict[str, Any]
    ) -> None:
        backend = opened(portal.url, concurrency=4, **options)
        backend.capabilities()
        portal.faults.statuses = {("POST", "/"): 500}
        results: list[Result] = []
        with pytest.raises(BackendUnavailableError, match="one operation after another fails"):
            results.extend(backend.execute(iter(creations(3000))))
        assert len(results) < 1500
        assert statuses(results) <= {Status.UNKNOWN, Status.NOT_DONE}

    def test_a_portal_that_breaks_over_some_goes_on(self, portal: Portal, opened: Opened) -> None:
        def break_over_some(method: str, path: str) -> None:
            breaks = method == "POST" and len(portal.faults.seen) % 3 > 0
            portal.faults.statuses = {("POST", "/"): 500} if breaks else {}

        portal.faults.before = break_over_some
        results = perform(opened(portal.url, concurrency=4, bulk="never"), *creations(150))
        assert statuses(results) == {Status.UNKNOWN, Status.DONE}

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
        assert statuses(results) == {Status.DONE, Status.NOT_DONE}
        assert sum(result.status is Status.DONE for result in results) == len(portal.users())

    def test_server_errors_leave_creations_in_doubt_and_are_not_repeated(self, portal: Portal, opened: Opened) -> None:
        backend = opened(portal.url, bulk="never")
        portal.faults.statuses = {("POST", "/Users"): 500}
        (result,) = perform(backend, *creations(1))
        assert result.status is Status.UNKNOWN
        assert portal.faults.writes() == ["POST /Users"]
        assert [found.status for found in backend.resolve(creations(1))] == [Status.NOT_DONE]

    def test_a_refusal_is_told_in_the_portals_words(self, portal: Portal, opened: Opened) -> None:
        portal.faults.statuses, portal.faults.echo = {("POST", "/Users"): 400}, True
        (result,) = perform(opened(portal.url), *creations(1))
        assert result.status is Status.FAILED
        assert str(result.detail).startswith("the portal refused it: {")
        assert str(result.detail).endswith("(400)")
