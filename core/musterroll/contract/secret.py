"""A secret has a type: it prints as `***` and cannot be serialised by accident."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn, final

MASK = "***"

_Listener = Callable[[str], object]
_listener: _Listener | None = None


@final
class Secret:
    """A password or token.

    The text comes out through `reveal` only, so that every place that uses it can be found by that name.

    Args:
        text: the secret, or what fetches it when it is first needed.
    """

    __slots__ = ("__text",)
    __text: str | Callable[[], str]

    def __init__(self, text: str | Callable[[], str]) -> None:
        _keep(self, text)

    def reveal(self) -> str:
        """Returns the secret itself: for the portal's call and for checks, never for a message.

        Raises:
            MusterrollError: it is kept elsewhere, and cannot be fetched.
        """
        text: str | Callable[[], str] = self.__text
        if not isinstance(text, str):
            text = text()
            _keep(self, text)
        if _listener is not None:
            _listener(text)
        return text

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret cannot be changed")

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash((Secret, self.reveal()))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be serialised")


# Past `__setattr__`, and quicker than `object.__setattr__`: there is one for every password of a sheet.
_keep: Callable[[Secret, object], None] = Secret.__dict__["_Secret__text"].__set__


def listen(listener: _Listener | None) -> _Listener | None:
    """Tells a listener, from now on, of every secret that is revealed; returns the former one, to be put back.

    For what a rule has looked at and may speak of later.
    """
    global _listener
    before, _listener = _listener, listener
    return before


def tell_listener(secrets: Iterable[str]) -> None:
    """Tells the listener, if there is one, of secrets that are looked at as texts."""
    if _listener is not None:
        for secret in filter(None, secrets):
            _listener(secret)
