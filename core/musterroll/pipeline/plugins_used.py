"""Which plugins a pipeline uses, and what tells one version of them from another."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from musterroll.pipeline.made_from import PluginsUsed
from musterroll.pipeline.pipeline import Instance
from musterroll.registry.registry import Registry


def plugins_used(instances: Iterable[Instance], registry: Registry, folder: Path) -> PluginsUsed:
    """Collects the distributions that the instances come from, and every local plugin file.

    A local file counts even where nothing of it is used: the pipeline names it, and it ran when it was imported.

    Args:
        instances: all instances of the pipeline.
        registry: the plugins that were found.
        folder: the pipeline file's folder; paths are told as seen from there.
    """
    distributions: dict[str, str] = {}
    for instance in instances:
        plugin = registry.plugin_of(instance.component)
        if plugin.distribution is not None:
            distributions[plugin.distribution] = plugin.version or ""
    files = {_seen_from(folder, p.path): p.sha256 or "" for p in registry.plugins if p.path is not None}
    return PluginsUsed(dict(sorted(distributions.items())), dict(sorted(files.items())))


def _seen_from(folder: Path, path: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()
