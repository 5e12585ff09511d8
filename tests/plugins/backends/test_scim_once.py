"""An answer that says "busy" is no proof that nothing was done: nobody and no group is created twice."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from random import Random
from typing import Any

import pytest

from musterroll import AddMembers, CreateGroup, GroupRef, Status, UserRef
from support.mock_portal import mock_portal
from support.scim_backends import Workbench, create, creation, creations, perform, statuses
from support.workplace import Inside


def _spoil(bench: Workbench, seed: int, share: float = 0.4, status: int = 503) -> None:
    faults = bench.portal.faults
    faults.random, faults.busy_after, faults.status_after = Random(seed), share, status


KINDS: list[dict[str, Any]] = [
    {"bulk": "never"},
    {"bulk_size": 7},
    {"bulk": "never", "leave_out": ["externalId"]},
    {"bulk_size": 7, "leave_out": ["externalId"]},
]


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("options", KINDS, ids=str)
def test_users_are_created_once(bench: Workbench, seed: int, options: dict[str, Any]) -> None:
    backend = bench.open(retries=60, **options)
    _spoil(bench, seed)
    results = perform(backend, *creations(40))
    assert statuses(results) == {Status.DONE}
    by_name = {user.user_name: user.id for user in bench.portal.users()}
    assert len(bench.portal.users()) == len(by_name) == 40
    assert [result.ref for result in results] == [by_name[f"user{n}"] for n in range(40)]
    assert bench.portal.faults.happened["busy_after"]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("options", [*KINDS, {"nesting": "path"}], ids=str)
@pytest.mark.parametrize("ignores", [False, True], ids=["", "ignores filters"])
def test_groups_are_created_once(bench: Workbench, status: int, options: dict[str, Any], *, ignores: bool) -> None:
    backend = bench.open(retries=60, **options)
    backend.capabilities()
    bench.portal.faults.ignore_filters = ignores
    _spoil(bench, 5, status=status)
    top = [CreateGroup(id=f"g{n}", path=(f'G "{n}"',), parent=None) for n in range(20)]
    made = perform(backend, *top)
    parents = [GroupRef(str(result.ref), (f'G "{n}"',)) for n, result in enumerate(made)]
    inner = [CreateGroup(id=f"i{n}", path=(*parent.path, "Inner"), parent=parent) for n, parent in enumerate(parents)]
    results = [*made, *perform(backend, *inner)]
    assert statuses(results) == {Status.DONE}
    assert len(bench.portal.groups()) == 40
    paths = Counter(group.path for group in bench.open(retries=60, **options).groups())
    assert paths == Counter([*(op.path for op in top), *(op.path for op in inner)])


def test_somebody_elses_user_is_not_taken_for_ours(bench: Workbench) -> None:
    backend = bench.open(bulk="never", leave_out=["externalId"])
    backend.capabilities()

    def meanwhile(method: str, path: str) -> None:
        if method == "POST" and not bench.portal.users():
            bench.portal.register(userName="ana", displayName="somebody else's")
            bench.portal.faults.statuses = {("POST", "/Users"): 503}
        else:
            bench.portal.faults.statuses = {}

    bench.portal.faults.before = meanwhile
    (result,) = perform(backend, creation("ana", surname="Silva"))
    assert result.status is Status.CONFLICT
    assert len(bench.portal.users()) == 1


WITHOUT_KEYS: dict[str, Any] = {"bulk": "never", "leave_out": ["externalId"]}


def test_what_the_portal_does_after_it_was_looked_for_is_ours_all_the_same(bench: Workbench) -> None:
    """It went out, whoever sent it died, the next one looks too early, and then it is there."""
    backend, late = bench.open(**WITHOUT_KEYS), bench.open(**WITHOUT_KEYS)
    ana, bo = creation("ana", surname="Silva"), creation("bo", surname="Silva")
    assert statuses(backend.resolve([ana, bo])) == {Status.NOT_DONE}
    made = [create(late, "ana", surname="Silva"), create(late, "bo", surname="Berg")]
    results = perform(backend, ana, bo)
    assert [result.status for result in results] == [Status.DONE, Status.CONFLICT]
    assert [result.ref for result in results] == [user.ref for user in made]
    assert [result.status for result in backend.resolve([ana, bo])] == [Status.DONE, Status.CONFLICT]


def test_what_the_portal_does_while_it_is_asked_again_is_ours_all_the_same(bench: Workbench) -> None:
    backend = bench.open(**WITHOUT_KEYS, retries=3)
    backend.capabilities()
    asked = 0

    def slowly(method: str, path: str) -> None:
        nonlocal asked
        asked += method == "POST"
        if method == "POST" and asked == 2:  # the first one, which was answered with 503
            bench.portal.register(userName="ana", name={"familyName": "Silva"}, active=True)
        bench.portal.faults.statuses = {("POST", "/Users"): 503} if asked < 2 else {}

    bench.portal.faults.before = slowly
    (result,) = perform(backend, creation("ana", surname="Silva"))
    (stored,) = bench.portal.users()
    assert (result.status, result.ref) == (Status.DONE, stored.id)


def test_who_was_there_before_is_not_ours_however_alike(bench: Workbench) -> None:
    backend = bench.open(**WITHOUT_KEYS)
    create(bench.open(**WITHOUT_KEYS), "ana", surname="Silva")
    assert perform(backend, creation("ana", surname="Silva"))[0].status is Status.CONFLICT


def test_memberships_may_come_twice(bench: Workbench) -> None:
    backend = bench.open(retries=60)
    (made,) = perform(backend, CreateGroup(id="g1", path=("All",), parent=None))
    users = tuple(UserRef(str(one.ref), "x") for one in perform(backend, *creations(8)))
    _spoil(bench, 3, share=0.6)
    group = GroupRef(str(made.ref), ("All",))
    ops = [AddMembers(id=f"m{n}", group=group, members=users[n : n + 2]) for n in range(0, 8, 2)]
    assert statuses(perform(backend, *ops)) == {Status.DONE}
    assert sorted(member.value for member in bench.portal.groups()[0].members) == sorted(user.ref for user in users)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param("--fault 503-after-commit:0.3 --seed 3 --no-bulk", marks=pytest.mark.slow),
        pytest.param("--fault 503-after-commit:0.3 --fault 429-after-commit:0.1 --seed 4", marks=pytest.mark.slow),
        "--fault 500-after-commit:0.2 --fault reset-after-commit:0.2 --seed 5",
    ],
)
def test_a_sheet_with_twenty_groups(scratch: Inside, faults: str) -> None:
    rows = [f"u{n}@example.com,u{n},F,S,Tr0ub4dor&3{n}a,,,G{n}" for n in range(20)]
    heads = ["Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups", "x,x,x,x,x,x,x,x"]
    scratch.write("staff.csv", "\n".join([*heads, *rows]))
    options = ["--passwords", "none", "--retry-after", "0", *faults.split()]
    with mock_portal(scratch.folder / "portal.db", *options) as portal:
        scratch.write("musterroll.toml", f'name = "x"\nbackend.use = "scim"\nbackend.options = {portal.options}\n')
        ended = scratch.json("run", "staff.csv")
        assert ended.status == 0, ended.out
    with closing(sqlite3.connect(scratch.folder / "portal.db")) as db:
        for table, name in (("users", "username"), ("groups", "name"), ("memberships", "user_id")):
            (counts,) = db.execute(f"SELECT count(*), count(DISTINCT {name}) FROM {table}").fetchall()  # noqa: S608
            assert counts == (20, 20), table
