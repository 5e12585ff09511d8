"""A server for all tests here; each gets a portal of its own on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.mini_portal import MiniServer, mini_server


@pytest.fixture(scope="module")
def server() -> Iterator[MiniServer]:
    with mini_server() as running:
        yield running
