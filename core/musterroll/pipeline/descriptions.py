"""Options in words: what each is called, what may stand there, what holds without it, what it means.

And what to write into a pipeline file to use a plugin.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from pydantic_core import core_schema

from musterroll.contract.components import CommandType, Component, ReaderType
from musterroll.contract.options import Options
from musterroll.registry.registry import Kind

_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
}
_LIMITS = {"minimum": "at least {}", "maximum": "at most {}"}
_ARRAYS: dict[Kind, str] = {
    "transform": "transforms",
    "validator": "validators",
    "group_resolver": "groups",
    "notifier": "notifiers",
}
_NOTHING = ("none", "[]", "{}", '""')
_PLACEHOLDERS = {"integer": 1, "number": 1, "boolean": True, "array": ["…"], "object": {}}


class Described(NamedTuple):
    """One option in words.

    Attributes:
        name: the key.
        type: what may stand there.
        default: what holds without it, as JSON; `none`, or `needed`.
        meaning: what it is for.
        required: whether it must be given.
        schema: its JSON schema.
    """

    name: str
    type: str
    default: str
    meaning: str
    required: bool
    schema: dict[str, Any]


def described(
    model: type[BaseModel], *, literal: Callable[[str], str] = str, reference: str = "secret"
) -> Iterator[Described]:
    """Yields the options of a model in words.

    Args:
        model: the model.
        literal: how to set what is written literally.
        reference: what to call a reference to a secret.
    """
    whole = schema_of(model)
    words = _Words(literal, reference, whole.get("$defs", {}))
    meanings, schemas = meanings_of(model), whole.get("properties", {})
    for name, info in model.model_fields.items():
        schema = schemas.get(info.alias or name, {})
        default = "needed" if info.is_required() else words.default(info.get_default(call_default_factory=True))
        yield Described(
            info.alias or name, words.type(schema), default, meanings.get(name, ""), info.is_required(), schema
        )


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model; of one that holds what has no schema, that of any table."""
    try:
        return model.model_json_schema(schema_generator=DescribedSchema)
    except PydanticInvalidForJsonSchema:
        return {"type": "object"}


class DescribedSchema(GenerateJsonSchema):
    """Says what every field means, however the model says it, and leaves out defaults that JSON has no words for."""

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        """Describes a model."""
        found = super().model_schema(schema)
        if "description" in found:
            found["description"] = found["description"].partition("\n\n")[0]
        model = cast("type[BaseModel]", schema["cls"])
        named = {name: info.alias or name for name, info in model.model_fields.items()}
        for attribute, meaning in meanings_of(model).items():
            name = named.get(attribute, attribute)
            if name in found.get("properties", {}):
                found["properties"][name].setdefault("description", meaning)
        return found

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Says nothing."""


def meanings_of(model: type[BaseModel]) -> dict[str, str]:
    """What the fields of a model mean: by their descriptions, else by `Attributes:` in its docstring."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        _, _, attributes = inspect.cleandoc(one.__doc__ or "").partition("Attributes:\n")
        found |= {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(attributes)}
    found |= {name: info.description for name, info in model.model_fields.items() if info.description}
    return {name: text.rstrip(".") for name, text in found.items()}


def is_secret(schema: dict[str, Any]) -> bool:
    """Whether a JSON schema is that of a reference to a secret."""
    return any("env" in one.get("properties", {}) for one in _branches(schema))


def _branches(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in schema.get("anyOf", ()):
        yield from _branches(one) if "anyOf" in one else (one,)


class _Words:
    def __init__(self, literal: Callable[[str], str], reference: str, definitions: dict[str, Any]) -> None:
        self._literal, self._reference, self._definitions = literal, reference, definitions

    def type(self, schema: dict[str, Any]) -> str:
        schema = self._definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
        if "enum" in schema:
            return " or ".join(self._literal(json.dumps(choice)) for choice in schema["enum"])
        if "const" in schema:
            return self._literal(json.dumps(schema["const"]))
        if "anyOf" in schema:
            if is_secret(schema):
                return self._reference
            types = (self.type(one) for one in schema["anyOf"] if one.get("type") != "null")
            return " or ".join(dict.fromkeys(types))
        if schema.get("type") == "array":
            if "items" not in schema:
                return "list"
            item, comma, limits = self.type(schema["items"]).partition(", ")
            return f"list of {item}{'s' if item[-1].isalpha() else ''}{comma}{limits}"
        plain = "path" if schema.get("format") == "path" else _TYPES.get(schema.get("type", ""), "value")
        if schema.get("maxLength") == 1:
            plain = "one character"
        return ", ".join([plain, *(text.format(schema[key]) for key, text in _LIMITS.items() if key in schema)])

    def default(self, value: object) -> str:
        if value is None:
            return "none"
        if isinstance(value, Path):
            value = value.as_posix()
        if isinstance(value, BaseModel):
            value = value.model_dump(exclude_defaults=True)
        if isinstance(value, tuple | set | frozenset):
            value = list(value)
        return self._literal(json.dumps(value, ensure_ascii=False, default=str))


def example(kind: Kind, component: Component) -> str:
    """Returns an example: TOML with the options that are needed, for a command the command line."""
    if isinstance(component, CommandType):
        return component.example or f"musterroll {component.name}"
    options = list(_example_options(cast("ReaderType[Options]", component).options))
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


def _example_options(model: type[Options]) -> Iterator[str]:
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
