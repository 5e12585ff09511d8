"""The documentation as a site: every page has its place there, and links out of it lead into the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.browser import needs_chromium
from support.scripts import ROOT, docs_script

_PICTURE = re.compile(r"^<!-- picture: (\w+) \|", re.MULTILINE)


def test_every_page_has_its_place() -> None:
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    shown = re.findall(r"^ *- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(shown) == sorted(pages)


def test_links_out_of_the_documentation_lead_into_the_repository() -> None:
    text = "[a](../core/musterroll/engine.py) [b](../examples#top) [c](sheet.md#groups) [d](../pipeline.md)"
    assert docs_script("site_links").with_links(text, "docs", "https://x.example") == (
        "[a](https://x.example/blob/main/core/musterroll/engine.py) [b](https://x.example/tree/main/examples#top) "
        "[c](sheet.md#groups) [d](https://x.example/blob/main/pipeline.md)"
    )
    deeper = docs_script("site_links").with_links(
        "[d](../pipeline.md) [e](../../core)", "docs/plugins", "https://x.example"
    )
    assert deeper == "[d](../pipeline.md) [e](https://x.example/tree/main/core)"


def test_every_picture_that_a_page_wants_is_made() -> None:
    pictures = docs_script("pictures")
    wanted = [name for path in (ROOT / "docs").rglob("*.md") for name in re.findall(_PICTURE, path.read_text("utf-8"))]
    assert sorted(wanted) == sorted(pictures.NAMES)
    text = "a\n\n<!-- picture: new | A new import -->\n\nb"
    assert pictures.with_pictures(text, {"new"}) == "a\n\n![A new import](pictures/new.png)\n\nb"
    assert pictures.with_pictures(text, set()) == "a\n\n\n\nb"


@pytest.mark.slow
@needs_chromium
def test_the_pictures_are_taken(tmp_path: Path) -> None:
    pictures = docs_script("pictures")
    pictures.take(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(pictures.NAMES)
    assert all(path.stat().st_size > 10_000 for path in tmp_path.iterdir())
