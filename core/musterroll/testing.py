"""The kit for the tests of plugins, under the name of the package; see `musterroll_testing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import musterroll_testing
from musterroll_testing import (
    Fault,
    FaultyBackend,
    FaultyNotifier,
    KeptMessage,
    MemoryBackend,
    MemoryStore,
    PipelineResult,
    PipelineTrial,
    Schedule,
    at_random,
    build_backend,
    build_group_resolver,
    build_notifier,
    build_reader,
    build_transform,
    build_validator,
    make_context,
    make_row,
    nth,
)

if TYPE_CHECKING:
    from musterroll_testing import (
        BackendContract,
        GroupResolverContract,
        NotifierContract,
        ReaderContract,
        TransformContract,
        ValidatorContract,
    )

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


def __getattr__(name: str) -> object:
    return getattr(musterroll_testing, name)  # the contracts need pytest, so they are loaded when they are asked for
