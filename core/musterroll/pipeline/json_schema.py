"""The JSON Schema of a pipeline file, for editors: what can stand where, with the options of the plugins that are here.

A file is one layer of several, so of all that a merged pipeline needs only names are needed in it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any, TypeAlias, cast

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import core_schema

from musterroll.contract.components import Component, ReaderType
from musterroll.contract.conditions import Conditions
from musterroll.contract.options import Options
from musterroll.pipeline.descriptions import DescribedSchema
from musterroll.pipeline.files import standard_text
from musterroll.pipeline.instances import AUTO, CHOOSING, bare_name
from musterroll.pipeline.layers import NAMED
from musterroll.pipeline.setting_types import Table
from musterroll.pipeline.settings import Settings
from musterroll.registry.registry import Kind, Registry

Schema: TypeAlias = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def pipeline_schema(registry: Registry) -> Schema:
    """Makes the JSON Schema (draft 2020-12) of a pipeline file.

    Args:
        registry: the plugins that its `use` may name.
    """
    definitions: Schema = {}
    names: dict[Kind, list[str]] = {}
    for kind in CHOOSING.values():
        names[kind] = [provider.component.name for provider in registry.components(kind)]
        for provider in registry.components(kind):
            _define(definitions, _options_key(kind, provider.component.name), provider.component)
    settings = _model_schema(definitions, Settings, "settings")
    keys: Schema = {key: _resolved(definitions, schema) for key, schema in settings["properties"].items()}
    conditions = _model_schema(definitions, Conditions, "conditions")
    for name in ("NamedUse", "NotifierUse", "FieldSettings"):
        for key in {"when", "required_when"}.intersection(properties := definitions[f"settings.{name}"]["properties"]):
            properties[key] = {**conditions, "description": properties[key]["description"]}
    for key, kind in CHOOSING.items():
        keys[key] = _choosing(keys[key], definitions, kind, names[kind])
    keys["readers"] = _readers(keys["readers"], names["reader"])
    definitions |= {f"key.{key}": schema for key, schema in keys.items()}
    references = {key: {"$ref": f"#/$defs/key.{key}"} for key in keys}
    definitions["profile"] = {"type": "object", "properties": references, "additionalProperties": False}
    return {
        "$schema": _DIALECT,
        "title": "musterroll pipeline",
        "description": "How sheets of users get into a portal.",
        "type": "object",
        "properties": {
            **references,
            "extends": {
                "description": "The file that this one builds on; false for none at all, not even the built-in one.",
                "anyOf": [{"type": "string", "minLength": 1}, {"const": False}],
            },
            "profiles": {
                "description": "Parts that count when they are asked for with --profile NAME.",
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/profile"},
            },
        },
        "required": ["name"],
        "additionalProperties": False,
        "if": {"not": {"required": ["extends"]}},
        "then": {"properties": dict(_inherited(names))},
        "$defs": definitions,
    }


class _Layer(DescribedSchema):
    """Describes models as one layer of several has them: only names are needed."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        found = super().model_schema(schema)
        found.pop("title", None)
        needed = found.pop("required", ())
        if "name" in needed and issubclass(cast("type[BaseModel]", schema["cls"]), Table):
            found["required"] = ["name"]
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _model_schema(definitions: Schema, model: type[BaseModel], key: str) -> Schema:
    """Makes the schema of a model; those that it refers to join the definitions."""
    found = model.model_json_schema(schema_generator=_Layer, ref_template=f"#/$defs/{key}.{{model}}")
    definitions |= {f"{key}.{name}": schema for name, schema in found.pop("$defs", {}).items()}
    return found


def _define(definitions: Schema, key: str, component: Component) -> None:
    """Adds the options of a plugin; of one that cannot be described, any table."""
    model = cast("ReaderType[Options]", component).options
    try:
        schema = _model_schema(definitions, model, key)
    except PydanticInvalidForJsonSchema:  # it holds something of the plugin's own
        schema = {"type": "object"}
    schema.setdefault("description", component.summary)
    definitions[key] = schema


def _resolved(definitions: Schema, schema: Schema) -> Schema:
    """Puts a table in the place of the reference to it."""
    target = definitions.get(schema.get("$ref", "").removeprefix("#/$defs/"))
    return schema if target is None else {**target, **{k: v for k, v in schema.items() if k != "$ref"}}


def _choosing(schema: Schema, definitions: Schema, kind: Kind, names: list[str]) -> Schema:
    """A table, or an array of tables, with `use` and the options of what it names."""
    if schema.get("type") == "array":
        return {**schema, "items": _choosing(_resolved(definitions, schema["items"]), definitions, kind, names)}
    known = [*names, AUTO] if kind == "reader" else names
    use = {
        **schema["properties"]["use"],
        "anyOf": [{"enum": known}, {"pattern": "^.+:.+$"}],
    }
    found = {**schema, "properties": {**schema["properties"], "use": use}}
    options = [
        {
            "if": {"properties": {"use": {"pattern": f"^(.*:)?{_literal(name)}$"}}, "required": ["use"]},
            "then": {"properties": {"options": {"$ref": f"#/$defs/{_options_key(kind, name)}"}}},
        }
        for name in names
    ]
    return {**found, "allOf": options} if options else found


def _readers(schema: Schema, names: list[str]) -> Schema:
    """`[readers.NAME]`: options of each reader, also by its qualified name."""
    references = {name: {"$ref": f"#/$defs/{_options_key('reader', name)}"} for name in names}
    return {
        "type": "object",
        "description": schema.get("description", ""),
        "properties": references,
        "patternProperties": {f"^.+:{_literal(name)}$": reference for name, reference in references.items()},
        "additionalProperties": False,
    }


def _inherited(names: dict[Kind, list[str]]) -> Iterator[tuple[str, Schema]]:
    """What holds of tables without `use` in a file that extends the built-in pipeline only."""
    standard = tomllib.loads(standard_text())
    for key, kind in CHOOSING.items():
        if (key,) in NAMED:
            uses = [(bare_name(element["use"]), element["name"]) for element in standard.get(key, ())]
            conditions = [_without_use(kind, use, name) for use, name in uses if use in names[kind]]
            if conditions:
                yield key, {"items": {"allOf": conditions}}
        elif (use := bare_name(standard[key]["use"])) in names[kind]:
            yield key, _without_use(kind, use)


def _without_use(kind: Kind, use: str, name: str | None = None) -> Schema:
    named = {"properties": {"name": {"const": name}}, "required": ["name"]} if name is not None else {}
    return {
        "if": {"not": {"required": ["use"]}, **named},
        "then": {"properties": {"options": {"$ref": f"#/$defs/{_options_key(kind, use)}"}}},
    }


def _options_key(kind: Kind, name: str) -> str:
    return f"options.{kind}.{name}"


def _literal(name: str) -> str:
    return name.replace(".", r"\.")
