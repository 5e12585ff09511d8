"""Sign-ins on their way, which the browser keeps: what it can do with them, and what not."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from musterroll_plugins.web.private import key_in
from musterroll_plugins.web.sign_ins import KEY_BYTES, SIGN_IN_SECONDS, SignIn, SignIns

_URL = "https://import.acme.example"
_KEY = secrets.token_bytes(KEY_BYTES)
_BEGAN = 1_800_000_000.0
_LONGEST_PAGE = "/c/" + "x" * 500


class Clock:
    now = _BEGAN

    def __call__(self) -> float:
        return self.now


class Browser:
    """The cookies of a browser."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def request(self, state: str = "") -> Request:
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = [(b"cookie", sent.encode("latin-1", "replace"))] if sent else []
        return Request({"type": "http", "headers": headers, "query_string": f"state={quote(state)}".encode()})

    def take(self, response: Response) -> None:
        for line in response.headers.getlist("set-cookie"):
            for name, one in SimpleCookie(line).items():
                assert one["httponly"]
                assert one["secure"]
                assert (one["samesite"], one["path"]) == ("lax", "/")
                assert name.startswith("__Host-")
                assert one["max-age"] in ("0", str(SIGN_IN_SECONDS))
                self.cookies.pop(name, None)
                if one["max-age"] != "0":
                    self.cookies[name] = one.value

    def begin(self, sign_ins: SignIns, to: str = "/c/acme") -> SignIn:
        begun, response = SignIn(to), Response()
        sign_ins.give(self.request(), response, begun)
        self.take(response)
        return begun


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sign_ins(clock: Clock) -> SignIns:
    return SignIns(_KEY, _URL, clock)


def test_a_browser_comes_back_with_what_it_was_given(sign_ins: SignIns) -> None:
    browser = Browser()
    begun = browser.begin(sign_ins)
    assert sign_ins.find(browser.request(begun.state)) == begun
    assert sign_ins.find(Browser().request(begun.state)) is None
    assert sign_ins.find(browser.request("of-another-sign-in-12")) is None


def test_it_is_over_when_it_has_ended(sign_ins: SignIns) -> None:
    browser = Browser()
    begun, other = browser.begin(sign_ins), browser.begin(sign_ins)
    response = Response()
    sign_ins.take_away(response, begun)
    browser.take(response)
    assert sign_ins.find(browser.request(begun.state)) is None
    assert sign_ins.find(browser.request(other.state)) == other


def test_who_keeps_the_cookie_learns_nothing_from_it(sign_ins: SignIns) -> None:
    browser = Browser()
    begun = browser.begin(sign_ins)
    (sealed,) = browser.cookies.values()
    assert not {begun.verifier, begun.nonce, begun.to} & {*sealed.split("."), sealed}
    assert begun.verifier[:8] not in sealed


def test_it_ends_after_ten_minutes_whatever_the_browser_keeps(sign_ins: SignIns, clock: Clock) -> None:
    browser = Browser()
    begun = browser.begin(sign_ins)
    clock.now += SIGN_IN_SECONDS - 1
    assert sign_ins.find(browser.request(begun.state))
    clock.now += 120
    assert sign_ins.find(browser.request(begun.state)) is None


def test_a_clock_that_is_set_back_a_little_ends_none_and_far_lets_none_live_on(sign_ins: SignIns, clock: Clock) -> None:
    browser = Browser()
    begun = browser.begin(sign_ins)
    clock.now -= 30
    assert sign_ins.find(browser.request(begun.state))
    clock.now -= 3600
    assert sign_ins.find(browser.request(begun.state)) is None


def test_it_goes_on_with_a_server_that_was_started_anew_and_with_no_other(tmp_path: Path, clock: Clock) -> None:
    browser = Browser()
    begun = browser.begin(SignIns(key_in(tmp_path / "key", KEY_BYTES), _URL, clock))
    again = SignIns(key_in(tmp_path / "key", KEY_BYTES), _URL, clock)
    assert again.find(browser.request(begun.state)) == begun
    assert SignIns(_KEY, _URL, clock).find(browser.request(begun.state)) is None
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"short", b"x" * (KEY_BYTES + 1)])
def test_what_is_no_key_is_made_anew(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    assert key_in(tmp_path / "key", KEY_BYTES) == (tmp_path / "key").read_bytes() != content
    assert len(key_in(tmp_path / "key", KEY_BYTES)) == KEY_BYTES


def test_one_of_another_state_is_none(sign_ins: SignIns) -> None:
    """By whatever name a browser brings it: of two that were begun, each ends one."""
    browser = Browser()
    first, second = browser.begin(sign_ins), browser.begin(sign_ins)
    names = [*browser.cookies]
    browser.cookies = {names[0]: browser.cookies[names[1]]}
    assert sign_ins.find(browser.request(first.state)) is None
    assert sign_ins.find(browser.request(second.state)) is None


def test_a_browser_that_begins_again_and_again_keeps_few_and_the_latest(sign_ins: SignIns, clock: Clock) -> None:
    """All of them come along with each request, and a proxy takes 8 KB of them."""
    browser, begun = Browser(), []
    for _ in range(20):
        begun.append(browser.begin(sign_ins, _LONGEST_PAGE))
        clock.now += 1
    found = [one for one in begun if sign_ins.find(browser.request(one.state))]
    assert found == begun[-5:]
    assert len("; ".join(map("=".join, browser.cookies.items()))) < 8000
    assert all(len(f"{name}={value}; Max-Age=600; HttpOnly") < 4000 for name, value in browser.cookies.items())


def test_what_is_too_old_or_no_sign_in_is_taken_away_with_the_next_one(sign_ins: SignIns, clock: Clock) -> None:
    browser = Browser()
    old = browser.begin(sign_ins)
    browser.cookies[f"__Host-musterroll-443-sign-in-{'x' * 22}"] = "nonsense"
    browser.cookies["__Host-musterroll-443-sign-in-odd(name)"] = "left alone"
    browser.cookies["__Host-musterroll-443"] = "the session"
    clock.now += 3600
    new = browser.begin(sign_ins)
    assert sign_ins.find(browser.request(new.state)) == new
    assert sign_ins.find(browser.request(old.state)) is None
    assert len(browser.cookies) == 3


def _sealed_otherwise(sealed: str) -> Iterator[str]:
    head, _, rest = sealed.partition(".")
    yield sealed[:-1]
    yield sealed + "A"
    yield f"{head}.{rest.swapcase()}"
    yield ".".join(sealed.split(".")[:3])
    for header in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "dir", "enc": "A256GCM"}):
        told = quote(json.dumps(header))
        yield f"{told}.{rest}"
    yield "."
    yield "...."
    yield "é" * 50
    yield "A" * 60_000


def test_what_was_changed_is_none(sign_ins: SignIns) -> None:
    browser = Browser()
    begun = browser.begin(sign_ins)
    ((name, sealed),) = browser.cookies.items()
    for other in _sealed_otherwise(sealed):
        browser.cookies = {name: other}
        assert sign_ins.find(browser.request(begun.state)) is None, other[:80]


@given(st.text(st.characters(codec="latin-1", exclude_characters=";,\r\n\0"), max_size=200), st.text(max_size=40))
def test_whatever_a_browser_says_is_none(value: str, state: str) -> None:
    sign_ins, browser = SignIns(_KEY, _URL), Browser()
    browser.cookies = {f"__Host-musterroll-443-sign-in-{'x' * 22}": value}
    assert sign_ins.find(browser.request(state)) is None
    assert sign_ins.find(browser.request("x" * 22)) is None
    browser.begin(sign_ins)
