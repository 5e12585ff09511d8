"""One server for most of the tests, with a customer for each of them; one of its own for whoever stops or kills it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.web_server import Visitor, WebServer, web_server
from support.workplace import Workplace

_CUSTOMERS = 60


@pytest.fixture(scope="session")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebServer, Iterator[Workplace]]]:
    """A server on one's own computer, and the folders of its customers."""
    folder = tmp_path_factory.mktemp("web")
    places = [Workplace(folder / f"t{number}") for number in range(_CUSTOMERS)]
    for place in places:
        place.folder.mkdir()
        place.pipeline(name=place.folder.name)
    with web_server(Workplace(folder), folder, max_upload=1) as server:
        yield server, iter(places)


@pytest.fixture(scope="session")
def somebody(hall: tuple[WebServer, Iterator[Workplace]]) -> Visitor:
    """Who has the address that was printed."""
    return hall[0].enter()


@pytest.fixture
def server(hall: tuple[WebServer, Iterator[Workplace]]) -> WebServer:
    return hall[0]


@pytest.fixture
def place(hall: tuple[WebServer, Iterator[Workplace]]) -> Workplace:
    """The folder of a customer whom no other test has."""
    return next(hall[1])


@pytest.fixture
def visitor(somebody: Visitor, place: Workplace) -> Visitor:
    """Somebody at the pages of that customer."""
    return Visitor(somebody.client, f"/c/{place.folder.name}")
