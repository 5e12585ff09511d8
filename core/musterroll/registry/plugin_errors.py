"""Calls into plugins: whatever they raise comes out with their name and the stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from musterroll.errors import MusterrollError, PluginError


class AnswerError(Exception):
    """What a plugin made or answered cannot be used; the text says why, and what it should be."""


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
        raise broken(plugin, stage, error, row) from error


def broken(plugin: str, stage: str, error: BaseException, row: int | None = None) -> PluginError:
    """Makes the error that names a plugin. See `guarded`."""
    cause = str(error) if isinstance(error, AnswerError) else error
    return PluginError(plugin=plugin, stage=stage, cause=cause, row=row)
