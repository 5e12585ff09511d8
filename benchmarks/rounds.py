"""Measuring side by side: in rounds, one after the other in each, so that a busy machine slows all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol


class Working(Protocol):
    """A server that says how much it has worked."""

    def cpu_seconds(self) -> float:
        """So far, in CPU seconds."""


class NoServer:
    """For what does all its work itself."""

    def cpu_seconds(self) -> float:
        """None of a server's."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What something takes.

    Attributes:
        cpu: CPU seconds, the server's included.
        clock: seconds by the clock.
    """

    cpu: float
    clock: float


@dataclass(frozen=True, slots=True)
class Share:
    """How much of something other things reach, round by round: 100 % is as cheap."""

    of_rounds: Sequence[float]

    def __str__(self) -> str:
        return f"{self.median:.0%} (best {self.best:.0%} of {len(self.of_rounds)} rounds)"

    @property
    def median(self) -> float:
        """In the round in the middle."""
        return median(self.of_rounds)

    @property
    def best(self) -> float:
        """In the best round."""
        return max(self.of_rounds)


def cost(server: Working, work: Callable[[], object]) -> Cost:
    """Does something, and returns what it took."""
    gc.collect()
    gc.freeze()  # what a benchmark itself holds is not gone through again and again
    try:
        started, worked = time.perf_counter(), time.process_time() + server.cpu_seconds()
        work()
        return Cost(time.process_time() + server.cpu_seconds() - worked, time.perf_counter() - started)
    finally:
        gc.unfreeze()


def in_rounds(count: int, works: Mapping[str, Callable[[], Cost]]) -> dict[str, list[Cost]]:
    """Does several things so many times in turn; returns what each took, by its name."""
    rounds = [{name: work() for name, work in works.items()} for _ in range(count)]
    return {name: [one[name] for one in rounds] for name in works}


def share(base: Sequence[Cost], other: Sequence[Cost]) -> Share:
    """Compares the CPU seconds of each round."""
    return Share([one.cpu / another.cpu for one, another in zip(base, other, strict=True)])


def share_by_the_clock(base: Sequence[Cost], other: Sequence[Cost]) -> Share:
    """Compares the time of each round: of two that work at once the server's costs less than its CPU seconds."""
    return Share([one.clock / another.clock for one, another in zip(base, other, strict=True)])


def middle(costs: Sequence[Cost]) -> Cost:
    """Returns the median of each of the two."""
    return Cost(median(one.cpu for one in costs), median(one.clock for one in costs))
