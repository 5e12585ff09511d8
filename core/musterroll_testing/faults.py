"""What goes wrong with a call, and when: for `FaultyBackend` and `FaultyNotifier`."""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeAlias


class Fault(StrEnum):
    """What goes wrong with one operation, one message, or one call of a method.

    The first group is about the answer. The second stops the whole call, as a portal does that dies: what was
    answered before is heard, what was asked for has no answer.
    """

    FAILED = "failed"  # refused; not done
    NOT_DONE = "not_done"  # certainly not done, can be tried again (operations only)
    DROPPED = "dropped"  # not done, no answer
    UNKNOWN_NOT_DONE = "unknown_not_done"  # not done, and the answer says that nobody knows
    UNKNOWN = "unknown"  # done, and the answer says that nobody knows
    LOST = "lost"  # done, no answer
    TWICE = "twice"  # done, answered twice
    STRANGER = "stranger"  # done, and the answer is to something that nobody asked for
    CONFLICT = "conflict"  # done, and answered as if something of that name had been there (operations only)
    NO_REF = "no_ref"  # done, without saying the id of what was created (operations only)

    CUT = "cut"  # done, and the line is cut: neither this nor anything else in flight is answered
    UNAVAILABLE = "unavailable"  # not done: it cannot be reached
    HANGS = "hangs"  # not done: nothing happens until the person interrupts or a time has passed
    ERROR = "error"  # not done: it says that it cannot go on
    BREAKS = "breaks"  # not done: the plugin raises something of its own


Schedule: TypeAlias = Callable[[Any], Fault | None]
"""Says what goes wrong with an operation, a message, or (by its name) a call of a method; None: nothing."""

OPERATIONS_ONLY = frozenset({Fault.NOT_DONE, Fault.CONFLICT, Fault.NO_REF})
"""Those that mean nothing for a message."""

STOPPING = frozenset({Fault.UNAVAILABLE, Fault.HANGS, Fault.ERROR, Fault.BREAKS})
"""Those that stop a call before anything is done; the only ones for methods without operations or messages."""


def nothing(_: object) -> None:
    """The schedule of a good day."""


def nth(number: int, fault: Fault, *, of: type | tuple[type, ...] = object) -> Schedule:
    """Makes a schedule by which one thing goes wrong, once.

    Args:
        number: which one, from 1.
        fault: what goes wrong with it.
        of: what is counted, e.g. `CreateUser`.
    """
    count = 0

    def schedule(subject: object) -> Fault | None:
        nonlocal count
        count += isinstance(subject, of)
        return fault if count == number and isinstance(subject, of) else None

    return schedule


def at_random(seed: int, *faults: Fault, share: float = 0.2) -> Schedule:
    """Makes a schedule by which some things go wrong, the same ones for the same seed.

    Args:
        seed: tells which; name it in the test's message or parameters, so that a failure can be repeated.
        faults: what goes wrong; by default everything that can go wrong with messages and operations alike.
        share: of how many, from 0 to 1.
    """
    chance = random.Random(seed)  # noqa: S311 -- nothing to keep secret
    choices = faults or tuple(fault for fault in Fault if fault not in OPERATIONS_ONLY | {Fault.HANGS})

    def schedule(_: object) -> Fault | None:
        return chance.choice(choices) if chance.random() < share else None

    return schedule
