"""Calls into plugins: whatever they raise comes out with their name and the stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from musterroll.errors import MusterrollError, PluginError


@contextmanager
def guarded(plugin: str, stage: str, row: int | None = None) -> Iterator[None]:
    """Names the plugin that breaks inside.

    Args:
        plugin: the instance as the person knows it, e.g. `backend`.
        stage: what is being done, e.g. `looking users up`.
        row: the sheet row, where there is one.

    Raises:
        PluginError: something that is not of musterroll's own tree was raised inside.
    """
    try:
        yield
    except MusterrollError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(plugin=plugin, stage=stage, cause=error, row=row) from error
