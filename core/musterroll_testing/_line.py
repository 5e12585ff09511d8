"""What `FaultyBackend` and `FaultyNotifier` share: the line between the engine and a plugin."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from musterroll.errors import MusterrollError
from musterroll_testing.faults import STOPPING, Fault, Schedule, nothing

# These are answered without asking the plugin.
_NOT_HANDED_ON = frozenset({Fault.FAILED, Fault.NOT_DONE, Fault.DROPPED, Fault.UNKNOWN_NOT_DONE})
_HELD_BACK = 7  # answers, when their order is to be wrong


class Item(Protocol):
    """An operation or a message."""

    @property
    def id(self) -> str:
        """By which it is answered."""
        ...


I = TypeVar("I", bound=Item)  # noqa: E741 -- what is asked for
A = TypeVar("A")  # its answer


class Line(Generic[I, A]):
    """Hands items on to a plugin, and its answers back, with faults.

    Whatever the plugin is not to see ends the call to it, so that the answer comes at its place: the plugin is called
    several times then, which its contract allows.

    Args:
        items: what the engine asks for.
        schedule: what goes wrong with an item.
        call: the plugin.
        item_of: the id of the item that is answered.
        instead: the answers to an item instead of the plugin's, which is None where the plugin was not asked.
        error: what is raised for a fault that stops the call.
    """

    def __init__(
        self,
        items: Iterator[I],
        schedule: Schedule,
        *,
        call: Callable[[Iterator[I]], Iterator[A]],
        item_of: Callable[[A], str],
        instead: Callable[[I, Fault, A | None], Iterator[A]],
        error: Callable[[Fault], Exception],
    ) -> None:
        self._items = items
        self._schedule = schedule
        self._call, self._item_of, self._instead, self._error = call, item_of, instead, error
        self._faulty: dict[str, tuple[I, Fault]] = {}
        self._stopped_by: tuple[I, Fault] | None = None

    def answers(self) -> Iterator[A]:
        """Streams the answers. The first call to the plugin is made at once: it may refuse."""
        return self._answers(self._call(self._handed_on()))

    def _answers(self, answers: Iterator[A]) -> Iterator[A]:
        while True:
            try:
                for answer in answers:
                    yield from self._changed(answer)
            finally:
                close = getattr(answers, "close", None)
                if close is not None:
                    close()
            if self._stopped_by is None:
                return
            item, fault = self._stopped_by
            self._stopped_by = None
            if fault in STOPPING:
                raise self._error(fault)
            yield from self._instead(item, fault, None)
            answers = self._call(self._handed_on())

    def _handed_on(self) -> Iterator[I]:
        for item in self._items:
            fault = self._schedule(item)
            if fault in STOPPING or fault in _NOT_HANDED_ON:
                assert fault is not None
                self._stopped_by = item, fault
                return
            if fault is not None:
                self._faulty[item.id] = item, fault
            yield item

    def _changed(self, answer: A) -> Iterator[A]:
        item, fault = self._faulty.pop(self._item_of(answer), (None, None))
        if item is None or fault is None:
            yield answer
        elif fault is Fault.CUT:
            raise self._error(fault)
        elif fault is Fault.TWICE:
            yield answer
            yield answer
        elif fault is not Fault.LOST:
            yield from self._instead(item, fault, answer)


class Calls:
    """What goes wrong with calls of methods.

    Args:
        schedules: by the method's name.
        cancelled: set when the person interrupts.
        hang: for how many seconds something hangs at the most.
        error: what is raised for a fault.
    """

    def __init__(
        self,
        schedules: Mapping[str, Schedule] | None,
        *,
        cancelled: threading.Event | None,
        hang: float,
        unavailable: type[MusterrollError],
        failed: type[MusterrollError],
    ) -> None:
        self._schedules = dict(schedules or {})
        self._cancelled = cancelled or threading.Event()
        self._hang = hang
        self._unavailable, self._failed = unavailable, failed

    def called(self, name: str) -> None:
        """Raises what goes wrong with the call of a method, if anything does."""
        fault = self._schedules.get(name, nothing)(name)
        if fault is None:
            return
        if fault not in STOPPING:
            raise ValueError(f"{name}: a call cannot go wrong like this: {fault}")
        raise self.error(fault)

    def error(self, fault: Fault) -> Exception:
        """Returns what is raised for a fault; one that hangs takes its time."""
        if fault is Fault.HANGS:
            self._cancelled.wait(self._hang)
            return self._unavailable("the portal does not answer")
        if fault is Fault.BREAKS:
            return RuntimeError("this plugin has a bug")
        if fault is Fault.ERROR:
            return self._failed("the portal has a bad day")
        return self._unavailable("the portal cannot be reached")


def shuffled(answers: Iterator[A], order: random.Random | None) -> Iterator[A]:
    """Brings answers into another order, a few at a time; None: as they come."""
    if order is None:
        yield from answers
        return
    held: list[A] = []
    for answer in answers:
        held.append(answer)
        if len(held) > _HELD_BACK:
            yield held.pop(order.randrange(len(held)))
    order.shuffle(held)
    yield from held
