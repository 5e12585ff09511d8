"""The passwords of the sheet, read again when they are needed, and those that are made: neither is ever stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from types import TracebackType
from typing import Self, TypeAlias

from musterroll.contract.secret import Secret
from musterroll.errors import MusterrollError
from musterroll.journal.operations import PlannedUser

_Password: TypeAlias = tuple[int, Secret | None]


class Passwords:
    """Walks the sheet once more, row by row, only when the first password is asked for; a `with` closes it.

    Args:
        open_rows: opens the sheet after checking that it is still the one that was planned, and streams its rows'
            numbers and passwords. None where nobody needs one.
        are_used: whether the portal does anything with them, asked when the first one is wanted.
        make: makes the first password of somebody whose row has none; None where nobody gets one.

    Attributes:
        made: those that were made and handed to the portal, by row: nobody else knows them.

    Raises:
        RefusedError: the sheet has changed.
        SourceError: the sheet cannot be read any more.
    """

    def __init__(
        self,
        open_rows: Callable[[], AbstractContextManager[Iterator[_Password]]] | None,
        are_used: Callable[[], bool] = lambda: True,
        make: Callable[[PlannedUser], Secret] | None = None,
    ) -> None:
        self._open_rows, self._are_used, self._make = open_rows, are_used, make
        self.made: dict[int, Secret] = {}
        self._stack = ExitStack()
        self._rows: Iterator[_Password] | None = None
        self._at: _Password | None = None

    def of(self, row: int) -> Secret | None:
        """Returns the password of a row. Cheap when rows are asked for in order."""
        if self._rows is None and self._open_rows is not None and not self.are_used:
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

    def first(self, user: PlannedUser, *, is_new: bool) -> Secret | None:
        """Returns the password of a user who is to be created; makes one where the sheet has none.

        Args:
            user: the user.
            is_new: whether it is for a portal that does not know the user yet: only then one is made.
        """
        given = None if self._open_rows is None else self.of(user.row)
        if given is not None or self._make is None or not self.are_used:
            return given
        if is_new and user.row not in self.made:
            self.made[user.row] = self._make(user)
        return self.made.get(user.row)

    @cached_property
    def are_used(self) -> bool:
        """Whether the portal does anything with passwords."""
        return self._are_used()

    def make_another(self, user: PlannedUser) -> Secret:
        """Makes a password anew, for somebody whose first one nobody knows any more."""
        assert self._make is not None
        return self._make(user)

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
