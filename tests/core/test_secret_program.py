"""A secret that a program prints."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from musterroll import Options, PipelineError, SecretRef, Surroundings
from musterroll.contract import secret_program

CANARY = "Canary-51b7"


class WithToken(Options):
    token: SecretRef


def ref(*words: str) -> SecretRef:
    return WithToken.model_validate({"token": {"command": [sys.executable, "-c", *words]}}).token


def refused(*words: str) -> str:
    with pytest.raises(PipelineError) as caught:
        ref(*words).resolve()
    assert caught.value.code == "secret.missing"
    assert CANARY not in str(caught.value)
    return str(caught.value)


def test_what_it_prints_is_the_secret() -> None:
    assert ref(f"print({CANARY!r} + ' ü ')").resolve().reveal() == f"{CANARY} ü "


def test_it_is_asked_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    one = ref(f"open({str(log)!r}, 'a').write('x'); print('s')")
    assert [one.resolve().reveal() for _ in range(3)] == ["s", "s", "s"]
    assert log.read_text() == "x"


def test_nothing_of_its_output_is_shown() -> None:
    code = f"import sys; print({CANARY!r}); print({CANARY!r}, file=sys.stderr); sys.exit(3)"
    assert "ended with status 3" in refused(code)


def test_what_is_no_secret_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "prints nothing" in refused("pass")
    assert "prints no UTF-8 text" in refused("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')")
    missing = SecretRef(command=["no-such-program-here"])
    with pytest.raises(PipelineError, match="no-such-program-here cannot be started"):
        missing.resolve()


def test_it_can_neither_hang_nor_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    assert "prints more than a secret" in refused("while True: print('x' * 10000)")
    monkeypatch.setattr(secret_program, "SECONDS", 0.5)
    assert "did not end within 0.5 s" in refused("import time; time.sleep(60)")
    # What it leaves behind holds the line open.
    child = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    assert "did not end within 0.5 s" in refused(child)
    assert time.monotonic() - started < 20


def test_how_it_is_written(tmp_path: Path) -> None:
    around = Surroundings(folder_of=lambda name, path: tmp_path)
    made = WithToken.model_validate({"token": {"command": ["bin/secret", "portal"]}}, context=around).token
    assert made.command == (str(tmp_path / "bin/secret"), "portal")
    assert "command = [" in repr(made)
    named = WithToken.model_validate({"token": {"command": ["pass", "show", "portal"]}}, context=around).token
    assert repr(named) == "{ command = ['pass', 'show', 'portal'] }"
    for wrong in ([], "pass show portal", [1], [""]):
        with pytest.raises(ValueError, match="command"):
            WithToken.model_validate({"token": {"command": wrong}})
