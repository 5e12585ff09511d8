"""The passwords of the sheet, read again when they are needed, so that they are never stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from musterroll.contract.fields import PASSWORD
from musterroll.contract.rows import Row
from musterroll.contract.secret import Secret
from musterroll.errors import MusterrollError


class Passwords:
    """Walks the sheet once more, row by row, only when the first password is asked for; a `with` closes it.

    Args:
        open_rows: opens the sheet after checking that it is still the one that was planned, and streams its rows.

    Raises:
        RefusedError: the sheet has changed.
        SourceError: the sheet cannot be read any more.
    """

    def __init__(self, open_rows: Callable[[], AbstractContextManager[Iterator[Row]]]) -> None:
        self._open_rows = open_rows
        self._stack = ExitStack()
        self._rows: Iterator[Row] | None = None
        self._at: Row | None = None

    def of(self, row: int) -> Secret | None:
        """Returns the password of a row. Cheap when rows are asked for in order."""
        if self._rows is None or (self._at is not None and self._at.number > row):
            self._stack.close()
            self._rows, self._at = self._stack.enter_context(self._open_rows()), None
        while self._at is None or self._at.number < row:
            self._at = next(self._rows, None)
            if self._at is None:
                self._rows = None
                return None
        return self._at.secret(PASSWORD) if self._at.number == row else None

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
