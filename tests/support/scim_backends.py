"""Backends `scim` for tests, and operations to perform with them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from musterroll import (
    Context,
    CreateUser,
    Desired,
    FieldSet,
    Op,
    Result,
    Secret,
    Status,
    UserBackend,
    UserKey,
    UserRef,
)
from musterroll_plugins.backends.scim import ScimOptions, build
from support.scim_servers import Portal

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
DEPARTMENT = {"department": f"{ENTERPRISE}:department"}


def open_scim(
    url: str, *, read_only: bool = False, cancelled: threading.Event | None = None, **options: Any
) -> UserBackend:
    """Builds a backend with the options of a pipeline file."""
    context = Context(
        instance="backend", fields=FieldSet([]), read_only=read_only, cancelled=cancelled or threading.Event()
    )
    return build(ScimOptions.model_validate({"url": url, **options}), context)


class Opened:
    """Opens backends, to be closed at the end of a test; setting `cancelled` interrupts them all."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._backends: list[UserBackend] = []

    def __call__(self, url: str, **options: Any) -> UserBackend:
        self._backends.append(open_scim(url, cancelled=self.cancelled, **options))
        return self._backends[-1]

    def close(self) -> None:
        """Closes them all; no thread of theirs may be left."""
        for backend in self._backends:
            backend.close()
        assert not [thread for thread in threading.enumerate() if thread.name == "musterroll-scim"]


def creation(name: str, password: str | None = None, **fields: str | None) -> CreateUser:
    """Makes the operation `op-NAME`, which creates a user."""
    secret = None if password is None else Secret(password)
    return CreateUser(id=f"op-{name}", user=Desired(username=name, fields=fields), password=secret)


def creations(count: int, start: int = 0, password: str | None = None) -> list[Op]:
    """Makes the operations that create `user0`, `user1`, …"""
    return [creation(f"user{n}", password, surname="Silva") for n in range(start, start + count)]


def statuses(results: Iterable[Result]) -> set[Status]:
    """The statuses that there are."""
    return {result.status for result in results}


def perform(backend: UserBackend, *ops: Op) -> list[Result]:
    """Executes operations; returns their results in the order of the operations."""
    results = {result.op: result for result in backend.execute(iter(ops))}
    return [results[op.id] for op in ops]


class Workbench:
    """A portal, and backends on it that are closed at the end."""

    def __init__(self, new_portal: Callable[..., Portal], opened: Opened) -> None:
        self._new_portal, self._opened = new_portal, opened
        self.kind: Any = None

    @cached_property
    def portal(self) -> Portal:
        """The portal; of another `kind`, where one is set before."""
        return self._new_portal(self.kind)

    def open(self, **options: Any) -> UserBackend:
        """Opens a backend."""
        return self._opened(self.portal.url, **options)

    def sent(self, start: str) -> list[Any]:
        """What was sent to an endpoint, by the beginning of `POST /Users`."""
        pairs = zip(self.portal.faults.seen, self.portal.faults.bodies, strict=True)
        return [json.loads(body) for request, body in pairs if request == start]


def create(backend: UserBackend, name: str, **fields: str | None) -> UserRef:
    """Creates a user."""
    (result,) = perform(backend, creation(name, **fields))
    assert result.status is Status.DONE, result
    return UserRef(str(result.ref), name)


def find(backend: UserBackend, name: str) -> Any:
    """Looks a user up by username; None where there is none."""
    key = UserKey.of("username", name)
    return backend.lookup([key]).get(key, [None])[0]
