"""Every page in every state that it can be in: axe looks at it, 320 pixels wide, dark, and in German."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from musterroll_plugins.web.site import Site
from support.browser import chromium, needs_chromium, too_wide, violations
from support.slips import PUPILS, cut_off, doubtful, makes_passwords
from support.web_server import (
    DOUBTFUL,
    MISTAKES,
    SHEET,
    InsideServer,
    Visitor,
    access_by_proxy,
    two_worksheets,
    upload_path,
    web_server,
)
from support.workplace import Workplace

pytestmark = [needs_chromium, pytest.mark.slow]

_ACCESS = access_by_proxy(ivan="importer", anna="approver", vera="viewer", nils="viewer") + 'customers = ["nobody"]\n'
_HOLDING = (
    DOUBTFUL.replace("Doubtful", "Holding")
    .replace("doubtful", "holding")
    .replace(
        "        for message in messages:\n",
        "        import os, time\n"
        "        for message in messages:\n"
        "            until = time.monotonic() + 60\n"
        "            while os.path.exists({hold!r}) and time.monotonic() < until:\n"
        "                time.sleep(0.05)\n",
    )
    .replace("SentStatus.UNKNOWN", "SentStatus.SENT")
)
"""A notifier that sends nothing so long as a file is there."""

_PIPELINE = """language = "de"
on_error = "skip"
plugins = ["holding.py", "doubtful.py"]
[limits]
create = 5
[profiles.production]
strict = false
[profiles.test]
strict = false
[[notifiers]]
name = "outbox"
enabled = false
[[notifiers]]
name = "post"
use = "{post}"
"""
_NOT_PAGES = {"base.html", "macros.html"}


class Looked:
    """Looks at pages; notes which templates they were made from."""

    def __init__(self, browser: Browser, team: InsideServer) -> None:
        self.team, self.templates, self.wrong = team, set[str](), list[str]()
        self.contexts = {
            name: browser.new_context(
                base_url=team.url,
                extra_http_headers={"x-person": name} if name else {},
                viewport={"width": 320, "height": 640},
                color_scheme="dark",
            )
            for name in ("ivan", "anna", "vera", "nils", "mallory", "")
        }
        self.pages = {name: context.new_page() for name, context in self.contexts.items()}
        self.visitors = {
            name: Visitor(team.client(headers={"x-person": name}), "/c/eins") for name in self.pages if name
        }

    def at(self, state: str, path: str | None = None, who: str = "ivan") -> Page:
        """Looks at a page that somebody sees."""
        page = self.pages[who]
        if path is not None:
            page.goto(path)
        self.wrong += [f"{state}: {one}" for one in violations(page)]
        if too_wide(page):
            self.wrong.append(f"{state}: too wide")
        return page

    def press(self, button: str = "main button", who: str = "ivan") -> Page:
        page = self.pages[who]
        with page.expect_navigation():
            page.locator(button).first.click()
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def looked(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looked]:
    for name in ("eins", "zwei"):
        place = Workplace(tmp_path / name)
        place.folder.mkdir()
        place.write("holding.py", _HOLDING.replace("{hold!r}", repr(str(tmp_path / "hold"))))
        place.write("doubtful.py", DOUBTFUL)
        text = _PIPELINE.format(post="holding" if name == "eins" else "doubtful")
        place.pipeline(text.replace('"skip"', '"abort"') if name == "zwei" else text, name=name)
    paper = Workplace(tmp_path / "paper")
    paper.folder.mkdir()
    makes_passwords(paper, 'language = "de"\n', name="paper")
    outside = Workplace(tmp_path)
    outside.write("access/access.txt", _ACCESS)
    seen: set[str] = set()
    render = Site.render

    def rendered(site: Site, template: str, status: int = 200, **values: Any) -> Any:
        seen.add(template)
        return render(site, template, status, **values)

    monkeypatch.setattr(Site, "render", rendered)
    with web_server(outside, tmp_path, access="access/access.txt", max_upload=1) as team:
        found = Looked(browser, team)
        found.templates = seen
        yield found
        for context in found.contexts.values():
            context.close()


def staff(*names: str) -> str:
    head = "\n".join(SHEET.splitlines()[:2])
    return head + "".join(f"\n{name}@example.com,{name},X,Y,Harbour-Gate-61,,," for name in names) + "\n"


def test_every_state_of_every_page_is_for_everybody(looked: Looked, tmp_path: Path) -> None:
    _before_an_import(looked)
    _about_a_sheet(looked)
    _while_it_runs(looked, tmp_path / "hold")
    _about_a_job(looked)
    _first_passwords(looked)
    _stopped(looked)
    _outside(looked)
    assert looked.wrong == []
    all_templates = {path.name for path in files("musterroll_plugins.web").joinpath("templates").iterdir()}
    assert all_templates - _NOT_PAGES == looked.templates


def _before_an_import(looked: Looked) -> None:
    looked.at("several customers", "/")
    looked.at("no customer", "/", "nils")
    looked.at("no jobs", "/c/eins")
    looked.at("no jobs, for a viewer", "/c/eins", "vera")
    page = looked.at("a new import", "/c/eins/new")
    page.locator("#sheet").evaluate("one => one.required = false")
    looked.press("main button")
    looked.at("no sheet was chosen")
    looked.at("not for a viewer", "/c/eins/new", "vera")


def _about_a_sheet(looked: Looked) -> None:
    ivan = looked.visitors["ivan"]

    def at(state: str, content: str | bytes, name: str, more: str = "", home: str = "/c/eins") -> str:
        path = upload_path(Visitor(ivan.client, home).upload(content, name))
        looked.at(state, f"{home}{path}{more}")
        return path

    at("which column is what", SHEET.replace("Username", "Kennung").replace("Surname", "Sippe"), "other.csv")
    page = looked.pages["ivan"]
    for select in page.locator("select").all():
        select.select_option("")
    looked.press("main button.main")
    looked.at("no column is what is needed")
    at("which worksheet", two_worksheets(), "two.xlsx")
    at("what cannot be read", b"PK\x03\x04 and no more", "broken.xlsx")
    path = at("problems, and some rows can go in", MISTAKES.replace("+44", "44"), "mistakes.csv", "/problems")
    looked.at("only errors", f"/c/eins{path}/problems?severity=error")
    looked.at("one cause", f"/c/eins{path}/problems?code=email.invalid&field=email")
    looked.press('form[action$="annotated"] button')
    page.wait_for_url("**/copies/*")
    looked.at("an annotated copy")
    looked.at("answers, with rows left out", f"/c/eins{path}/answers")
    looked.at("another sheet in its place", f"/c/eins/new?after={path.rpartition('/')[2]}")
    path = at("problems, and nothing can go in", MISTAKES, "mistakes.csv", home="/c/zwei")
    phone = SHEET.replace(",44,7712345678,", ",+44,07712345678,")
    path = at("problems that can be corrected", phone, "phone.csv", "/problems")
    looked.press('form[action$="fixed"] button')
    page.wait_for_url("**/copies/*")
    looked.at("a corrected copy")
    path = at("warnings only", SHEET.replace("44,7712345678", "44,07712345678"), "warnings.csv", "/problems")
    path = at("answers", SHEET, "staff.csv")
    looked.at("no such row", f"/c/eins{path}/answers?q=nobody")
    page.goto(f"/c/eins{path}")
    for one in page.locator("input[type=radio]").all():
        one.evaluate("one => one.checked = false")
    looked.press("main button.main")
    looked.at("nobody said whom invites are sent to")
    at("a limit is exceeded", staff(*(f"new{i}" for i in range(9))), "new.csv")


def _while_it_runs(looked: Looked, hold: Path) -> None:
    ivan, anna = looked.visitors["ivan"], looked.visitors["anna"]
    hold.touch()
    first = ivan.post(upload_path(ivan.upload(staff("held"))) + "/run", invites="new").url.path
    second = anna.post(upload_path(anna.upload(staff("waits"))) + "/run", invites="new").url.path
    page = looked.pages["ivan"]
    page.goto(first)
    page.wait_for_selector("progress")
    looked.at("a job that runs")
    looked.at("a job that waits", second, "anna")
    looked.at("jobs, while one runs", "/c/eins")
    listed = page.locator("table a").first.get_attribute("href") or ""
    looked.at("a job that runs, for a viewer", listed, "vera")
    never = ivan.post(upload_path(ivan.upload(staff("never"))) + "/run", invites="none").url.path
    page.goto(never)
    looked.press('form[action$="cancel"] button')
    looked.at("a job that waits, and is cancelled")
    page.goto(first)
    looked.press('form[action$="cancel"] button')
    page.wait_for_selector("progress")
    looked.at("a job that is being cancelled")
    hold.unlink()
    page.wait_for_url("**/jobs/*")
    looked.at("a job that was cancelled")
    looked.at("go on?", f"{page.url}/resume")
    waited = anna.wait(anna.client.get(second))
    looked.at("a job that has waited", waited.url.path, "anna")
    ivan.wait(ivan.client.get(never))
    looked.at("a job that was cancelled before it began", never)


def _about_a_job(looked: Looked) -> None:
    ivan = looked.visitors["ivan"]
    done = ivan.import_(SHEET + "broken,cy,Cy,Clark,Harbour-Gate-55,,,\n", invites="none").url.path
    looked.at("a job with rows left out", done)
    for part in ("rows", "problems", "failures"):
        looked.at(f"its {part}", f"{done}?part={part}")
    looked.at("no such row of a job", f"{done}?part=rows&q=nobody")
    story = ivan.wait(ivan.client.get(f"{done}/rows/3"))
    looked.at("the story of a row", str(story.url))
    left_out = ivan.wait(ivan.client.get(f"{done}/rows/5"))
    looked.at("the story of a row that was left out", str(left_out.url))
    report = ivan.wait(ivan.post(f"{done.removeprefix('/c/eins')}/reports/html"))
    looked.at("a report", str(report.url))
    page = looked.at("undo?", f"{done}/undo")
    looked.press("main button.main")
    page.wait_for_url("**/jobs/*")
    looked.at("an undo that is done")
    looked.at("a job that is undone", done)
    stopped = ivan.import_(staff(*(f"new{i}" for i in range(9))), invites="none").url.path
    looked.at("a job that a limit has stopped", stopped)
    looked.at("the same, for who may approve", stopped, "anna")
    looked.at("approve?", f"{stopped}/approve", "anna")
    zwei = Visitor(ivan.client, "/c/zwei")
    aborted = zwei.import_(SHEET).url.path
    looked.at("a job with held invites", aborted)
    looked.at("release?", f"{aborted}/release")
    looked.press("main button.main")
    page.wait_for_url("**/jobs/*")
    looked.at("invites that were released")


def _first_passwords(looked: Looked) -> None:
    ivan = Visitor(looked.visitors["ivan"].client, "/c/paper")
    checked = ivan.upload(PUPILS)
    looked.at("answers, with first passwords on paper", checked.url.path)
    job = ivan.wait(ivan.post(upload_path(checked) + "/run", invites="new")).url.path
    page = looked.at("first passwords to print", job)
    paper = Workplace(looked.team.place.folder / "paper")
    cut_off(paper, "bo", "cy")
    doubtful(paper, "cy")
    page = looked.at("go on, though nobody was told some first passwords?", f"{job}/resume")
    assert page.locator(".note").count() == 2
    looked.press("main button.main")
    page.wait_for_url(f"**{job}")
    looked.at("first passwords of another person", job, "anna")
    looked.at("jobs, with first passwords to print", "/c/paper")
    page.goto(job)
    page.locator('a[href$="/delete"]').click()
    page.wait_for_url("**/delete")
    looked.at("delete the first passwords?")
    looked.press("main button.main")
    page.wait_for_url(f"**{job}")
    looked.at("first passwords that were deleted")


def _stopped(looked: Looked) -> None:
    ivan = looked.visitors["ivan"]
    shown = upload_path(ivan.upload(staff("zia")))
    ivan.import_(staff("zia").replace(",X,Y,", ",Zia,Y,"), invites="none")
    looked.pages["ivan"].goto(f"/c/eins{shown}")
    looked.press("main button.main")
    looked.pages["ivan"].wait_for_selector("p.dim")
    looked.at("what has changed since it was shown")
    begun = ivan.post("/uploads", files={"sheet": ("staff.csv", SHEET)}).url.path
    ivan.wait(ivan.client.get(begun))
    folder = looked.team.state / "work" / begun.rpartition("/")[2]
    work = json.loads((folder / "work.json").read_text("utf-8"))
    (folder / "work.json").write_text(json.dumps({**work, "kind": "run"}), "utf-8")
    for name in ("result.json", "lock"):
        (folder / name).unlink(missing_ok=True)
    looked.at("what was cut off", begun)


def _outside(looked: Looked) -> None:
    looked.at("several jobs", "/c/eins")
    looked.at("several jobs, for a viewer", "/c/eins", "vera")
    looked.at("nothing is there", "/c/eins/jobs/none")
    looked.at("no such customer", "/c/none")
    looked.at("nobody is named", "/c/eins", "")
    looked.at("a name without a role", "/c/eins", "mallory")
    page = looked.pages["anna"]
    page.goto("/c/eins/new")
    looked.visitors["anna"].client.cookies.clear()
    page.locator("[name=csrf]").first.evaluate("one => one.value = 'former'")
    looked.press("header form button", "anna")
    looked.at("a form that is out of date", who="anna")
    page.goto("/c/eins")
    looked.press("header form button", "anna")
    looked.at("signed out", who="anna")

    # It leads on at once: it is shown without that.
    def stay(route: Route) -> None:
        elsewhere = {**route.request.headers, "sec-fetch-site": "cross-site"}
        told = looked.team.client(headers=elsewhere).get("/c/eins")
        route.fulfill(status=200, content_type="text/html", body=told.text.replace("http-equiv", "data-equiv"))

    page = looked.pages[""]
    page.route("**/c/zwei", stay)
    looked.at("a link from elsewhere", "/c/zwei", "")
