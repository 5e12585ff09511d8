"""Asks every plugin what it brings, each hook inside a `try` of its own.

pluggy's `check_pending` and its hook calls stop at the first failure; here a plugin that breaks is named and
skipped.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import pluggy

from musterroll.plugin import hookspecs
from musterroll.plugin.components import (
    CommandType,
    Component,
    GroupResolverType,
    NotifierType,
    ReaderType,
    UserBackendType,
    ValidatorType,
)
from musterroll.plugin.loading import Found, Plugin, reason
from musterroll.plugin.options import Options
from musterroll.text import did_you_mean, nearest

Kind: TypeAlias = Literal["reader", "validator", "group_resolver", "user_backend", "notifier", "command"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class Hook(NamedTuple):
    """What a hook yields: the kind of component, and the type of its records."""

    kind: Kind
    record: type[Component]


HOOKS: dict[str, Hook] = {
    "musterroll_readers": Hook("reader", ReaderType),
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


def spoken(kind: Kind) -> str:
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
class Fault:
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


class Collector:
    """Imports plugins one after another and keeps what they bring, and what is wrong with them."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self.providers: list[Provider] = []
        self.faults: list[Fault] = []
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    def add(self, found: Found) -> None:
        """Imports a plugin and exhausts its hooks. Whatever it raises becomes a fault."""
        key = str(len(self.plugins) + len(self.faults))  # entry points of two distributions may share a name
        try:
            module = found.load()
        except (Exception, SystemExit) as error:
            self._fault(found.plugin, reason(error))
            return
        if self._register(found.plugin, module, key):
            self.plugins.append(found.plugin)
            self._forgotten_marks(found.plugin, module)
            self._exhaust(found.plugin, key)

    def leave_out(self, plugin: Plugin, by: str) -> None:
        """Notes a plugin that is not to be imported."""
        self.faults.append(Fault(plugin, PluginStatus.DISABLED, by))

    def _fault(self, plugin: Plugin, detail: str, kind: Kind | None = None) -> None:
        self.faults.append(Fault(plugin, PluginStatus.BROKEN, detail, kind))

    def _register(self, plugin: Plugin, module: object, key: str) -> bool:
        try:
            self._manager.register(module, key)
        except pluggy.PluginValidationError as error:
            self._fault(plugin, f"its hooks must take no argument: {str(error).splitlines()[-1]}")
        except ValueError:
            self._fault(plugin, "the same module is a plugin under another name already")
        except Exception as error:  # a stranger's object may raise anything when it is looked at
            self._fault(plugin, reason(error))
        else:
            return True
        if self._manager.has_plugin(key):  # older versions of pluggy leave what failed half registered
            self._manager.unregister(name=key)
        return False

    def _forgotten_marks(self, plugin: Plugin, module: object) -> None:
        """Finds hooks without `@hookimpl`, which pluggy does not see at all."""
        for name, value in vars(module).items() if inspect.ismodule(module) else ():
            if name in HOOKS and inspect.isfunction(value) and not hasattr(value, f"{hookspecs.PROJECT}_impl"):
                self._fault(plugin, f"{name} lacks the decorator @hookimpl", HOOKS[name].kind)

    def _exhaust(self, plugin: Plugin, key: str) -> None:
        for name, caller in sorted(vars(self._manager.hook).items()):
            if name.startswith("_"):
                continue
            for impl in caller.get_hookimpls():
                if impl.plugin_name != key:
                    continue
                if name in HOOKS:
                    self._take(plugin, name, impl.function)
                elif not impl.optionalhook:
                    near = nearest(name, HOOKS)
                    detail = f"there is no hook {name}{did_you_mean(name, HOOKS)}"
                    kind = HOOKS[near].kind if near else None
                    self.faults.append(Fault(plugin, PluginStatus.MISSPELT, detail, kind))

    def _take(self, plugin: Plugin, name: str, function: Callable[..., Any]) -> None:
        """Takes the records of one hook: all of them, or none of a hook that breaks on the way."""
        hook = HOOKS[name]
        try:
            records: list[object] = list(function())
        except (Exception, SystemExit) as error:
            self._fault(plugin, f"{name} should yield records, and did not: {reason(error)}", hook.kind)
            return
        for record in records:
            try:
                self.providers.append(Provider(hook.kind, _checked(record, hook), plugin))
            except TypeError as error:
                self._fault(plugin, f"{name}: {error}", hook.kind)


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
