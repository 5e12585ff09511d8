"""Signing in with Canaille, a real identity provider, in a real browser: at two sites, as people do it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from musterroll_plugins.web.sessions import IDLE_SECONDS
from support.browser import chromium, needs_chromium, too_wide, violations
from support.canaille import CANAILLE_PASSWORD, CANAILLE_SECRET, canaille_provider, needs_canaille
from support.evidence import Counterpart
from support.scim_servers import free_port
from support.web_server import SHEET, InsideServer, web_server
from support.workplace import Workplace

COUNTERPART = ("web", "Canaille", "0.3.6")
pytestmark = [needs_canaille, needs_chromium, pytest.mark.slow]

_ACCESS = """
[oidc]
issuer = "http://localhost:{port}"
client_id = "musterroll"
client_secret = {{ env = "OIDC_SECRET" }}
scopes = ["openid", "email", "profile", "groups"]

[[people]]
name = "ana@example.com"
role = "importer"

[[groups]]
name = "approvers"
role = "approver"
"""
_PEOPLE = {"ana": [], "bo": ["approvers", "staff"], "cy": ["staff"], "dee": []}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InsideServer]:
    place, port = Workplace(tmp_path_factory.mktemp("pages")), free_port()
    place.pipeline("[limits]\ncreate = 1")
    place.write("access/access.txt", _ACCESS.format(port=port))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OIDC_SECRET", CANAILLE_SECRET)
        with (
            web_server(place, access="access/access.txt") as started,
            canaille_provider(tmp_path_factory.mktemp("canaille"), port, f"{started.url}/sign-in/back", _PEOPLE),
        ):
            yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    started = browser.new_context()
    yield started
    started.close()


_SECOND = 1.1
"""It breaks where somebody signs in twice within a second: both times it makes the same token, and stores each once."""

_ACCEPT = "button[value=accept]"
_OURS = "a.brand"


def say_who(page: Page, name: str, answer: str = "accept") -> None:
    """Fills in what the provider asks for; the first time, whether the program may know who it is."""
    page.locator("input[name=login]").fill(name)
    page.keyboard.press("Enter")
    page.locator("input[name=password]").fill(CANAILLE_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{_ACCEPT}, {_OURS}")
    if page.locator(_ACCEPT).count():
        page.locator(f"button[value={answer}]").click()
    page.wait_for_selector(_OURS)


def come_in(context: BrowserContext, server: InsideServer, name: str, wanted: str = "/c/test") -> Page:
    """Wants a page, signs in, and sees it."""
    time.sleep(_SECOND)
    page = context.new_page()
    page.goto(server.url + wanted)
    page.get_by_role("link", name="Sign in").click()
    say_who(page, name)
    page.wait_for_url(server.url + wanted)
    return page


def test_who_signs_in_sees_what_was_wanted_and_may_what_the_role_says(
    context: BrowserContext, server: InsideServer
) -> None:
    page = come_in(context, server, "ana", "/c/test/new")
    assert "ana@example.com" in page.inner_text("header")
    page.get_by_label("Choose a sheet").set_input_files(server.place.write("staff.csv", SHEET))
    page.get_by_role("button", name="Upload and check").click()
    page.wait_for_selector("text=A limit is exceeded")
    assert ("ana@example.com", "upload") in [(line["who"], line["what"]) for line in server.audit()]
    cookies = [one for one in context.cookies(server.url) if one["path"] == "/"]
    assert [(one["httpOnly"], one["sameSite"]) for one in cookies] == [(True, "Strict")]
    Counterpart(*COUNTERPART).quirk("does not say whether an address is verified: it is believed")


def test_who_is_in_a_group_has_its_role(context: BrowserContext, server: InsideServer) -> None:
    """In the id token or in the userinfo, wherever it is said."""
    page = come_in(context, server, "bo")
    assert page.get_by_role("link", name="New user import").count()
    assert ("bo@example.com", "sign-in") in [(line["who"], line["what"]) for line in server.audit()]
    Counterpart(*COUNTERPART).quirk("says which groups somebody is in: roles can go by them")


def test_who_has_no_role_is_told_so_and_can_be_somebody_else(
    browser: Browser, context: BrowserContext, server: InsideServer
) -> None:
    # It does not take note of who accepts when it was told to ask who it is: so that is done before.
    before = browser.new_context()
    come_in(before, server, "bo")
    before.close()
    time.sleep(_SECOND)
    page = context.new_page()
    page.goto(f"{server.url}/c/test")
    page.get_by_role("link", name="Sign in").click()
    say_who(page, "cy")
    page.wait_for_selector("text=cy@example.com has no role here. Ask who runs this server for one.")
    assert violations(page) == []
    assert not too_wide(page)
    assert page.title().startswith("Not let in")
    page.get_by_role("link", name="Sign in as somebody else").click()
    say_who(page, "bo")
    page.wait_for_url(f"{server.url}/c/test")
    assert "bo@example.com" in page.inner_text("header")


def test_who_says_no_is_told_so(context: BrowserContext, server: InsideServer) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/sign-in")
    say_who(page, "dee", "deny")
    page.wait_for_selector("text=The provider that signs people in did not let you in.")


def test_who_signs_out_is_out_and_can_be_out_there_too(context: BrowserContext, server: InsideServer) -> None:
    page = come_in(context, server, "ana")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("text=You are signed out")
    assert violations(page) == []
    page.goto(f"{server.url}/c/test")
    assert "Nobody knows you here" in page.inner_text("main")
    time.sleep(_SECOND)
    page.get_by_role("link", name="Sign in").click()  # the provider still knows her: nothing is asked
    page.wait_for_url(f"{server.url}/c/test")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign out there, too").click()
    page.get_by_role("button", name="Logout").click()
    page.goto(f"{server.url}/sign-in")
    assert page.locator("input[name=login]").count()


def test_a_session_that_ends_is_begun_anew_without_being_asked(context: BrowserContext, server: InsideServer) -> None:
    page = come_in(context, server, "ana")
    server.later += IDLE_SECONDS
    page.get_by_role("link", name="New user import").first.click()
    page.wait_for_selector("text=Your session has ended")
    time.sleep(_SECOND)
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url(f"{server.url}/c/test/new")


def test_a_link_from_elsewhere_leads_in_who_is_signed_in(context: BrowserContext, server: InsideServer) -> None:
    """The browser keeps the cookie to itself when another site leads here, and brings it when ours does."""
    page = come_in(context, server, "ana")
    elsewhere = server.url.replace("127.0.0.1", "elsewhere.example")

    def show_link(route: Route) -> None:
        route.fulfill(content_type="text/html", body=f'<a href="{server.url}/c/test/new?x=1">the import</a>')

    page.route(f"{elsewhere}/**", show_link)
    page.goto(f"{elsewhere}/mail")
    page.get_by_role("link", name="the import").click()
    page.wait_for_selector("text=Upload and check")
    assert page.url == f"{server.url}/c/test/new?x=1"
    stranger = context.browser.new_context().new_page() if context.browser else page
    stranger.route(f"{elsewhere}/**", show_link)
    stranger.goto(f"{elsewhere}/mail")
    stranger.get_by_role("link", name="the import").click()
    stranger.wait_for_selector("text=Nobody knows you here")
    stranger.context.close()


def test_a_provider_that_goes_away_is_said(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_SECRET", CANAILLE_SECRET)
    place, port = Workplace(tmp_path), free_port()
    place.pipeline()
    place.write("access/access.txt", _ACCESS.format(port=port))
    with web_server(place, access="access/access.txt") as server:
        page = browser.new_context().new_page()
        folder = tmp_path / "canaille"
        folder.mkdir()
        with canaille_provider(folder, port, f"{server.url}/sign-in/back", {"ana": []}):
            page.goto(f"{server.url}/c/test")
            page.get_by_role("link", name="Sign in").click()
            page.locator("input[name=login]").fill("ana")
            page.keyboard.press("Enter")
            page.locator("input[name=password]").fill(CANAILLE_PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_selector(_ACCEPT)
            (state,) = parse_qs(urlsplit(page.url).query)["state"]
        # It sends the browser back, and is gone before it is asked for the token.
        page.goto(f"{server.url}/sign-in/back?code=a-code&state={state}")
        page.wait_for_selector("text=the provider that signs people in cannot be reached")
        assert violations(page) == []
        monkeypatch.setattr("musterroll_plugins.web.oidc._FRESH_SECONDS", 0)
        page.goto(f"{server.url}/sign-in")
        page.wait_for_selector("text=the provider that signs people in cannot be reached")
        page.context.close()
