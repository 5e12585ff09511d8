"""A backend and a notifier with something wrong with them, around any real one.

FaultyBackend(inner, nth(3, Fault.LOST, of=CreateUser))    the third user is created, and nobody hears of it
FaultyBackend(inner, at_random(7))                         a bad day, the same one every time
FaultyBackend(inner, calls={"lookup": nth(2, Fault.UNAVAILABLE)})
FaultyNotifier(inner, nth(1, Fault.HANGS))
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from musterroll.contract.messages import Message, Recipient, Sent, SentStatus
from musterroll.contract.operations import Op, Result, Status
from musterroll.contract.roles import Notifier, UserBackend
from musterroll.contract.users import Capabilities, Desired, Existing, Group, UserKey
from musterroll.errors import BackendError, BackendUnavailableError, NotifierError
from musterroll_testing._line import Calls, Line, shuffled
from musterroll_testing.faults import OPERATIONS_ONLY, Fault, Schedule, nothing

STRANGER = "nobody-1"  # the id of what nobody asked for


def _never(_: Op) -> bool:
    return False


class FaultyBackend:
    """A user backend behind an unreliable line.

    Args:
        inner: the backend.
        faults: what goes wrong with an operation.
        calls: what goes wrong with a method, by its name, e.g. `{"resolve": nth(1, Fault.UNAVAILABLE)}`; a schedule is
            called with that name.
        doubt: which operations `resolve` knows nothing of either.
        shuffle: makes answers come in another order; seed it.
        cancelled: `context.cancelled`: ends what hangs.
        hang: for how many seconds something hangs at the most.

    Attributes:
        inner: the backend.
        handed: the operations that were pulled, in order.
        asked: the operations that `resolve` was asked about.
    """

    def __init__(
        self,
        inner: UserBackend,
        faults: Schedule = nothing,
        *,
        calls: Mapping[str, Schedule] | None = None,
        doubt: Callable[[Op], bool] = _never,
        shuffle: random.Random | None = None,
        cancelled: threading.Event | None = None,
        hang: float = 10,
    ) -> None:
        self.inner = inner
        self.handed: list[Op] = []
        self.asked: list[Op] = []
        self._faults = faults
        self._doubt = doubt
        self._shuffle = shuffle
        self._calls = Calls(
            calls, cancelled=cancelled, hang=hang, unavailable=BackendUnavailableError, failed=BackendError
        )

    def identity(self) -> str:
        """That of the backend inside."""
        self._calls.called("identity")
        return self.inner.identity()

    def capabilities(self) -> Capabilities:
        """Those of the backend inside."""
        self._calls.called("capabilities")
        return self.inner.capabilities()

    def count_users(self) -> int | None:
        """How many users the backend inside has."""
        self._calls.called("count_users")
        return self.inner.count_users()

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users in the backend inside."""
        self._calls.called("lookup")
        return self.inner.lookup(keys)

    def groups(self) -> Iterable[Group]:
        """Streams the groups of the backend inside."""
        self._calls.called("groups")
        return self.inner.groups()

    def canonical(self, desired: Desired) -> Desired:
        """As the backend inside stores it."""
        return self.inner.canonical(desired)

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """Lets the backend inside perform operations, but for the faults."""
        self._calls.called("execute")
        line = Line(
            ops,
            self._fault,
            call=self.inner.execute,
            item_of=attrgetter("op"),
            instead=_other_result,
            error=self._calls.error,
        )
        return shuffled(line.answers(), self._shuffle)

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """Says what the backend inside knows, but for `doubt`."""
        self._calls.called("resolve")
        self.asked += doubtful
        known = []
        for op in doubtful:
            if self._doubt(op):
                yield Result(op.id, Status.UNKNOWN)
            else:
                known.append(op)
        yield from self.inner.resolve(known)

    def close(self) -> None:
        """Closes the backend inside."""
        self.inner.close()
        self._calls.called("close")

    def _fault(self, op: Op) -> Fault | None:
        self.handed.append(op)
        return self._faults(op)


def _other_result(op: Op, fault: Fault, result: Result | None) -> Iterator[Result]:
    match fault:
        case Fault.FAILED:
            yield Result(op.id, Status.FAILED, detail="the portal said no")
        case Fault.NOT_DONE:
            yield Result(op.id, Status.NOT_DONE, detail="the portal was busy")
        case Fault.UNKNOWN | Fault.UNKNOWN_NOT_DONE:
            yield Result(op.id, Status.UNKNOWN, detail="the line went dead")
        case Fault.CONFLICT:
            yield Result(op.id, Status.CONFLICT, detail="it is there")
        case Fault.STRANGER:
            yield Result(STRANGER, Status.DONE)
        case Fault.NO_REF if result is not None:
            yield replace(result, ref=None)


class FaultyNotifier:
    """A notifier behind an unreliable line.

    Args:
        inner: the notifier.
        faults: what goes wrong with a message.
        calls: what goes wrong with a method, by its name: `can_reach`, `send` or `close`.
        shuffle: makes answers come in another order; seed it.
        cancelled: `context.cancelled`: ends what hangs.
        hang: for how many seconds something hangs at the most.

    Attributes:
        inner: the notifier.
        handed: the messages that were pulled, in order.
    """

    def __init__(
        self,
        inner: Notifier,
        faults: Schedule = nothing,
        *,
        calls: Mapping[str, Schedule] | None = None,
        shuffle: random.Random | None = None,
        cancelled: threading.Event | None = None,
        hang: float = 10,
    ) -> None:
        self.inner = inner
        self.handed: list[Message] = []
        self._faults = faults
        self._shuffle = shuffle
        self._calls = Calls(calls, cancelled=cancelled, hang=hang, unavailable=NotifierError, failed=NotifierError)

    @property
    def channel(self) -> str:
        """That of the notifier inside."""
        return self.inner.channel

    def can_reach(self, user: Recipient) -> bool:
        """Whether the notifier inside can."""
        self._calls.called("can_reach")
        return self.inner.can_reach(user)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Lets the notifier inside send messages, but for the faults."""
        self._calls.called("send")
        line = Line(
            messages,
            self._fault,
            call=self.inner.send,
            item_of=attrgetter("message"),
            instead=_other_sent,
            error=self._calls.error,
        )
        return shuffled(line.answers(), self._shuffle)

    def close(self) -> None:
        """Closes the notifier inside."""
        self.inner.close()
        self._calls.called("close")

    def _fault(self, message: Message) -> Fault | None:
        self.handed.append(message)
        fault = self._faults(message)
        if fault in OPERATIONS_ONLY:
            raise ValueError(f"a message cannot go wrong like this: {fault}")
        return fault


def _other_sent(message: Message, fault: Fault, sent: Sent | None) -> Iterator[Sent]:
    match fault:
        case Fault.FAILED:
            yield Sent(message.id, SentStatus.FAILED, "the server said no")
        case Fault.UNKNOWN | Fault.UNKNOWN_NOT_DONE:
            yield Sent(message.id, SentStatus.UNKNOWN, "the line went dead")
        case Fault.STRANGER:
            yield Sent(STRANGER, SentStatus.SENT)
