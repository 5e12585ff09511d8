"""What a plan rests on, so that it can be said what has changed since it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
class Basis:
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
