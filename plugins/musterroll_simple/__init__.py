"""A portal by saying how one user and one group are read and written; everything else is derived, once.

`SimpleBackend` is what a team's class inherits from; the other names are building blocks for backends that say more.
See docs/plugins/backends.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from musterroll_simple.backend import SimpleBackend
from musterroll_simple.errors import Broke, Busy, Gone, NoAnswer, NotTriedError, Refused, Taken
from musterroll_simple.group_names import join_path, split_path, with_parents
from musterroll_simple.pages import AsyncPages, Pages
from musterroll_simple.spellings import Spelling, respelt
from musterroll_simple.user_index import KEY, UserIndex, value_of

if TYPE_CHECKING:
    from musterroll_simple.list_lock import ListLock
    from musterroll_simple.pump import Pump
    from musterroll_simple.readings import Readings

__all__ = [
    "KEY",
    "AsyncPages",
    "Broke",
    "Busy",
    "Gone",
    "ListLock",
    "NoAnswer",
    "NotTriedError",
    "Pages",
    "Pump",
    "Readings",
    "Refused",
    "SimpleBackend",
    "Spelling",
    "Taken",
    "UserIndex",
    "join_path",
    "respelt",
    "split_path",
    "value_of",
    "with_parents",
]


# These need an event loop, which only those shall load who have something to do.
_LATER = {"ListLock": "list_lock", "Pump": "pump", "Readings": "readings"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"musterroll_simple.{_LATER[name]}"), name)
