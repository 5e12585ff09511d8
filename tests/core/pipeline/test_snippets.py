"""What `plugins show` tells people to write."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from musterroll.pipeline.descriptions import described, example
from musterroll.pipeline.loader import load_pipeline
from musterroll.registry.collector import Provider
from musterroll.registry.registry import KINDS, Registry


def providers() -> list[Provider]:
    registry = Registry.load(external=False)
    return [provider for kind in KINDS if kind != "command" for provider in registry.components(kind)]


@pytest.mark.parametrize("provider", providers(), ids=lambda provider: f"{provider.kind}-{provider.component.name}")
def test_every_snippet_is_toml_that_names_the_plugin_and_what_it_needs(provider: Provider, tmp_path: Path) -> None:
    text = example(provider.kind, provider.component)
    found = tomllib.loads(text)
    (table,) = found
    options = list(described(provider.component.options))  # type: ignore[attr-defined]  # but commands
    chosen = found[table][0] if isinstance(found[table], list) else found[table]
    if table == "readers":
        assert set(chosen) == {provider.component.name}
    else:
        assert chosen["use"] == provider.component.name
        assert {option.name for option in options if option.required} <= set(chosen.get("options", {}))
    if "…" not in text and not any(option.required for option in options):  # those values are for a person to know
        (tmp_path / "acme.toml").write_text(f'name = "acme"\n{text}', encoding="utf-8")
        load_pipeline(tmp_path / "acme.toml", external_plugins=False)
