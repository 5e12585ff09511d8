"""What a plan is made from, so that it can be said what has changed since."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from musterroll.contract.components import Component
from musterroll.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class PluginsUsed:
    """The plugins that a pipeline uses.

    Attributes:
        distributions: the version of each installed distribution that brings one.
        files: the SHA-256 of each local plugin file, by its path as seen from the pipeline file's folder.
    """

    distributions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFrom:
    """What a plan rests on besides the users and groups of the portal.

    Attributes:
        sheet: the SHA-256 of the sheet.
        pipeline: the SHA-256 of the merged settings.
        plugins: the plugins in use.
        identity: which portal it is.
    """

    sheet: str
    pipeline: str
    plugins: PluginsUsed
    identity: str


def plugins_used(components: Iterable[Component], registry: Registry, folder: Path) -> PluginsUsed:
    """Collects the distributions that components come from, and every local plugin file.

    A local file counts even where nothing of it is used: the pipeline names it, and it ran when it was imported.

    Args:
        components: all that the pipeline uses.
        registry: the plugins that were found.
        folder: the pipeline file's folder; paths are relative to it.
    """
    distributions: dict[str, str] = {}
    for component in components:
        plugin = registry.plugin_of(component)
        if plugin.distribution is not None:
            distributions[plugin.distribution] = plugin.version or ""
    files = {_seen_from(folder, p.path): p.sha256 or "" for p in registry.plugins if p.path is not None}
    return PluginsUsed(dict(sorted(distributions.items())), dict(sorted(files.items())))


def _seen_from(folder: Path, path: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()
