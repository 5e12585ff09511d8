"""Completion, as the shells ask for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from musterroll_cli.main import main
from support.workplace import COMMAND

PIPELINE = """
name = "acme"
[profiles.production]
confirm = true
[profiles.preview]
confirm = true
"""


@pytest.fixture(autouse=True)
def _in_a_folder_with_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "musterroll.toml").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "other.toml").write_text('name = "other"\nprofiles.elsewhere.confirm = true', encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("p", ["plan", "plugins", "pipeline", "portal"]),  # one of them is a plugin's
        ("portal --fault-", ["--fault-discovery"]),
        ("run staff.xlsx --inv", ["--invites"]),
        ("run staff.xlsx --invites ", ["none", "new", "all", "pending"]),
        ("plugins list --format j", ["json"]),
        ("plugins show csv --kind no", ["notifier"]),
        ("run --profile ", ["production", "preview"]),
        ("run --profile pro", ["production"]),
        ("run -p other.toml --profile ", ["elsewhere"]),
        ("run -p missing.toml --profile ", []),
        ("plugins show sci", ["scim"]),
        ("plugins show web", ["webhook", "web"]),
        ("jobs show ", ["last"]),
        ("jobs show -p missing.toml ", []),
        ("run sta", []),  # then the shell offers files
        ("jobs frobnicate --x", []),
    ],
)
def test_the_shell_is_told_what_can_come_next(
    line: str, expected: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_MUSTERROLL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"musterroll {line}")
    monkeypatch.setenv("COMP_CWORD", str(len(f"musterroll {line}x".split()) - 1))
    main()
    out, err = capsys.readouterr()
    assert out.split() == expected
    assert err == ""


def test_job_ids_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\ng\n,ana,Ana,,Harbour-Lamp-77,,,\n"
    (tmp_path / "staff.csv").write_text(sheet, encoding="utf-8")
    assert main(["run", "staff.csv", "--set", "backend.use=memory", "--format", "json"]) == 0
    job = json.loads(capsys.readouterr().out)["job"]["id"]
    monkeypatch.setenv("_MUSTERROLL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"musterroll jobs undo {job[:8]}")
    monkeypatch.setenv("COMP_CWORD", "3")
    main()
    assert capsys.readouterr().out.split() == [job]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_there_is_a_script_for_every_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_MUSTERROLL_COMPLETE" in capsys.readouterr().out


def test_an_unknown_shell_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "bash" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="there is no bash")
def test_bash_completes(tmp_path: Path) -> None:
    script = """
        eval "$(musterroll completion bash)"
        complete -p musterroll
        COMP_WORDS=(musterroll run --profile pre) COMP_CWORD=3
        _musterroll_completion musterroll
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        check=True,
    )
    assert done.stdout.splitlines() == ["complete -o default -F _musterroll_completion musterroll", "preview"]
    assert done.stderr == ""
