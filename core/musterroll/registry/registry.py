"""The plugins that were found: looks components up, and says why one cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from musterroll.contract.components import Component
from musterroll.contract.text import did_you_mean
from musterroll.errors import MusterrollError
from musterroll.registry.collector import KINDS, Collector, Kind, PluginFault, PluginStatus, Provider, kind_label
from musterroll.registry.loader import HOME, Found, Plugin, entry_points, identity, local_file, normalised

LATE_KINDS: dict[str, Kind] = {f"{kind}s": kind for kind in KINDS}
"""What groups of entry points are for, by what follows `musterroll.` in their names."""

__all__ = ["KINDS", "Kind", "Listing", "PluginFault", "PluginStatus", "Provider", "Registry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A line of `plugins list`. Kind, name and summary are None for a plugin that brings nothing."""

    kind: Kind | None
    name: str | None
    summary: str | None
    plugin: str
    distribution: str | None
    version: str | None
    status: PluginStatus
    detail: str | None = None


class Registry:
    """The plugins that were found, and their components. Made by `load`.

    Where an entry point says what its plugin brings, the plugin is imported when somebody asks for that.
    """

    def __init__(self, collector: Collector, late: Sequence[tuple[Kind, Found]] = ()) -> None:
        self._collector, self._late = collector, list(late)
        self._providers: dict[Kind, dict[str, list[Provider]]] = {kind: {} for kind in KINDS}
        self._taken = 0
        self._take()

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Every plugin that could be imported so far."""
        return tuple(self._collector.plugins)

    @property
    def faults(self) -> tuple[PluginFault, ...]:
        """What cannot be used, as far as it was asked for, and why."""
        return tuple(self._collector.faults)

    @classmethod
    def load(cls, *, external: bool = True, local_files: Sequence[Path] = (), disable: Sequence[str] = ()) -> Registry:
        """Imports the plugins and collects what they bring. A broken one becomes a fault, never an exception.

        Args:
            external: whether to take plugins of other distributions than musterroll itself.
            local_files: plugin files of the pipeline, absolute.
            disable: names of plugins (entry points, local files' stems) or distributions to leave out.
        """
        collector, late = Collector(), list[tuple[Kind, Found]]()
        files = {identity(path): path for path in reversed(local_files)}  # a file that is named twice runs once
        for found in (*entry_points(), *map(local_file, reversed(files.values()))):
            plugin = found.plugin
            if any(plugin.is_called(name) for name in disable):
                collector.leave_out(plugin, "by the pipeline's `disable`")
            elif not external and plugin.path is None and normalised(plugin.distribution or "") != HOME:
                collector.leave_out(plugin, "by --no-external-plugins")
            elif (kind := LATE_KINDS.get(found.group or "")) is not None:
                late.append((kind, found))
            else:
                collector.add(found)
        return cls(collector, late)

    def _import(self, kind: Kind | None = None, name: str | None = None) -> None:
        """Imports the plugins that say they bring such components."""
        wanted = [one for one in self._late if kind in (None, one[0]) and name in (None, one[1].plugin.name)]
        if wanted:
            self._late = [one for one in self._late if one not in wanted]
            for its_kind, found in wanted:
                self._collector.add_late(found, its_kind)
            self._take()

    def _take(self) -> None:
        new = self._collector.providers[self._taken :]
        self._taken += len(new)
        for provider in new:
            by_name = self._providers[provider.kind].setdefault(provider.component.name, [])
            by_name.append(provider)
            by_name.sort(key=lambda one: normalised(one.plugin.distribution or "\U0010ffff"))  # whoever came first

    def components(self, kind: Kind) -> tuple[Provider, ...]:
        """The components of a kind, one of each name, sorted by name.

        Where several plugins bring a name, that is the built-in one, failing that none.
        """
        self._import(kind)
        found = (_preferred(providers) for _, providers in sorted(self._providers[kind].items()))
        return tuple(providers[0] for providers in found if len(providers) == 1)

    def find(self, kind: Kind, use: str) -> Component:
        """Looks a component up.

        Args:
            kind: its kind.
            use: its `name`; `distribution:name` or `plugin:name` where several plugins bring that name. A built-in
                command goes by its name alone whatever else is installed: nobody can type anything longer by habit.

        Raises:
            MusterrollError: there is none (code `plugin.unknown`), or several (`plugin.conflict`).
        """
        qualifier, _, name = use.rpartition(":")
        self._import(kind, name)
        everyone = self._providers[kind].get(name, [])
        if not everyone:
            self._import()  # so that all is known that can be said of it
        found = _called(qualifier, everyone) if qualifier else everyone
        if kind == "command" and not qualifier:
            found = _preferred(found)
        if len(found) == 1:
            return found[0].component
        if found:
            raise MusterrollError(self.conflict(kind, name, found), code="plugin.conflict")
        raise MusterrollError(self._unknown(kind, qualifier, name, everyone), code="plugin.unknown")

    def plugin_of(self, component: Component) -> Plugin:
        """Returns the plugin that brings a component which was found here."""
        everyone = (p for by_name in self._providers.values() for p in by_name.get(component.name, ()))
        return next(provider.plugin for provider in everyone if provider.component is component)

    def named(self, name: str, kind: Kind | None = None) -> tuple[Provider, ...]:
        """Looks up everything that a person may mean by a name, of every kind.

        Args:
            name: that of components, also as `distribution:name` or `plugin:name`; else that of a plugin.
            kind: the only kind that is meant.

        Raises:
            MusterrollError: there is nothing of that name (code `plugin.unknown`).
        """
        self._import()
        qualifier, _, bare = name.rpartition(":")
        everyone = [
            provider
            for found, by_name in self._providers.items()
            if kind in (None, found)
            for providers in by_name.values()
            for provider in providers
        ]
        meant = [p for p in everyone if p.component.name == bare]
        meant = list(_called(qualifier, meant)) if qualifier else meant
        meant = meant or [p for p in everyone if p.plugin.name == name]
        if meant:
            return tuple(meant)
        what = kind_label(kind) if kind else "plugin"
        fault = next((fault for fault in self.faults if fault.plugin.name == name), None)
        hint = f"; {fault}" if fault else did_you_mean(bare, {p.component.name for p in everyone})
        raise MusterrollError(f'unknown {what} "{name}"{hint}', code="plugin.unknown")

    @staticmethod
    def conflict(kind: Kind, name: str, providers: Sequence[Provider]) -> str:
        """Says who brings the same name, and what to write instead."""
        brought = f'several plugins bring the {kind_label(kind)} "{name}": {", ".join(map(str, providers))}'
        choices = [f'"{qualifier}:{name}"' for p in providers if (qualifier := _qualifier(p, providers)) is not None]
        remedy = f"write {' or '.join(choices)}, or disable" if choices else "disable"
        return f"{brought}; {remedy} one of the plugins"

    def is_known(self, name: str) -> bool:
        """Whether a plugin or distribution of this name was found, usable or not."""
        return any(plugin.is_called(name) for plugin in self._everything())

    def names(self) -> tuple[str, ...]:
        """The names of all plugins and distributions that were found, usable or not."""
        plugins = list(self._everything())
        return tuple(dict.fromkeys([*(p.name for p in plugins), *(p.distribution for p in plugins if p.distribution)]))

    def listing(self) -> tuple[Listing, ...]:
        """Everything that was found, for `plugins list`: components by kind and name, then what is unusable."""
        self._import()
        lines = [
            _line(p.plugin, PluginStatus.OK if len(providers) == 1 else PluginStatus.CONFLICT, provider=p)
            for by_name in self._providers.values()
            for _, providers in sorted(by_name.items())
            for p in providers
        ]
        return (*lines, *(_line(fault.plugin, fault.status, detail=fault.detail) for fault in self.faults))

    def _everything(self) -> Iterator[Plugin]:
        yield from self.plugins
        yield from (fault.plugin for fault in self.faults)
        yield from (found.plugin for _, found in self._late)

    def _unknown(self, kind: Kind, qualifier: str, name: str, everyone: Sequence[Provider]) -> str:
        if everyone:
            brings = ", ".join(map(str, everyone))
            return f'"{qualifier}" brings no {kind_label(kind)} "{name}"; it comes from {brings}'
        text = f'unknown {kind_label(kind)} "{name}"'
        # A component that another kind has, and an unusable plugin of that name, say more than a similar name.
        hints = [f"it is a {kind_label(other)}" for other, known in self._providers.items() if name in known]
        unusable = {f.plugin: f for f in self.faults if f.kind in (None, kind)}
        hints += [f"perhaps because {f}" for p, f in unusable.items() if p.name == name or p.is_called(qualifier)][:1]
        near = did_you_mean(name, self._providers[kind])
        if near and not hints:
            return text + near
        broken = [str(f.plugin) for f in unusable.values() if f.status is not PluginStatus.DISABLED]
        if broken and not hints:
            hints.append(f"or it belongs to a plugin that is broken: {_some(broken)}")
        disabled = [str(f.plugin) for f in unusable.values() if f.status is PluginStatus.DISABLED]
        if disabled and not hints:
            hints.append(f"or it belongs to a plugin that is disabled: {_some(disabled)}")
        if not hints:
            hints.append(f"known ones: {', '.join(sorted(self._providers[kind])) or 'none'}")
        return f"{text}, {'; '.join(hints)}"


def _preferred(providers: Sequence[Provider]) -> Sequence[Provider]:
    """The built-in one of several; all of them where none is."""
    return [p for p in providers if normalised(p.plugin.distribution or "") == HOME] or providers


def _called(qualifier: str, providers: Sequence[Provider]) -> Sequence[Provider]:
    """Those of a distribution; else of the plugin of that name: a stranger's may be called like a distribution."""
    theirs = [p for p in providers if p.plugin.is_of(qualifier)]
    return theirs or [p for p in providers if p.plugin.is_called(qualifier)]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _qualifier(provider: Provider, providers: Sequence[Provider]) -> str | None:
    """The shortest thing to put before the name that means this provider only."""
    for name in (provider.plugin.distribution, provider.plugin.name):
        if name is not None and list(_called(name, providers)) == [provider]:
            return name
    return None


def _line(
    plugin: Plugin, status: PluginStatus, *, provider: Provider | None = None, detail: str | None = None
) -> Listing:
    return Listing(
        kind=provider.kind if provider else None,
        name=provider.component.name if provider else None,
        summary=provider.component.summary if provider else None,
        plugin=plugin.name,
        distribution=plugin.distribution or (str(plugin.path) if plugin.path else None),
        version=plugin.version,
        status=status,
        detail=detail,
    )
