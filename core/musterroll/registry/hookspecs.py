"""The hook specifications: what a plugin module can implement.

Each hook takes no argument and yields records (`ReaderType`, …). It runs once, at start-up, so it must be
cheap: import heavy libraries inside `build` or later. A rule that is a function needs no hook (`@rule`).

    from musterroll import Component, Options, ValidatorType, hookimpl

    @hookimpl
    def musterroll_validators() -> Iterator[Component]:
        yield ValidatorType(name="staff-number", summary="…", options=Options, build=StaffNumber)
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from musterroll.contract.components import Component

PROJECT = "musterroll"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def musterroll_readers() -> Iterable[Component]:
    """Yields the spreadsheet formats that can be read."""
    return ()


@hookspec
def musterroll_transforms() -> Iterable[Component]:
    """Yields the ways to make values as they should be, before rules see them."""
    return ()


@hookspec
def musterroll_validators() -> Iterable[Component]:
    """Yields the rules that rows or whole sheets can be checked by."""
    return ()


@hookspec
def musterroll_group_resolvers() -> Iterable[Component]:
    """Yields the ways to find out a row's groups."""
    return ()


@hookspec
def musterroll_user_backends() -> Iterable[Component]:
    """Yields the portals that users can be created and updated in."""
    return ()


@hookspec
def musterroll_notifiers() -> Iterable[Component]:
    """Yields the ways to send invites and reports."""
    return ()


@hookspec
def musterroll_commands() -> Iterable[Component]:
    """Yields further commands of the command line."""
    return ()
