"""Lists in pages, and what stands where in a document."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import BackendError
from musterroll_http import HttpAnswer, Paging, put_at, value_at
from musterroll_http.paging import next_link

EVERY = [{"id": number} for number in range(23)]
CAP = 5


class Server:
    """Gives pages of five, whatever it is asked for."""

    def __init__(self, **paging: Any) -> None:
        self.paging, self.seen = Paging(size=100, **paging), list[str]()

    def all(self) -> list[Any]:
        return asyncio.run(self._all())

    async def _all(self) -> list[Any]:
        return [item async for page in self.paging.pages(self.ask, "/users", {"brief": "true"}) for item in page]

    async def ask(self, path: str, query: Mapping[str, str | int]) -> HttpAnswer:
        self.seen.append(path + "?" + "&".join(f"{name}={value}" for name, value in query.items()))
        assert len(self.seen) < 30
        return self.answer(path, query)

    def answer(self, path: str, query: Mapping[str, str | int]) -> HttpAnswer:
        number = int(query.get("offset", 0)) if self.paging.by == "offset" else 0
        if self.paging.by == "page":
            number = (int(query["page"]) - self.paging.first) * CAP
        items, headers, body = [], {}, {}
        if self.paging.by in ("cursor", "link"):
            number = int(query.get("after", 0)) if self.paging.by == "cursor" else int(path.partition("after=")[2] or 0)
            following = number + CAP
            if following < len(EVERY):
                body = {"meta": {"next": str(following)}, "@odata.nextLink": f"http://x/users?after={following}"}
                headers = {"Link": f'<http://x/users>; rel="self", <http://x/users?after={following}>; rel="next"'}
        items = EVERY[number : number + CAP]
        return HttpAnswer.of(200, {"users": items, "total": len(EVERY), **body}, headers)


@pytest.mark.parametrize(
    ("paging", "requests"),
    [
        ({"by": "offset"}, 6),  # the last one is empty
        ({"by": "offset", "total": "total"}, 5),
        ({"by": "page", "first": 1, "start_param": "page"}, 6),
        ({"by": "page", "first": 0, "start_param": "page", "total": "total"}, 5),
        ({"by": "cursor", "next": "meta.next", "start_param": "after"}, 5),
        ({"by": "link", "next": "@odata.nextLink"}, 5),
        ({"by": "link"}, 5),
    ],
)
def test_a_capped_page_ends_no_list(paging: dict[str, Any], requests: int) -> None:
    server = Server(items="users", **paging)
    assert server.all() == EVERY
    assert len(server.seen) == requests
    assert server.seen[0].startswith("/users?brief=true&limit=100")


def test_all_at_once() -> None:
    assert Server(items="users").all() == EVERY[:CAP]


@pytest.mark.parametrize(
    ("paging", "answer", "words"),
    [
        ({"by": "offset"}, [1, 2], "every page is the same"),
        ({"by": "page", "start_param": "page"}, [1, 2], "every page is the same"),
        ({"by": "cursor", "next": "n", "items": "i"}, {"i": [1], "n": "same"}, "it follows itself"),
        ({"by": "link", "next": "n", "items": "i"}, {"i": [1], "n": "http://x/y"}, "it follows itself"),
        ({"items": "users"}, {"people": []}, 'no list at "users"'),
        ({}, {"people": []}, "no list"),
        ({"by": "none", "most": 3}, [1, 2, 3, 4], "no end"),
    ],
)
def test_lists_that_are_none_or_have_no_end(paging: dict[str, Any], answer: Any, words: str) -> None:
    class Broken(Server):
        def answer(self, path: str, query: Mapping[str, str | int]) -> HttpAnswer:
            return HttpAnswer.of(200, answer, {})

    with pytest.raises(BackendError, match=words):
        Broken(**paging).all()


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<https://x/u?a=1>; rel="next"', "https://x/u?a=1"),
        ("<https://x/u?a=1>; rel=next", "https://x/u?a=1"),
        ('<https://x/self>; rel="self",<https://x/n>; title="a, b"; rel="next last"', "https://x/n"),
        ('<https://x/n>; rel="nextish"', None),
        ("<https://x/n>; rel=next-archive", None),
        ("nonsense; rel=next", None),
        ("", None),
    ],
)
def test_links(header: str, found: str | None) -> None:
    assert next_link({"Link": header}) == found


@given(st.text(alphabet='<>;,="abc relnxt', max_size=200))
def test_no_link_takes_long(text: str) -> None:
    next_link({"Link": text * 100})


def test_what_stands_at_a_path() -> None:
    document = {"a": {"b": [{"c": 1}, 2]}, "@odata.nextLink": "x", "d.e": {"f": 3}, "n": None}
    paths = {"": document, "a.b.0.c": 1, "a.b.1": 2, "@odata.nextLink": "x", "d.e.f": 3, "n": None}
    assert {path: value_at(document, path) for path in paths} == paths
    assert [value_at(document, path) for path in ("a.x", "a.b.7", "a.b.c", "n.x", "a.b.0.c.d")] == [None] * 5
    assert value_at(document, ["nothing", "a.b.1"]) == 2
    made: dict[str, Any] = {}
    put_at(made, "profile.email", "a@x")
    put_at(made, "profile.login", "a")
    put_at(made, "profile.login.deeper", "b")
    assert made == {"profile": {"email": "a@x", "login": "a"}}
