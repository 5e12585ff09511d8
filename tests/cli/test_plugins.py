"""`plugins show`: what a plugin does, its options, and how to use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from musterroll_cli.main import main

LOCAL = '''
from musterroll import Options, ValidatorType, hookimpl

class Limits(Options):
    """Options.

    Attributes:
        most: so many at the most.
    """

    most: int = 3

@hookimpl
def musterroll_validators():
    yield ValidatorType(name="acme-seats", summary="Seats", options=Limits, build=lambda options, context: None)
'''


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def document(*words: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    main([*words, "--format", "json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_plugin_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "show", "paths"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("paths, a group resolver from musterroll ")
    assert lines[0].endswith("(musterroll_plugins.groups.paths)")
    assert lines[3].split() == ["OPTION", "TYPE", "DEFAULT", "MEANING"]
    assert [line.split()[0] for line in lines[4:7]] == ["field", "separator", "level"]
    assert lines[-6:] == [
        "In a pipeline file:",
        "  [[groups]]",
        '  name = "paths"',
        '  use = "paths"',
        "  [groups.options]",
        '  field = "groups"',
    ]


def test_a_command_is_shown_as_it_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["plugins", "show", "portal"])
    out = capsys.readouterr().out
    assert "\nDIRECTORY " in out
    assert "\n--retry-after " in out
    assert "\n  musterroll portal " in out


def test_several_kinds_of_one_name_are_all_shown_or_the_one_that_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    both = document("plugins", "show", "csv", capsys=capsys)["plugins"]
    assert [one["kind"] for one in both] == ["reader", "notifier"]
    one = document("plugins", "show", "csv", "--kind", "notifier", capsys=capsys)["plugins"]
    assert one == both[1:]


def test_the_document_has_the_schema_of_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    (email,) = document("plugins", "show", "musterroll:email", capsys=capsys)["plugins"]
    assert (email["plugin"], email["distribution"]) == ("email", "musterroll")
    assert email["module"] == "musterroll_plugins.validators.email"
    Draft202012Validator.check_schema(email["options"])
    assert Draft202012Validator(email["options"]).is_valid({"field": "private_email"})
    assert not Draft202012Validator(email["options"]).is_valid({"feild": "private_email"})


def test_a_plugin_of_the_pipeline_is_shown_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "seats.py").write_text(LOCAL, encoding="utf-8")
    (tmp_path / "musterroll.toml").write_text('name = "acme"\nplugins = ["seats.py"]', encoding="utf-8")
    for name in ("acme-seats", "seats"):  # the component, the file
        assert main(["plugins", "show", name]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"acme-seats, a validator from {tmp_path / 'seats.py'}\n")
        assert "so many at the most" in out


def test_an_unknown_name_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "show", "emial"]) == 2
    assert capsys.readouterr().err == 'error: unknown plugin "emial", did you mean "email"?\n'
    assert main(["plugins", "show", "email", "--kind", "notifier"]) == 2
    assert capsys.readouterr().err.startswith('error: unknown notifier "email"')
