"""Misbehaviour on request."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll_plugins.portal.faults import Faulty, Receive, Scope, Send
from musterroll_plugins.portal.settings import FaultSetting, Kind, known_status, parse_fault, parse_seconds
from support.mock_portal import Answer, ask


class Portal:
    """A small application that counts what it has done."""

    def __init__(self, status: int = 201) -> None:
        self.status, self.done, self.dropped = status, 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.done += 1
        body = json.dumps({"done": self.done}).encode()
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    def drop(self, scope: Mapping[str, Any]) -> None:
        self.dropped += 1


def faulty(portal: Portal, *faults: str, **options: Any) -> Faulty:
    return Faulty(portal, [parse_fault(fault) for fault in faults], drop=portal.drop, **options)


def talk(application: Faulty, method: str = "POST", path: str = "/v2/Users") -> Answer | None:
    return asyncio.run(ask(application, method, path, {"userName": "ana"}))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("after", [False, True])
def test_a_request_is_carried_out_or_not_as_the_kind_says(kind: Kind, after: bool) -> None:
    portal = Portal()
    answer = talk(faulty(portal, f"{kind}{'-after-commit' if after else ''}:1"))
    assert portal.done == after
    if kind in (Kind.RESET, Kind.TIMEOUT):
        assert answer is None
        assert portal.dropped == (kind is Kind.RESET)
    else:
        assert answer is not None
        assert answer.status == int(kind)


def test_one_says_when_to_try_again_in_seconds_and_the_other_as_a_date() -> None:
    portal = Portal()
    many = talk(faulty(portal, "429:1", retry_after=7))
    busy = talk(faulty(portal, "503:1", retry_after=7))
    assert many is not None
    assert busy is not None
    assert many.headers["retry-after"] == "7"
    assert many.body["status"] == "429"
    assert parsedate_to_datetime(busy.headers["retry-after"])
    assert busy.headers["content-type"].startswith("text/html")


def test_what_is_refused_is_refused_whatever_is_to_fail_after_the_commit() -> None:
    portal = Portal(409)
    answer = talk(faulty(portal, "reset-after-commit:1"))
    assert answer is not None
    assert answer.status == 409


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/scim/v2/Users"), ("POST", "/v2/Users/.search"), ("GET", "/v2/Users/1")]
)
def test_what_writes_nothing_cannot_fail_after_a_commit(method: str, path: str) -> None:
    portal = Portal()
    assert talk(faulty(portal, "reset-after-commit:1"), method, path) is not None
    assert talk(faulty(portal, "reset:1"), method, path) is None


@pytest.mark.parametrize("path", ["/scim/v2/ServiceProviderConfig", "/Schemas", "/v2/ResourceTypes/"])
def test_discovery_is_spared_unless_asked(path: str) -> None:
    answer = talk(faulty(Portal(), "500:1"), "GET", path)
    assert answer is not None
    assert answer.status == 201
    answer = talk(faulty(Portal(), "500:1", discovery=True), "GET", path)
    assert answer is not None
    assert answer.status == 500


def test_the_shares_are_kept_and_a_seed_repeats_them() -> None:
    def outcomes(seed: int) -> list[int]:
        application = faulty(Portal(), "429:0.2", "500:0.1", seed=seed)
        answers = [talk(application) for _ in range(1_000)]
        return [answer.status for answer in answers if answer is not None]

    once = outcomes(1)
    shares = Counter(once)
    assert 150 < shares[429] < 250
    assert 60 < shares[500] < 140
    assert outcomes(1) == once != outcomes(2)


def test_every_answer_is_late(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk(faulty(Portal(), latency=0.05, verbose=True), "GET", "/v2/Users?filter=secret") is not None
    told = capsys.readouterr().err
    assert told.startswith("GET /v2/Users: 201, ")
    assert int(told.split()[-2]) >= 50


def test_faults_are_told_where_every_request_is(capsys: pytest.CaptureFixture[str]) -> None:
    talk(faulty(Portal(), "reset-after-commit:1", verbose=True))
    assert capsys.readouterr().err.startswith("POST /v2/Users: no answer (reset-after-commit, on request), ")


@given(st.sampled_from(list(Kind)), st.booleans(), st.floats(0, 1))
def test_faults_read_as_they_are_written(kind: Kind, after: bool, rate: float) -> None:
    setting = FaultSetting(kind, after, rate)
    assert parse_fault(f"{setting}:{rate!r}") == setting
    assert parse_fault(setting) == setting


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("429", "KIND:RATE"),
        ("reset-after-comit:1", 'did you mean "reset-after-commit"'),
        ("430:0.1", "they are 429, 500, 503, timeout, reset"),
        ("429:5", "from 0 to 1"),
        ("429:nan", "from 0 to 1"),
        ("429:-1%", "from 0 to 1"),
        ("429:", "from 0 to 1"),
    ],
)
def test_faults_that_are_none(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_fault(text)


def test_percentages_and_times() -> None:
    assert parse_fault("429:5%").rate == pytest.approx(0.05)
    assert parse_seconds("50ms") == pytest.approx(0.05)
    assert parse_seconds(" 1.5 s") == pytest.approx(1.5)
    for wrong in ("50", "ms", "-1s", "1m"):
        with pytest.raises(ValueError, match="unit"):
            parse_seconds(wrong)


def test_statuses_are_those_of_errors() -> None:
    assert known_status(500) == 500
    for wrong in (200, 399, 499, 600):
        with pytest.raises(ValueError, match="status"):
            known_status(wrong)
