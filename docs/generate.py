"""Writes the tables of plugins' options into docs/pipeline.md: `python docs/generate.py`.

A table stands between `<!-- generated: KIND NAME -->` and `<!-- end -->`. What it says comes from the options
model: types and defaults from its fields, meanings from their descriptions or the docstring's `Attributes:`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from musterroll import Options
from musterroll.engine import described
from musterroll.registry.registry import KINDS, Kind, Registry

PAGE = Path(__file__).parent / "pipeline.md"
_BLOCK = re.compile(r"(<!-- generated: (\w+) ([\w.-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def generated(text: str) -> str:
    """Returns the page with its tables up to date."""
    registry = Registry.load(external=False)
    found = {(p.kind, p.component.name): p.component for kind in KINDS for p in registry.components(kind)}

    def block(match: re.Match[str]) -> str:
        component = found[cast("Kind", match[2]), match[3]]
        return f"{match[1]}{table(cast('Any', component).options)}\n{match[4]}"

    return _BLOCK.sub(block, text)


def table(model: type[Options]) -> str:
    """Returns the options of a model as a table."""
    rows = [
        f"| `{option.name}` | {option.type} | {option.default} | {_cell(option.meaning)} |"
        for option in described(model, literal=_code, reference="[secret](#paths-and-secrets)")
    ]
    return "\n".join(["| option | type | default | meaning |", "|---|---|---|---|", *rows]) if rows else "No options."


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(generated(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
