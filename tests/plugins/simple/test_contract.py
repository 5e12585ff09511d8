"""The backend contract, for portals that say only how one user and one group are read and written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from musterroll import SimpleBackend, UserBackend
from musterroll.testing import BackendContract, make_context
from musterroll_http import RestOptions
from support.mini_portal import Mini as Portal
from support.mini_portal import MiniServer

from . import rest
from .natively import Natively
from .plain import Mini, MiniOptions


class _Contract(BackendContract):
    backend_class: ClassVar[type[SimpleBackend]]
    lag: ClassVar[float] = 0.0
    most_in_flight = 16

    @pytest.fixture(autouse=True)
    def _running(self, server: MiniServer, folder: Path) -> None:
        self.server = server
        self.spoil(server.portal(self.name(folder)))

    def name(self, folder: Path) -> str:
        return f"{type(self).__name__}-{folder.name}"

    def spoil(self, portal: Portal) -> None:
        portal.lag = self.lag

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        options = MiniOptions(url=self.server.portal(self.name(folder)).url, lag=self.lag)
        return self.backend_class(options, make_context(read_only=read_only))

    def breaking_line(self, folder: Path) -> AbstractContextManager[object]:
        return self._breaking(self.server.portal(self.name(folder)))

    @contextmanager
    def _breaking(self, portal: Portal) -> Iterator[None]:
        portal.reset_after = 0.6
        yield
        portal.reset_after = 0.0


class TestPlain(_Contract):
    backend_class = Mini


class TestNatively(_Contract):
    backend_class = Natively


class Patient(Natively):
    """A list is begun anew where one of its pages was asked for too soon; six times are not always enough."""

    tries = 12


@pytest.mark.slow
class TestBadDay(_Contract):
    """One in ten requests comes too soon, and one in five writes is done and answered with 503."""

    backend_class = Patient

    def spoil(self, portal: Portal) -> None:
        portal.busy, portal.busy_after = 0.1, 0.2


class TestRest(_Contract):
    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        url = self.server.portal(self.name(folder)).url
        return rest.Mini(RestOptions(url=url, lag=self.lag), make_context(read_only=read_only))


@pytest.mark.slow
class TestRestOnABadDay(TestRest):
    def spoil(self, portal: Portal) -> None:
        portal.busy, portal.busy_after = 0.1, 0.2


class WithoutKeys(Natively):
    """The portal keeps no keys, or shows none: whose a user is shows by its looks."""

    stores_key = False


class PatientWithoutKeys(WithoutKeys):
    tries = 12


class TestWithoutKeys(_Contract):
    """On a quiet day: when the answer is lost, nobody can tell one's own user from one who looks exactly like it."""

    backend_class = WithoutKeys


@pytest.mark.slow
class TestWithoutKeysOnABadDay(TestWithoutKeys):
    """One in ten requests comes too soon; where an answer is lost, nobody can tell: see there."""

    backend_class = PatientWithoutKeys

    def spoil(self, portal: Portal) -> None:
        portal.busy = 0.1

    def test_one_failure_does_not_touch_the_others(self, backend: UserBackend) -> None:
        pytest.skip("once it is asked again, a user who looks exactly like one's own is taken for it")


@pytest.mark.slow
class TestLagging(_Contract):
    """Lists and searches show a change late."""

    backend_class = Natively
    lag = 0.3
    many, many_groups = 45, 45

    def settle(self) -> None:
        import time

        time.sleep(self.lag)
