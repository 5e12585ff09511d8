"""The kit for the tests of plugins.

`BackendContract` is subclassed in a plugin's test suite; `MemoryBackend` is a real backend without a portal.
Only the contracts need pytest, so they are loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from musterroll.testing.memory import MemoryBackend
from musterroll.testing.memory_store import MemoryStore

if TYPE_CHECKING:
    from musterroll.testing.backends import BackendContract

__all__ = ["BackendContract", "MemoryBackend", "MemoryStore"]


def __getattr__(name: str) -> object:
    if name == "BackendContract":
        from musterroll.testing.backends import BackendContract  # noqa: PLC0415 -- needs pytest

        return BackendContract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
