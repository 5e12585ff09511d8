from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from musterroll import Context, FieldSet, UserBackend
from musterroll.testing import BackendContract
from musterroll_plugins.backends.scim import ScimOptions, build
from support.scim_servers import Portal, Server

DEPARTMENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def open_scim(url: str, *, read_only: bool = False, **options: Any) -> UserBackend:
    context = Context(instance="backend", fields=FieldSet([]), read_only=read_only)
    values = {"url": url, "fields": {"department": DEPARTMENT}, **options}
    return build(ScimOptions.model_validate(values), context)


class TestScim(BackendContract):
    options: ClassVar[dict[str, Any]] = {}

    @pytest.fixture(autouse=True)
    def _running(self, server: Server) -> None:
        self.server = server

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        return open_scim(self.server.portal(folder.name).url, read_only=read_only, **self.options)

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
