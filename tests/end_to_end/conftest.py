"""Every end-to-end test works in a scratch folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.workplace import Inside, Workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    workplace = Workplace(tmp_path)
    workplace.pipeline()
    return workplace


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    """Such a folder, too; commands run in this very process, which is much quicker."""
    workplace = Inside(tmp_path, capsys, monkeypatch)
    workplace.pipeline()
    return workplace
