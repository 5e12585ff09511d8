"""The JSON Schema of pipeline files: what is right passes, what is wrong does not."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from musterroll import Options, ReaderType
from musterroll.pipeline.files import standard_text
from musterroll.pipeline.json_schema import pipeline_schema
from musterroll.pipeline.loader import load_pipeline
from musterroll.registry.collector import Collector, Provider
from musterroll.registry.loader import Plugin
from musterroll.registry.registry import Registry
from musterroll_cli.commands.init import starter_text

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(ROOT.glob("examples/*/*.toml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return pipeline_schema(Registry.load(external=False))


def faults(schema: dict[str, Any], text: str) -> list[str]:
    """Where the mistakes of a file are."""
    found = Draft202012Validator(schema).iter_errors(tomllib.loads(text))
    return sorted(error.json_path.removeprefix("$").removeprefix(".") for error in found)


def test_it_is_a_json_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    json.dumps(schema)
    references = set(re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(schema)))
    assert references <= set(schema["$defs"])


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_example_is_right(file: Path, lakeside_is_installed: None) -> None:
    # With the plugins that it names itself: their options are known too.
    schema = pipeline_schema(load_pipeline(file).registry)
    assert faults(schema, file.read_text(encoding="utf-8")) == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 1


def test_what_the_program_brings_is_right(schema: dict[str, Any]) -> None:
    starter = starter_text("acme")
    assert faults(schema, standard_text()) == []
    assert faults(schema, starter) == []
    assert faults(schema, re.sub(r"^#(?=[^ \n])", "", starter, flags=re.MULTILINE)) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", ""),
        ('name = "a b"', "name"),
        ('name = "a"\non_eror = "skip"', ""),
        ('name = "a"\non_error = "ignore"', "on_error"),
        ('name = "a"\nextends = true', "extends"),
        ('name = "a"\nsheet.heading_row = "one"', "sheet.heading_row"),
        ('name = "a"\nsheet.fields = [{ heading = "X" }]', "sheet.fields[0]"),
        ('name = "a"\nsheet.defaults = { password = { envv = "X" } }', "sheet.defaults.password"),
        ('name = "a"\nbackend.use = "nope"', "backend.use"),
        ('name = "a"\nbackend = { use = "scim", options = { path = "x" } }', "backend.options"),
        ('name = "a"\nbackend = { use = "musterroll:scim", options = { path = "x" } }', "backend.options"),
        ('name = "a"\nbackend.options.pth = "x"', "backend.options"),  # of the inherited one
        ('name = "a"\nvalidators = [{ use = "length" }]', "validators[0]"),
        ('name = "a"\nvalidators = [{ name = "x", use = "lenght" }]', "validators[0].use"),
        ('name = "a"\nvalidators = [{ name = "password", options = { min_lenght = 12 } }]', "validators[0].options"),
        ('name = "a"\ngroups = [{ name = "x", use = "paths", options = { field = 1 } }]', "groups[0].options.field"),
        ('name = "a"\nnotifiers = [{ name = "outbox", on = ["birthdays"] }]', "notifiers[0].on[0]"),
        ('name = "a"\nreaders.csv.delimiter = 1', "readers.csv.delimiter"),
        ('name = "a"\nreaders.cvs.delimiter = ";"', "readers"),
        ('name = "a"\nprofiles.x.foo = 1', "profiles.x"),
        ('name = "a"\nprofiles.x.extends = "base.toml"', "profiles.x"),
        ('name = "a"\nprofiles.x.backend = { use = "directory", options = { x = 1 } }', "profiles.x.backend.options"),
    ],
)
def test_mistakes_are_found_where_they_are(text: str, where: str, schema: dict[str, Any]) -> None:
    assert faults(schema, text) == [where]


@pytest.mark.parametrize(
    "text",
    [
        'name = "a"\nextends = "base.toml"\nbackend.options.anything = 1',  # nobody knows what it is an option of
        'name = "a"\nextends = false',
        'name = "a"\nbackend = { use = "scim", options = { token = { env = "T" } } }',  # the address is a profile's
        'name = "a"\nreader = { use = "auto" }',
        'name = "a"\nbackend.use = "acme-plugins:directory"',
    ],
)
def test_what_another_layer_may_complete_is_right(text: str, schema: dict[str, Any]) -> None:
    assert faults(schema, text) == []


def test_every_key_says_what_it_means(schema: dict[str, Any]) -> None:
    """Of the program's own keys and of the options of its plugins."""

    def silent(node: Any, path: str) -> list[str]:
        if not isinstance(node, dict):
            return []
        properties = node.get("properties", {})
        reference = schema["$defs"].get(node.get("$ref", "").removeprefix("#/$defs/"), {})
        here = [] if "description" in node or "description" in reference else [path]
        return here + [fault for key, child in properties.items() for fault in silent(child, f"{path}.{key}")]

    definitions = {key: node for key, node in schema["$defs"].items() if key != "profile"}
    assert [fault for key, node in definitions.items() for fault in silent(node, key)] == []


class Unheard:
    """A type of a plugin's own that pydantic cannot describe."""


class OddOptions(Options, arbitrary_types_allowed=True):
    thing: Unheard | None = None


def test_a_plugin_that_cannot_be_described_costs_only_its_own_options() -> None:
    odd = ReaderType(name="odd", summary="Odd", options=OddOptions, build=lambda options, context: None)  # type: ignore[arg-type,return-value]
    collector = Collector()
    collector.providers.append(Provider("reader", odd, Plugin(name="odd")))
    schema = pipeline_schema(Registry(collector))
    assert faults(schema, 'name = "a"\nreaders.odd.thing = 1') == []
