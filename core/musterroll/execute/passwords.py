"""The passwords of the sheet, read again when they are needed, so that they are never stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self, TypeAlias

from musterroll.contract.secret import Secret
from musterroll.errors import MusterrollError

_Password: TypeAlias = tuple[int, Secret | None]


class Passwords:
    """Walks the sheet once more, row by row, only when the first password is asked for; a `with` closes it.

    Args:
        open_rows: opens the sheet after checking that it is still the one that was planned, and streams its rows'
            numbers and passwords. None where nobody needs one.
        are_used: whether the portal does anything with them, asked when the first one is wanted.

    Raises:
        RefusedError: the sheet has changed.
        SourceError: the sheet cannot be read any more.
    """

    def __init__(
        self,
        open_rows: Callable[[], AbstractContextManager[Iterator[_Password]]] | None,
        are_used: Callable[[], bool] = lambda: True,
    ) -> None:
        self._open_rows, self._are_used = open_rows, are_used
        self._stack = ExitStack()
        self._rows: Iterator[_Password] | None = None
        self._at: _Password | None = None

    def of(self, row: int) -> Secret | None:
        """Returns the password of a row. Cheap when rows are asked for in order."""
        if self._rows is None and self._open_rows is not None and not self._are_used():
            self._open_rows = None
        if self._open_rows is None:
            return None
        if self._rows is None or (self._at is not None and self._at[0] > row):
            self._stack.close()
            self._rows, self._at = self._stack.enter_context(self._open_rows()), None
        while self._at is None or self._at[0] < row:
            self._at = next(self._rows, None)
            if self._at is None:
                self._rows = None
                return None
        return self._at[1] if self._at[0] == row else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stack.close()
        except MusterrollError:
            if error is None:
                raise
