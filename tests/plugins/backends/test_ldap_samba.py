"""Samba as a domain controller: the contract of backends, and what only Active Directory does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import pytest

from musterroll import AddMembers, Context, Desired, FieldSet, UserBackend
from musterroll.testing import BackendContract
from musterroll_plugins.backends.ldap import LdapOptions, build
from support.evidence import Counterpart
from support.ldap_servers import BreakableLine
from support.samba_servers import (
    DOMAIN_CONTROLLER,
    SUFFIX,
    Samba,
    ad_options,
    needs_samba,
    provisioned,
    samba,
    samba_version,
)

pytestmark = [needs_samba, pytest.mark.slow]

COUNTERPART = ("ldap", DOMAIN_CONTROLLER)

_numbers = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    domain = provisioned(tmp_path_factory.getbasetemp().parent)
    with samba(tmp_path_factory.mktemp("samba"), domain) as server:
        yield server


@pytest.fixture(scope="module")
def between(server: Samba) -> Iterator[BreakableLine]:
    between = BreakableLine(server.secure_port, encrypted=True)
    yield between
    between.close()


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
    def _unit(self, server: Samba, unit: str, between: BreakableLine) -> None:
        self.server, self.unit, self.between = server, unit, between

    def breaking_line(self, folder: Path) -> AbstractContextManager[object]:
        return self.between

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        options = {**ad_options(self.server, self.unit), "attributes": {"department": "department"}}
        options |= {"key_attribute": "adminDescription", "page_size": 20}
        options["servers"] = [f"ldaps://127.0.0.1:{self.between.port}"]
        options["made"] = {"userPrincipalName": ""}  # a username that is an address would have two @ in it
        context = Context(instance="backend", fields=FieldSet([]), read_only=read_only)
        return build(LdapOptions.model_validate(options), context)

    def desired(self, name: str, **fields: str | None) -> Desired:
        address = f"{''.join(letter for letter in name if letter.isascii() and letter.isalnum())}@example.com"
        return super().desired(name, **{"email": address, **fields})

    def signs_in(self, folder: Path, username: str, password: str) -> bool | None:
        Counterpart(*COUNTERPART).quirk(
            "lets a user in with the former password for an hour after a reset, unless it is set up otherwise"
        )
        return self.server.signs_in(f"{username}@ex.test", password)

    def test_what_it_can(self, backend: UserBackend) -> None:
        seen = Counterpart(*COUNTERPART, samba_version())
        seen.can(backend.capabilities())
        assert "Active Directory" in backend.examine()  # type: ignore[attr-defined]  # of those that can be examined

    def test_users_and_groups_share_their_logon_names(self, backend: UserBackend) -> None:
        self.create(backend, "staff")
        ref = self.create_group(backend, "Staff").ref
        assert [group.ref for group in backend.groups()] == [ref]
        Counterpart(*COUNTERPART).quirk(
            "takes a logon name once among users and groups: a group named like a user gets another one"
        )

    def test_the_primary_group_is_one_of_the_groups(self) -> None:
        """It is told by a number only, and `memberOf` does not have it."""
        options = LdapOptions.model_validate({**ad_options(self.server, self.unit), "groups": SUFFIX})
        backend = build(options, Context(instance="backend", fields=FieldSet([]), read_only=False))
        self.create(backend, "ana")
        (users,) = [group.ref for group in backend.groups() if group.path[-1] == "Domain Users"]
        assert users in self.get(backend, "ana").groups
        backend.close()

    def test_members_in_ranges(self, backend: UserBackend) -> None:
        """A server may tell the first members only; what it keeps back is asked for."""
        from musterroll_plugins.backends.ldap.connection import Connection
        from musterroll_plugins.backends.ldap.ranges import all_values

        group = self.create_group(backend, "Staff")
        users = tuple(self.create(backend, f"user{number}") for number in range(7))
        self.perform(backend, AddMembers(id="m", group=group, members=users))
        options = LdapOptions.model_validate(ad_options(self.server, self.unit))
        connection = Connection(options, Context(instance="backend", fields=FieldSet([])), 0)
        dn = f"cn=Staff,OU=groups,{self.unit}"
        first = connection.read(dn, ["member;range=0-2"])
        assert first is not None
        assert list(first.entry) == ["member;range=0-2"]
        assert len(set(all_values(connection, first, "member"))) == 7
        connection.close()
