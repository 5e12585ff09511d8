"""What is said of a journal that cannot be used, and how a damaged one is told from one that is out of reach."""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import NoneType
from typing import Any, ParamSpec, TypeVar, cast

from musterroll.contract.sqlite import SqliteFormat
from musterroll.contract.translation import gettext
from musterroll.errors import StateError

_P = ParamSpec("_P")
_R = TypeVar("_R")

_TEXTS = frozenset({str, NoneType})
# What code raises that takes a stored value apart which is not what was stored.
_SENSELESS = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, OverflowError)


def corrupt(path: Path | None, why: str) -> StateError:
    """Makes the error that says that a journal is damaged, and what to do."""
    return StateError(
        gettext(
            "the journal {path} is damaged ({why}); bring it back from a backup, or move it away to begin anew "
            "(who was created and invited is then forgotten)",
            path=_shown(path),
            why=why,
        ),
        code="state.corrupt",
    )


def state_error(path: Path | None, error: sqlite3.Error) -> StateError:
    """Makes the error that says what SQLite has against a journal."""
    reason = SqliteFormat.why_out_of_reach(error)
    # Whatever else SQLite says, it does not hold what was written to it: a table is missing, a text is none, …
    if reason is None and isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
        return corrupt(path, str(error))
    return StateError(gettext("the journal {path} cannot be used: {error}", path=_shown(path), error=reason or error))


def refuse_other_than_text(*values: object) -> None:
    """Refuses what SQLite stores in a column of texts all the same.

    Raises:
        TypeError: the journal is damaged.
    """
    if not _TEXTS.issuperset(map(type, values)):
        raise TypeError("not a text")


def storable(text: str) -> str:
    """Returns a text that the journal can hold: half a character, as in names that are no text, becomes visible."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


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
