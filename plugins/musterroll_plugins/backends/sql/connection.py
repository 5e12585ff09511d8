"""The one connection to a database, in transactions of which it is known whether they went through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from musterroll import BackendError, BackendUnavailableError, Context
from musterroll_plugins.backends.sql.dialects import Dialect, Sqlite

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.25, 8.0


class InDoubtError(Exception):
    """The line was lost before the database could say whether a transaction went through."""


class Connection:
    """A line to a database, which is made when it is needed and again when it was lost.

    Args:
        dialect: of the database.
        context: of the instance.
        retries: so often something is tried again.
    """

    def __init__(self, dialect: Dialect, context: Context, retries: int) -> None:
        self.dialect, self._retries = dialect, retries
        self._read_only, self._cancelled = context.read_only, context.cancelled
        self._line: sa.Connection | None = None

    def read(self, doing: str, work: Callable[[sa.Connection], T]) -> T:
        """Reads something in a transaction.

        Args:
            doing: what is done, e.g. `read its users`.
            work: does it; may be called more than once.

        Raises:
            BackendUnavailableError: the database cannot be reached.
            BackendError: it cannot answer.
        """
        return self.attempt(doing, lambda: self._in_transaction(work))

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Writes something in a transaction.

        Raises:
            InDoubtError: nobody knows whether it went through.
            BackendUnavailableError: the database cannot be reached; it certainly did not happen.
            BackendError: likewise, and it will not happen.
        """
        return self.attempt("be written", lambda: self._in_transaction(work))

    def attempt(self, doing: str, work: Callable[[], T]) -> T:
        """Does something, and again where the line was lost or others were in the way."""
        wait = _FIRST_WAIT
        for left in range(self._retries, -1, -1):
            try:
                return work()
            except DBAPIError as error:
                lost = error.connection_invalidated or self._line is None
                if lost:
                    self.close()
                if not (lost or self.dialect.is_passing(error)) or self._is_for_good(error):
                    raise self.cannot(doing, error) from None
                if not left or self._cancelled.wait(wait):
                    raise BackendUnavailableError(f"the database cannot {doing}: {self.dialect.said(error)}") from None
                wait = min(2 * wait, _LONGEST_WAIT)
            except (SQLAlchemyError, ValueError) as error:
                raise BackendError(f"the database cannot {doing}: {type(error).__name__}") from None
        raise AssertionError("not reached")

    def _is_for_good(self, error: DBAPIError) -> bool:
        """Whether a connection was refused, so that trying again is of no use."""
        return self.dialect.refuses_connection(error)

    def cannot(self, doing: str, error: DBAPIError) -> BackendError:
        """Makes the error of a database that cannot be worked with."""
        return BackendError(f"the database cannot {doing}: {self.dialect.said(error)}")

    def close(self) -> None:
        """Ends the connection."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(SQLAlchemyError):
                line.invalidate()  # not returned in order: that would ask once more
                line.close()

    def _in_transaction(self, work: Callable[[sa.Connection], T]) -> T:
        if self._line is None:
            self._line = self.dialect.engine.connect()
        line = self._line
        with self._begun(line):
            return work(line)

    @contextmanager
    def _begun(self, line: sa.Connection) -> Iterator[None]:
        transaction = line.begin()
        try:
            if isinstance(self.dialect, Sqlite):  # its driver begins none by itself
                line.exec_driver_sql("BEGIN" if self._read_only else "BEGIN IMMEDIATE")
            yield
        except BaseException:
            with suppress(SQLAlchemyError):
                transaction.rollback()
            raise
        try:
            transaction.commit()
        except DBAPIError as error:
            if error.connection_invalidated:
                self.close()
                raise InDoubtError from None
            with suppress(SQLAlchemyError):
                transaction.rollback()
            raise
