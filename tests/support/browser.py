"""A real browser: Debian's chromium, driven by Playwright, and axe to look for what keeps people out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from support.programs import needs_program

_PROGRAM = shutil.which("chromium")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

needs_chromium = needs_program("chromium", "chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Starts the browser, and ends it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_PROGRAM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def violations(page: Page) -> list[str]:
    """What axe finds on a page: the rule, and where."""
    found: Any = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def too_wide(page: Page) -> bool:
    """Whether the page, or a table in it, has to be moved sideways."""
    wide: bool = page.evaluate(
        "[document.documentElement, ...document.querySelectorAll('.wide')]"
        ".some(one => one.scrollWidth > one.clientWidth + 1)"  # halves of a pixel are rounded
    )
    return wide
