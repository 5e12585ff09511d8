"""What a `SimpleBackend` is made of, and the event loop behind it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from musterroll import BackendError, BackendUnavailableError, Existing, Group, Op, Result, UserKey
from musterroll_simple.calls import Calls
from musterroll_simple.directory import Directory
from musterroll_simple.errors import Busy, NoAnswer, NotTriedError, Refused, Taken
from musterroll_simple.performer import Performer
from musterroll_simple.pump import Pump
from musterroll_simple.resolver import Resolver

if TYPE_CHECKING:
    from musterroll_simple.backend import SimpleBackend

T = TypeVar("T")


class Parts:
    """The parts of a backend. For one thread at a time.

    Args:
        backend: the team's.
    """

    def __init__(self, backend: SimpleBackend) -> None:
        self._backend = backend
        self._pump = Pump("musterroll-simple")
        self._calls = Calls(backend)
        self._directory = Directory(backend, self._calls)
        self._performer = Performer(backend, self._calls, self._directory)
        self._resolver = Resolver(self._directory, self._performer)
        self._closed = False

    def count(self) -> int | None:
        """How many users there are."""
        return self._call(self._directory.count)

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users."""
        return self._call(self._directory.lookup, keys)

    def all_users(self) -> Iterator[Existing]:
        """Streams all users, by their refs."""
        ref = ""
        while users := self._call(self._directory.users_after, ref):
            ref = users[-1].ref
            yield from users

    def groups(self) -> Iterable[Group]:
        """Returns all groups."""
        return list(self._call(self._directory.groups))

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """Performs operations, and looks anew afterwards."""
        calls = self._begun()
        self._directory.forget()
        self._performer.begin()
        stream = self._pump.stream(
            self._until_stopped(ops), self._performer.perform, in_flight=max(1, self._backend.concurrency)
        )
        try:
            yield from stream
        finally:
            stream.close()
            self._directory.forget()
        if calls.stopped is not None:
            raise calls.stopped

    def resolve(self, doubtful: Sequence[Op]) -> Sequence[Result]:
        """Says what became of operations."""
        return self._call(self._resolver.resolve, doubtful)

    def close(self) -> None:
        """Closes everything, once."""
        if self._closed:
            return
        self._closed = True
        try:
            self._pump.call(self._backend.closing)
        finally:
            self._directory.forget()
            self._calls.close()
            self._pump.close()

    def _begun(self) -> Calls:
        self._calls.stopped = None
        self._backend.begin()
        return self._calls

    def _until_stopped(self, ops: Iterator[Op]) -> Iterator[Op]:
        while self._calls.stopped is None and (op := next(ops, None)) is not None:
            yield op

    def _call(self, work: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
        self._begun()
        try:
            return self._pump.call(work, *args)
        except (Refused, Taken) as error:
            raise BackendError(str(error) or "the portal refused to show its users or groups") from None
        except (Busy, NoAnswer, NotTriedError) as error:
            raise BackendUnavailableError(str(error)) from None
