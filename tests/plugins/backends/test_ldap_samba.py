"""Samba as a domain controller: the contract of backends, and what only Active Directory does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from musterroll import Context, Desired, FieldSet, UserBackend
from musterroll.testing import BackendContract
from musterroll_plugins.backends.ldap import LdapOptions, build
from support.samba_servers import SUFFIX, Samba, ad_options, needs_samba, provisioned, samba

pytestmark = [needs_samba, pytest.mark.slow]

_numbers = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    domain = provisioned(tmp_path_factory.getbasetemp().parent)
    with samba(tmp_path_factory.mktemp("samba"), domain) as server:
        yield server


@pytest.fixture
def unit(server: Samba) -> Iterator[str]:
    """An organisational unit of the test's own, with places for users and groups."""
    unit = f"OU=t{next(_numbers)},{SUFFIX}"
    for dn in (unit, f"OU=people,{unit}", f"OU=groups,{unit}", f"OU=away,{unit}"):
        server.add_unit(dn)
    yield unit
    server.remove_unit(unit)


class TestActiveDirectory(BackendContract):
    missing_ref = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    many, many_groups = 40, 15  # some ten a second

    @pytest.fixture(autouse=True)
    def _unit(self, server: Samba, unit: str) -> None:
        self.server, self.unit = server, unit

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        options = {**ad_options(self.server, self.unit), "attributes": {"department": "department"}}
        options |= {"key_attribute": "adminDescription", "page_size": 20}
        options["made"] = {"userPrincipalName": ""}  # a username that is an address would have two @ in it
        context = Context(instance="backend", fields=FieldSet([]), read_only=read_only)
        return build(LdapOptions.model_validate(options), context)

    def desired(self, name: str, **fields: str | None) -> Desired:
        address = f"{''.join(letter for letter in name if letter.isascii() and letter.isalnum())}@example.com"
        return super().desired(name, **{"email": address, **fields})

    def signs_in(self, folder: Path, username: str, password: str) -> bool | None:
        return self.server.signs_in(f"{username}@ex.test", password)
