"""The pages in a real browser: the whole way, narrow, dark, by keyboard, without a script; axe looks at every page."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route

from musterroll_plugins.web.sessions import IDLE_SECONDS
from support.browser import chromium, needs_chromium, too_wide, violations
from support.slips import PUPILS, assert_they_sign_in, makes_passwords, told_by
from support.web_server import DOUBTFUL, MISTAKES, POST_IN_DOUBT, SHEET, WebServer, web_server
from support.workplace import Workplace

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


class Seen:
    """A page in a browser, that notes what goes wrong on it."""

    def __init__(self, browser: Browser, server: WebServer, home: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.home = server.url + home
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.goto(f"{server.url}/start?token={server.token}")
        server.token = server.next_token()
        self.page.wait_for_url(lambda url: "token" not in url)  # the page that leads on has led on
        self.page.goto(self.home)

    def look(self) -> None:
        """Looks at a page: nothing keeps anybody out, and nothing is too wide."""
        assert violations(self.page) == []
        assert not too_wide(self.page)

    def upload(self, sheet: Path) -> None:
        self.page.goto(f"{self.home}/new")
        self.page.get_by_label("Choose a sheet").set_input_files(sheet)
        self.page.get_by_role("button", name="Upload and check").click()
        self.page.wait_for_url("**/uploads/*")


LOOKS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1200, "height": 900}},
    "narrow": {"viewport": {"width": 320, "height": 640}},
    # 1280 by 900, magnified to 200 %
    "magnified": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
    "dark": {"viewport": {"width": 900, "height": 700}, "color_scheme": "dark"},
}


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_every_step_for_everybody(look: str, browser: Browser, server: WebServer, place: Workplace) -> None:
    place.pipeline('on_error = "skip"\n[profiles.production]\nstrict = false', name=place.folder.name)
    good, bad = place.write("staff.csv", SHEET), place.write("mistakes.csv", MISTAKES)
    other = place.write("other.csv", SHEET.replace("Username", "Kennung"))
    seen = Seen(browser, server, f"/c/{place.folder.name}", **LOOKS[look])
    page = seen.page
    seen.look()  # no jobs yet
    page.goto(f"{seen.home}/new")
    seen.look()
    seen.upload(other)
    assert "Columns of" in page.title()
    seen.look()
    page.get_by_role("button", name="Go on").click()  # as it was suggested
    page.wait_for_url("**/uploads/*")
    page.wait_for_selector("text=Check your answers")
    seen.upload(bad)
    assert "Problems in mistakes.csv" in page.title()
    seen.look()
    page.get_by_role("button", name="Make an annotated copy").click()
    page.wait_for_url("**/copies/*")
    assert "annotated copy of mistakes.csv" in page.title()
    seen.look()
    seen.upload(good)
    assert "Check your answers" in page.title()
    seen.look()
    page.get_by_label("Nobody").check()
    page.get_by_role("button", name="Import 2 rows").click()
    page.wait_for_url("**/jobs/*")
    assert "Completed" in page.title()
    seen.look()
    page.get_by_role("link", name="the story of this row").first.click()
    page.wait_for_url("**/rows/3?work=*")
    seen.look()
    page.goto(f"{seen.home}/jobs/{place.json('jobs', 'list').document['jobs'][0]['id']}/undo")
    seen.look()
    page.goto(seen.home)
    seen.look()
    assert seen.faults == []
    seen.context.close()


@pytest.mark.slow
def test_the_corrected_copy_is_downloaded_uploaded_and_imported(
    browser: Browser, server: WebServer, place: Workplace
) -> None:
    seen = Seen(browser, server, f"/c/{place.folder.name}")
    page = seen.page
    seen.upload(place.write("staff.csv", SHEET.replace(",44,7712345678,", ",+44,07712345678,")))
    assert "Problems in staff.csv" in page.title()
    page.get_by_role("button", name="Make a corrected copy").click()
    page.wait_for_url("**/copies/*")
    assert "Nothing is left" in page.inner_text("main")
    seen.look()
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download the corrected copy").click()
    assert downloaded.value.suggested_filename == f"{place.folder.name}-fixed.csv"
    copy = place.folder / "fixed.csv"
    downloaded.value.save_as(copy)
    page.get_by_role("link", name="Upload the corrected sheet").click()
    seen.upload(copy)
    assert "Check your answers" in page.title()
    page.get_by_label("Nobody").check()
    page.get_by_role("button", name="Import 2 rows").click()
    page.wait_for_url("**/jobs/*")
    assert place.users()["ana"]["phone"] == "7712345678"
    assert seen.faults == []
    seen.context.close()


@pytest.mark.slow
@pytest.mark.parametrize("look", [*LOOKS, "without a script"])
def test_first_passwords_are_downloaded_twice_printed_and_deleted(
    look: str, browser: Browser, server: WebServer, place: Workplace
) -> None:
    makes_passwords(place, name=place.folder.name)
    has_script = look in LOOKS
    options = LOOKS.get(look, {"java_script_enabled": False})
    seen = Seen(browser, server, f"/c/{place.folder.name}", **options)
    page, looks = seen.page, seen.look if has_script else lambda: None  # axe is a script
    seen.upload(place.write("pupils.csv", PUPILS))
    page.get_by_label("New users – 1 invite, 2 first passwords on paper").check()
    looks()
    page.get_by_role("button", name="Import 3 rows").click()
    page.wait_for_url("**/jobs/*")
    paper = page.get_by_role("region", name="First passwords on paper")
    looks()
    copies = []
    for number in range(2):
        with page.expect_download() as downloaded:
            paper.get_by_role("button", name="Download 2 slips").click()
        assert downloaded.value.suggested_filename.endswith("-first-passwords.html")
        copies.append(place.folder / f"slips{number}.html")
        downloaded.value.save_as(copies[-1])
    assert copies[0].read_bytes() == copies[1].read_bytes()
    told = told_by(copies[0].read_bytes())
    assert_they_sign_in(place.directory, told)
    page.goto(copies[0].as_uri())  # as it is printed
    assert [page.locator("dd.told").nth(at).inner_text() for at in range(4)] == [*chain.from_iterable(told.items())]
    page.go_back()
    job = page.url
    page.goto(seen.home)
    assert "First passwords to print" in page.inner_text("table")
    looks()
    page.goto(job)
    paper.get_by_role("link", name="They are printed: delete them").click()
    page.wait_for_url("**/delete")
    assert page.title().startswith("Delete the first passwords?")
    looks()
    page.get_by_role("button", name="Delete them").click()
    page.wait_for_url("**/jobs/*")
    assert "has printed the slips of 2 people" in paper.inner_text()
    assert paper.get_by_role("button").count() == 0
    looks()
    assert seen.faults == []
    page.go_back()
    page.wait_for_selector("text=nobody can get them again")
    looks()
    seen.context.close()


@pytest.mark.slow
def test_what_is_seldom_seen_is_for_everybody_too(browser: Browser, server: WebServer, place: Workplace) -> None:
    place.write("doubtful.py", DOUBTFUL)
    place.pipeline(f"{POST_IN_DOUBT}[limits]\ncreate = 2\n", name=place.folder.name)
    seen = Seen(browser, server, f"/c/{place.folder.name}", **LOOKS["narrow"])
    page = seen.page

    def shows(text: str, path: str | None = None) -> None:
        if path is not None:
            page.goto(path)
        page.wait_for_selector(f"text={text}", timeout=10_000)
        seen.look()

    def imported(sheet: Path) -> str:
        seen.upload(sheet)
        page.get_by_role("button", name="Import").click()
        page.wait_for_url("**/jobs/*")
        return page.url

    shows("Customers", server.url)
    page.goto(f"{seen.home}/new")
    page.get_by_label("Choose a sheet").set_input_files(place.write("a.exe", "MZ"))
    page.get_by_role("button", name="Upload and check").click()
    shows("this is no sheet that can be read")
    seen.upload(place.write("broken.xlsx", "PK\x03\x04 and no more"))
    shows("could not be checked")
    good = place.write("staff.csv", SHEET)
    held = imported(good)
    shows("Invites held")
    shows("the connection was cut", f"{held}?part=failures")
    shows("There is nothing", f"{held}?part=problems")
    shows("Release the held invites?", f"{held}/release")
    page.goto(held)
    page.get_by_role("button", name="Make a report (html)").click()
    shows("Download the report")
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download the report").click()
    assert downloaded.value.suggested_filename == f"{place.folder.name}-{held.rpartition('/')[2]}.html"
    seen.upload(place.write("more.csv", SHEET + "".join(f",new{i},N,,Harbour-Gate-{i},,,\n" for i in range(9))))
    shows("A limit is exceeded")
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/jobs/*")
    shows("Stopped by a limit")
    shows("Let this job through?", f"{page.url}/approve")
    # What was shown is not what would be done by now.
    seen.upload(place.write("new.csv", SHEET.replace("ana,Ana", "zia,Zia")))
    assert place.run("run", place.write("zia.csv", SHEET.replace("ana,Ana", "zia,Zo")), "--invites", "none").status == 0
    page.get_by_role("button", name="Import").click()
    shows("has changed since it was shown")
    work = next(
        path for path in (server.state / "work").iterdir() if place.folder.name in (path / "work.json").read_text()
    )
    for name in ("result.json", "lock"):
        (work / name).unlink(missing_ok=True)
    kinds = json.loads((work / "work.json").read_text("utf-8"))
    (work / "work.json").write_text(json.dumps({**kinds, "kind": "run"}), "utf-8")
    shows("This was cut off", f"{seen.home}/work/{work.name}")
    shows("There is no such page", f"{seen.home}/jobs/none")
    page.goto(seen.home)
    page.get_by_role("button", name="Sign out").click()
    shows("signed out")
    shows("Nobody knows you here", seen.home)
    seen.context.close()


@pytest.mark.slow
def test_a_sheet_that_is_too_large_is_not_sent(browser: Browser, server: WebServer, place: Workplace) -> None:
    seen = Seen(browser, server, f"/c/{place.folder.name}")
    page, sent = seen.page, list[str]()
    page.on("request", lambda request: sent.append(request.method))
    page.goto(f"{seen.home}/new")
    large = place.write("large.csv", SHEET + "x" * 1024 * 1024)
    page.get_by_label("Choose a sheet").set_input_files(large)
    page.get_by_role("button", name="Upload and check").click()
    said = page.locator("#sheet").evaluate("one => one.validationMessage")
    assert said == "the file is larger than 1 MB"
    page.get_by_label("Choose a sheet").set_input_files(place.write("staff.csv", SHEET))
    assert "POST" not in sent
    page.get_by_role("button", name="Upload and check").click()
    page.wait_for_url("**/uploads/*")
    seen.context.close()


@pytest.mark.slow
def test_a_button_is_not_dead_where_what_it_sent_did_not_get_through(
    browser: Browser, server: WebServer, place: Workplace
) -> None:
    """The line was down, or the person has stopped the browser, and presses it again."""
    seen = Seen(browser, server, f"/c/{place.folder.name}")
    page, sent = seen.page, []
    page.goto(f"{seen.home}/new")
    page.clock.install()
    page.get_by_label("Choose a sheet").set_input_files(place.write("staff.csv", SHEET))

    def lost(route: Route) -> None:
        sent.append(route.request.method)
        route.fulfill(status=204)

    page.route("**/uploads", lost)
    button = page.get_by_role("button", name="Upload and check")
    button.dblclick()
    page.wait_for_timeout(300)
    assert sent == ["POST"]
    page.clock.run_for(11_000)
    button.click()
    page.wait_for_timeout(300)
    assert sent == ["POST", "POST"]
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")  # by the back button
    button.click()
    page.wait_for_timeout(300)
    assert sent == ["POST"] * 3
    seen.context.close()


TWELVE = """not-an-address,a1,Al,One,Harbour-Gate-61,,,
a2@example.com,,Bo,Two,Harbour-Gate-62,,,
a3@example.com,a3,,Three,Harbour-Gate-63,,,
a4@example.com,a4,Di,Four,,,,
a5@example.com,a5,Ed,Five,pass,,,
a6@example.com,a6,Fi,Six,Harbour-Gate-66,,7712345678,
a7@example.com,a7,Gi,Seven,Harbour-Gate-67,999,7712345678,
a8@example.com,a8,Hu,Eight,Harbour-Gate-68,44,12,
a9@example.com,ana,Jo,Nine,Harbour-Gate-69,,,
a10@example.com,a10,Kim,Ten,Harbour-Gate-70,,,Region||North
a11@example.com,a11,Lo,Eleven,Harbour-Gate-71,,,#N/A
a12@example.com,a12,Mo,Twelve,Harbour-Gate-72,44,4.47712E+11,
"""
"""Twelve rows, each with a mistake of another kind."""


@pytest.mark.slow
def test_a_sheet_with_twelve_kinds_of_mistakes_is_in_within_twelve_clicks(
    browser: Browser, server: WebServer, place: Workplace
) -> None:
    seen = Seen(browser, server, f"/c/{place.folder.name}")
    page, clicks, began = seen.page, 0, time.monotonic()

    def click(what: Locator) -> None:
        nonlocal clicks
        clicks += 1
        what.click()

    def choose(sheet: Path) -> None:
        nonlocal clicks
        clicks += 2  # the file, and Open in the system's own window
        with page.expect_file_chooser() as chooser:
            click(page.get_by_label("Choose a sheet"))
        chooser.value.set_files(sheet)
        click(page.get_by_role("button", name="Upload and check"))

    click(page.get_by_role("link", name="New user import").first)
    choose(place.write("staff.csv", (SHEET + TWELVE).replace("Username", "User")))
    page.wait_for_selector("text=Which column is what?")
    click(page.get_by_role("button", name="Go on"))
    page.wait_for_selector("text=12 errors in staff.csv")
    assert page.get_by_role("region", name="Problems by cause").get_by_role("row").count() == 13
    click(page.get_by_role("link", name="Upload the corrected sheet"))
    choose(place.write("corrected.csv", SHEET.replace("Username", "User")))
    click(page.get_by_role("button", name="Import 2 rows"))
    page.wait_for_url("**/jobs/*")
    assert place.users().keys() == {"ana", "bo"}
    assert clicks <= 12
    assert time.monotonic() - began < 60  # the rest of the five minutes is for the spreadsheet program
    seen.context.close()


def test_an_error_is_read_first_and_leads_to_its_field(browser: Browser, server: WebServer, place: Workplace) -> None:
    sheet = place.write("other.csv", SHEET.replace("Username", "Kennung"))
    seen = Seen(browser, server, f"/c/{place.folder.name}")
    page = seen.page
    seen.upload(sheet)
    page.get_by_label("Email").select_option("")
    page.get_by_label("Kennung").select_option("")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_selector("#summary")
    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.id") == "summary"
    seen.look()
    page.get_by_role("link", name="no column is Email").click()
    assert page.evaluate("document.activeElement.tagName") == "SELECT"
    seen.context.close()


def test_by_keyboard_alone(browser: Browser, server: WebServer, place: Workplace) -> None:
    """Tab goes everywhere, Enter and the arrows do everything; choosing a file is the system's own window."""
    seen = Seen(browser, server, f"/c/{place.folder.name}")
    page = seen.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the contents"

    def go_to(text: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if text in page.evaluate("(document.activeElement.innerText || document.activeElement.name || '')"):
                return
        raise AssertionError(text)

    go_to("New user import")
    page.keyboard.press("Enter")
    page.wait_for_url("**/new")
    page.set_input_files("#sheet", place.write("staff.csv", SHEET))
    go_to("Upload and check")
    page.keyboard.press("Enter")
    page.wait_for_url("**/uploads/*")
    go_to("invites")
    page.keyboard.press("ArrowUp")
    go_to("Import 2 rows")
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/*")
    assert place.users().keys() == {"ana", "bo"}
    seen.context.close()


@pytest.mark.slow  # the page of the progress loads itself again every few seconds
def test_without_a_script(browser: Browser, server: WebServer, place: Workplace) -> None:
    seen = Seen(browser, server, f"/c/{place.folder.name}", java_script_enabled=False)
    page = seen.page
    seen.upload(place.write("staff.csv", SHEET))  # the page of the progress loads itself again
    page.click("text=Import 2 rows")
    page.wait_for_url("**/jobs/*")
    assert "Completed" in page.title()
    seen.context.close()


@pytest.mark.slow
def test_progress_survives_a_reload_and_a_closed_tab(browser: Browser, server: WebServer, place: Workplace) -> None:
    rows = "".join(f",user{i},U,,Harbour-Gate-{i},,,\n" for i in range(3000))
    sheet = place.write("many.csv", "\n".join(SHEET.splitlines()[:2]) + "\n" + rows)
    seen = Seen(browser, server, f"/c/{place.folder.name}")
    page = seen.page
    seen.upload(sheet)
    page.click("text=Import 3,000 rows")
    page.wait_for_url("**/work/*")
    page.wait_for_selector("progress")
    seen.look()
    page.reload()
    page.close()
    again = seen.context.new_page()
    again.goto(seen.home)
    again.click("text=many.csv >> nth=0") if again.locator("text=Not imported yet").count() else again.click("table a")
    again.wait_for_url("**/jobs/*", timeout=60_000)
    again.wait_for_selector("text=Details")
    assert "Completed" in again.title()
    seen.context.close()


def test_a_session_that_ends_says_so_and_nothing_is_lost(browser: Browser, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.pipeline()
    with web_server(place) as server:
        seen = Seen(browser, server, "/c/test")
        page = seen.page
        seen.upload(place.write("staff.csv", SHEET))
        server.later += IDLE_SECONDS
        page.get_by_role("button", name="Import 2 rows").click()
        page.wait_for_selector("text=Your session has ended")
        assert "What you have just sent was not taken" in page.inner_text("main")
        assert "nothing is lost" not in page.inner_text("main")
        seen.look()
        assert not place.directory.exists()
        page.goto(f"{server.url}/start?token={server.token}")
        page.wait_for_url(f"{server.url}/c/test")
        page.get_by_role("link", name="staff.csv").click()
        page.get_by_role("button", name="Import 2 rows").click()
        page.wait_for_url("**/jobs/*")
        assert place.users().keys() == {"ana", "bo"}
        seen.context.close()


def test_progress_that_nobody_may_see_any_more_says_so(browser: Browser, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.pipeline()
    with web_server(place) as server:
        seen = Seen(browser, server, "/c/test")

        # Between the page and its events.
        def end_session(route: Route) -> None:
            server.later += IDLE_SECONDS
            route.continue_()

        seen.page.route("**/events", end_session)
        seen.page.goto(f"{seen.home}/new")
        seen.page.get_by_label("Choose a sheet").set_input_files(place.write("staff.csv", SHEET))
        seen.page.get_by_role("button", name="Upload and check").click()
        seen.page.wait_for_selector("text=Your session has ended")
        seen.context.close()


def test_production_looks_unlike_a_rehearsal(browser: Browser, server: WebServer, place: Workplace) -> None:
    seen = Seen(browser, server, f"/c/{place.folder.name}")
    colours = seen.page.evaluate(
        """() => ["production", "rehearsal", "plain"].map((kind) => {
            const band = document.createElement("p");
            band.className = `target ${kind}`;
            document.body.append(band);
            return getComputedStyle(band).backgroundColor;
        })"""
    )
    assert len(set(colours)) == 3
    seen.context.close()


def test_the_script_is_short() -> None:
    from importlib.resources import files

    text = files("musterroll_plugins.web").joinpath("static", "page.js").read_text("utf-8")
    assert len(text.splitlines()) <= 55
