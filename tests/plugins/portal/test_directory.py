"""One file for two: what the portal writes, the backend `directory` reads, and the other way round."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("scim2_server", reason="the extra musterroll[portal] is not installed")

from musterroll import (
    AddMembers,
    CreateGroup,
    CreateUser,
    Deactivate,
    Desired,
    Existing,
    GroupRef,
    Op,
    Secret,
    Status,
    UpdateUser,
    UserKey,
    UserRef,
)
from musterroll_plugins.backends.directory.backend import DirectoryBackend
from support.mock_portal import Answer

if TYPE_CHECKING:
    from scim2_models import ScimProvider

Scim = Callable[..., Answer]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture
def backend(directory: Path, scim: Scim) -> Iterator[DirectoryBackend]:
    """The directory, opened while the portal has it open too."""
    found = DirectoryBackend(
        directory, read_only=False, hash_passwords=True, unique_email=False, clock=lambda: dt.datetime.now(dt.UTC)
    )
    yield found
    found.close()


def perform(backend: DirectoryBackend, *ops: Op) -> Sequence[str]:
    results = list(backend.execute(iter(ops)))
    assert {result.status for result in results} == {Status.DONE}
    return [str(result.ref) for result in results]


def named(backend: DirectoryBackend, username: str) -> Existing:
    key = UserKey.of("username", username)
    (user,) = backend.lookup([key])[key]
    return user


def test_what_the_portal_creates_is_in_the_directory(scim: Scim, backend: DirectoryBackend) -> None:
    answer = scim(
        "POST",
        "/Users",
        {
            "userName": "Ana",
            "externalId": "op-1",
            "name": {"givenName": "Ana", "familyName": "Li"},
            "emails": [{"type": "work", "value": "ana@acme.example"}],
            "phoneNumbers": [{"type": "work", "value": "+44 7712345678"}],
            "title": "Boss",
            ENTERPRISE: {"department": "IT", "employeeNumber": "7"},
        },
    )
    assert answer.status == 201
    user = named(backend, "ANA")
    assert (user.ref, user.username, user.key, user.active) == (answer.body["id"], "Ana", "op-1", True)
    assert user.fields == {
        "email": "ana@acme.example",
        "forename": "Ana",
        "surname": "Li",
        "calling_code": "44",
        "phone": "7712345678",
        "title": "Boss",
        "department": "IT",
        "employee_number": "7",
    }


def test_what_the_directory_creates_is_in_the_portal(scim: Scim, backend: DirectoryBackend) -> None:
    fields = {"email": "bo@acme.example", "forename": "Bo", "calling_code": "44", "phone": "77", "department": "IT"}
    fields["shoe_size"] = "43"
    (ref,) = perform(backend, CreateUser(id="op-2", user=Desired(username="bo", fields=fields)))
    user = scim("GET", f"/Users/{ref}").body
    assert user["userName"] == "bo"
    assert user["externalId"] == "op-2"
    assert user["active"] is True
    assert user["name"] == {"givenName": "Bo"}
    assert user["emails"] == [{"type": "work", "value": "bo@acme.example"}]
    assert user["phoneNumbers"] == [{"type": "work", "value": "+44 77"}]
    assert user[ENTERPRISE] == {"department": "IT"}

    patch = {"op": "replace", "path": "title", "value": "Boss"}
    assert scim("PATCH", f"/Users/{ref}", {"Operations": [patch]}).status == 204
    assert named(backend, "bo").fields.items() >= {**fields, "title": "Boss"}.items()


def test_a_change_of_the_directory_changes_the_version(scim: Scim, backend: DirectoryBackend) -> None:
    created = scim("POST", "/Users", {"userName": "ana"})
    ref, version = created.body["id"], created.headers["etag"]
    perform(
        backend,
        UpdateUser(id="op-3", user=UserRef(ref, "ana"), changes={"email": "ana@acme.example"}),
        Deactivate(id="op-4", user=UserRef(ref, "ana")),
    )
    now = scim("GET", f"/Users/{ref}")
    assert now.headers["etag"] != version
    assert now.body["active"] is False
    put = {"userName": "ana", "title": "Boss"}
    assert scim("PUT", f"/Users/{ref}", put, headers={"If-Match": version}).status == 412
    assert scim("PUT", f"/Users/{ref}", put, headers={"If-Match": now.headers["etag"]}).status == 200


def test_a_username_is_taken_whoever_took_it_and_however_it_is_spelt(scim: Scim, backend: DirectoryBackend) -> None:
    perform(backend, CreateUser(id="op-5", user=Desired(username="Straße", fields={})))
    answer = scim("POST", "/Users", {"userName": "STRASSE"})
    assert answer.status == 409
    assert answer.body["scimType"] == "uniqueness"


def test_groups_are_the_same_tree(scim: Scim, backend: DirectoryBackend) -> None:
    (ana,) = perform(backend, CreateUser(id="op-6", user=Desired(username="ana", fields={})))
    (region,) = perform(backend, CreateGroup(id="op-7", path=("Region",), parent=None))
    above = GroupRef(region, ("Region",))
    (north,) = perform(backend, CreateGroup(id="op-8", path=("Region", "North"), parent=above))
    perform(backend, AddMembers(id="op-9", group=GroupRef(north, ("Region", "North")), members=(UserRef(ana, "ana"),)))

    assert [member["value"] for member in scim("GET", f"/Groups/{region}").body["members"]] == [north]
    group = scim("GET", f"/Groups/{north}").body
    assert (group["displayName"], group["externalId"]) == ("North", "op-8")
    (member,) = group["members"]
    assert (member["value"], member["type"]) == (ana, "User")
    assert member["$ref"].endswith(f"/v2/Users/{ana}")
    (listed,) = scim("GET", f"/Users/{ana}").body["groups"]
    assert (listed["value"], listed["display"], listed["type"]) == (north, "North", "direct")

    south = scim("POST", "/Groups", {"displayName": "South", "members": [{"value": ana}]}).body["id"]
    add = {"op": "add", "path": "members", "value": [{"value": south, "type": "Group"}]}
    assert scim("PATCH", f"/Groups/{region}", {"Operations": [add]}).status == 204
    assert {group.path for group in backend.groups()} == {("Region",), ("Region", "North"), ("Region", "South")}
    assert named(backend, "ana").groups == {north, south}


@pytest.mark.parametrize("how", ["argon2id", "none"])
def test_passwords_are_hashed_and_never_shown(directory: Path, how: str) -> None:
    import asyncio

    from musterroll_plugins.portal.application import PortalApplication, make_provider
    from musterroll_plugins.portal.storage import DirectoryStorage
    from support.mock_portal import ask

    provider = make_provider()
    storage = DirectoryStorage(directory, provider, hash_passwords=how == "argon2id")
    portal = PortalApplication(storage, provider, token=Secret("t"), duplicate_status=409)
    signed = {"Authorization": "Bearer t"}

    async def talk() -> None:
        body = {"userName": "ana", "password": "canary-1"}
        created = await ask(portal, "POST", "/v2/Users", body, headers=signed)
        assert created is not None
        assert created.status == 201
        ref = created.body["id"]
        first = stored()
        change = {"op": "replace", "path": "password", "value": "canary-2"}
        patched = await ask(portal, "PATCH", f"/v2/Users/{ref}", {"Operations": [change]}, headers=signed)
        second = stored()
        # left out of a PUT, it stays
        put = await ask(portal, "PUT", f"/v2/Users/{ref}", {"userName": "ana"}, headers=signed)
        found = await ask(portal, "GET", '/v2/Users?filter=password eq "canary-2"', headers=signed)
        for answer in (created, patched, put, found):
            assert answer is not None
            assert b"canary" not in answer.content
        if how == "none":
            assert first is second is stored() is None
        else:
            assert first
            assert second
            assert first.startswith("$argon2id$")
            assert first != second == stored()

    def stored() -> str | None:
        connection = sqlite3.connect(directory)
        try:
            (found,) = connection.execute("SELECT password_hash FROM users").fetchone()
        finally:
            connection.close()
        return None if found is None else str(found)

    asyncio.run(talk())
    storage.close()
    assert b"canary" not in directory.read_bytes()


def test_another_program_that_writes_is_waited_for_or_told(
    scim: Scim, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], storage: object
) -> None:
    other = sqlite3.connect(directory, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        # not the five seconds of real life
        vars(storage)["_db"].execute("PRAGMA busy_timeout = 10")
        answer = scim("POST", "/Users", {"userName": "ana", "password": "canary"})
    finally:
        other.close()
    assert answer.status == 503
    assert "another program has locked it" in answer.body["detail"]
    assert "canary" not in str(capsys.readouterr())
    assert scim("POST", "/Users", {"userName": "ana"}).status == 201


def test_at_rest_it_is_one_file(directory: Path, provider: ScimProvider) -> None:
    from musterroll_plugins.portal.storage import DirectoryStorage

    for _ in range(2):
        storage = DirectoryStorage(directory, provider)
        assert len(list(directory.parent.iterdir())) > 1  # the write-ahead log
        storage.close()
        assert list(directory.parent.iterdir()) == [directory]
