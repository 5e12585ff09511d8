"""Groups of SCIM, which may have the same name, in a tree that takes a name once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("scim2_server", reason="the extra musterroll[portal] is not installed")

from musterroll import CreateGroup, Status
from musterroll_plugins.backends.directory.backend import DirectoryBackend
from support.mock_portal import Answer

Scim = Callable[..., Answer]


def create(scim: Scim, name: str, members: Iterable[str] = ()) -> str:
    answer = scim("POST", "/Groups", {"displayName": name, "members": [{"value": ref} for ref in members]})
    assert answer.status == 201, answer.content
    return str(answer.body["id"])


def members(scim: Scim, ref: str) -> set[str]:
    return {member["value"] for member in scim("GET", f"/Groups/{ref}").body.get("members", [])}


def change(scim: Scim, ref: str, **operation: Any) -> Answer:
    return scim("PATCH", f"/Groups/{ref}", {"Operations": [operation]})


def test_groups_with_the_same_name_can_be_created_before_they_are_put_apart(scim: Scim) -> None:
    first, second = create(scim, "North"), create(scim, "north")
    sales, support = create(scim, "Sales", [first]), create(scim, "Support", [second])
    assert members(scim, sales) == {first}
    assert members(scim, support) == {second}
    third = create(scim, "North")
    assert change(scim, sales, op="add", path="members", value=[{"value": third}]).status == 204
    found = scim("GET", '/Groups?filter=displayName eq "NORTH"').body
    assert {group["id"] for group in found["Resources"]} == {first, second, third}
    assert {group["displayName"] for group in found["Resources"]} == {"North", "north"}
    assert change(scim, third, op="replace", path="displayName", value="South").status == 204
    assert scim("GET", f"/Groups/{third}").body["displayName"] == "South"


@pytest.mark.parametrize("how", ["moved", "renamed", "deleted"])
def test_the_directory_knows_a_name_as_long_as_a_group_has_it(scim: Scim, directory: Path, how: str) -> None:
    first, _ = create(scim, "North"), create(scim, "NORTH")
    if how == "moved":
        create(scim, "Sales", [first])
    elif how == "renamed":
        change(scim, first, op="replace", path="displayName", value="East")
    else:
        scim("DELETE", f"/Groups/{first}")
    backend = DirectoryBackend(
        directory, read_only=False, hash_passwords=False, unique_email=False, clock=lambda: dt.datetime.now(dt.UTC)
    )
    (result,) = backend.execute(iter([CreateGroup(id="op-1", path=("North",), parent=None)]))
    backend.close()
    assert result.status is Status.NOOP


def test_members_come_and_go(scim: Scim) -> None:
    ana, bo, cy = (scim("POST", "/Users", {"userName": name}).body["id"] for name in ("ana", "bo", "cy"))
    group = create(scim, "G", [ana])
    version = scim("GET", f"/Groups/{group}").headers["etag"]
    change(scim, group, op="add", path="members", value=[{"value": bo, "type": "User"}, {"value": ana}])
    assert members(scim, group) == {ana, bo}
    assert scim("GET", f"/Groups/{group}").headers["etag"] != version
    change(scim, group, op="remove", path=f'members[value eq "{ana}"]')
    assert members(scim, group) == {bo}
    put = {"displayName": "G", "externalId": "op-1", "members": [{"value": cy}]}
    assert scim("PUT", f"/Groups/{group}", put).status == 200
    assert members(scim, group) == {cy}
    assert scim("GET", f"/Groups/{group}").body["externalId"] == "op-1"
    assert scim("DELETE", f"/Users/{cy}").status == 204
    assert members(scim, group) == set()


def test_a_group_without_its_members_is_quick_to_read(scim: Scim) -> None:
    ana = scim("POST", "/Users", {"userName": "ana"}).body["id"]
    group = create(scim, "G", [ana])
    whole = scim("GET", f"/Groups/{group}")
    brief = scim("GET", f"/Groups/{group}?excludedAttributes=members")
    assert "members" not in brief.body
    assert brief.headers["etag"] == whole.headers["etag"]
    listed = scim("GET", f'/Groups?attributes=displayName&filter=members.value eq "{ana}"').body
    assert [found["id"] for found in listed["Resources"]] == [group]


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("nobody", "is no user or group of this portal"),
        ("itself", "a group cannot be in itself"),
        ("above", "a group cannot be in itself, nor in a group below it"),
        ("elsewhere", "it can be in one only"),
    ],
)
def test_members_that_cannot_be(scim: Scim, who: str, why: str) -> None:
    inner = create(scim, "Inner")
    middle = create(scim, "Middle", [inner])
    above = create(scim, "Above", [middle])
    value = {"nobody": "nobody", "itself": inner, "above": above, "elsewhere": middle}[who]
    target = create(scim, "Other") if who == "elsewhere" else inner
    ana = scim("POST", "/Users", {"userName": "ana"}).body["id"]
    answer = change(scim, target, op="add", path="members", value=[{"value": ana}, {"value": value}])
    assert answer.status == 400
    assert why in answer.body["detail"]
    assert members(scim, target) == set()  # nothing of it was done


def test_a_group_that_goes_leaves_its_members(scim: Scim) -> None:
    ana = scim("POST", "/Users", {"userName": "ana"}).body["id"]
    inner = create(scim, "G", [ana])
    outer = create(scim, "G", [inner, ana])
    assert scim("DELETE", f"/Groups/{outer}").status == 204
    assert members(scim, inner) == {ana}
    assert scim("GET", f"/Users/{ana}").body["groups"][0]["value"] == inner
    assert scim("GET", "/Groups").body["totalResults"] == 1
