"""Every complaint is rebuilt in a scratch folder of its own, with people of our own."""

from __future__ import annotations

import pytest

from support.workplace import Inside


@pytest.fixture
def office(inside: Inside) -> Inside:
    inside.pipeline('invites.send_to = "none"')
    return inside
