"""How a list comes in pages."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from musterroll import BackendError
from musterroll_http.answer import HttpAnswer
from musterroll_http.documents import value_at

Paged: TypeAlias = Literal["none", "offset", "page", "cursor", "link"]
Ask: TypeAlias = Callable[[str, Mapping[str, str | int]], Awaitable[HttpAnswer]]

_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s;,"]+))*)')
_NEXT = re.compile(r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![\w-]))', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How a list comes in pages. A portal may give fewer than it is asked for: that ends no list.

    Attributes:
        by: `none`: all at once; `offset`: by how many came before; `page`: by a number; `cursor`: by a word that the
            answer gives; `link`: by an address that the answer gives, in its body or in the header `Link`.
        items: where the list is in an answer; empty where the answer is the list.
        size: so many are asked for at once; 0 leaves it to the portal.
        size_param: the name of the parameter for that.
        start_param: the name of the parameter for the offset, page or cursor.
        first: the number of the first page.
        next: where the cursor or the address of the next page is in an answer; empty: in the header `Link`.
        total: where an answer says how many there are; without it, only an empty page ends the list.
        most: a list of more is not believed.
    """

    by: Paged = "none"
    items: str = ""
    size: int = 0
    size_param: str = "limit"
    start_param: str = "offset"
    first: int = 0
    next: str = ""
    total: str = ""
    most: int = field(default=2_000_000)

    async def pages(
        self, ask: Ask, path: str, params: Mapping[str, str | int] | None = None
    ) -> AsyncGenerator[list[Any]]:
        """Yields the items of one page after the other.

        Args:
            ask: sends a request and returns its answer, a success.
            path: of the list.
            params: of every request, besides those of the page.

        Raises:
            BackendError: this is no list, or one without end.
        """
        query = {**(params or {}), **({self.size_param: self.size} if self.size else {})}
        count, number, before = 0, self.first, None
        if self.by == "page":
            query[self.start_param] = number
        while True:
            answer = await ask(path, query)
            items = value_at(answer.body, self.items)
            if not isinstance(items, list):
                where = f' at "{self.items}"' if self.items else ""
                raise BackendError(f"{path.partition('?')[0]}: the answer has no list{where}")
            count += len(items)
            if count > self.most:
                raise BackendError(f"{path.partition('?')[0]}: the list has no end, after {self.most:,} there is more")
            yield items
            if self.by == "none" or (self.by in ("offset", "page") and self._is_last(answer, items, count)):
                return
            if items and self.by in ("offset", "page") and items == before:
                raise BackendError(f"{path.partition('?')[0]}: every page is the same; check how the list is paged")
            before = items
            if self.by == "offset":
                query[self.start_param] = self.first + count
            elif self.by == "page":
                number += 1
                query[self.start_param] = number
            else:
                following = self._following(answer)
                if following is None:
                    return
                if following in (path, query.get(self.start_param)):
                    raise BackendError(f"{path.partition('?')[0]}: a page says that it follows itself")
                if self.by == "cursor":
                    query[self.start_param] = following
                else:
                    path, query = following, {}  # the address has everything in it

    def _is_last(self, answer: HttpAnswer, items: list[Any], count: int) -> bool:
        total = value_at(answer.body, self.total) if self.total else None
        return not items or (isinstance(total, int) and not isinstance(total, bool) and count >= total)

    def _following(self, answer: HttpAnswer) -> str | None:
        if self.by == "link" and not self.next:
            return next_link(answer.headers)
        found = value_at(answer.body, self.next)
        return str(found) if isinstance(found, str | int) and found != "" and found is not True else None


def next_link(headers: Mapping[str, str]) -> str | None:
    """Returns the address of the next page that the header `Link` (RFC 8288) gives; None where it gives none."""
    getall = getattr(headers, "getall", None)
    every = getall("Link", []) if getall is not None else [headers.get("Link", "")]
    for text in every:
        for link in _LINK.finditer(text[:65536]):
            if _NEXT.search(link[2]):
                return link[1]
    return None
