"""What was handed to a plugin and waits for its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from musterroll.registry.guards.guard import a
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Watch

# So many of the last answers are remembered, to tell one that comes twice from one to something else.
_LAST = 1000


class HasId(Protocol):
    """An operation or a message."""

    @property
    def id(self) -> str:
        """By which it is answered."""
        ...


I = TypeVar("I", bound=HasId)  # noqa: E741 -- what is handed over


class Waiting(Generic[I]):
    """Hands items on, and knows which of them have no answer yet.

    Args:
        items: the items.
        words: says what an item is, for messages, e.g. `creating the user "ana"`.
        watch: notes every item that is asked for.
    """

    def __init__(self, items: Iterator[I], words: Callable[[I], str], watch: Watch) -> None:
        self._items, self._words, self._watch = items, words, watch
        self._open: dict[str, I] = {}
        self._last: deque[I] = deque(maxlen=_LAST)

    def __iter__(self) -> Iterator[I]:
        waiting, step = self._open, self._watch.step
        step()
        for item in self._items:
            waiting[item.id] = item
            yield item
            step()

    def answered(self, id_: object) -> I:
        """Takes note of an answer; returns what it is to.

        Raises:
            AnswerError: there is nothing of that id, or it has its answer.
        """
        item = self._open.pop(id_, None) if isinstance(id_, str) else None
        if item is not None:
            self._last.append(item)
            return item
        if not isinstance(id_, str):
            raise AnswerError(f"an answer must say the id of what it is to, not {a(id_)}")
        twice = next((item for item in self._last if item.id == id_), None)
        if twice is not None:
            raise AnswerError(f"it answered twice to {self._words(twice)}; each has one answer")
        raise AnswerError(f'it answered to "{id_[:80]}", which it was not given (or has answered to long ago)')
