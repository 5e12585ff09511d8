"""What all tests have in common."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from support.evidence import count_test
from support.pipelines import Work

# So many examples make a run of all tests quick; HYPOTHESIS_PROFILE=thorough looks longer.
settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=400, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes what was tested against a real counterpart."""
    report = yield
    count_test(item, report)
    return report


@pytest.fixture(autouse=True)
def no_terminal_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output that is captured is as wide as it likes; readline, which test runners load, would say 80 columns."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A working folder of its own."""
    return Work(tmp_path)
