"""How tests fail: in words, and in a limited time where a plugin never ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from types import FrameType
from typing import TypeVar

import pytest

from musterroll.registry.plugin_errors import AnswerError

T = TypeVar("T")
_MOST = 5000


@contextmanager
def in_words() -> Iterator[None]:
    """Fails the test that is running where an answer cannot be used, with the sentence that says why."""
    try:
        yield
    except AnswerError as error:
        pytest.fail(str(error), pytrace=False)


@contextmanager
def in_time(seconds: float, what: str) -> Iterator[None]:
    """Fails the test that is running when what happens inside takes too long.

    It breaks in by a signal. Where there are none (Windows, other threads than the main one) there is no limit.

    Args:
        seconds: so long it may take.
        what: who takes so long, for the message, e.g. `the backend`.
    """
    alarm = getattr(signal, "SIGALRM", None)
    if alarm is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(number: int, frame: FrameType | None) -> None:
        # No Exception: what hangs may well catch all of those, and try again.
        pytest.fail(f"{what} did not come to an end within {seconds:g} s", pytrace=False)

    before = signal.signal(alarm, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(alarm, before)


def bounded(answers: Iterable[T], what: str, most: int = _MOST) -> list[T]:
    """Lists answers; fails where they go on and on."""
    found = list(islice(answers, most + 1))
    if len(found) > most:
        pytest.fail(f"{what} goes on and on: after {most:,} there were still more", pytrace=False)
    return found
