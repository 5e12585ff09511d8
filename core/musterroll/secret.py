"""A secret has a type: it prints as `***` and cannot be serialised by accident."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, final

MASK = "***"


@final
class Secret:
    """A password or token.

    The text comes out through `reveal` only, so that every place that uses it can be found by that name.

    Args:
        text: the secret, or what fetches it when it is first needed.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str | Callable[[], str]) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Returns the secret itself: for the portal's call and for checks, never for a message.

        Raises:
            MusterrollError: it is kept elsewhere, and cannot be fetched.
        """
        if not isinstance(self.__text, str):
            self.__text = self.__text()
        return self.__text

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
