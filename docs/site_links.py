"""Links out of the documentation, for the site: what they name is in the repository, and not on the site."""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath
from typing import Any

_LINK = re.compile(r"\]\(((?:\.\./)+[^)#\s]+)(#[^)\s]*)?\)")
ROOT = Path(__file__).parents[1]


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: object) -> str:
    """Called by mkdocs with each page: returns it with links that work on the site."""
    folder = f"docs/{page.file.src_uri}".rpartition("/")[0]
    return with_links(markdown, folder, config["repo_url"])


def with_links(markdown: str, folder: str, repository: str) -> str:
    """Returns a page with its links out of `docs/` as addresses in the repository.

    Args:
        markdown: the page.
        folder: of the page, from the root of the repository.
        repository: its address.
    """

    def address(found: re.Match[str]) -> str:
        path = normpath(f"{folder}/{found[1]}")
        if path == "docs" or path.startswith("docs/"):
            return found[0]
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"]({repository}/{kind}/main/{path}{found[2] or ''})"

    return _LINK.sub(address, markdown)
