"""The hook specifications: what a plugin module can implement.

Each hook takes no argument and yields records (`ReaderType`, …). It runs once, at start-up, so it must be
cheap: import heavy libraries inside `build` or later.

    from musterroll import Options, ValidatorType, hookimpl

    @hookimpl
    def musterroll_validators():
        yield ValidatorType(name="staff-number", summary="…", options=Options, build=StaffNumber)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pluggy

from musterroll.contract.components import (
    CommandType,
    GroupResolverType,
    NotifierType,
    ReaderType,
    UserBackendType,
    ValidatorType,
)

PROJECT = "musterroll"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def musterroll_readers() -> Iterable[ReaderType[Any]]:
    """Yields the spreadsheet formats that can be read."""
    return ()


@hookspec
def musterroll_validators() -> Iterable[ValidatorType[Any]]:
    """Yields the rules that rows or whole sheets can be checked by."""
    return ()


@hookspec
def musterroll_group_resolvers() -> Iterable[GroupResolverType[Any]]:
    """Yields the ways to find out a row's groups."""
    return ()


@hookspec
def musterroll_user_backends() -> Iterable[UserBackendType[Any]]:
    """Yields the portals that users can be created and updated in."""
    return ()


@hookspec
def musterroll_notifiers() -> Iterable[NotifierType[Any]]:
    """Yields the ways to send invites and reports."""
    return ()


@hookspec
def musterroll_commands() -> Iterable[CommandType]:
    """Yields further commands of the command line."""
    return ()
