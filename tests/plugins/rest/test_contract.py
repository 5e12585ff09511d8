"""The backend contract, for portals that are described and not programmed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from musterroll import UserBackend
from musterroll.testing import BackendContract
from support.mini_portal import Mini, MiniServer
from support.rest_portals import open_mini


class TestDescribed(BackendContract):
    most_in_flight = 16

    @pytest.fixture(autouse=True)
    def _running(self, server: MiniServer, folder: Path) -> None:
        self.server = server
        self.spoil(self.portal(folder))

    def portal(self, folder: Path) -> Mini:
        return self.server.portal(f"{type(self).__name__}-{folder.name}")

    def spoil(self, portal: Mini) -> None:
        pass

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        return open_mini(self.portal(folder).url, read_only=read_only)

    def breaking_line(self, folder: Path) -> AbstractContextManager[object]:
        return self._breaking(self.portal(folder))

    @contextmanager
    def _breaking(self, portal: Mini) -> Iterator[None]:
        portal.reset_after = 0.6
        yield
        portal.reset_after = 0.0


class TestOnABadDay(TestDescribed):
    """One in ten requests comes too soon, and one in five writes is done and answered with 503."""

    def spoil(self, portal: Mini) -> None:
        portal.busy, portal.busy_after = 0.1, 0.2
