"""What to write into a pipeline file to use a plugin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from musterroll.contract.components import CommandType, Component, ReaderType
from musterroll.contract.options import Options
from musterroll.pipeline.option_descriptions import Described, described, is_secret
from musterroll.registry.registry import Kind

_ARRAYS: dict[Kind, str] = {"validator": "validators", "group_resolver": "groups", "notifier": "notifiers"}
_NOTHING = ("none", "[]", "{}", '""')
_PLACEHOLDERS = {"integer": 1, "number": 1, "boolean": True, "array": ["…"], "object": {}}


def snippet(kind: Kind, component: Component) -> str:
    """Returns an example: TOML with the options that are needed, for a command the command line."""
    if isinstance(component, CommandType):
        return component.example or f"musterroll {component.name}"
    options = list(_shown(cast("ReaderType[Options]", component).options))
    name = json.dumps(component.name)
    match kind:
        case "reader" if options:
            lines = [f"[readers.{component.name}]", *options]
        case "reader":
            lines = ["[reader]", f"use = {name}"]
        case "user_backend":
            lines = ["[backend]", f"use = {name}", *_table("backend", options)]
        case _:
            array = _ARRAYS[kind]
            lines = [f"[[{array}]]", f"name = {name}", f"use = {name}", *_table(array, options)]
    return "\n".join(lines)


def _table(owner: str, options: list[str]) -> list[str]:
    return [f"[{owner}.options]", *options] if options else []


def _shown(model: type[Options]) -> Iterator[str]:
    """The options that are needed; where none is, the first one, for how it is written."""
    known = list(described(model))
    needed = [option for option in known if option.required]
    for option in needed:
        yield f"{option.name} = {_toml(_placeholder(option))}"
    if known and not needed:
        first = known[0]
        yield f"{first.name} = {_toml(_placeholder(first)) if first.default in _NOTHING else first.default}"


def _placeholder(option: Described) -> Any:
    schema = option.schema
    if schema.get("examples"):
        return schema["examples"][0]
    if is_secret(schema):
        return {"env": "NAME"}
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
    if "enum" in schema:
        return schema["enum"][0]
    text = "FILE" if schema.get("format") in ("path", "file-path") else "…"
    return _PLACEHOLDERS.get(schema.get("type", ""), text)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(value, ensure_ascii=False)
