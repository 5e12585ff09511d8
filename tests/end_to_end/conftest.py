"""Every end-to-end test works in a scratch folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.workplace import Workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    workplace = Workplace(tmp_path)
    workplace.pipeline()
    return workplace
