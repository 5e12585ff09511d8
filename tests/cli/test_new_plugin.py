"""`plugins new`: what it writes works, keeps its contract and is typed; nothing is written over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from musterroll.pipeline.loader import load_pipeline
from musterroll_cli.commands.new_plugin import PluginKind, package_files
from musterroll_cli.main import main

KINDS: tuple[PluginKind, ...] = get_args(PluginKind)
USES = {
    "reader": '[reader]\nuse = "{}"',
    "transform": '[[transforms]]\nname = "x"\nuse = "{}"',
    "validator": '[[validators]]\nname = "x"\nuse = "{}"',
    "group-resolver": '[[groups]]\nname = "x"\nuse = "{}"',
    "user-backend": '[backend]\nuse = "{}"',
    "notifier": '[[notifiers]]\nname = "x"\nuse = "{}"',
}
_FIELD = '[[sheet.fields]]\nname = "department"\nheading = "Department"'


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def python(*words: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={name: text for name, text in os.environ.items() if not name.startswith("PYTEST")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_file_of_each_kind_passes_its_tests_and_works_in_a_pipeline(tmp_path: Path) -> None:
    for kind in KINDS:
        ident = kind.replace("-", "_")
        assert main(["plugins", "new", kind, f"acme-{kind}", "--file", f"rules/acme_{ident}.py"]) == 0
        text = f'plugins = ["rules/acme_{ident}.py"]\n{USES[kind].format(f"acme-{kind}")}\n'
        (tmp_path / f"{ident}.toml").write_text(f'name = "{ident}"\n{text}\n{_FIELD}', encoding="utf-8")
        assert load_pipeline(tmp_path / f"{ident}.toml", external_plugins=False).warnings == ()
    python("pytest", "-q", "-p", "no:cacheprovider", "-n0", "rules", folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_package_passes_its_tests_and_is_typed(kind: PluginKind, tmp_path: Path) -> None:
    assert main(["plugins", "new", kind, "acme-thing", "--package", "thing"]) == 0
    python("pytest", "-q", "-p", "no:cacheprovider", "-n0", folder=tmp_path / "thing")
    python("mypy", "--cache-dir", str(tmp_path / "cache"), folder=tmp_path / "thing")
    assert main(["plugins", "new", kind, "acme-other"]) == 0
    python(
        "mypy",
        "--strict",
        "--cache-dir",
        str(tmp_path / "cache"),
        "acme_other.py",
        "test_acme_other.py",
        folder=tmp_path,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_the_template_is_left(kind: PluginKind) -> None:
    files = package_files(kind, "acme-thing", Path("thing"))
    assert {path.name for path in files} >= {"pyproject.toml", "README.md", "plugin.py", "py.typed"}
    for path, text in files.items():
        assert "xample-thing" not in text, path
        assert "xample_" not in text, path
        assert "EXAMPLE" not in text, path
        assert "ExampleThing" not in text, path


def test_nothing_is_written_over_and_it_is_all_or_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_acme_badge.py").write_text("mine", encoding="utf-8")
    assert main(["plugins", "new", "validator", "acme-badge", "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"] == {
        "code": "output.exists",
        "message": "in the way: test_acme_badge.py; nothing was written",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["test_acme_badge.py"]
    assert (tmp_path / "test_acme_badge.py").read_text(encoding="utf-8") == "mine"

    (tmp_path / "thing" / "tests").mkdir(parents=True)
    (tmp_path / "thing" / "src").write_text("in the way of a folder", encoding="utf-8")
    assert main(["plugins", "new", "validator", "acme-badge", "--package", "thing"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "thing").iterdir()) == ["src", "tests"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["Acme"], "small letters, digits and hyphens: acme-badge"),
        (["acme_badge"], "small letters, digits and hyphens: acme-badge"),
        (["class"], '"class" cannot be the name'),
        (["email"], 'there is a validator "email" already; put your own name in front: acme-email'),
        (["json"], "Python has a module json itself; call the file otherwise"),
        (["acme", "--file", "my-rules.py"], "name it by letters, digits and _"),
        (["acme", "--file", "rules"], "name it by letters, digits and _"),
        (["acme", "--file", "a.py", "--package", "b"], "--package and --file are two ways; choose one"),
    ],
)
def test_names_that_cannot_be(words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "validator", *words]) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_it_says_what_is_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "validator", "acme-badge"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "acme_badge.py",
        "test_acme_badge.py",
        "",
        "Next:",
        "  python -m pytest test_acme_badge.py",
        '  and, in the pipeline file: plugins = ["acme_badge.py"]',
    ]
    assert main(["plugins", "new", "notifier", "acme-sms", "--package", "sms", "--format", "json"]) == 0
    created = json.loads(capsys.readouterr().out)["created"]
    assert created[0] == str(Path("sms") / "pyproject.toml")
