"""A pipeline that is merged, checked, and ready to build its plugin instances."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musterroll.contract.components import (
    Component,
    GroupResolverType,
    NotifierType,
    ReaderType,
    TransformType,
    UserBackendType,
    ValidatorType,
)
from musterroll.contract.context import Context, utc_now
from musterroll.contract.fields import FieldSet
from musterroll.contract.messages import Purpose
from musterroll.contract.options import Options
from musterroll.contract.roles import GroupResolver, Reader, RowValidator, SheetEditor, SheetValidator, SheetWriter
from musterroll.contract.translation import language
from musterroll.errors import Label, Mistake, MusterrollError, PipelineError
from musterroll.pipeline.made_from import PluginsUsed
from musterroll.pipeline.origins import KeyPath, keys_of
from musterroll.pipeline.settings import Settings
from musterroll.pipeline.severity import Severities
from musterroll.pipeline.unasked_reader import UnaskedReader
from musterroll.registry.guards.built import (
    BACKEND,
    EDITOR,
    NOTIFIER,
    READER,
    RESOLVER,
    TRANSFORM,
    VALIDATOR,
    WRITER,
    Role,
    look_at_built,
)
from musterroll.registry.guards.post import Post
from musterroll.registry.guards.reader import WatchedReader
from musterroll.registry.guards.transform import GuardedTransform
from musterroll.registry.plugin_errors import guarded
from musterroll.registry.registry import Registry
from musterroll.registry.watch import Watch

if TYPE_CHECKING:
    from musterroll.contract.conditions import Conditions
    from musterroll.portal.portal import Portal


@dataclass(frozen=True, slots=True)
class Instance:
    """A named instance of a component, with checked options, not built yet.

    Attributes:
        label: as the person knows it, e.g. `validators[corporate-mail]` or `backend`; it knows whose it is.
        component: what it is an instance of.
        options: its checked options.
        on: for notifiers: which messages they send.
        is_asked: whether the pipeline names it; a reader is tried by `auto` without that.
        when: the rows that it is about; None for all.
        path: where it stands in the pipeline; empty where it does not.
    """

    label: Label
    component: Component
    options: Options = field(repr=False)  # a plugin may keep a secret as plain text
    on: frozenset[Purpose] = frozenset()
    is_asked: bool = True
    when: Conditions | None = None
    path: KeyPath = ()


@dataclass(frozen=True, kw_only=True, repr=False)
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
        shown: the same as a file beside the pipeline file would have it: whatever it extends is in it.
        set_options: the `--set` texts and flags it was loaded with, as `--set` texts, so that a job can be resumed with
            them. A text that holds a secret is left out: the journal keeps these texts.
        settings_sha256: the SHA-256 of the merged settings.
        default_limits: the keys of `[limits]` that nobody has set: they are the built-in pipeline's.
        plugins: the plugins in use, with what tells one version of them from another.
        reader: the chosen reader; None for "auto".
        readers: the readers to try.
        transforms: the transforms, in order.
        validators: the validators, in order.
        resolvers: the group resolvers, in order.
        backend: the user backend.
        notifiers: the notifiers, in order.
        locate: makes a mistake of a path and a message, with its file and line.
        clock: the time in UTC.
        cancelled: set when the person interrupts.
        lock_wait: how many seconds another process is waited for that works on the same state.
        watch: knows which plugin is being waited for.
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
    shown: Mapping[str, Any]
    set_options: tuple[str, ...]
    settings_sha256: str
    default_limits: frozenset[str]
    plugins: PluginsUsed
    reader: Instance | None  # None: "auto"
    readers: tuple[Instance, ...]
    transforms: tuple[Instance, ...]
    validators: tuple[Instance, ...]
    resolvers: tuple[Instance, ...]
    backend: Instance
    notifiers: tuple[Instance, ...]
    locate: Callable[[KeyPath, str], Mistake]
    clock: Callable[[], dt.datetime] = utc_now
    cancelled: threading.Event = field(default_factory=threading.Event)
    lock_wait: float = 0.0
    watch: Watch = field(default_factory=Watch)

    def __repr__(self) -> str:
        return f"<Pipeline {self.name} of {self.file or 'the built-in file'}>"

    @property
    def name(self) -> str:
        """The pipeline's name; with the backend's identity it owns the ledger."""
        return self.settings.name

    @property
    def language(self) -> str:
        """The language that its people are told in: its own, else that of the context."""
        return self.settings.language or language()

    def stop_if_cancelled(self) -> None:
        """Stops at once where the person interrupted: before the first write there is nothing to finish.

        Raises:
            KeyboardInterrupt: the person interrupted.
        """
        if self.cancelled.is_set():
            raise KeyboardInterrupt

    @property
    def rules(self) -> tuple[Instance, ...]:
        """What rows go through, in order: transforms, validators, group resolvers."""
        return (*self.transforms, *self.validators, *self.resolvers)

    @property
    def severities(self) -> Severities:
        """What problems are to this customer."""
        return Severities(self.settings.severity, strict=self.settings.strict)

    def build_readers(self) -> tuple[tuple[str, Reader], ...]:
        """Builds the readers to try: the component's name, and the reader.

        Raises:
            PluginError: a plugin broke while it was built; likewise in the other methods.
        """
        found = ((one.component.name, self._build_reader(one)) for one in self.readers)
        return tuple((name, reader) for name, reader in found if reader is not None)

    def _build_reader(self, one: Instance) -> Reader | None:
        label = Label(f"readers[{one.component.name}]", one.label.by)
        try:
            reader = WatchedReader(self._build(one, READER), label, self.watch)
        except MusterrollError as error:
            if one.is_asked:
                raise
            self._logger(one).warning("%s; it is left out", error.message)
            return None
        return reader if one.is_asked else UnaskedReader(reader, self._logger(one))

    def _logger(self, one: Instance) -> logging.Logger:
        return logging.getLogger(f"musterroll.{one.label}")

    def build_writer(self, reader: Instance) -> SheetWriter:
        """Builds the writer that a reader's plugin brings; only where it brings one."""
        writer: SheetWriter = self._build(reader, WRITER)
        return writer

    def build_editor(self, reader: Instance) -> SheetEditor:
        """Builds the editor that a reader's plugin brings; only where it brings one."""
        editor: SheetEditor = self._build(reader, EDITOR)
        return editor

    def build_transforms(self) -> tuple[GuardedTransform, ...]:
        """Builds the transforms, new for every sheet."""
        return tuple(
            GuardedTransform(self._build(one, TRANSFORM), one.label, self.watch, self.fields, one.when)
            for one in self.transforms
        )

    def build_validators(self) -> tuple[tuple[str, RowValidator | SheetValidator], ...]:
        """Builds the validators, new for every sheet: the label, and the validator."""
        return tuple((one.label, self._build(one, VALIDATOR)) for one in self.validators)

    def build_resolvers(self) -> tuple[tuple[str, GroupResolver], ...]:
        """Builds the group resolvers: the label, and the resolver."""
        return tuple((one.label, self._build(one, RESOLVER)) for one in self.resolvers)

    def build_backend(self, *, read_only: bool) -> Portal:
        """Builds the user backend: to plan with, or to write with. It is closed by the `with` that it is used in."""
        from musterroll.portal.portal import Portal  # noqa: PLC0415 -- who only reads a sheet has none

        one = self.backend
        return Portal(self._build(one, BACKEND, read_only=read_only), one.label, self.watch)

    def build_notifiers(self, *, read_only: bool) -> tuple[tuple[Instance, Post], ...]:
        """Builds the notifiers: to plan with, or to send with. The caller closes them."""
        return tuple((one, self.build_notifier(one, read_only=read_only)) for one in self.notifiers)

    def build_to_look(self, instance: Instance) -> object:
        """Builds an instance of any kind, to look whether that works and what it says of itself."""
        return self._build(instance, _ROLES[type(instance.component)])

    def build_notifier(self, one: Instance, *, read_only: bool) -> Post:
        """Builds one of the notifiers; see `build_notifiers`."""
        return Post(self._build(one, NOTIFIER, read_only=read_only), one.label, self.watch, one.when)

    def _build(self, instance: Instance, role: Role, *, read_only: bool = True) -> Any:
        # The registry has checked that a component of a kind is of that kind's type, and brings what is called here.
        build = getattr(instance.component, _MAKERS.get(role[0], "build"))
        context = Context(
            instance=instance.label,
            fields=self.fields,
            match=self.settings.match,
            folder=self.folder,
            read_only=read_only,
            clock=self.clock,
            cancelled=self.cancelled,
            logger=logging.getLogger(f"musterroll.{instance.label}"),
        )
        call = self.watch.begin(instance.label, "starting")
        try:
            with guarded(instance.label, "starting"):
                made = build(instance.options, context)
                look_at_built(made, role)
                return made
        except PipelineError as error:
            raise PipelineError([self._located(instance, one) for one in error.mistakes], code=error.code) from None
        finally:
            self.watch.end(call)

    def _located(self, instance: Instance, one: Mistake) -> Mistake:
        """A mistake that a plugin has found in its options, or in a file that they name, where it stands."""
        if not instance.path:
            return one
        inner = one.path.removeprefix(f"{instance.label}.") if one.path != instance.label else ""
        return self.locate((*instance.path, *keys_of(inner)), one.message)


_MAKERS = {WRITER[0]: "writer", EDITOR[0]: "editor"}
_ROLES: Mapping[type[Component], Role] = {
    ReaderType: READER,
    TransformType: TRANSFORM,
    ValidatorType: VALIDATOR,
    GroupResolverType: RESOLVER,
    UserBackendType: BACKEND,
    NotifierType: NOTIFIER,
}
