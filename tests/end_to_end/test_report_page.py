"""The report as a page, in a real browser: searched, filtered, sorted, by keyboard, dark, narrow, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from support.browser import chromium, needs_chromium, too_wide, violations
from support.workplace import Inside

pytestmark = needs_chromium

HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\n,,,,,,,\n"
HOSTILE = "\"<script>document.title = 'x'</script>\""
ROWS = [
    "zoe@example.com,zoe,Zoe,Ames,Meadow-Kite-41,44,07712345678,Region|North",
    f"bo@example,bo,Bo,{HOSTILE},Meadow-Kite-41,,,Sales",
    "cy@example,cy,Cy,Ek,Meadow-Kite-41,,,Sales",
    *(f"u{n}@example.com,u{n},U,Ng,Meadow-Kite-41,,,Region|South" for n in range(12)),
    f'x@example.com,x,X,{"y" * 45},Meadow-Kite-41,,,"{"<img src=x onerror=alert(1)>"}"',
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def report(inside: Inside) -> Path:
    (inside.folder / "staff.csv").write_text(HEADINGS + "\n".join(ROWS), encoding="utf-8")
    inside.run("plan", "staff.csv", "--set", "on_error=skip", "--report", "out.html")
    return inside.folder / "out.html"


def opened(browser: Browser, report: Path, *, width: int = 1280, dark: bool = False, script: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
    )
    page = context.new_page()
    page.on("console", lambda message: pytest.fail(message.text))
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("request", of_this_file)
    page.goto(report.as_uri())
    return page


def of_this_file(request: Request) -> None:
    """Nothing is fetched from anywhere."""
    assert request.url.startswith("file:")


def users(page: Page) -> list[str]:
    return [row.locator("td").nth(1).inner_text() for row in page.locator("#changes tbody tr:visible").all()]


def test_what_a_person_looks_for_is_found(browser: Browser, report: Path) -> None:
    page = opened(browser, report)
    assert page.title() == "Plan of staff.csv"
    section = page.locator("#changes")
    expect(section.locator("output")).to_have_text("14 shown")
    section.get_by_label("Search").fill("NORTH zoe")
    expect(section.locator("output")).to_have_text("1 of 14 shown")
    assert users(page) == ["zoe"]

    problems = page.locator("#problems")
    problems.get_by_label("Severity").select_option("error")
    expect(problems.locator("tbody tr:visible")).to_have_count(2)
    expect(problems.locator("output")).to_have_text("2 of 3 shown")
    problems.get_by_label("Severity").select_option("")
    expect(problems.locator("tbody tr:visible")).to_have_count(3)


def test_it_is_sorted_by_keyboard(browser: Browser, report: Path) -> None:
    page = opened(browser, report)
    heading = page.locator("#changes th", has_text="User")
    page.locator("#changes").get_by_label("Search").focus()
    for _ in range(4):  # the table itself, which can be moved; then Row, User
        if heading.get_by_role("button").evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert users(page)[:4] == ["u0", "u1", "u2", "u3"], "numbers by their value"
    page.keyboard.press("Space")
    assert heading.get_attribute("aria-sort") == "descending"
    assert users(page)[:3] == ["zoe", "x", "u11"]
    page.locator("#changes").get_by_role("button", name="Row").press("Enter")
    assert page.locator("#changes th[aria-sort]").count() == 1
    assert users(page)[0] == "zoe"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_nobody_is_kept_out(width: int, dark: bool, browser: Browser, report: Path) -> None:
    page = opened(browser, report, width=width, dark=dark)
    assert violations(page) == []
    assert not too_wide(page)
    assert page.locator("#changes thead button").first.is_visible(), "it can be sorted at any width"


def test_paper_has_what_is_shown_and_no_tools(browser: Browser, report: Path) -> None:
    page = opened(browser, report, dark=True)
    page.locator("#changes").get_by_label("Search").fill("zoe")
    expect(page.locator("#changes tbody tr:visible")).to_have_count(1)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator(".tools:visible, nav:visible").count() == 0
    assert users(page) == ["zoe"]
    assert page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


def test_without_a_script_all_is_there(browser: Browser, report: Path) -> None:
    page = opened(browser, report, script=False)
    assert len(users(page)) == 14
    assert page.locator(".tools:visible").count() == 0


def test_no_script_of_the_sheet_works_even_where_it_would_become_one(browser: Browser, report: Path) -> None:
    text = report.read_text(encoding="utf-8").replace("</main>", "<script>document.title = 'x'</script></main>")
    report.write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.goto(report.as_uri())
    assert page.title() == "Plan of staff.csv"
