"""Clients of a server that answers as a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from musterroll import BackendError, Context, FieldSet, MusterrollError
from musterroll_http import HttpClient, HttpOptions, Pump
from support.receivers import Receiver, receiver

T = TypeVar("T")


class Clients:
    """Opens clients, to be closed at the end of a test; setting `cancelled` interrupts them all."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._pump, self._open = Pump("test-http"), list[HttpClient]()

    def __call__(self, url: Any, failure: type[MusterrollError] = BackendError, **options: Any) -> HttpClient:
        names = HttpOptions.model_fields.keys() & options.keys()
        chosen = HttpOptions.model_validate({"url": url, "timeout": 5, **{name: options.pop(name) for name in names}})
        context = Context(instance="backend", fields=FieldSet([]), cancelled=self.cancelled)
        self._open.append(HttpClient(chosen, context, failure, **{"retry_wait": 0.0, **options}))
        return self._open[-1]

    def do(self, work: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
        """Does something in the event loop."""
        return self._pump.call(work, *args)

    def close(self) -> None:
        for client in self._open:
            self._pump.call(client.close)
        self._pump.close()


@pytest.fixture
def clients() -> Iterator[Clients]:
    """Opens clients: `clients(url, retries=2)`."""
    clients = Clients()
    yield clients
    clients.close()


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
