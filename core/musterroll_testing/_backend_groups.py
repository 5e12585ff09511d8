"""The backend contract: groups and memberships."""

from __future__ import annotations

from musterroll.contract.operations import (
    AddMembers,
    CreateGroup,
    DeleteGroup,
    DeleteUser,
    GroupRef,
    RemoveMembers,
    Status,
    UserRef,
)
from musterroll.contract.roles import UserBackend
from musterroll.contract.users import Capabilities
from musterroll_testing._backend_kit import BackendKit, needs, new_id


class GroupTests(BackendKit):
    """Creating, listing and deleting groups; adding and removing members."""

    def test_create_and_list(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups, "have groups")
        assert list(backend.groups()) == []
        op = CreateGroup(id=new_id(), path=("R&D; “x|y”",), parent=None)
        ref = self.perform(backend, op).ref
        (group,) = backend.groups()
        assert (group.ref, group.path) == (ref, op.path)
        if can.stores_key:
            assert group.key == op.id, "stores_key says that groups show the key they were created with, as users do"

    def test_nested(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups and can.nested_groups, "nest groups")
        region = self.create_group(backend, "Region")
        north = self.create_group(backend, "Region", "North", parent=region)
        team = self.create_group(backend, "Region", "North", "Team", parent=north)
        sales = self.create_group(backend, "Sales")
        other = self.create_group(backend, "Sales", "North", parent=sales)
        expected = {group.ref: group.path for group in (region, north, team, sales, other)}
        assert {group.ref: group.path for group in backend.groups()} == expected

    def test_existing_group_is_found_not_made_twice(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups, "have groups")
        op = CreateGroup(id=new_id(), path=("Region",), parent=None)
        ref = self.perform(backend, op).ref
        for again in (op, CreateGroup(id=new_id(), path=("Region",), parent=None)):
            assert self.perform(backend, again).ref == ref
        assert len(list(backend.groups())) == 1
        if can.nested_groups:
            parent = GroupRef(str(ref), ("Region",))
            north = self.create_group(backend, "Region", "North", parent=parent)
            assert self.create_group(backend, "Region", "North", parent=parent) == north

    def test_group_names_compare_folded(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups, "have groups")
        streets = self.create_group(backend, "Straße")
        op = CreateGroup(id=new_id(), path=("STRASSE",), parent=None)
        assert self.perform(backend, op).ref == streets.ref
        assert [group.path for group in backend.groups()] == [("Straße",)]
        if can.nested_groups:
            north = self.create_group(backend, "Straße", "North", parent=streets)
            assert self.create_group(backend, "Straße", "NORTH", parent=streets).ref == north.ref
            assert self.create_group(backend, "north").ref != north.ref

    def test_membership_is_in_the_leaf_only(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups and can.nested_groups, "nest groups")
        region = self.create_group(backend, "Region")
        north = self.create_group(backend, "Region", "North", parent=region)
        ana, bo = self.create(backend, "ana"), self.create(backend, "bo")
        self.perform(backend, AddMembers(id=new_id(), group=north, members=(ana,)))
        self.perform(backend, AddMembers(id=new_id(), group=region, members=(bo,)))
        assert self.get(backend, "ana").groups == {north.ref}
        assert self.get(backend, "bo").groups == {region.ref}
        self.perform(backend, RemoveMembers(id=new_id(), group=region, members=(bo,)))
        assert {group.path for group in backend.groups()} == {("Region",), ("Region", "North")}

    def test_parent_that_is_gone(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups and can.nested_groups, "nest groups")
        parent = GroupRef(self.missing_ref, ("Gone",))
        op = CreateGroup(id=new_id(), path=("Gone", "North"), parent=parent)
        result = self.run(backend, op)[op.id]
        assert result.status is Status.FAILED
        assert result.detail
        assert list(backend.groups()) == []

    def test_members_in_batches(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups, "have groups")
        group, other = self.create_group(backend, "Region"), self.create_group(backend, "Sales")
        users = tuple(self.create(backend, f"user{number}") for number in range(12))
        self.perform(backend, AddMembers(id=new_id(), group=other, members=users[:1]))
        for members in (users[:5], users[3:], users):  # some of them, then all of them, are members already
            self.perform(backend, AddMembers(id=new_id(), group=group, members=members))
        assert self._members(backend, users, group) == set(users)
        for members in (users[:4], users[2:6]):  # some are none any more
            self.perform(backend, RemoveMembers(id=new_id(), group=group, members=members))
        assert self._members(backend, users, group) == set(users[6:])
        assert self._members(backend, users, other) == set(users[:1])

    def test_vanished_members_are_refused_the_others_added(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups, "have groups")
        group, ana, bo = self.create_group(backend, "Region"), self.create(backend, "ana"), self.create(backend, "bo")
        members = (ana, UserRef(self.missing_ref, "ghost"), bo)
        result = self.perform(backend, AddMembers(id=new_id(), group=group, members=members))
        assert set(result.refused) == {self.missing_ref}
        assert all(result.refused.values())
        assert self._members(backend, (ana, bo), group) == {ana, bo}
        self.perform(backend, RemoveMembers(id=new_id(), group=group, members=members))
        assert self._members(backend, (ana, bo), group) == set()

    def test_members_of_a_group_that_is_gone(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups, "have groups")
        ana, gone = self.create(backend, "ana"), GroupRef(self.missing_ref, ("Gone",))
        op = AddMembers(id=new_id(), group=gone, members=(ana,))
        assert self.run(backend, op)[op.id].status is Status.FAILED
        assert self.get(backend, "ana").groups == frozenset()

    def test_delete_empty_groups_only(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups and can.delete, "delete groups")
        group, ana = self.create_group(backend, "Region"), self.create(backend, "ana")
        self.perform(backend, AddMembers(id=new_id(), group=group, members=(ana,)))
        op = DeleteGroup(id=new_id(), group=group)
        result = self.run(backend, op)[op.id]
        assert result.status is Status.FAILED
        assert result.detail
        assert self._members(backend, (ana,), group) == {ana}
        self.perform(backend, DeleteUser(id=new_id(), user=ana))  # takes the memberships along
        for _ in range(2):
            self.perform(backend, DeleteGroup(id=new_id(), group=group))
            assert self.group(backend, ("Region",)) is None

    def test_delete_keeps_subgroups(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups and can.nested_groups and can.delete, "delete nested groups")
        parent = self.create_group(backend, "Region")
        child = self.create_group(backend, "Region", "North", parent=parent)
        op = DeleteGroup(id=new_id(), group=parent)
        assert self.run(backend, op)[op.id].status is Status.FAILED
        for group in (child, parent):
            self.perform(backend, DeleteGroup(id=new_id(), group=group))
        assert list(backend.groups()) == []

    def _members(self, backend: UserBackend, users: tuple[UserRef, ...], group: GroupRef) -> set[UserRef]:
        return {user for user in users if group.ref in self.get(backend, user.username).groups}
