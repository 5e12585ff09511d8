"""Numbers and names that cannot work are mistakes of the pipeline, not failures after the first write."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from annotated_types import Le, Lt
from pydantic import BaseModel

from musterroll.errors import PipelineError
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.settings import Settings
from musterroll.registry.registry import KINDS, Registry
from musterroll_cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mistakes(*sets: str) -> list[str]:
    with pytest.raises(PipelineError) as caught:
        load_pipeline(None, sets=sets, external_plugins=False)
    return [f"{mistake.path}: {mistake.message}" for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"invites.valid_days={10**20}", "invites.valid_days: must be at most 36500"),
        (f"sheet.first_row={2**63}", "sheet.first_row: must be at most 10000000"),
        (f"sheet.heading_row={10**100}", "sheet.heading_row: must be at most 10000000"),
        (f"limits.create={2**63}", "limits.create: must be at most 1000000000"),
        (
            f"validators.password.options.min_length={10**20}",
            "validators[password].options.min_length: must be at most",
        ),
        ("invites.valid_days=-1", "invites.valid_days: must be at least 1"),
    ],
)
def test_numbers_have_bounds(text: str, said: str) -> None:
    assert any(found.startswith(said) for found in mistakes(text))


@pytest.mark.parametrize("number", ["1e300", "inf", "nan", "-1.0"])
def test_times_are_finite(number: str) -> None:
    mail = ["notifiers.m.use=smtp", "notifiers.m.options.host=localhost", "notifiers.m.options.sender=a@b.example"]
    assert len(mistakes(*mail, f"notifiers.m.options.timeout={number}")) == 1
    assert len(mistakes(*mail, f"notifiers.m.options.retry_wait={number}")) == 1


def numbers(model: type[BaseModel], path: str) -> Iterator[tuple[str, Any]]:
    for name, info in model.model_fields.items():
        types = [info.annotation, *get_args(info.annotation)]
        if any(tp in (int, float) for tp in types):
            bounds = [*info.metadata, *(extra for tp in types for extra in getattr(tp, "__metadata__", ()))]
            yield f"{path}.{name}", bounds
        for inner in types:
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from numbers(inner, f"{path}.{name}")


def test_every_number_of_ours_has_an_upper_bound() -> None:
    models: list[tuple[str, Any]] = [("", Settings)]
    registry = Registry.load(external=False)
    models += [
        (provider.component.name, provider.component.options)  # type: ignore[attr-defined]
        for kind in KINDS
        if kind != "command"
        for provider in registry.components(kind)
    ]
    found = [one for name, model in models for one in numbers(model, name)]
    assert len(found) > 15
    assert [path for path, bounds in found if "limits" not in path and not bounded(bounds)] == []


def bounded(bounds: list[Any]) -> bool:
    flat = [part for bound in bounds for part in (bound, *getattr(bound, "metadata", ()))]
    return any(isinstance(part, Le | Lt) for part in flat)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 100_000, "must be at most 100 characters long"),
        ("", "must be letters, digits"),
        ("a/b", "must be letters, digits"),
        ("..", "must be letters, digits"),
        ("a\nb", "must be letters, digits"),
        ("a\n", "must be letters, digits"),
        ("a\0", "must be letters, digits"),
        ("nul", "is the name of a device on Windows"),
        ("Com1.acme", "is the name of a device on Windows"),
    ],
)
def test_the_name_must_do_for_a_file(folder: Path, name: str, said: str) -> None:
    (folder / "a.toml").write_text(f"name = {json.dumps(name)}\n", encoding="utf-8")
    with pytest.raises(PipelineError) as caught:
        load_pipeline(Path("a.toml"))
    (mistake,) = caught.value.mistakes
    assert mistake.message.startswith(said)
    assert sum(map(len, mistake.excerpt)) < 300


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device")
def test_a_device_without_end_is_no_pipeline_file_and_no_secret() -> None:
    with pytest.raises(PipelineError, match="far too large"):
        load_pipeline(Path("/dev/zero"))
    assert mistakes("state=") == ["state: must not be empty"]


def test_names_that_only_begin_like_a_device_will_do() -> None:
    assert load_pipeline(None, sets=["name=console"]).name == "console"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")
def test_files_whose_names_are_no_utf8_are_named_all_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Path(os.fsdecode(b"caf\xe9"))
    place.mkdir()
    pipeline, sheet = place / os.fsdecode(b"p\xe9.toml"), place / os.fsdecode(b"s\xe9.csv")
    pipeline.write_text('name = "x"\n', encoding="utf-8")
    sheet.write_text("Email\n", encoding="utf-8")
    missing = os.fsdecode(b"\xff.toml")
    for words, status in (
        (["pipeline", "check", "-p", str(pipeline)], 0),
        (["pipeline", "show", "-p", str(pipeline)], 0),
        (["validate", "-p", str(pipeline), str(sheet)], 1),
        (["pipeline", "check", "-p", missing], 2),
        (["pipeline", "check", "--set", f"state={missing}"], 0),
    ):
        assert main(words) == status, words
        capsys.readouterr()
        assert main([*words, "--format", "json"]) == status
        assert json.loads(capsys.readouterr().out)["command"]
