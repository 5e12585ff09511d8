"""The documentation as a site: every page has its place there, and links out of it lead into the repository."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def site_links() -> ModuleType:
    spec = spec_from_file_location("docs_site_links", ROOT / "docs" / "site_links.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_has_its_place() -> None:
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    shown = re.findall(r"^ *- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(shown) == sorted(pages)


def test_links_out_of_the_documentation_lead_into_the_repository() -> None:
    text = "[a](../core/musterroll/engine.py) [b](../examples#top) [c](sheet.md#groups) [d](../pipeline.md)"
    assert site_links().with_links(text, "docs", "https://x.example") == (
        "[a](https://x.example/blob/main/core/musterroll/engine.py) [b](https://x.example/tree/main/examples#top) "
        "[c](sheet.md#groups) [d](https://x.example/blob/main/pipeline.md)"
    )
    deeper = site_links().with_links("[d](../pipeline.md) [e](../../core)", "docs/plugins", "https://x.example")
    assert deeper == "[d](../pipeline.md) [e](https://x.example/tree/main/core)"
