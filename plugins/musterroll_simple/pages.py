"""Lists that come in pages: a page that finds the portal busy is asked for again, and it alone.

A generator cannot do that, as it is over with the first exception; then the whole list is begun anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")
Page: TypeAlias = tuple[Iterable[Any], Any]
"""The items of a page, and the mark of the next one; None after the last."""


class _Progress(Generic[T]):
    """How far a list has been read.

    Args:
        make: makes what the list yields of an item.
        first: the mark of the first page.
    """

    def __init__(self, make: Callable[[Any], T], first: Any) -> None:
        self._make, self._mark = make, first
        self._items: Iterator[T] = iter(())
        self._has_more = True

    def _take(self, page: Page) -> None:
        items, mark = page
        # Whole, before it counts as read: where an item finds the portal busy, the page is asked for again.
        self._items = iter([self._make(item) for item in items])
        self._mark, self._has_more = mark, mark is not None


class Pages(_Progress[T], Iterator[T]):
    """A list that comes in pages, to be returned by `users`, `list_groups` or `list_members`.

    Args:
        ask: asks for a page by its mark (an offset, a number, a cursor, an address); returns its items, and the mark of
            the next page, None after the last.
        make: makes what the list yields of an item.
        first: the mark of the first page.
    """

    def __init__(self, ask: Callable[[Any], Page], make: Callable[[Any], T], first: Any = 0) -> None:
        super().__init__(make, first)
        self._ask = ask

    def __next__(self) -> T:
        while True:
            for item in self._items:
                return item
            if not self._has_more:
                raise StopIteration
            self._take(self._ask(self._mark))


class AsyncPages(_Progress[T], AsyncIterator[T]):
    """The same with an `ask` that is `async def`."""

    def __init__(self, ask: Callable[[Any], Awaitable[Page]], make: Callable[[Any], T], first: Any = 0) -> None:
        super().__init__(make, first)
        self._ask = ask

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item
            if not self._has_more:
                raise StopAsyncIteration
            self._take(await self._ask(self._mark))
