"""The kit for the tests of plugins.

A contract a role, to be subclassed in a plugin's test suite; `PipelineTrial`, a whole pipeline in a test;
`MemoryBackend`, a real backend without a portal; `FaultyBackend` and `FaultyNotifier`, which put faults between the
engine and any plugin; and, in `musterroll_testing.crash`, what kills commands.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from musterroll_plugins.backends.memory.backend import MemoryBackend
from musterroll_plugins.backends.memory.store import MemoryStore
from musterroll_testing.building import (
    build_backend,
    build_group_resolver,
    build_notifier,
    build_reader,
    build_transform,
    build_validator,
    make_context,
    make_row,
)
from musterroll_testing.faults import Fault, Schedule, at_random, nth
from musterroll_testing.faulty import FaultyBackend, FaultyNotifier
from musterroll_testing.pipelines import KeptMessage, PipelineResult, PipelineTrial

if TYPE_CHECKING:
    from musterroll_testing._group_resolver_contract import GroupResolverContract
    from musterroll_testing._notifier_contract import NotifierContract
    from musterroll_testing._reader_contract import ReaderContract
    from musterroll_testing._transform_contract import TransformContract
    from musterroll_testing._validator_contract import ValidatorContract
    from musterroll_testing.backends import BackendContract

__all__ = [
    "BackendContract",
    "Fault",
    "FaultyBackend",
    "FaultyNotifier",
    "GroupResolverContract",
    "KeptMessage",
    "MemoryBackend",
    "MemoryStore",
    "NotifierContract",
    "PipelineResult",
    "PipelineTrial",
    "ReaderContract",
    "Schedule",
    "TransformContract",
    "ValidatorContract",
    "at_random",
    "build_backend",
    "build_group_resolver",
    "build_notifier",
    "build_reader",
    "build_transform",
    "build_validator",
    "make_context",
    "make_row",
    "nth",
]

# The contracts need pytest, so they are loaded when they are asked for.
_CONTRACTS = {
    "BackendContract": "backends",
    "GroupResolverContract": "_group_resolver_contract",
    "NotifierContract": "_notifier_contract",
    "ReaderContract": "_reader_contract",
    "TransformContract": "_transform_contract",
    "ValidatorContract": "_validator_contract",
}


def __getattr__(name: str) -> object:
    if name not in _CONTRACTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = f"{__name__}.{_CONTRACTS[name]}"
    if module not in sys.modules:
        import pytest  # noqa: PLC0415 -- only here

        pytest.register_assert_rewrite(module)  # so that its failing asserts show the values
    return getattr(import_module(module), name)
