"""How many requests there are, and of what size: operations in one, look-ups in one, members in batches."""

from __future__ import annotations

from typing import Any

import pytest

from musterroll import (
    AddMembers,
    CreateGroup,
    CreateUser,
    Deactivate,
    Desired,
    GroupRef,
    Op,
    Status,
    UserKey,
    UserRef,
)
from support.scim_backends import Workbench, create, creation, find, perform
from support.scim_servers import provider

USER = "urn:ietf:params:scim:schemas:core:2.0:User"


class TestBulk:
    def test_within_the_limits_and_every_status_counts(self, bench: Workbench) -> None:
        def small(config: Any, schemas: Any, kinds: Any) -> None:
            config["bulk"] = {"supported": True, "maxOperations": 7, "maxPayloadSize": 3000}

        bench.kind = provider(small)
        backend = bench.open()
        ana = create(backend, "ana")
        ops: list[Op] = [creation(f"user{n}", surname="x" * (n * 40)) for n in range(40)]
        ops += [CreateUser(id="again", user=Desired(username="ANA", fields={})), Deactivate(id="off", user=ana)]
        ops.append(Deactivate(id="ghost", user=UserRef("nobody", "ghost")))
        results = perform(backend, *ops)
        assert {result.status for result in results[:40]} == {Status.DONE}
        assert [result.status for result in results[40:]] == [Status.CONFLICT, Status.DONE, Status.FAILED]
        by_name = {user.user_name: user.id for user in bench.portal.users()}
        assert [result.ref for result in results[:40]] == [by_name[f"user{n}"] for n in range(40)]
        sizes = [len(body["Operations"]) for body in bench.sent("POST /Bulk")]
        assert max(sizes) <= 7
        assert max(map(len, bench.portal.faults.bodies)) <= 3000
        assert len(sizes) > 5

    @pytest.mark.parametrize("status", [404, 413, 501])
    def test_a_portal_that_does_not_keep_its_promise(self, bench: Workbench, status: int) -> None:
        bench.portal.faults.statuses = {("POST", "/Bulk"): status}
        results = perform(bench.open(), *(creation(f"user{n}") for n in range(20)))
        assert {result.status for result in results} == {Status.DONE}
        assert len(bench.portal.users()) == 20

    def test_a_portal_that_takes_less_than_it_says_leaves_nobody_waiting(self, bench: Workbench) -> None:
        def by_twos(config: Any, schemas: Any, kinds: Any) -> None:
            config["bulk"] = {"supported": True, "maxOperations": 2, "maxPayloadSize": 100_000}

        bench.kind = provider(by_twos)
        bench.portal.faults.statuses = {("POST", "/Bulk"): 413}
        results = perform(bench.open(), *(creation(f"user{n}") for n in range(60)))
        assert {result.status for result in results} == {Status.DONE}
        assert len(bench.portal.users()) == 60

    def test_a_bulk_that_breaks_leaves_all_in_doubt(self, bench: Workbench) -> None:
        backend = bench.open()
        ops = [creation(f"user{n}") for n in range(20)]
        bench.portal.faults.statuses = {("POST", "/Bulk"): 500}
        results = perform(backend, *ops)
        assert {result.status for result in results} <= {Status.UNKNOWN, Status.DONE}
        assert Status.UNKNOWN in {result.status for result in results}


class TestLookups:
    def test_one_reading_for_many_questions(self, bench: Workbench) -> None:
        backend = bench.open(page_size=10)
        perform(backend, *(creation(f"user{n}") for n in range(45)))
        bench.portal.faults.seen.clear()
        for start in range(0, 60, 20):
            backend.lookup([UserKey.of("username", f"USER{n}") for n in range(start, start + 20)])
        assert bench.portal.faults.seen == ["GET /Users"] * 5 + ["GET /Groups"]

    def test_filters_ask_for_several_at_once_within_the_address(self, bench: Workbench) -> None:
        backend = bench.open(lookup="filter", max_url=600)
        names = [f"Üser {n} \"quoted\" & 'co'" for n in range(25)]
        perform(backend, *(creation(name) for name in names))
        bench.portal.faults.seen.clear()
        keys = [UserKey.of("username", name.upper()) for name in names]
        found = backend.lookup([*keys, UserKey.of("username", "\ud800")])
        assert [found[key][0].username for key in keys] == names
        asked = bench.portal.faults.seen.count("GET /Users")
        assert 8 <= asked < 50
        assert bench.portal.longest_url <= 600

    def test_a_filter_that_is_refused_or_not_obeyed_is_not_used_again(self, bench: Workbench) -> None:
        create(bench.open(), "Straße")
        for number in range(3):
            create(bench.open(), f"user{number}")
        bench.portal.faults.ignore_filters = True
        backend = bench.open(lookup="filter")
        assert find(backend, "STRASSE").username == "Straße"
        bench.portal.faults.seen.clear()
        assert find(backend, "user1").username == "user1"
        assert bench.portal.faults.seen == []

    def test_a_weaker_comparison_misses_nobody(self, bench: Workbench) -> None:
        backend = bench.open()
        for name in ("straße", "ﬁona", "ana\u200b"):
            create(backend, name)
        for asked, stored in (("STRASSE", "straße"), ("Fiona", "ﬁona"), ("Ana", "ana\u200b")):
            assert find(backend, asked).username == stored


class TestGroups:
    def test_half_a_nested_group_is_put_in_its_place(self, bench: Workbench) -> None:
        backend = bench.open()
        (made,) = perform(backend, CreateGroup(id="g1", path=("Region",), parent=None))
        region = GroupRef(str(made.ref), ("Region",))
        op = CreateGroup(id="g2", path=("Region", "North"), parent=region)
        bench.portal.faults.statuses = {("PATCH", "/Groups"): 500}
        assert perform(backend, op)[0].status is Status.UNKNOWN
        bench.portal.faults.statuses = {}
        assert [found.status for found in backend.resolve([op])] == [Status.NOT_DONE]
        assert perform(backend, op)[0].status is Status.DONE
        assert sorted(group.path for group in backend.groups()) == [("Region",), ("Region", "North")]

    def test_groups_in_a_ring_and_in_two_others(self, bench: Workbench) -> None:
        backend = bench.open()
        ops = [CreateGroup(id=name, path=(name,), parent=None) for name in "abcd"]
        refs = {op.path[0]: str(result.ref) for op, result in zip(ops, perform(backend, *ops), strict=True)}
        stored = {group.display_name: group for group in bench.portal.groups()}
        member = type(stored["a"]).Members

        def put(inner: str, outer: str) -> None:
            stored[outer].members = [*(stored[outer].members or ()), member(value=refs[inner])]

        put("a", "b")
        put("b", "a")
        put("d", "c")
        put("d", "b")
        paths = {group.path for group in bench.open().groups()}
        assert {("c",), ("c", "d"), ("a", "b", "d")} <= paths
        assert all(len(path) <= 3 for path in paths)
        assert {path[-1] for path in paths} == set("abcd")

    @pytest.mark.parametrize("update", ["patch", "put"])
    def test_several_changes_of_one_group_at_once_lose_nobody(self, bench: Workbench, update: str) -> None:
        backend = bench.open(update=update)
        (made,) = perform(backend, CreateGroup(id="g1", path=("All",), parent=None))
        group = GroupRef(str(made.ref), ("All",))
        users = [UserRef(str(one.ref), "x") for one in perform(backend, *(creation(f"user{n}") for n in range(8)))]
        bench.portal.faults.latency = 0.01
        results = perform(
            backend, *(AddMembers(id=f"m{n}", group=group, members=(user,)) for n, user in enumerate(users))
        )
        assert {result.status for result in results} == {Status.DONE}
        assert {member.value for member in bench.portal.groups()[0].members} == {user.ref for user in users}

    def test_large_groups_are_filled_in_batches(self, bench: Workbench) -> None:
        backend = bench.open(member_batch=10)
        (group,) = perform(backend, CreateGroup(id="g1", path=("All",), parent=None))
        made = perform(backend, *(creation(f"user{n}") for n in range(25)))
        members = tuple(UserRef(str(result.ref), "x") for result in made)
        (result,) = perform(backend, AddMembers(id="m1", group=GroupRef(str(group.ref), ("All",)), members=members))
        assert result.status is Status.DONE
        sizes = [len(body["Operations"][0]["value"]) for body in bench.sent("PATCH /Groups")]
        assert sizes == [10, 10, 5]
