"""What all tests have in common."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from support.pipelines import Work

# So many examples make a run of all tests quick; HYPOTHESIS_PROFILE=thorough looks longer.
settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=400, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def no_terminal_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output that is captured is as wide as it likes; readline, which test runners load, would say 80 columns."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A working folder of its own."""
    return Work(tmp_path)
