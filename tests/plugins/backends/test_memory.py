from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from musterroll import BackendError, Context, CreateUser, Desired, FieldSet, Secret, UserBackend
from musterroll.testing import BackendContract, MemoryBackend, MemoryStore
from musterroll_plugins.backends.memory.plugin import MemoryOptions, build


class TestMemory(BackendContract):
    options: ClassVar[dict[str, bool]] = {}

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        context = Context(instance="backend", fields=FieldSet([]), read_only=read_only)
        return build(MemoryOptions.model_validate({"store": str(folder), **self.options}), context)


class TestMemoryWithUniqueEmail(TestMemory):
    options: ClassVar[dict[str, bool]] = {"unique_email": True}


def _creation(name: str) -> CreateUser:
    return CreateUser(id=name, user=Desired(username=name, fields={}), password=Secret("Sesame-1"))


def test_writes_are_counted_and_nothing_else() -> None:
    store = MemoryStore()
    backend = MemoryBackend(store)
    list(backend.execute(iter([_creation("ana"), _creation("bo"), _creation("ana")])))
    assert store.writes == 2
    planning = MemoryBackend(store, read_only=True)
    list(planning.groups())
    list(planning.resolve([_creation("cy")]))
    with pytest.raises(BackendError):
        planning.execute(iter([_creation("cy")]))
    assert backend.writes == planning.writes == 2


def test_passwords_can_be_looked_at_by_tests() -> None:
    backend = MemoryBackend()
    list(backend.execute(iter([_creation("ana")])))
    (user,) = backend.store.users.values()
    assert user.password == Secret("Sesame-1")
    assert "Sesame" not in repr(backend.store.users)
