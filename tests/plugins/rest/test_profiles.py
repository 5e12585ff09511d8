"""The profiles, against servers of our own that do what the documentation of the real ones describes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import pytest

from musterroll import UserBackend
from musterroll.testing import BackendContract
from musterroll_plugins.backends.rest.profiles import names
from support.identity_portals import Graph, Identity, Keycloak, Okta
from support.mini_portal import PortalServer, portal_server
from support.rest_portals import open_rest


class _Profile(BackendContract):
    kind: ClassVar[type[Identity]]
    options: ClassVar[dict[str, Any]]
    faults: ClassVar[dict[str, float]] = {"busy": 0.03}
    most_in_flight = 16
    many, many_groups = 110, 110

    @pytest.fixture(autouse=True)
    def _running(self, servers: dict[type[Identity], PortalServer[Identity]], folder: Path) -> None:
        self.server = servers[self.kind]
        vars(self.portal(folder)).update(self.faults)

    def portal(self, folder: Path) -> Identity:
        return self.server.portal(folder.name)

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        url = self.portal(folder).url
        options = dict(self.options)
        if "client_id" in options:
            options["token_url"] = f"{url}/token"
        return open_rest(url, read_only=read_only, **options)

    def breaking_line(self, folder: Path) -> AbstractContextManager[object]:
        return self._breaking(self.portal(folder))

    @contextmanager
    def _breaking(self, portal: Identity) -> Iterator[None]:
        portal.broken = 0.6
        yield
        portal.broken = 0.0


class TestKeycloak(_Profile):
    kind = Keycloak
    options: ClassVar[dict[str, Any]] = {
        "profile": "keycloak",
        "client_id": "importer",
        "client_secret": "Sesame-4711",
        "users": {"fields": {"department": "attributes.department.0"}},
    }

    def test_tokens_end_in_the_middle(self, backend: UserBackend, folder: Path) -> None:
        self.run(backend, *(self.creation(f"user{number}") for number in range(80)))
        portal = self.portal(folder)
        assert isinstance(portal, Keycloak)
        assert portal.tokens > 1
        assert len(portal.users) == 80


@pytest.mark.slow
class TestEntra(_Profile):
    kind = Graph
    options: ClassVar[dict[str, Any]] = {"profile": "entra", "token": "graph-token", "lag": 0.4}
    faults: ClassVar[dict[str, float]] = {"busy": 0.03, "lag": 0.3}
    lookup_fields = ("username", "email", "department")

    def settle(self) -> None:
        import time

        time.sleep(0.3)


class TestOkta(_Profile):
    kind = Okta
    options: ClassVar[dict[str, Any]] = {"profile": "okta", "token": "okta-token", "lag": 0}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[type[Identity], PortalServer[Any]]]:
    with portal_server(Keycloak) as keycloak, portal_server(Graph) as graph, portal_server(Okta) as okta:
        yield {Keycloak: keycloak, Graph: graph, Okta: okta}


@pytest.mark.parametrize("name", names())
def test_a_profile_is_short_and_right(name: str) -> None:
    text = (files("musterroll_plugins.backends.rest.profiles") / f"{name}.toml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    assert tomllib.loads(text)["users"]["all"]
    assert f"docs/portals/{name}.md" in text
    assert (Path(__file__).parents[3] / "docs" / "portals" / f"{name}.md").exists()
