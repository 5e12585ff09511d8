"""What is said of a journal that cannot be used, and how a damaged one is told from one that is out of reach."""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from musterroll.errors import StateError

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Nothing is wrong with the file itself; whatever else SQLite says of a journal of this version, it does not hold what
# was written to it: a table or an index is missing, a text is none, a page is another one's.
_OUT_OF_REACH = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_BUSY": "another program has locked it; close that program and try again",
    "SQLITE_LOCKED": "another program has locked it; close that program and try again",
    "SQLITE_READONLY": "it may not be written to (look at the permissions of the file and its folder)",
    "SQLITE_CANTOPEN": "it cannot be opened (look at the permissions of the file and its folder)",
    "SQLITE_PERM": "it may not be opened (look at its permissions)",
    "SQLITE_AUTH": "it may not be opened (look at its permissions)",
    "SQLITE_IOERR": "the disk reported an error, or is full",
    "SQLITE_NOMEM": "the memory is used up",
    "SQLITE_TOOBIG": "a value is too long",
    "SQLITE_INTERRUPT": "it was interrupted",
    "SQLITE_PROTOCOL": "another program has locked it; close that program and try again",
    "SQLITE_NOLFS": "it is too large for this disk",
}
# What code raises that takes a stored value apart which is not what was stored.
_SENSELESS = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, OverflowError)


def corrupt(path: Path | None, why: str) -> StateError:
    """Makes the error that says that a journal is damaged, and what to do."""
    return StateError(
        f"the journal {_shown(path)} is damaged ({why}); bring it back from a backup, or move it away to begin anew "
        "(who was created and invited is then forgotten)",
        code="state.corrupt",
    )


def state_error(path: Path | None, error: sqlite3.Error) -> StateError:
    """Makes the error that says what SQLite has against a journal."""
    name = getattr(error, "sqlite_errorname", "")
    # extended codes: SQLITE_IOERR_WRITE, SQLITE_READONLY_DIRECTORY, …
    reason = next((text for code, text in _OUT_OF_REACH.items() if name == code or name.startswith(code + "_")), None)
    if reason is None and isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
        return corrupt(path, str(error))
    return StateError(f"the journal {_shown(path)} cannot be used: {reason or error}")


def refuse_other_than_text(*values: object) -> None:
    """Refuses what SQLite stores in a column of texts all the same.

    Raises:
        TypeError: the journal is damaged.
    """
    if not all(value is None or isinstance(value, str) for value in values):
        raise TypeError("not a text")


def storable(text: str) -> str:
    """Returns a text that the journal can hold: half a character, as in names that are no text, becomes visible."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def decoded(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """For what takes stored values apart: values that make no sense are a damaged journal, not a broken program.

    The first argument is the journal, or has it as `_journal`.
    """

    @contextmanager
    def said(first: Any) -> Iterator[None]:
        try:
            yield
        except _SENSELESS as error:
            journal = getattr(first, "_journal", first)
            raise corrupt(journal.path, "a value in it makes no sense") from error

    if inspect.isgeneratorfunction(function):

        @wraps(function)
        def stream(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[Any]:
            with said(args[0]):
                yield from cast("Iterator[Any]", function(*args, **kwargs))

        return cast("Callable[_P, _R]", stream)

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with said(args[0]):
            return function(*args, **kwargs)

    return call


def _shown(path: Path | None) -> str:
    return "(temporary)" if path is None else str(path)
