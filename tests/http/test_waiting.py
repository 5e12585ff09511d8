"""How servers say that they want to be left alone."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll.testing import make_context
from musterroll_http import HttpAnswer
from musterroll_http.pace import Pace
from support.receivers import Answer, Receiver, script

from .conftest import Clients
from .test_client import ask, failure

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
EPOCH = int(NOW.timestamp())


def waits(status: int, headers: dict[str, str], body: Any = None) -> float | None:
    from dataclasses import replace

    context = replace(make_context(), clock=lambda: NOW)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Pace(context, "the server", None, 0.5, all_wait=False).asked_for(HttpAnswer.of(status, body, named))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": format_datetime(NOW + dt.timedelta(seconds=9), usegmt=True)}, 9.0),
        ({"Retry_After_Ms": "1500"}, 1.5),
        ({"X_Ms_Retry_After_Ms": "250"}, 0.25),
        ({"X_Rate_Limit_Reset": str(EPOCH + 20)}, 20.0),
        ({"X_RateLimit_Reset": str((EPOCH + 20) * 1000)}, 20.0),
        ({"RateLimit_Reset": "12"}, 12.0),
        ({"X_Rate_Limit_Reset": str(EPOCH - 5)}, 0.0),
        # the server's clock is the one that its moment is of
        ({"X_Rate_Limit_Reset": str(EPOCH + 3620), "Date": format_datetime(NOW + dt.timedelta(hours=1))}, 20.0),
        ({"Retry_After": "3", "X_Rate_Limit_Reset": str(EPOCH + 20)}, 3.0),
        ({"X_Rate_Limit_Reset": "soon"}, None),
        ({}, None),
    ],
)
def test_the_forms_of_a_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert waits(429, headers) == seconds


def test_the_end_of_a_limit_is_no_wait_where_there_were_not_too_many_requests() -> None:
    assert waits(503, {"X_Rate_Limit_Reset": str(EPOCH + 20)}) is None
    assert waits(503, {"Retry_After": "2"}) == 2.0


@given(st.text(alphabet="0123456789.eE+- :GMT", max_size=30))
def test_no_header_makes_it_fail(text: str) -> None:
    for name in ("Retry_After", "X_Rate_Limit_Reset", "Retry_After_Ms"):
        found = waits(429, {name: text})
        assert found is None or 0 <= found <= 1e8


TOO_MANY = '{"error": {"code": 403, "errors": [{"reason": "%s"}], "message": "Rate Limit Exceeded"}}'


@pytest.mark.parametrize(
    "answer",
    [
        Answer(403, TOO_MANY % "userRateLimitExceeded"),
        Answer(403, TOO_MANY % "quotaExceeded"),
        Answer(403, "{}", {"Retry-After": "0"}),
        Answer(403, "{}", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}),
    ],
)
def test_a_403_may_mean_slow_down(answer: Answer, server: Receiver, clients: Clients) -> None:
    server.answer = script(answer)
    assert ask(clients, clients(server.url)).status == 200
    assert len(server.requests) == 2


def test_a_403_usually_does_not(server: Receiver, clients: Clients) -> None:
    server.answer = script(Answer(403, TOO_MANY % "forbidden"))
    assert ask(clients, clients(server.url)).status == 403


def test_the_word_before_the_token_and_further_headers(
    server: Receiver, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "Sesame-4711")
    server.answer = lambda request: Answer(400, '{"error": "no, Sesame-4711"}')
    client = clients(server.url, token="tok", token_type="SSWS", headers={"X-Key": {"env": "KEY"}, "Accept": "text/x"})
    answer = ask(clients, client)
    (request,) = server.requests
    sent = request.headers
    assert (sent["authorization"], sent["x-key"], sent["accept"]) == ("SSWS tok", "Sesame-4711", "text/x")
    assert answer.detail == "no, ***"


def test_what_we_sign_in_with_goes_to_no_other_server(server: Receiver, clients: Clients) -> None:
    client = clients(server.url, token="tok")
    error = failure(clients, client, path="http://elsewhere.example/users?page=2")
    assert "elsewhere.example" in error.text
    assert ask(clients, client, path=f"{server.url}/users?page=2").status == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"errorMessage": "User exists with same username"}', "User exists with same username"),
        ('{"errorCode": "E1", "errorSummary": "Api validation failed: login"}', "Api validation failed: login"),
        ('{"error": "invalid_scope", "error_description": "No such scope"}', "No such scope"),
        ('{"errors": [{"message": "Too short"}, {"message": "Too long"}]}', "Too short"),
        ('{"error": {"code": "Request_BadRequest", "message": "Invalid value"}}', "Invalid value"),
    ],
)
def test_the_words_of_an_error(body: str, words: str, server: Receiver, clients: Clients) -> None:
    server.answer = script(Answer(400, body))
    assert ask(clients, clients(server.url)).detail == words
