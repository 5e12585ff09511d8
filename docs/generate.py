"""Writes the parts of these pages that are made of the program: `python docs/generate.py`.

They stand between `<!-- generated: KIND NAME -->` and `<!-- end -->`. A table of options comes from the plugin's
model: types and defaults from its fields, meanings from their descriptions or the docstring's `Attributes:`. A table of
codes (`generated: codes PLACE`) is what `musterroll explain` says.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, cast

from musterroll import Options
from musterroll.engine import Explanation, described, explanations
from musterroll.registry.registry import KINDS, Kind, Registry

PAGES = tuple(Path(__file__).parent / name for name in ("pipeline.md", "problems.md", "commands.md"))
_BLOCK = re.compile(r"(<!-- generated: (\w+) ([\w.-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def generated(text: str) -> str:
    """Returns a page with its tables up to date."""
    return _BLOCK.sub(lambda block: f"{block[1]}{_table(block[2], block[3])}\n{block[4]}", text)


def _table(kind: str, name: str) -> str:
    if kind == "codes":
        return codes(name)
    return options(cast("Any", _components()[cast("Kind", kind), name]).options)


@cache
def _components() -> dict[tuple[Kind, str], Any]:
    registry = Registry.load(external=False)
    return {(p.kind, p.component.name): p.component for kind in KINDS for p in registry.components(kind)}


def options(model: type[Options]) -> str:
    """Returns the options of a model as a table."""
    rows = [
        f"| `{option.name}` | {option.type} | {option.default} | {_cell(option.meaning)} |"
        for option in described(model, literal=_code, reference="[secret](#paths-and-secrets)")
    ]
    return "\n".join(["| option | type | default | meaning |", "|---|---|---|---|", *rows]) if rows else "No options."


def codes(place: str) -> str:
    """Returns the codes of a place as a table."""
    found = [one for one in explanations() if one.place == place]
    if place == "errors":
        head = ["| `error.code` | exit | when, and what to do |", "|---|---|---|"]
        return "\n".join([*head, *(f"| `{one.code}` | {_statuses(one)} | {_cell(one.when)} |" for one in found)])
    head = ["| code | severity | when | what to do |", "|---|---|---|---|"]
    return "\n".join([*head, *(f"| `{one.code}` | {one.severity} | {_when(one)} | {_advice(one)} |" for one in found)])


def _statuses(one: Explanation) -> str:
    return ", ".join(map(str, one.exit_statuses))


def _when(one: Explanation) -> str:
    return _cell(one.when if one.example is None else f"{one.when} (*{one.example}*)")


def _advice(one: Explanation) -> str:
    return _cell(one.advice or "")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(generated(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
