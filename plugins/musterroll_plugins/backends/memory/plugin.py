"""The backend `memory`: users that live as long as the process, for tests and rehearsals."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll import Component, Context, Options, UserBackendType, hookimpl
from musterroll_plugins.backends.memory.backend import MemoryBackend
from musterroll_plugins.backends.memory.store import MemoryStore

_STORES: dict[str, MemoryStore] = {}


class MemoryOptions(Options):
    """Options of the backend `memory`.

    Attributes:
        store: instances with the same name share their users.
        unique_email: an address may belong to one user only.
    """

    store: str = "default"
    unique_email: bool = False


def store_of(name: str) -> MemoryStore:
    """The store of a name, made where it is new."""
    return _STORES.setdefault(name, MemoryStore(name))


def build(options: MemoryOptions, context: Context) -> MemoryBackend:
    """Opens a store."""
    return MemoryBackend(store_of(options.store), read_only=context.read_only, unique_email=options.unique_email)


@hookimpl
def musterroll_user_backends() -> Iterator[Component]:
    """Announces the backend."""
    yield UserBackendType(
        name="memory",
        summary="Users in memory, gone when the program ends: for tests and rehearsals",
        options=MemoryOptions,
        build=build,
    )
