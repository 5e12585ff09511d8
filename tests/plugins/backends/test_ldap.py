"""The contract of backends, kept by a real OpenLDAP server, with each way to keep groups and inactive users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest

from musterroll import BackendUnavailableError, CreateUser, Desired, Status, UserBackend
from musterroll.testing import BackendContract
from support.evidence import Counterpart
from support.ldap_backends import GROUPS, PEOPLE, open_ldap
from support.ldap_servers import (
    OPENLDAP,
    PASSWORD,
    SUFFIX,
    BreakableLine,
    Slapd,
    dump,
    needs_slapd,
    signs_in,
    slapd,
    slapd_version,
)

pytestmark = needs_slapd

COUNTERPART = ("ldap", OPENLDAP)

_numbers = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(tmp_path_factory.mktemp("slapd")) as server:
        yield server


@pytest.fixture(scope="module")
def between(server: Slapd) -> Iterator[BreakableLine]:
    between = BreakableLine(server.port)
    yield between
    between.close()


class LdapContract(BackendContract):
    """Each test has entries of its own below the suffix, so that all of them can share a server."""

    options: ClassVar[dict[str, Any]] = {}
    missing_ref = "ffffffff-ffff-ffff-ffff-ffffffffffff"

    @pytest.fixture(autouse=True)
    def _units(self, server: Slapd, between: BreakableLine) -> None:
        self.server, self.between = server, between
        self.unit = f"ou=t{next(_numbers)},{SUFFIX}"
        for dn in (self.unit, f"ou=people,{self.unit}", f"ou=groups,{self.unit}", f"ou=away,{self.unit}"):
            server.add_unit(dn)

    def desired(self, name: str, **fields: str | None) -> Desired:
        """The schema takes addresses in ASCII only."""
        address = f"{''.join(letter for letter in name if letter.isascii() and letter.isalnum())}@example.com"
        return super().desired(name, **{"email": address, **fields})

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        places = {
            "servers": [f"ldap://127.0.0.1:{self.between.port}"],
            "base": self.unit,
            "users": f"ou=people,{self.unit}",
            "groups": f"ou=groups,{self.unit}",
        }
        options = {
            name: value.replace("UNIT", self.unit) if isinstance(value, str) else value
            for name, value in self.options.items()
        }
        return open_ldap(self.server, read_only=read_only, **{**places, **options})

    def breaking_line(self, folder: Path) -> AbstractContextManager[object]:
        return self.between

    def signs_in(self, folder: Path, username: str, password: str) -> bool | None:
        return signs_in(self.server.url, f"uid={username},ou=people,{self.unit}", password)

    def test_a_password_that_got_lost_is_set_when_it_goes_on(self, backend: UserBackend, folder: Path) -> None:
        """The user is created, and the line breaks before the password is sent."""
        op = self.creation("ana", "Canary-7c1f-Sesame")
        backend.count_users()
        with self.between:
            (result,) = backend.execute(iter([op]))
        assert result.status is Status.UNKNOWN
        assert not self.signs_in(folder, "ana", "Canary-7c1f-Sesame")
        assert self.resolve(backend, op).status is Status.NOT_DONE
        ref = self.perform(backend, op).ref
        assert self.signs_in(folder, "ana", "Canary-7c1f-Sesame")
        assert (self.get(backend, "ana").ref, backend.count_users()) == (ref, 1)

    def test_who_was_moved_meanwhile_is_found(self, backend: UserBackend) -> None:
        ref = self.create(backend, "ana").ref
        assert backend.count_users() == 1
        (dn,) = dump(self.server.url, self.server.root, PASSWORD, self.unit, "(uid=ana)")
        with self.server.as_root() as root:
            root.rename_s(dn, dn.partition(",")[0], f"ou=away,{self.unit}")
        assert self.get(backend, "ana").ref == ref

    def test_what_it_can(self, backend: UserBackend) -> None:
        Counterpart(*COUNTERPART, slapd_version()).can(backend.capabilities())
        assert "OpenLDAP" in backend.examine()  # type: ignore[attr-defined]  # of those that can be examined


class TestMarkedUsers(LdapContract):
    """With a mark of ours on everything, groups in groups, and inactive users by an attribute."""

    options: ClassVar[dict[str, Any]] = {
        "attributes": {"department": "departmentNumber"},
        "key_attribute": "description",
        "inactive_attribute": "employeeType",
        "inactive_value": "inactive",
    }


class TestPosixGroups(LdapContract):
    """Without marks, with usernames as members, paths in names, and inactive users in a place of their own."""

    options: ClassVar[dict[str, Any]] = {
        "attributes": {"department": "departmentNumber"},
        "group_class": "posixGroup",
        "inactive_container": "ou=away,UNIT",
        "user_classes": ["inetOrgPerson", "posixAccount"],
        "made": {"homeDirectory": "/home/all", "gidNumber": "100"},
        "numbers": {"uidNumber": 20000},
    }


class TestUniqueNames(LdapContract):
    """With groupOfUniqueNames, unique addresses, entries named by the person's name, and small batches."""

    own_field = None
    lookup_fields = ("username", "email")
    options: ClassVar[dict[str, Any]] = {
        "group_class": "groupOfUniqueNames",
        "unique_email": True,
        "nesting": "path",
        "rdn": "cn={username} {forename}",
        "member_batch": 3,
        "in_flight": 3,
        "page_size": 50,
    }

    def signs_in(self, folder: Path, username: str, password: str) -> bool | None:
        return signs_in(self.server.url, f"cn={username} Fore,ou=people,{self.unit}", password)


def test_a_server_that_falls_silent_in_the_middle(tmp_path: Path) -> None:
    with slapd(tmp_path) as server:
        for dn in (PEOPLE, GROUPS):
            server.add_unit(dn)
        backend = open_ldap(server, timeout=1, retries=0)
        backend.capabilities()
        server.pause()
        results = backend.execute(iter([CreateUser(id="1", user=Desired(username="ana", fields={}))]))
        assert next(results).status is Status.UNKNOWN
        with pytest.raises(BackendUnavailableError, match="does not answer"):
            next(results)
        server.go_on()
        backend.close()
