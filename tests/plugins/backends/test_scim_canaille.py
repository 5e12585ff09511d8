"""Canaille, a real identity portal with faults of its own.

It ignores filters, breaks over a count, answers duplicates with a web page and status 500, announces usernames that
differ in more than case and lets in those that do not, keeps no externalId, never renames, shows members by username,
and stores the domain of an address in lower case.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from musterroll import Desired, UserBackend
from musterroll.contract.text import fold
from musterroll.testing import BackendContract
from support.canaille import CANAILLE_TOKEN, canaille, needs_canaille
from support.scim_backends import DEPARTMENT, open_scim

pytestmark = [needs_canaille, pytest.mark.slow]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with canaille(tmp_path_factory.mktemp("canaille")) as url:
        yield url


class TestCanaille(BackendContract):
    lookup_fields = ("username", "email", "department")

    @pytest.fixture(autouse=True)
    def _emptied(self, url: str) -> Iterator[None]:
        self.url = url
        yield
        self._empty()

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        return open_scim(
            self.url,
            read_only=read_only,
            token=CANAILLE_TOKEN,
            fields=DEPARTMENT,
            required={"name.formatted": "{forename} {surname}", "name.familyName": "{username}"},
            stored_as={"email": "lower-case-domain"},
            duplicate_status=[409, 500],
            matching="exact",
            nesting="path",
            memberships="users",
            remove_members="replace",
            concurrency=4,
        )

    def desired(self, name: str, **fields: str | None) -> Desired:
        address = f"{fold(name).replace(' ', '.').replace('@', '.')}@example.com"
        return super().desired(name, **{"email": address, **fields})

    def _empty(self) -> None:
        import http.client
        import json

        host = self.url.split("/")[2]
        headers = {"Authorization": f"Bearer {CANAILLE_TOKEN}"}
        connection = http.client.HTTPConnection(host, timeout=20)
        for kind in ("Users", "Groups"):
            connection.request("GET", f"/scim/v2/{kind}", headers=headers)
            for one in json.loads(connection.getresponse().read()).get("Resources", ()):
                connection.request("DELETE", f"/scim/v2/{kind}/{one['id']}", headers=headers)
                connection.getresponse().read()
        connection.close()
