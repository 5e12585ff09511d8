from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from musterroll import UserBackend
from musterroll.testing import BackendContract
from support.scim_backends import DEPARTMENT, open_scim
from support.scim_servers import Portal, Server


class TestScim(BackendContract):
    options: ClassVar[dict[str, Any]] = {}

    @pytest.fixture(autouse=True)
    def _running(self, server: Server) -> None:
        self.server = server

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        url = self.server.portal(folder.name).url
        return open_scim(url, read_only=read_only, fields=DEPARTMENT, **self.options)

    def breaking_line(self, folder: Path) -> AbstractContextManager[object]:
        return self._breaking(self.server.portal(folder.name))

    @contextmanager
    def _breaking(self, portal: Portal) -> Iterator[None]:
        portal.faults.reset_after = 0.6
        yield
        portal.faults.reset_after = 0.0


@pytest.mark.slow
class TestWithoutPatchAndBulk(TestScim):
    options: ClassVar[dict[str, Any]] = {"update": "put", "bulk": "never", "member_batch": 3}


@pytest.mark.slow
class TestGroupsByName(TestScim):
    options: ClassVar[dict[str, Any]] = {"nesting": "path", "remove_members": "replace", "page_size": 5}


@pytest.mark.slow
class TestBadDay(TestScim):
    """Filters are not obeyed, duplicates get a web page, pages are short, one in ten requests comes too soon."""

    options: ClassVar[dict[str, Any]] = {"lookup": "filter", "duplicate_status": [409, 500]}

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        faults = self.server.portal(folder.name).faults
        faults.ignore_filters, faults.duplicate_status, faults.page_limit = True, 500, 7
        faults.busy, faults.retry_after = 0.1, "0.05"
        return super().open_backend(folder, read_only=read_only)
