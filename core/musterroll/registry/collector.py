"""Asks every plugin what it brings, each hook inside a `try` of its own.

pluggy's `check_pending` and its hook calls stop at the first failure; here a plugin that breaks is named and
skipped.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import pluggy

from musterroll.contract.components import (
    CommandType,
    Component,
    GroupResolverType,
    NotifierType,
    ReaderType,
    TransformType,
    UserBackendType,
    ValidatorType,
)
from musterroll.contract.decorators import FUNCTION_RULES
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.options import Options
from musterroll.contract.text import did_you_mean, nearest
from musterroll.contract.translation import add_catalogues
from musterroll.registry import hookspecs
from musterroll.registry.loader import HOME, Found, Plugin, reason
from musterroll.registry.time_limit import BrokenOffError, within

Kind: TypeAlias = Literal["reader", "transform", "validator", "group_resolver", "user_backend", "notifier", "command"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MOST = 1000
"""So many records may a hook yield: far more than anybody needs, far fewer than an endless one would."""
PATIENCE = 10.0
"""So many seconds may a plugin take to be imported and asked what it brings."""
_NAME = late_pattern(r"[a-z0-9][a-z0-9._-]*")


class Hook(NamedTuple):
    """What a hook yields: the kind of component, and the type of its records."""

    kind: Kind
    record: type[Component]


HOOKS: dict[str, Hook] = {
    "musterroll_readers": Hook("reader", ReaderType),
    "musterroll_transforms": Hook("transform", TransformType),
    "musterroll_validators": Hook("validator", ValidatorType),
    "musterroll_group_resolvers": Hook("group_resolver", GroupResolverType),
    "musterroll_user_backends": Hook("user_backend", UserBackendType),
    "musterroll_notifiers": Hook("notifier", NotifierType),
    "musterroll_commands": Hook("command", CommandType),
}


class PluginStatus(StrEnum):
    """Whether a plugin or component can be used."""

    OK = "ok"
    CONFLICT = "conflict"
    BROKEN = "broken"
    MISSPELT = "misspelt hook"
    DISABLED = "disabled"


def kind_label(kind: Kind) -> str:
    """The kind as a person would say it."""
    return kind.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Provider:
    """A component and the plugin that brings it."""

    kind: Kind
    component: Component
    plugin: Plugin

    def __str__(self) -> str:
        return str(self.plugin)


@dataclass(frozen=True, slots=True)
class PluginFault:
    """A plugin, or a part of one, that cannot be used.

    Attributes:
        plugin: the plugin.
        status: broken, misspelt hook, or disabled.
        detail: why, in one line.
        kind: the kind of component that the broken hook would have brought; None where that is not known.
    """

    plugin: Plugin
    status: PluginStatus
    detail: str
    kind: Kind | None = None

    def __str__(self) -> str:
        verb = "has a" if self.status is PluginStatus.MISSPELT else "is"
        return f"the plugin {self.plugin} {verb} {self.status}: {self.detail}"


@dataclass(slots=True)
class _Brought:
    """What one plugin brings, and what is wrong with it."""

    plugin: Plugin
    is_imported: bool = False
    providers: list[Provider] = field(default_factory=list)
    faults: list[PluginFault] = field(default_factory=list)

    def fault(self, detail: str, kind: Kind | None = None) -> None:
        self.faults.append(PluginFault(self.plugin, PluginStatus.BROKEN, detail, kind))


class Collector:
    """Imports plugins one after another and keeps what they bring, and what is wrong with them."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self.providers: list[Provider] = []
        self.faults: list[PluginFault] = []
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    def add(self, found: Found) -> None:
        """Imports a plugin and exhausts its hooks, in a bounded time. Whatever it raises becomes a fault."""
        key = str(len(self.plugins) + len(self.faults))  # entry points of two distributions may share a name
        try:
            # Our own plugins need no watching, and every command starts with them.
            is_ours = found.plugin.is_of(HOME)
            brought = self._collect(found, key) if is_ours else within(PATIENCE, lambda: self._collect(found, key))
        except BrokenOffError as error:
            brought = _Brought(found.plugin)
            late = f"it did not come to an end within {PATIENCE:g} seconds while it was loaded"
            brought.fault(reason(error.cause) if error.cause else late)
        if brought.is_imported:
            self.plugins.append(found.plugin)
        self.providers += brought.providers
        self.faults += brought.faults

    def add_late(self, found: Found, kind: Kind) -> None:
        """Imports a plugin whose entry point says that it brings a component of a kind and of its name. See `add`."""
        if self._is_brought(found, kind):  # several entry points may name one module
            return
        faults = len(self.faults)
        self.add(found)
        if not self._is_brought(found, kind) and len(self.faults) == faults:
            name = found.plugin.name
            detail = f'its entry point says that it brings the {kind_label(kind)} "{name}", and it does not'
            self.faults.append(PluginFault(found.plugin, PluginStatus.BROKEN, detail, kind))

    def _is_brought(self, found: Found, kind: Kind) -> bool:
        wanted, name = (found.plugin.distribution, found.plugin.module), found.plugin.name
        return any(
            one.kind == kind and one.component.name == name and (one.plugin.distribution, one.plugin.module) == wanted
            for one in self.providers
        )

    def leave_out(self, plugin: Plugin, by: str) -> None:
        """Notes a plugin that is not to be imported."""
        self.faults.append(PluginFault(plugin, PluginStatus.DISABLED, by))

    def _collect(self, found: Found, key: str) -> _Brought:
        brought = _Brought(found.plugin)
        try:
            module = found.load()
        except (Exception, SystemExit) as error:
            brought.fault(reason(error, found.plugin.path))
            return brought
        if self._register(brought, module, key):
            brought.is_imported = True
            _note_catalogues(module)
            _find_forgotten_marks(brought, module)
            self._exhaust(brought, key)
            _take_functions(brought, module)
        return brought

    def _register(self, brought: _Brought, module: object, key: str) -> bool:
        try:
            self._manager.register(module, key)
        except pluggy.PluginValidationError as error:
            brought.fault(f"its hooks must take no argument: {str(error).splitlines()[-1]}")
        except ValueError:
            brought.fault("the same module is a plugin under another name already")
        except Exception as error:  # a stranger's object may raise anything when it is looked at
            brought.fault(reason(error))
        else:
            return True
        if self._manager.has_plugin(key):  # older versions of pluggy leave what failed half registered
            self._manager.unregister(name=key)
        return False

    def _exhaust(self, brought: _Brought, key: str) -> None:
        for name, caller in sorted(vars(self._manager.hook).items()):
            if name.startswith("_"):
                continue
            for impl in caller.get_hookimpls():
                if impl.plugin_name != key:
                    continue
                if name in HOOKS:
                    _take(brought, name, impl.function)
                elif not impl.optionalhook:
                    near = nearest(name, HOOKS)
                    detail = f"there is no hook {name}{did_you_mean(name, HOOKS)}"
                    kind = HOOKS[near].kind if near else None
                    brought.faults.append(PluginFault(brought.plugin, PluginStatus.MISSPELT, detail, kind))


def _note_catalogues(module: object) -> None:
    """Notes where a plugin's catalogues would be: in its package, or beside a local file."""
    if inspect.ismodule(module):
        top = sys.modules.get(module.__name__.partition(".")[0], module)
        file = getattr(top, "__file__", None)
        for folder in getattr(top, "__path__", None) or ([] if file is None else [Path(file).parent]):
            add_catalogues(Path(folder))


def _find_forgotten_marks(brought: _Brought, module: object) -> None:
    """Finds hooks without `@hookimpl`, which pluggy does not see at all."""
    for name, value in vars(module).items() if inspect.ismodule(module) else ():
        if name in HOOKS and inspect.isfunction(value) and not hasattr(value, f"{hookspecs.PROJECT}_impl"):
            brought.fault(f"{name} lacks the decorator @hookimpl", HOOKS[name].kind)


def _take(brought: _Brought, name: str, function: Callable[..., Any]) -> None:
    """Takes the records of one hook: all of them, or none of a hook that breaks on the way."""
    hook = HOOKS[name]
    try:
        records: list[object] = list(islice(function(), MOST + 1))
    except (Exception, SystemExit) as error:
        brought.fault(f"{name} should yield records, and did not: {reason(error)}", hook.kind)
        return
    if len(records) > MOST:
        brought.fault(f"{name} yields more than {MOST:,} records", hook.kind)
        return
    for record in records:
        try:
            component = _checked(record, hook)
            if not brought.plugin.is_of(HOME):
                _look_at_options(component)
        except TypeError as error:
            brought.fault(f"{name}: {error}", hook.kind)
        else:
            brought.providers.append(Provider(hook.kind, component, brought.plugin))


def _take_functions(brought: _Brought, module: object) -> None:
    """Takes the rules of a module that are functions."""
    rules = getattr(module, FUNCTION_RULES, ())
    for record in rules if isinstance(rules, list) else ():
        hook = next(hook for hook in HOOKS.values() if isinstance(record, hook.record))
        try:
            brought.providers.append(Provider(hook.kind, _checked(record, hook), brought.plugin))
        except TypeError as error:
            brought.fault(str(error), hook.kind)


def _checked(record: object, hook: Hook) -> Component:
    """Returns the record; raises TypeError. Annotations alone keep a stranger's module from nothing."""
    if not isinstance(record, hook.record):
        raise TypeError(f"a {hook.record.__name__} was expected, not {type(record).__name__}")
    name, summary, record_options = (getattr(record, key, None) for key in ("name", "summary", "options"))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise TypeError(f"the name {name!r} should be lower-case letters, digits and hyphens")
    if not isinstance(summary, str):
        raise TypeError(f'the summary of "{name}" should be text')
    maker = "load" if hook.kind == "command" else "build"
    if not callable(getattr(record, maker, None)):
        raise TypeError(f'the `{maker}` of "{name}" cannot be called')
    optional = hook.kind == "command" and record_options is None
    if not optional and not (isinstance(record_options, type) and issubclass(record_options, Options)):
        raise TypeError(f'the options of "{name}" should be a subclass of musterroll.Options')
    return record


def _look_at_options(component: Component) -> None:
    """Makes the schema of a stranger's options, which waits otherwise until they are checked; raises TypeError."""
    options = getattr(component, "options", None)
    try:
        if options is not None:
            options.model_rebuild(raise_errors=False)
    except Exception as error:
        raise TypeError(f'the options of "{component.name}" cannot be checked: {reason(error)}') from error
