"""Every complaint is rebuilt in a scratch folder of its own, with people of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.workplace import Inside


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    workplace = Inside(tmp_path, capsys, monkeypatch)
    workplace.pipeline('invites.send_to = "none"')
    return workplace
