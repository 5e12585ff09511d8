"""A secret has a type: it prints as `***` and cannot be serialised by accident."""

from __future__ import annotations

from typing import NoReturn, final

MASK = "***"


@final
class Secret:
    """A password or token.

    The text comes out through `reveal` only, so that every place that uses it can be found by that name.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Returns the secret itself: for the portal's call and for checks, never for a message."""
        return self.__text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.__text == self.__text

    def __hash__(self) -> int:
        return hash((Secret, self.__text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be serialised")
