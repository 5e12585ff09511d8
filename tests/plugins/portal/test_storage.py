"""scim2-server's own contract of storages, on a directory file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("scim2_server", reason="the extra musterroll[portal] is not installed")

from functools import cache

from scim2_models import ScimProvider
from scim2_server.testing import AsyncScimStorageContract
from scim2_server.utils import load_default_provider

from musterroll_plugins.portal.storage import DirectoryStorage


@cache
def default_provider() -> ScimProvider:
    return load_default_provider()


class TestDirectoryStorage(AsyncScimStorageContract):
    @pytest.fixture
    def provider(self) -> ScimProvider:
        return default_provider()

    @pytest.fixture
    def async_storage(self, tmp_path: Path, provider: ScimProvider) -> Iterator[DirectoryStorage]:
        storage = DirectoryStorage(tmp_path / "portal.db", provider)
        yield storage
        storage.close()
