"""Plugins that are installed and that nobody uses: whatever they are called and whatever they do, they stop nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from musterroll.registry import collector as collecting
from musterroll_cli.main import main

HEAD = "from musterroll import *\n"
NAMESAKE = (
    HEAD
    + """
class Rule:
    def __init__(self, options, context): pass
    def check(self, row): return [row.problem("email", "acme.rule", "asked")]

@hookimpl
def musterroll_readers():
    for name in ("csv", "xlsx", "ods"):
        yield ReaderType(name=name, summary="s", options=Options, build=print)

@hookimpl
def musterroll_validators():
    for name in ("email", "required", "unique", "password"):
        yield ValidatorType(name=name, summary="s", options=Options, build=Rule)

@hookimpl
def musterroll_group_resolvers():
    yield GroupResolverType(name="paths", summary="s", options=Options, build=print)

@hookimpl
def musterroll_user_backends():
    yield UserBackendType(name="directory", summary="s", options=Options, build=print)

@hookimpl
def musterroll_notifiers():
    yield NotifierType(name="outbox", summary="s", options=Options, build=print)

@hookimpl
def musterroll_commands():
    yield CommandType(name="portal", summary="s", load=lambda: print)
"""
)
SHEET = (
    "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\n"
    "the address,the name,,,,,,\nana@example.com,ana,Ana,Silva,Meadow-Kite-41,,,Role A\n"
)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a distribution with one plugin, as pip would, and goes to a folder with a sheet."""
    site, work = tmp_path / "site", tmp_path / "work"
    site.mkdir()
    work.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(work)
    (work / "staff.csv").write_text(SHEET, encoding="utf-8")

    def install(name: str, text: str, *, plugin: str = "stranger") -> None:
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        module = f"{name}_{tmp_path.name}"
        (info / "entry_points.txt").write_text(f"[musterroll]\n{plugin} = {module}\n", encoding="utf-8")
        (site / f"{module}.py").write_text(text, encoding="utf-8")

    return install


def status_of(*words: str) -> int:
    return main(list(words))


def test_a_namesake_of_everything_built_in_changes_nothing(
    install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    # Its entry point is called like our distribution, too.
    install("acme", NAMESAKE, plugin="musterroll")
    assert status_of("init", "new") == 0
    assert status_of("pipeline", "check", "-p", "new/musterroll.toml") == 0
    assert status_of("run", "staff.csv", "--yes") == 0
    assert status_of("portal", "--help") == 0
    printed = capsys.readouterr()
    assert "several plugins" not in printed.err
    assert "acme.rule" not in printed.out
    assert "--token" in printed.out  # our own portal


READER = (
    HEAD
    + """
class Odd:
    def __init__(self, options, context): BUILD
    def sniff(self, source): SNIFF
    def open(self, source, worksheet=None): raise AssertionError

@hookimpl
def musterroll_readers():
    yield ReaderType(name="aaa", summary="s", options=Options, build=Odd)
"""
)


@pytest.mark.parametrize(
    ("build", "sniff"),
    [("1 / 0", "return 0"), ("pass", "1 / 0"), ("pass", "return None"), ("pass", "return 7"), ("pass", "exit(3)")],
)
def test_a_reader_that_nobody_names_may_break(
    install: Callable[..., None], build: str, sniff: str, capsys: pytest.CaptureFixture[str]
) -> None:
    install("acme", READER.replace("BUILD", build).replace("SNIFF", sniff))
    assert status_of("validate", "staff.csv") == 0
    assert status_of("pipeline", "check") == 0
    assert status_of("doctor") == 0
    Path("x.toml").write_text('name = "x"\nreader = { use = "aaa" }\n', encoding="utf-8")
    assert status_of("validate", "staff.csv", "-p", "x.toml") == 2
    assert "aaa" in capsys.readouterr().err


def test_what_show_prints_can_be_loaded_beside_a_namesake(
    install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    install("acme", NAMESAKE)
    assert status_of("pipeline", "show") == 0
    Path("shown.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert status_of("pipeline", "check", "-p", "shown.toml") == 0
    assert status_of("validate", "staff.csv", "-p", "shown.toml") == 0


def test_who_uses_a_name_of_two_is_told_both(install: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    install("acme", NAMESAKE)
    for use, status in (("email", 2), ("acme:email", 1), ("musterroll:email", 0)):
        text = f'name = "x"\n[[validators]]\nname = "email"\nuse = "{use}"\n'
        Path("x.toml").write_text(text, encoding="utf-8")
        assert status_of("validate", "staff.csv", "-p", "x.toml") == status, use
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "several plugins" in line]
    assert line.startswith('error: x.toml: validators[email].use: several plugins bring the validator "email": ')
    assert '"stranger" (acme 1.0), "email" (musterroll ' in line
    assert 'write "acme:email" or "musterroll:email"' in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("while True: pass\n", "did not come to an end within 0.5 seconds"),
        ("import threading\nthreading.Event().wait()\n", "did not come to an end within 0.5 seconds"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("import asyncio\nraise asyncio.CancelledError\n", "CancelledError"),
        (HEAD + "@hookimpl\ndef musterroll_validators():\n    raise KeyboardInterrupt\n", "KeyboardInterrupt"),
        (HEAD + "@hookimpl\ndef musterroll_validators():\n    while True: pass\n", "did not come to an end"),
        (HEAD + "@hookimpl\ndef musterroll_validators():\n    while True: yield 1\n", "yields more than 1,000 records"),
        ("def __getattr__(name):\n    raise KeyboardInterrupt\n", None),
    ],
)
def test_whatever_an_unused_plugin_does_it_stops_nothing(
    install: Callable[..., None],
    text: str,
    said: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(collecting, "PATIENCE", 0.5)
    install("acme", text)
    assert status_of("run", "staff.csv", "--yes", "--format", "json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["job"]["counts"]["created"] == 1
    assert said is None or 'the plugin "stranger" (acme 1.0) is broken: ' in printed.err
    assert said is None or said in printed.err
