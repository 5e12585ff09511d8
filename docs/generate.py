"""Writes the tables of plugins' options into docs/pipeline.md: `python docs/generate.py`.

A table stands between `<!-- generated: KIND NAME -->` and `<!-- end -->`. What it says comes from the options
model: types and defaults from its fields, meanings from their descriptions or the docstring's `Attributes:`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from musterroll import Options
from musterroll.plugin.registry import KINDS, Kind, Registry

PAGE = Path(__file__).parent / "pipeline.md"
_BLOCK = re.compile(r"(<!-- generated: (\w+) ([\w.-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
}
_LIMITS = {"minimum": "at least {}", "maximum": "at most {}"}


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
    meanings = _documented(model)
    schemas = model.model_json_schema()["properties"] if model.model_fields else {}
    rows = []
    for name, info in model.model_fields.items():
        meaning = (info.description or meanings[name]).rstrip(".")
        default = "needed" if info.is_required() else _default(info.get_default())
        rows.append(f"| `{name}` | {_type(schemas[name])} | {default} | {_cell(meaning)} |")
    return "\n".join(["| option | type | default | meaning |", "|---|---|---|---|", *rows]) if rows else "No options."


def _documented(model: type[Options]) -> dict[str, str]:
    _, _, attributes = (inspect.getdoc(model) or "").partition("Attributes:\n")
    return {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(attributes)}


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(_code(json.dumps(choice)) for choice in schema["enum"])
    if "anyOf" in schema:
        if any("env" in one.get("properties", {}) for one in _flat(schema)):
            return "[secret](#paths-and-secrets)"
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"] if one.get("type") != "null"))
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}s" if "items" in schema else "list"
    plain = "path" if schema.get("format") == "path" else _TYPES[schema["type"]]
    if schema.get("maxLength") == 1:
        plain = "one character"
    return ", ".join([plain, *_bounds(schema)])


def _flat(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in schema["anyOf"]:
        yield from _flat(one) if "anyOf" in one else (one,)


def _bounds(schema: dict[str, Any]) -> Iterator[str]:
    return (text.format(schema[key]) for key, text in _LIMITS.items() if key in schema)


def _default(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, Path):
        value = value.as_posix()
    return _code(json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False))


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(generated(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
