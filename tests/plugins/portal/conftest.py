"""The portal's parts, put together as the command does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.mock_portal import Answer, ask

if TYPE_CHECKING:
    from scim2_models import ScimProvider

    from musterroll_plugins.portal.storage import DirectoryStorage

Send = Callable[..., Answer]


@cache
def standard_provider() -> ScimProvider:
    from musterroll_plugins.portal.application import make_provider

    return make_provider()


@pytest.fixture
def provider() -> ScimProvider:
    """What the portal says of itself; made once, because that takes some time."""
    return standard_provider()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "portal.db"


@pytest.fixture
def storage(directory: Path, provider: ScimProvider) -> Iterator[DirectoryStorage]:
    from musterroll_plugins.portal.storage import DirectoryStorage

    found = DirectoryStorage(directory, provider, hash_passwords=False)
    yield found
    found.close()


@pytest.fixture
def scim(storage: DirectoryStorage, provider: ScimProvider) -> Send:
    """Sends a request to the portal: `scim("POST", "/Users", {…})`."""
    from musterroll_plugins.portal.application import PortalApplication

    application = PortalApplication(storage, provider, token=None, duplicate_status=409)

    def send(method: str, path: str, body: object = None, **options: Any) -> Answer:
        answer = asyncio.run(ask(application, method, f"/v2{path}", body, **options))
        assert answer is not None
        return answer

    return send
