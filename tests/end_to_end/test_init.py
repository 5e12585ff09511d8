"""`init`: a working folder that works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from musterroll.errors import MusterrollError
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.settings import Settings
from musterroll_cli.commands.init import make_folder, starter_text
from support.workplace import Inside


def uncommented(text: str) -> str:
    """The file with every setting in it: they are the lines that begin with # and no space."""
    return re.sub(r"^#(?=[^ \n])", "", text, flags=re.MULTILINE)


def test_the_commands_that_it_names_work(scratch: Inside) -> None:
    made = scratch.run("init", "Acme Ltd")
    assert made.status == 0
    place = scratch.at("Acme Ltd")
    commands = re.findall(r"^  musterroll (.*)$", made.out, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["plan", "run"]
    for command in commands:
        assert place.run(*command.split()).status == 0
    assert set(place.users()) == {"ana", "bo", "cem"}
    checked = place.json("validate", "sample.xlsx")
    assert (checked.document["problems"], checked.document["pipeline"]["name"]) == ([], "Acme-Ltd")


def test_the_document_names_what_was_made(scratch: Inside) -> None:
    created = scratch.json("init").document["created"]
    assert sorted(created) == sorted(path.name for path in scratch.folder.iterdir())


@pytest.mark.parametrize("name", ["musterroll.toml", "template.xlsx", "sample.xlsx"])
def test_nothing_is_written_over(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(MusterrollError, match=name) as refused:
        make_folder(tmp_path)
    assert refused.value.code == "output.exists"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "acme").write_text("mine")
    with pytest.raises(MusterrollError, match="is a file"):
        make_folder(tmp_path / "acme")


@pytest.mark.parametrize("profile", [None, "production"])
def test_the_pipeline_is_right_as_it_is_and_with_every_setting(
    profile: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = starter_text("acme")
    Path("acme.toml").write_text(text, encoding="utf-8")
    Path("full.toml").write_text(uncommented(text), encoding="utf-8")
    assert load_pipeline(Path("acme.toml"), external_plugins=False).warnings == ()
    assert load_pipeline(Path("full.toml"), profile=profile, external_plugins=False).warnings == ()


def test_every_setting_is_explained() -> None:
    text = starter_text("acme")
    assert [key for key in Settings.model_fields if not re.search(rf"\b{key}\b", text)] == []


@pytest.mark.parametrize(
    ("folder", "name"), [("acme", "acme"), ("Müller & Söhne", "M-ller-S-hne"), ("", "portal"), ("日本", "portal")]
)
def test_the_pipeline_is_called_as_the_folder(folder: str, name: str) -> None:
    assert f'\nname = "{name}"\n' in starter_text(folder)
