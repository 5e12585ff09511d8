"""Knows which plugin is being waited for, and says so when it takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from types import TracebackType
from typing import Self

FIRST_SECONDS = 10.0
_MOST_SECONDS = 600.0  # between two lines, in the end


@dataclass(slots=True)
class Call:
    """A call into a plugin that has not come back.

    Attributes:
        who: the instance as the person knows it.
        stage: what it is asked for, e.g. `looking users up`.
        unit: what `done` counts: one, and several; with one only it is a number, e.g. of a row.
        done: how far it has come.
        outer: the call that was going on before.
    """

    who: str
    stage: str
    unit: tuple[str, ...] = ()
    done: int = 0
    outer: Call | None = None

    def __str__(self) -> str:
        match self.unit:
            case (one, many):
                return f"{self.who}, {self.done:,} {one if self.done == 1 else many}"
            case (what,) if self.done:
                return f"{self.who}, {self.stage}, {what} {self.done}"
        return f"{self.who}, {self.stage}"


class Watch:
    """Notes every call into a plugin. The thread that makes it writes; any other may read."""

    def __init__(self) -> None:
        self.current: Call | None = None
        self.steps = 0

    def step(self) -> None:
        """Something went on within a call, e.g. it asked for the next operation."""
        self.steps += 1

    def begin(self, who: str, stage: str, unit: tuple[str, ...] = ()) -> Call:
        """A call begins. Give it back to `end`."""
        self.current = call = Call(who, stage, unit, 0, self.current)
        return call

    def end(self, call: Call) -> None:
        """The call has come back."""
        self.current = call.outer

    def waiting(self, seconds: float | None = None) -> str | None:
        """Says what is being waited for, e.g. `waiting for notifiers[sms], 2 messages sent (plugin acme 1.0)`.

        Args:
            seconds: for how long already, where that is known.
        """
        call = self.current
        if call is None:
            return None
        by = getattr(call.who, "by", "")
        more = [*([f"plugin {by}"] if by else []), *([f"for {seconds:.0f} s"] if seconds is not None else [])]
        return f"waiting for {call}" + (f" ({', '.join(more)})" if more else "")


class Watchdog:
    """Says what is being waited for whenever that takes long: after some seconds, then ever more rarely.

    Args:
        watch: knows what is going on.
        say: takes the line; called in a thread of its own.
        first: after so many seconds without any step.
    """

    def __init__(self, watch: Watch, say: Callable[[str], object], *, first: float = FIRST_SECONDS) -> None:
        self._watch, self._say, self._first = watch, say, first
        self._over = threading.Event()
        # A daemon: what hangs must not keep the program from ending.
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._look,), name="musterroll-watchdog", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        before: object = None
        since, due = time.monotonic(), self._first
        while not self._over.wait(min(self._first / 10, 1.0)):
            call = self._watch.current
            # The call itself, not what it looks like: the next call may be of the same kind.
            now = (id(call), call.who, call.done, self._watch.steps) if call is not None else None
            if now != before:
                before, since, due = now, time.monotonic(), self._first
            elif call is not None and (seconds := time.monotonic() - since) >= due:
                due = seconds + min(due, _MOST_SECONDS)
                if (text := self._watch.waiting(seconds)) is not None:
                    self._say(text)
