"""Signing in with an OpenID provider, and what is not believed of it; see test_canaille.py for a real product."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
from joserfc.jwk import RSAKey

from support.oidc_providers import Document, Lies, lying_provider
from support.scim_servers import free_port
from support.web_server import InsideServer, Visitor, WebServer, web_server, words_of
from support.workplace import Workplace

pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config")  # the provider is older than its library

_ACCESS = """
[oidc]
issuer = "{issuer}"
client_id = "musterroll"
client_secret = {{ env = "OIDC_SECRET" }}

[[people]]
name = "ana@example.com"
role = "importer"

[[groups]]
name = "staff"
role = "viewer"
"""
_PEOPLE: dict[str, Document] = {
    "ana": {"email": "ana@example.com", "email_verified": True},
    "mallory": {"email": "mallory@example.com", "email_verified": True},
    "not-ana": {"email": "ana@example.com", "email_verified": False},
    "not-ana-either": {"email": "ana@example.com", "email_verified": "false"},
    "stu": {"email": "stu@example.com", "groups": ["staff", "others"]},
    "sta": {"email": "sta@example.com", "groups": "staff"},
    "nameless": {},
}
_ANOTHER_KEY = RSAKey.generate_key(2048, {"use": "sig"})


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[str, Lies]]:
    with lying_provider(_PEOPLE) as started:
        yield started


@pytest.fixture
def lies(provider: tuple[str, Lies]) -> Iterator[Lies]:
    yield provider[1]
    provider[1].no_more()


@pytest.fixture(scope="module")
def server(provider: tuple[str, Lies], tmp_path_factory: pytest.TempPathFactory) -> Iterator[InsideServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OIDC_SECRET", "a-secret-of-the-client")
        with _served(tmp_path_factory.mktemp("oidc"), provider[0]) as started:
            yield started


@pytest.fixture
def fresh(
    provider: tuple[str, Lies], lies: Lies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InsideServer]:
    """A server that has not asked the provider anything yet."""
    monkeypatch.setenv("OIDC_SECRET", "a-secret-of-the-client")
    with _served(tmp_path, provider[0]) as started:
        yield started


def _served(folder: Path, issuer: str, **options: object) -> AbstractContextManager[InsideServer]:
    place = Workplace(folder)
    place.pipeline()
    place.write("access/access.txt", _ACCESS.format(issuer=issuer))
    return web_server(place, access="access/access.txt", **options)


def signed_in(server: WebServer, subject: str, way: str = "/sign-in") -> tuple[httpx.Response, httpx.Client]:
    """Goes to the provider, says who one is, and comes back."""
    client = server.client()
    form = client.get(way)
    assert "Authorize Client" in form.text, words_of(form)
    return client.post(form.url, data={"sub": subject}), client


def refused_because(server: WebServer) -> str:
    found: list[str] = [line["what"] for line in server.audit() if line["what"].startswith("sign-in refused")]
    return found[-1]


def test_who_is_known_comes_in(server: WebServer) -> None:
    assert "Sign in" in words_of(server.client().get("/"))
    answer, client = signed_in(server, "ana")
    assert answer.status_code == 200
    assert "You are signed in" in words_of(answer)
    jobs = Visitor(client).get("")
    assert "ana@example.com" in words_of(jobs)
    assert "New user import" in words_of(jobs)
    assert ("ana@example.com", "sign-in") in [(line["who"], line["what"]) for line in server.audit()]


@pytest.mark.parametrize("subject", ["stu", "sta"], ids=["several groups", "one, as a text"])
def test_who_is_in_a_group_has_its_role(subject: str, server: WebServer) -> None:
    _, client = signed_in(server, subject)
    jobs = Visitor(client).get("")
    assert f"{subject}@example.com" in words_of(jobs)
    assert "New user import" not in words_of(jobs)


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("mallory", "mallory@example.com has no role here"),
        ("not-ana", "does not vouch for the address ana@example.com"),
        ("not-ana-either", "does not vouch for the address ana@example.com"),
        ("nameless", "does not say your “email”"),
    ],
)
def test_who_is_not_stays_outside(subject: str, words: str, server: WebServer) -> None:
    answer, client = signed_in(server, subject)
    assert answer.status_code == 401
    assert words in words_of(answer)
    assert client.get("/c/test").status_code == 401
    assert refused_because(server)


def test_who_signs_in_sees_the_page_that_was_wanted(server: WebServer) -> None:
    wanted = "/c/test?page=1"
    (way,) = re.findall(r'href="(/sign-in[^"]*)"', server.client().get(wanted).text)
    answer, _ = signed_in(server, "ana", unescape(way))
    assert f'content="0; url={wanted}"' in answer.text


@pytest.mark.parametrize(
    "wanted",
    [
        *("//evil.example", "https://evil.example", "/\\evil.example", "/c/a;url=//b", "/x"),
        *("/c/../sign-in/back?error=x", "/c/..//evil.example", "/c/%2e%2E/sign-in", "/c/./x"),
    ],
)
def test_who_signs_in_is_led_nowhere_else(wanted: str, server: WebServer) -> None:
    client = server.client()
    form = client.get("/sign-in", params={"to": wanted})
    answer = client.post(form.url, data={"sub": "ana"})
    assert 'content="0; url=/"' in answer.text


def test_who_is_to_be_somebody_else_is_asked(server: WebServer) -> None:
    client = server.client(follow_redirects=False)
    assert "prompt=login" in client.get("/sign-in?as=another").headers["location"]
    assert "prompt" not in client.get("/sign-in").headers["location"]


def test_who_signs_out_can_sign_out_at_the_provider_too(server: WebServer, provider: tuple[str, Lies]) -> None:
    _, client = signed_in(server, "ana")
    csrf = Visitor(client).csrf()
    gone = client.post("/sign-out", data={"csrf": csrf})
    assert f'href="{provider[0]}/oauth2/end_session?client_id=musterroll"' in gone.text
    assert client.get("/c/test").status_code == 401


def test_two_tabs_can_sign_in_at_once(server: WebServer) -> None:
    client = server.client()
    forms = [client.get("/sign-in").url for _ in range(2)]
    for form in forms:
        assert client.post(form, data={"sub": "ana"}).status_code == 200


def test_a_sign_in_that_was_begun_before_the_server_was_started_anew_ends_all_the_same(
    provider: tuple[str, Lies], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OIDC_SECRET", "a-secret-of-the-client")
    port = free_port()
    with httpx.Client(follow_redirects=True) as client:
        with _served(tmp_path, provider[0], port=port) as first:
            form = client.get(f"{first.url}/sign-in?to=/c/test/new")
        with _served(tmp_path, provider[0], port=port):
            answer = client.post(form.url, data={"sub": "ana"})
    assert "You are signed in" in words_of(answer)
    assert 'content="0; url=/c/test/new"' in answer.text


def test_others_who_begin_to_sign_in_push_nobody_out(fresh: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept of a sign-in that is on its way, so nothing can be used up."""
    monkeypatch.setattr("musterroll_plugins.web.oidc._MOST", 3, raising=False)
    client = fresh.client()
    form = client.get("/sign-in")
    for _ in range(4):
        assert fresh.client(follow_redirects=False).get("/sign-in").status_code == 302
    assert client.post(form.url, data={"sub": "ana"}).status_code == 200


def test_what_a_sign_in_needs_is_in_no_file_and_nothing_is_left_of_it_in_the_browser(fresh: WebServer) -> None:
    before = {path for path in fresh.state.rglob("*") if path.is_file()}
    answer, client = signed_in(fresh, "ana")
    assert answer.status_code == 200
    assert {path.name for path in fresh.state.rglob("*") if path.is_file()} - {path.name for path in before} <= {
        "audit.jsonl"
    }
    assert [name for name in client.cookies if "sign-in" in name] == []


def test_an_answer_that_nobody_asked_for_is_not_believed(server: WebServer) -> None:
    client = server.client(follow_redirects=False)
    there = client.get("/sign-in").headers["location"]
    query = parse_qs(urlsplit(there).query)
    assert query["code_challenge_method"] == ["S256"]
    state = query["state"][0]
    back = "/sign-in/back"
    made_up = client.get(back, params={"code": "made-up", "state": "made-up"})
    assert made_up.status_code == 401
    assert "was not begun here" in words_of(made_up)
    stolen = server.client().get(back, params={"code": "x", "state": state})  # by a browser without the cookie
    assert "was not begun here" in words_of(stolen)
    assert client.get(back, params={"code": "made-up", "state": state}).status_code == 401
    assert refused_because(server) == "sign-in refused: invalid_grant"
    again = client.get(back, params={"code": "made-up", "state": state})
    assert "was not begun here" in words_of(again)


def test_who_says_no_at_the_provider_is_told_so(server: WebServer) -> None:
    client = server.client()
    form = client.get("/sign-in")
    answer = client.post(form.url, data={"sub": "ana", "action": "deny"})
    assert answer.status_code == 401
    assert "did not let you in" in words_of(answer)


def test_a_refusal_of_somebody_who_was_sent_there_is_noted_and_no_other(server: WebServer) -> None:
    client = server.client(follow_redirects=False)
    assert client.get("/sign-in/back", params={"error": "nonsense"}).status_code == 401
    state = parse_qs(urlsplit(client.get("/sign-in").headers["location"]).query)["state"][0]
    refused = {"error": "access_denied", "state": state}
    assert "did not let you in" in words_of(client.get("/sign-in/back", params=refused))
    noted = [line for line in server.audit() if "by the provider" in line["what"]]
    assert "was not begun here" in words_of(client.get("/sign-in/back", params={"code": "x", "state": state}))
    assert len(noted) == 1


_LIES: dict[str, tuple[str, Callable[[Document], Document] | None, dict[str, object]]] = {
    "another nonce": ("invalid_claim nonce", lambda told: {**told, "nonce": "of another sign-in"}, {}),
    "no nonce": ("missing_claim nonce", lambda told: {key: told[key] for key in told if key != "nonce"}, {}),
    "another issuer": ("invalid_claim iss", lambda told: {**told, "iss": "https://evil.example"}, {}),
    "for another program": ("invalid_claim aud", lambda told: {**told, "aud": ["another"]}, {}),
    "for another, by us": ("invalid_claim aud", lambda told: {**told, "aud": "another", "azp": "musterroll"}, {}),
    "expired": ("expired_token", lambda told: {**told, "exp": int(time.time()) - 600}, {}),
    "of tomorrow": ("invalid_claim iat", lambda told: {**told, "iat": int(time.time()) + 86400}, {}),
    "for another access token": ("invalid_claim at_hash", lambda told: {**told, "at_hash": "x" * 22}, {}),
    "signed by another": ("bad_signature", None, {"key": _ANOTHER_KEY}),
    "no id token": (
        "no id token",
        None,
        {"documents": {"/token": lambda told: {"access_token": told["access_token"]}}},
    ),
    "no token at all": ("", None, {"documents": {"/token": lambda told: {"error": "invalid_client"}}}),
    "of nobody": ("", lambda told: {**told, "sub": ""}, {}),
    "the userinfo is of another": ("", None, {"documents": {"/userinfo": lambda told: {**told, "sub": "another"}}}),
}


@pytest.mark.parametrize("lie", _LIES)
def test_what_a_provider_must_not_say_is_not_believed(lie: str, server: WebServer, lies: Lies) -> None:
    why, lies.claims, others = _LIES[lie]
    for name, value in others.items():
        setattr(lies, name, value)
    answer, client = signed_in(server, "ana")
    assert answer.status_code == 401, words_of(answer)
    assert "cannot be believed" in words_of(answer)
    assert client.get("/c/test").status_code == 401
    assert refused_because(server).startswith(f"sign-in refused: {why}")


def test_what_is_not_signed_is_not_believed(fresh: WebServer, lies: Lies) -> None:
    """Not from a provider either that says it can do without."""
    both = {"id_token_signing_alg_values_supported": ["none", "RS256"]}
    lies.documents["/openid-configuration"] = lambda told: {**told, **both}
    lies.unsigned = True
    assert signed_in(fresh, "ana")[0].status_code == 401
    assert refused_because(fresh).startswith("sign-in refused: unsupported_algorithm")


def test_an_answer_that_says_it_is_from_elsewhere_is_not_believed(server: WebServer) -> None:
    client = server.client(follow_redirects=False)
    form = client.get("/sign-in").headers["location"]
    back = client.post(form, data={"sub": "ana"}).headers["location"]
    answer = client.get(f"{back}&iss=https://evil.example")
    assert answer.status_code == 401
    assert refused_because(server) == "sign-in refused: iss"


def test_a_provider_with_a_new_key_is_believed(server: WebServer, lies: Lies) -> None:
    """Keys are changed now and then: one that is not known is asked for."""
    new = RSAKey.generate_key(2048, {"use": "sig", "kid": "new"})
    lies.key = new
    lies.documents["/jwks"] = lambda told: {"keys": [*told["keys"], new.as_dict(private=False)]}
    answer, _ = signed_in(server, "ana")
    assert answer.status_code == 200, words_of(answer)


_AWAY = "the provider that signs people in cannot be reached"
_FAILED = "the provider that signs people in has failed; try it again"
_WRONG = "the provider that signs people in is not set up as it should be"


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        ({"statuses": {"/openid-configuration": 502}}, _FAILED),
        ({"documents": {"/openid-configuration": None}}, _WRONG),
        ({"documents": {"/openid-configuration": lambda _: {}}}, _WRONG),
        ({"documents": {"/openid-configuration": lambda told: {**told, "issuer": "https://evil.example"}}}, _WRONG),
        ({"documents": {"/openid-configuration": lambda told: {"issuer": told["issuer"]}}}, _WRONG),
    ],
    ids=["bad gateway", "a web page", "nothing", "another one", "too little"],
)
def test_what_is_no_provider_is_said(
    lie: dict[str, object], words: str, fresh: WebServer, lies: Lies, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in lie.items():
        setattr(lies, name, value)
    answer = fresh.client().get("/sign-in")
    assert answer.status_code == 503
    assert words in words_of(answer)
    told = capfd.readouterr().err
    assert told.startswith("sign-in: ")  # why, for whoever runs the server
    assert "Traceback" not in told
    lies.no_more()
    assert signed_in(fresh, "ana")[0].status_code == 200  # when it is mended, nobody has to start the server anew


@pytest.mark.parametrize("place", ["/token", "/jwks", "/userinfo"])
def test_a_provider_that_breaks_on_the_way_is_said(place: str, fresh: WebServer, lies: Lies) -> None:
    client = fresh.client()
    form = client.get("/sign-in")
    lies.statuses[place] = 502
    answer = client.post(form.url, data={"sub": "ana"})
    assert answer.status_code == 503
    assert _FAILED in words_of(answer)
    assert client.get("/c/test").status_code == 401


def test_a_provider_that_is_away_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_SECRET", "a-secret-of-the-client")
    with _served(tmp_path, "http://127.0.0.1:1") as alone:
        answer = alone.client().get("/sign-in")
        assert answer.status_code == 503
        assert _AWAY in words_of(answer)
