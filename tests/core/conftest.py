from __future__ import annotations

from pathlib import Path

import pytest

from support.pipelines import Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A working folder of its own."""
    return Work(tmp_path)
