"""Pictures of the pages, for the site: taken from a real browser each time, and never kept in the repository.

`make docs` puts one where a page of the documentation has `<!-- picture: NAME | what it shows -->`. Without Playwright
or chromium there are none, and the page reads well all the same. `python docs/pictures.py FOLDER` writes them there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAMES = ("jobs", "new", "columns", "problems", "answers", "result", "story", "paper")
"""The pictures, in the order of the way."""

_MARK = re.compile(r"^<!-- picture: (\w+) \| (.+) -->$", re.MULTILINE)
_FOLDER = "pictures"
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
_PIPELINE = """name = "acme"
backend.use = "directory"
backend.options = { path = "acme.db" }
[profiles.production]
"""
_MAKES = """
[sheet.make]
password = { generate = "words" }
[invites]
send_to = "none"
"""
_MISTAKES = """Email,User,Forename,Surname,Password,Calling Code,Phone,Groups
guidance,,,,,,,
ana@acme.example,ana,Ana,Silva,Sesame-open-7,44,7712345678,Region|North
bo.acme.example,bo,Bo,Berg,Meadow-Kite-41,,,Region|South
cy@acme.example,,Cy,Clark,Harbour-Gate-55,44,07712345679,Region|North
di@acme.example,di,Di,Dahl,pass,,,Region||South
"""
_CORRECTED = """Email,User,Forename,Surname,Password,Calling Code,Phone,Groups
guidance,,,,,,,
ana@acme.example,ana,Ana,Silva,Sesame-open-7,44,7712345678,Region|North
bo@acme.example,bo,Bo,Berg,Meadow-Kite-41,,,Region|South
cy@acme.example,cy,Cy,Clark,Harbour-Gate-55,44,7712345679,Region|North
di@acme.example,di,Di,Dahl,Orchard-Lane-66,,,Region|South
"""
_PUPILS = """Email,User,Forename,Surname,Password,Calling Code,Phone,Groups
guidance,,,,,,,
,ed,Ed,Eden,,,,Region|North
,flo,Flo,Fox,,,,Region|South
,gus,Gus,Grey,,,,Region|South
"""
_made: set[str] = set()


def on_files(files: Any, *, config: Any, **_: object) -> Any:
    """Called by mkdocs with the files of the site: adds the pictures."""
    from mkdocs.structure.files import File  # noqa: PLC0415 -- there where a site is made

    _made.clear()
    if browser() is not None:
        with tempfile.TemporaryDirectory() as folder:
            take(Path(folder))
            for path in sorted(Path(folder).glob("*.png")):
                files.append(File.generated(config, f"{_FOLDER}/{path.name}", content=path.read_bytes()))
                _made.add(path.stem)
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by mkdocs with each page: returns it with the pictures that there are."""
    return with_pictures(markdown, _made)


def with_pictures(markdown: str, made: set[str]) -> str:
    """Returns a page with the pictures that were made where it wants them."""

    def picture(found: re.Match[str]) -> str:
        return f"![{found[2]}]({_FOLDER}/{found[1]}.png)" if found[1] in made else ""

    return _MARK.sub(picture, markdown)


def browser() -> str | None:
    """The browser's program; None where it, or what drives it, is not installed."""
    return shutil.which("chromium") if find_spec("playwright") is not None else None


def take(folder: Path) -> None:
    """Goes the way of a damaged sheet through the pages of a server of its own, and takes the pictures."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- it is not asked for where there is none

    with tempfile.TemporaryDirectory() as place, _serving(Path(place)) as address, sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser(), args=_ARGUMENTS)
        page = started.new_page(viewport={"width": 1000, "height": 640})

        def take_one(name: str) -> None:
            page.screenshot(path=str(folder / f"{name}.png"))

        def upload(name: str, text: str) -> None:
            sheet = Path(place, name)
            sheet.write_text(text, encoding="utf-8")
            page.set_input_files("#sheet", sheet)
            page.get_by_role("button", name="Upload and check").click()

        page.goto(address)
        page.get_by_role("link", name="New user import").first.click()
        page.wait_for_selector("text=Choose a sheet")
        take_one("new")
        upload("staff.csv", _MISTAKES)
        page.wait_for_selector("text=Which column is what?")
        take_one("columns")
        page.get_by_role("button", name="Go on").click()
        page.wait_for_selector("text=errors in staff.csv")
        take_one("problems")
        page.get_by_role("link", name="Upload the corrected sheet").click()
        page.wait_for_selector("text=takes the place")
        upload("staff.csv", _CORRECTED)
        page.wait_for_selector("text=Check your answers")
        take_one("answers")
        page.get_by_role("button", name="Import 4 rows").click()
        page.wait_for_url("**/jobs/*")
        page.wait_for_selector("text=Completed")
        take_one("result")
        page.get_by_role("link", name="the story of this row").first.click()
        page.wait_for_selector("text=What the rules said")
        take_one("story")
        page.goto(address.partition("/start")[0])
        page.wait_for_selector("table")
        take_one("jobs")
        with Path(place, "musterroll.toml").open("a", encoding="utf-8") as pipeline:
            pipeline.write(_MAKES)
        page.get_by_role("link", name="New user import").first.click()
        page.wait_for_selector("text=Choose a sheet")
        upload("pupils.csv", _PUPILS)
        page.wait_for_selector("text=Which column is what?")
        page.get_by_role("button", name="Go on").click()
        page.wait_for_selector("text=Check your answers")
        page.get_by_role("button", name="Import 3 rows").click()
        page.wait_for_url("**/jobs/*")
        page.wait_for_selector("text=First passwords on paper")
        take_one("paper")
        started.close()


@contextmanager
def _serving(place: Path) -> Iterator[str]:
    """Starts the command in a folder; yields the address that lets a browser in."""
    (place / "musterroll.toml").write_text(_PIPELINE, encoding="utf-8")
    command = [sys.executable, "-m", "musterroll_cli", "web", "--port", "0"]
    with subprocess.Popen(command, cwd=place, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 -- ours
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            found = re.search(r"http://\S+", line)
            if found is None:
                raise SystemExit(line + process.stderr.read())
            yield found[0]
        finally:
            process.terminate()


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    if browser() is None:
        raise SystemExit("there are no pictures without Playwright and chromium")
    take(target)
