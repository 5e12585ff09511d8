"""A pipeline that is merged, checked, and ready to build its plugin instances."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from musterroll.errors import Mistake
from musterroll.model.fields import FieldSet
from musterroll.model.messages import Purpose
from musterroll.pipeline.settings import Settings
from musterroll.plugin.components import Component
from musterroll.plugin.context import Context, utc_now
from musterroll.plugin.options import Options
from musterroll.plugin.registry import Registry
from musterroll.plugin.roles import GroupResolver, Notifier, Reader, RowValidator, SheetValidator, UserBackend


@dataclass(frozen=True, slots=True)
class Instance:
    """A named instance of a component, with checked options, not built yet.

    Attributes:
        label: as the person knows it, e.g. `validators[corporate-mail]` or `backend`.
        component: what it is an instance of.
        options: its checked options.
        on: for notifiers: what they are told.
    """

    label: str
    component: Component
    options: Options
    on: frozenset[Purpose] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline that is merged, checked, and ready to build its plugin instances.

    Attributes:
        settings: what the file says.
        profile: the profile in use.
        file: the pipeline file; None where the built-in `standard` runs.
        folder: what relative paths of flags refer to: the file's folder, else the current one.
        state: the folder of journal and lock.
        fields: the fields of a user.
        registry: the plugins that were found.
        warnings: mistakes that do not stop anything, e.g. a literal secret or a broken plugin that is not used.
        merged: the merged TOML as plain data, secrets masked.
        sets: the `--set` texts it was loaded with, so that a job can be resumed with them.
        fingerprint: the SHA-256 of merged settings and local plugins.
    """

    settings: Settings
    profile: str | None
    file: Path | None
    folder: Path
    state: Path
    fields: FieldSet
    registry: Registry
    warnings: tuple[Mistake, ...]
    merged: Mapping[str, Any]
    sets: tuple[str, ...]
    fingerprint: str
    reader: Instance | None  # None: "auto"
    readers: tuple[Instance, ...]
    validators: tuple[Instance, ...]
    resolvers: tuple[Instance, ...]
    backend: Instance
    notifiers: tuple[Instance, ...]
    clock: Callable[[], dt.datetime] = utc_now
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        """The pipeline's name; with the backend's identity it owns the ledger."""
        return self.settings.name
