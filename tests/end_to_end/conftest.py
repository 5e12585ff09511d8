"""Every end-to-end test works in a scratch folder of its own."""

from __future__ import annotations

import pytest

from support.workplace import Inside, Workplace


@pytest.fixture
def place(inside: Inside) -> Workplace:
    """The scratch folder; whoever needs the command as a process of its own says `start`."""
    return inside
