"""The backend contract: how operations are executed, and what is said of doubtful ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from musterroll.contract.operations import (
    AddMembers,
    CreateGroup,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Op,
    Reactivate,
    RemoveMembers,
    SendInvite,
    Status,
    UpdateUser,
    UserRef,
)
from musterroll.contract.roles import UserBackend
from musterroll.contract.users import Capabilities, UserKey
from musterroll.errors import BackendError, BackendUnavailableError
from musterroll_testing._backend_kit import BackendKit, needs, new_id

_IS_SO = (Status.DONE, Status.NOOP)


class ExecutionTests(BackendKit):
    """Batches, laziness, reading only, and `resolve`."""

    def test_nothing_to_do(self, backend: UserBackend) -> None:
        assert self.run(backend) == {}
        assert list(backend.resolve([])) == []
        assert backend.lookup([]) == {}

    def test_one_failure_does_not_touch_the_others(self, backend: UserBackend) -> None:
        ana = self.create(backend, "ana")
        good: list[Op] = [self.creation(f"user{number}") for number in range(6)]
        good.append(UpdateUser(id=new_id(), user=ana, changes={"surname": "New"}))
        conflict = self.creation("ana")
        ghost = UpdateUser(id=new_id(), user=UserRef(self.missing_ref, "ghost"), changes={"surname": "X"})
        results = self.run(backend, *good[:3], conflict, ghost, *good[3:])
        assert {results[op.id].status for op in good} == {Status.DONE}
        assert results[conflict.id].status is Status.CONFLICT
        assert results[ghost.id].status is Status.FAILED
        assert all(self.find(backend, f"user{number}") for number in range(6))
        assert self.get(backend, "ana").fields["surname"] == "New"

    def test_operations_are_pulled_as_they_can_be_worked_on(self, backend: UserBackend) -> None:
        pulled = 0

        def endless() -> Iterator[Op]:
            nonlocal pulled
            for number in range(5000):
                pulled += 1
                yield self.creation(f"user{number}")

        results = backend.execute(endless())
        next(results)
        assert pulled <= self.most_in_flight
        close = getattr(results, "close", None)
        if close is not None:
            close()

    def test_stopping_early_leaves_it_usable(self, backend: UserBackend) -> None:
        results = backend.execute(self.creation(f"user{number}") for number in range(500))
        next(results)
        close = getattr(results, "close", None)
        if close is not None:
            close()
        self.settle()
        ana = self.create(backend, "ana")
        assert self.get(backend, "ana").ref == ana.ref

    def test_doubtful_operations_after_a_reset(self, backend: UserBackend, folder: Path, can: Capabilities) -> None:
        line = self.breaking_line(folder)
        needs(line is not None, "be cut off")
        assert line is not None
        ana = self.create(backend, "ana", surname="Silva")
        before = backend.count_users()
        creations: list[Op] = [self.creation(f"user{number}") for number in range(6)]
        ops = [*creations, UpdateUser(id=new_id(), user=ana, changes={"surname": "Souza"})]
        if can.groups:
            ops.append(CreateGroup(id=new_id(), path=("Region",), parent=None))
        with line, suppress(BackendUnavailableError):
            for result in backend.execute(iter(ops)):
                assert result.status not in (Status.FAILED, Status.CONFLICT), result
        self.settle()
        resolved = {result.op: result for result in backend.resolve(ops)}
        # Something was carried out; of a user whose password is set by itself, that may not be said yet, and of a group
        # without a key not whose it is.
        is_done = any(result.status in _IS_SO for result in resolved.values())
        assert is_done or (backend.count_users() or 0) > (before or 0)
        again = [op for op in ops if resolved[op.id].status not in _IS_SO]
        assert {resolved[op.id].status for op in again} <= {Status.NOT_DONE}
        resolved |= self.run(backend, *again)
        for number, op in enumerate(creations):
            user = self.get(backend, f"user{number}")
            assert user.ref == resolved[op.id].ref
            assert user.key == op.id or not can.stores_key
        assert backend.count_users() in (None, (before or 0) + len(creations))
        assert self.get(backend, "ana").fields["surname"] == "Souza"
        assert [group.path for group in backend.groups()] == ([("Region",)] if can.groups else [])

    def test_another_instance_sees_what_was_done(self, backend: UserBackend, folder: Path) -> None:
        ref = self.create(backend, "ana").ref
        again = self.open_backend(folder)
        assert self.get(again, "ANA").ref == ref
        again.close()

    def test_read_only_refuses_to_write(self, backend: UserBackend, folder: Path) -> None:
        needs(self.has_read_only, "be opened for reading only")
        ana = self.create(backend, "ana")
        before = self.get(backend, "ana")
        reader = self.open_backend(folder, read_only=True)
        assert reader.identity() == backend.identity()
        assert self.get(reader, "ana") == before
        ops: list[Op] = [self.creation("bo"), UpdateUser(id=new_id(), user=ana, changes={"surname": "X"})]
        for op in ops:
            with pytest.raises(BackendError):
                list(reader.execute(iter([op])))
        assert [result.status for result in reader.resolve(ops)] == [Status.NOT_DONE, Status.NOT_DONE]
        reader.close()
        self.settle()
        assert self.find(backend, "bo") is None
        assert self.get(backend, "ana") == before

    def test_read_only_of_an_empty_portal(self, folder: Path) -> None:
        needs(self.has_read_only, "be opened for reading only")
        reader = self.open_backend(folder, read_only=True)
        assert reader.identity()
        assert reader.count_users() in (0, None)
        assert not list(reader.groups())
        for name in self.lookup_fields:
            key = UserKey.of(name, "ana@example.com")
            assert not reader.lookup([key]).get(key)
        with pytest.raises(BackendError):
            list(reader.execute(iter([self.creation("ana")])))
        reader.close()
        assert list(folder.iterdir()) == []

    def test_resolve_creations(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.stores_key, "tell whose a user is")
        op, same_name = self.creation("ana"), self.creation("ana")
        assert self.resolve(backend, op).status is Status.NOT_DONE
        ref = self.perform(backend, op).ref
        done = self.resolve(backend, op)
        assert (done.status, done.ref) == (Status.DONE, ref)
        assert self.resolve(backend, same_name).status is Status.CONFLICT

    def test_resolve_updates(self, backend: UserBackend) -> None:
        ana = self.create(backend, "ana", surname="Silva", phone="7712345678", calling_code="44")
        changes = {"surname": "Souza", "phone": None, "calling_code": None}
        self._resolves(backend, UpdateUser(id=new_id(), user=ana, changes=changes))

    def test_resolve_groups(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.groups, "have groups")
        op = CreateGroup(id=new_id(), path=("Region",), parent=None)
        self._resolves(backend, op)
        group = self.create_group(backend, "Region")
        assert self.resolve(backend, op).ref == group.ref
        members = (self.create(backend, "ana"), self.create(backend, "bo"))
        self.perform(backend, AddMembers(id=new_id(), group=group, members=members[:1]))
        self._resolves(backend, AddMembers(id=new_id(), group=group, members=members))
        self._resolves(backend, RemoveMembers(id=new_id(), group=group, members=members))
        if can.delete:
            self._resolves(backend, DeleteGroup(id=new_id(), group=group))

    def test_resolve_deactivation_and_deletion(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.deactivate or can.delete, "deactivate or delete")
        ana = self.create(backend, "ana")
        if can.deactivate:
            self._resolves(backend, Deactivate(id=new_id(), user=ana))
            self._resolves(backend, Reactivate(id=new_id(), user=ana))
        if can.delete:
            self._resolves(backend, DeleteUser(id=new_id(), user=ana))

    def test_invites_that_cannot_be_sent(self, backend: UserBackend, can: Capabilities) -> None:
        needs(not can.invite, "leave invites to notifiers")
        op = SendInvite(id=new_id(), user=self.create(backend, "ana"))
        result = self.run(backend, op)[op.id]
        assert result.status is Status.FAILED
        assert result.detail

    def _resolves(self, backend: UserBackend, op: Op) -> None:
        assert self.resolve(backend, op).status is Status.NOT_DONE
        self.perform(backend, op)
        assert self.resolve(backend, op).status in _IS_SO
