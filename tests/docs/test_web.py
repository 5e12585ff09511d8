"""What the page about the pages says is held by tests, and by the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from musterroll import MusterrollError
from musterroll_plugins.web import WebOptions
from musterroll_plugins.web.customers import Customers
from musterroll_plugins.web.programs.operations import OPERATIONS
from support.page_attacks import KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "web.md").read_text(encoding="utf-8")


def test_every_line_of_what_it_is_safe_against_has_a_test() -> None:
    lines = [line for line in PAGE.partition("## What it is safe against")[2].splitlines() if line.startswith("| ")]
    texts = [path.read_text("utf-8") for path in (ROOT / "tests" / "plugins" / "web").glob("test_*.py")]
    existing = {name for text in texts for name in re.findall(r"def (test_\w+)", text)}
    assert len(lines) > 15
    for line in lines[1:]:
        named = re.findall(r"`(test_\w+)`", line)
        assert named, line
        assert set(named) <= existing, line


_EXAMPLES = {"customer": "ACME", "job": "ID", "form": "xlsx", "copy": "fixed", "row:int": "7", "slips": "SLIPS"}


def test_every_operation_of_the_api_is_on_the_page() -> None:
    for one in OPERATIONS:
        path = re.sub(
            r"\{(.+?)\}", lambda found: _EXAMPLES[found[1]], one.path.replace("reports/{form}", "reports/html")
        )
        assert re.search(f"`{one.method} {re.escape(path)}[`?]", PAGE), one


def test_so_many_hostile_requests_are_sent() -> None:
    assert f"sends {sum(map(len, KINDS.values()))} requests of {len(KINDS)} kinds" in PAGE


def test_make_web_shows_every_example_that_needs_no_plugin() -> None:
    (without,) = re.findall(r"filter-out examples/(\w+)/", (ROOT / "Makefile").read_text(encoding="utf-8"))
    folders = {path.parent.name: path for path in ROOT.glob("examples/*/musterroll.toml")}
    customers = Customers([path for name, path in folders.items() if name != without])
    assert len(customers.all) == len(folders) - 1 > 7
    for customer in customers.all.values():
        assert [one.profile for one in customers.targets(customer)] == ["", *customer.profiles]
    with pytest.raises(MusterrollError):
        Customers([folders[without]])


def test_the_examples_use_options_that_exist() -> None:
    known = {f"--{name.replace('_', '-')}" for name in WebOptions.model_fields}
    for name in ("musterroll-web.service", "Containerfile"):
        text = (ROOT / "docs" / "examples" / name).read_text(encoding="utf-8")
        (command,) = re.findall(r"^(?:ExecStart=|ENTRYPOINT ).*$", text, re.MULTILINE)
        used = set(re.findall(r"--[a-z-]+", command))
        assert used
        assert used <= known
