"""Lists of users and groups, page by page (RFC 7644, 3.4.2.4), and only the whole of them counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from itertools import islice

from musterroll import BackendError, BackendUnavailableError
from musterroll_http import HttpAnswer
from musterroll_plugins.backends.scim.answers import explained
from musterroll_plugins.backends.scim.client import ScimClient
from musterroll_plugins.backends.scim.discovery import ServiceProvider
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.paths import Json, Resource, get_key, objects

USERS, GROUPS = "/Users", "/Groups"
_WHAT = {USERS: "read its users", GROUPS: "read its groups"}
_READINGS = 3
_PAGES_AHEAD = 8


class RefusedFilterError(Exception):
    """The portal does not take a filter."""


class Pages:
    """Reads lists.

    Args:
        client: to ask with.
        options: of the backend.
        portal: what it can do.
    """

    def __init__(self, client: ScimClient, options: ScimOptions, portal: ServiceProvider) -> None:
        self._client, self._url, self._sorts = client, options.url, portal.sort
        self._ahead = min(options.concurrency, _PAGES_AHEAD)
        self._size = min(options.page_size, portal.max_results or options.page_size)
        self._most = options.max_users
        self._counts = False  # whether the portal is known to take a count

    async def all(self, endpoint: str, query: Mapping[str, str] | None = None) -> AsyncGenerator[list[Resource]]:
        """Yields all resources, each once, page by page.

        A list that changes while it is read shifts its pages: when somebody was missed it is read again.

        Raises:
            RefusedFilterError: the query has a filter that the portal does not take.
            BackendError: the portal does not show its list.
        """
        query = dict(query or {})
        seen: set[str] = set()
        total = 0
        for _ in range(_READINGS):
            first = await self._page(endpoint, 1, query, self._size)
            total, size = self._total(first, endpoint), len(objects(first, "Resources"))
            shown: set[str] = set()
            yield list(_new(first, seen, shown))
            if 0 < size < total:
                async with aclosing(self._following(endpoint, size, total, query)) as pages:
                    async for page in pages:
                        before = len(shown)
                        yield list(_new(page, seen, shown))
                        if len(shown) == before:  # the list ends here, or the portal shows the same again and again
                            break
            if len(seen) >= total:
                return
            if self._sorts:
                query["sortBy"] = "id"
        raise BackendUnavailableError(
            f"the portal cannot {_WHAT[endpoint]}: it speaks of {total} and shows {len(seen)}; "
            "try again when nobody changes them, or set page_size to what it gives at once"
        )

    async def total(self, endpoint: str) -> int:
        """Returns how many there are."""
        return self._total(await self._page(endpoint, 1, {}, min(self._size, 1)), endpoint)

    def _total(self, page: Json, endpoint: str) -> int:
        """How many there are, as the portal says; as many as it shows where it does not say."""
        total, shown = get_key(page, "totalResults"), len(objects(page, "Resources"))
        if total is None and (not self._size or shown < self._size):
            return shown
        if isinstance(total, str) and total.isascii() and total.isdigit() and len(total) < 20:
            total = int(total)
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            what = (
                "it does not say how many there are" if total is None else "its totalResults is no number of anything"
            )
        elif total > self._most:
            what = f"it speaks of more than {self._most}; if there are so many, raise max_users"
        elif total < shown:
            what = f"it speaks of {total} and shows {shown}"
        else:
            return total
        raise BackendError(f"the portal cannot {_WHAT[endpoint]}: {what}")

    async def _following(self, endpoint: str, size: int, total: int, query: Mapping[str, str]) -> AsyncGenerator[Json]:
        """Reads the pages after the first, several at once, in order."""
        starts = iter(range(1 + size, total + 1, size))
        running: list[asyncio.Task[list[Json]]] = []
        try:
            while True:
                for start in islice(starts, self._ahead - len(running)):
                    end = min(start + size, total + 1)
                    running.append(asyncio.ensure_future(self._stretch(endpoint, start, end, query)))
                if not running:
                    return
                for page in await running[0]:
                    yield page
                del running[0]
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _stretch(self, endpoint: str, start: int, end: int, query: Mapping[str, str]) -> list[Json]:
        """Reads from `start` to before `end`: in several pages where the portal gives less than it is asked for."""
        pages: list[Json] = []
        while start < end:
            pages.append(await self._page(endpoint, start, query, end - start if self._size else 0))
            if not (got := len(objects(pages[-1], "Resources"))):
                break
            start += got
        return pages

    async def _page(self, endpoint: str, start: int, query: Mapping[str, str], count: int) -> Json:
        params: dict[str, str | int] = {**query, "startIndex": start}
        filtered = "filter" in query
        if not count:
            return self._shown(await self._client.get(endpoint, params), endpoint, filtered=filtered)
        # Some portals break over a count: the first time it is not repeated, but left out.
        counted = {**params, "count": count}
        answer = await self._client.ask("GET", endpoint, params=counted, patient=self._counts)
        if answer.ok:
            self._counts = True
        elif not self._counts and answer.status in (400, 500):
            answer = await self._client.get(endpoint, params)
            if answer.ok:
                self._size = 0
        return self._shown(answer, endpoint, filtered=filtered)

    def _shown(self, answer: HttpAnswer, endpoint: str, *, filtered: bool) -> Json:
        if answer.ok and isinstance(answer.body, dict):
            return answer.body
        if filtered and 400 <= answer.status < 600 and answer.status not in (401, 403):
            raise RefusedFilterError
        raise explained(answer, _WHAT[endpoint], self._url)


def _new(page: Json, seen: set[str], shown: set[str]) -> Iterator[Resource]:
    for resource in objects(page, "Resources"):
        ref = str(get_key(resource, "id"))
        shown.add(ref)
        if ref not in seen:
            seen.add(ref)
            yield resource
