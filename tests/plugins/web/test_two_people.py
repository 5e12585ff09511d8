"""Two people at once, each in a browser of their own: what one does, the other sees, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from support.browser import chromium, needs_chromium, violations
from support.web_server import SHEET, InsideServer, access_by_proxy, web_server
from support.workplace import Workplace

pytestmark = [needs_chromium, pytest.mark.slow]

_ACCESS = access_by_proxy(ivan="importer", anna="approver", arno="approver")

Come = Callable[[str], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def team(tmp_path: Path) -> Iterator[InsideServer]:
    place = Workplace(tmp_path)
    place.pipeline("[limits]\ncreate = 5\n[invites]\nsend_to = 'none'")
    place.write("access/access.txt", _ACCESS)
    with web_server(place, access="access/access.txt") as server:
        yield server


@pytest.fixture
def come(browser: Browser, team: InsideServer) -> Iterator[Come]:
    """Lets somebody come whom the proxy names, in a browser that shares nothing with those of others."""
    contexts = []

    def come(name: str) -> Page:
        contexts.append(browser.new_context(base_url=team.url, extra_http_headers={"x-person": name}))
        page = contexts[-1].new_page()
        page.goto("/c/test")
        assert name in page.inner_text("header")
        return page

    yield come
    for context in contexts:
        context.close()


def staff(*names: str) -> str:
    head = "\n".join(SHEET.splitlines()[:2])
    return head + "".join(f"\n{name}@example.com,{name},X,Y,Harbour-Gate-61,,," for name in names) + "\n"


def upload(page: Page, sheet: Path) -> None:
    page.goto("/c/test/new")
    page.get_by_label("Choose a sheet").set_input_files(sheet)
    page.get_by_role("button", name="Upload and check").click()


def begun(page: Page) -> None:
    page.wait_for_selector("text=Check your answers")


def press(name: str, *pages: Page) -> None:
    """Presses the same button on each of the pages, without waiting for what comes of it."""
    for page in pages:
        page.get_by_role("button", name=name).click(no_wait_after=True)


def quarantined(page: Page, team: InsideServer, prefix: str = "new") -> str:
    """Imports more users than the limit lets through; returns the path of the job."""
    upload(page, team.place.write(f"{prefix}.csv", staff(*(f"{prefix}{i}" for i in range(9)))))
    begun(page)
    page.get_by_role("button", name="Import 9 rows").click()
    page.wait_for_selector("text=Stopped by a limit")
    return page.url.removeprefix(team.url)


def done(team: InsideServer, act: str) -> list[str]:
    return [line["who"] for line in team.audit() if line["what"] == act]


def test_one_imports_and_the_other_lets_it_through(team: InsideServer, come: Come) -> None:
    ivan, anna = come("ivan"), come("anna")
    job = quarantined(ivan, team)
    assert "Another person with the role approver has to let it through." in ivan.inner_text("main")
    assert not ivan.get_by_role("link", name="Approve").count()
    assert violations(ivan) == []
    ivan.goto(f"{job}/approve")
    assert "There is no such page" in ivan.inner_text("main")
    anna.reload()
    anna.get_by_role("link", name="Details").click()
    anna.get_by_role("link", name="Approve").click()
    anna.get_by_role("button", name="Approve and import").click()
    anna.wait_for_selector("text=Completed")
    assert "Approved by" in anna.inner_text("main")
    ivan.goto(job)
    assert "Completed" in ivan.title()
    assert "anna" in ivan.inner_text("main")
    assert len(team.place.users()) == 9


def test_an_approver_who_imports_does_not_approve(team: InsideServer, come: Come) -> None:
    anna, arno = come("anna"), come("arno")
    job = quarantined(anna, team)
    assert not anna.get_by_role("link", name="Approve").count()
    arno.goto(job)
    assert arno.get_by_role("link", name="Approve").count()


def test_both_upload_and_import_at_once(team: InsideServer, come: Come) -> None:
    pages = {name: come(name) for name in ("ivan", "anna")}
    for name, page in pages.items():
        sheet = team.place.write(f"{name}.csv", staff(f"{name}1", f"{name}2"))
        page.goto("/c/test/new")
        page.get_by_label("Choose a sheet").set_input_files(sheet)
    press("Upload and check", *pages.values())
    for name, page in pages.items():
        begun(page)
        assert f"{name}.csv" in page.inner_text("main")  # each their own sheet
    press("Import 2 rows", *pages.values())
    for name, page in pages.items():
        page.wait_for_selector("text=Completed")
        assert f"{name}.csv" in page.inner_text("h1")
    assert {"ivan1", "ivan2", "anna1", "anna2"} == team.place.users().keys()
    ivan = pages["ivan"]
    ivan.goto("/c/test")
    assert ivan.get_by_role("row").count() == 3  # each sees what the other did
    assert "anna" in ivan.inner_text("main")


def test_both_press_import_of_the_same_sheet(team: InsideServer, come: Come) -> None:
    ivan, anna = come("ivan"), come("anna")
    upload(ivan, team.place.write("staff.csv", SHEET))
    begun(ivan)
    anna.reload()
    anna.get_by_role("link", name="staff.csv").click()
    begun(anna)
    press("Import 2 rows", ivan, anna)
    said = []
    for page in (ivan, anna):
        page.wait_for_selector("text=/Completed|was begun already/")
        said.append("Completed" in page.title())
        assert violations(page) == []
    assert sorted(said) == [False, True]
    (who,) = done(team, "run")
    other = anna if said[0] else ivan
    assert f"the import of this sheet was begun already, by {who}" in (other.text_content("main") or "")
    assert len(team.place.json("jobs", "list").document["jobs"]) == 1


def test_one_discards_what_the_other_is_about_to_import(team: InsideServer, come: Come) -> None:
    ivan, anna = come("ivan"), come("anna")
    upload(ivan, team.place.write("staff.csv", SHEET))
    begun(ivan)
    anna.goto(ivan.url)
    begun(anna)
    ivan.get_by_role("button", name="Discard this upload").click()
    ivan.wait_for_selector("text=There are no jobs yet")
    anna.get_by_role("button", name="Import 2 rows").click()
    anna.wait_for_selector("text=this sheet is not here any more")
    assert not team.place.directory.exists()


@pytest.mark.parametrize(("act", "button"), [("approve", "Approve and import"), ("undo", "Undo")])
def test_both_press_the_same_button_of_a_job(act: str, button: str, team: InsideServer, come: Come) -> None:
    ivan, anna, arno = come("ivan"), come("anna"), come("arno")
    if act == "approve":
        job = quarantined(ivan, team)
    else:
        upload(ivan, team.place.write("staff.csv", SHEET))
        begun(ivan)
        ivan.get_by_role("button", name="Import 2 rows").click()
        ivan.wait_for_selector("text=Completed")
        job = ivan.url.removeprefix(team.url)
    for page in (anna, arno):
        page.goto(f"{job}/{act}")
    press(button, anna, arno)
    said = []
    for page in (anna, arno):
        page.wait_for_selector("text=/Completed|does not go together/")
        said.append("Completed" in page.title())
        assert violations(page) == []
    assert sorted(said) == [False, True]
    (who,) = done(team, act)
    other = (anna, arno)[said.index(False)]
    words = other.text_content("main") or ""
    # In the midst of it, or a moment after it.
    assert f"this job is being worked at by {who}" in words or "cannot be done with this job as it is now" in words
    other.get_by_role("link", name="To the jobs").click()
    assert other.get_by_role("row").count() == (2 if act == "approve" else 3)
