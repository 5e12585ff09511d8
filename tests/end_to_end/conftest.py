"""Every end-to-end test works in a scratch folder of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.fork_server import ForkServer, fork_server
from support.workplace import Inside, Workplace


@pytest.fixture
def place(inside: Inside) -> Workplace:
    """The scratch folder; whoever needs the command as a process of its own says `start`."""
    return inside


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    """Starts commands that are killed at a commit."""
    with fork_server() as running:
        yield running
