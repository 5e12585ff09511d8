"""The contract against `musterroll portal`, on a quiet day and on a bad one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from musterroll import UserBackend
from musterroll.testing import BackendContract
from support.mock_portal import MockPortal, mock_portal
from support.scim_backends import DEPARTMENT, open_scim

BAD_DAY = "--fault 429:0.1 --fault 503:0.05 --retry-after 0 --ignore-filters --duplicate-status 500 --no-bulk"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["", BAD_DAY], ids=["quiet", "bad day"])
def mock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockPortal]:
    file = tmp_path_factory.mktemp("portal") / "portal.db"
    with mock_portal(file, "--passwords", "none", "--seed", "7", *request.param.split()) as portal:
        yield portal


class TestMockPortal(BackendContract):
    @pytest.fixture(autouse=True)
    def _emptied(self, mock: MockPortal) -> Iterator[None]:
        self.mock = mock
        yield
        while any([self._empty("/Users"), self._empty("/Groups")]):
            pass

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        token = {"env": "MUSTERROLL_PORTAL_TOKEN"}
        return open_scim(
            self.mock.url, read_only=read_only, token=token, fields=DEPARTMENT, duplicate_status=[409, 500]
        )

    def _empty(self, endpoint: str) -> bool:
        """Deletes what can be deleted; returns whether to try again."""
        listed = self.mock.ask("GET", endpoint)
        if listed.status != 200:
            return True
        found = listed.body.get("Resources", ())
        for one in found:
            self.mock.ask("DELETE", f"{endpoint}/{one['id']}")
        return bool(found)
