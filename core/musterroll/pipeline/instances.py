"""Makes the named instances of plugins that a pipeline asks for, with checked options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from musterroll.errors import MusterrollError
from musterroll.label import Label
from musterroll.model.messages import Purpose
from musterroll.pipeline.checking import Check
from musterroll.pipeline.fields import LITERAL
from musterroll.pipeline.layers import join
from musterroll.pipeline.masking import literal_secrets
from musterroll.pipeline.origins import Items, KeyPath, Node, Place, Table, at, place_of, plain
from musterroll.pipeline.pipeline import Instance
from musterroll.pipeline.settings import NotifierUse
from musterroll.plugin.components import Component, ReaderType
from musterroll.plugin.options import Options
from musterroll.plugin.registry import Kind, Registry

AUTO = "auto"


class Instances:
    """Looks components up and checks their options; mistakes go to the check."""

    def __init__(self, check: Check, registry: Registry) -> None:
        self._check, self._registry = check, registry

    def backend(self) -> Instance | None:
        """`[backend]`; None where it has mistakes."""
        return self._one(("backend",), "user_backend", "backend")

    def array(self, array: str, kind: Kind) -> Iterator[Instance]:
        """Yields the enabled elements of `[[validators]]`, `[[groups]]` or `[[notifiers]]`."""
        items = at(self._check.tree, (array,))
        for name, element in items.entries.items() if isinstance(items, Items) else ():
            enabled = element.entries.get("enabled")
            if enabled is not None and plain(enabled) is False:
                self._mask_only((array, name), kind)
                continue
            instance = self._one((array, name), kind, f"{array}[{name}]")
            if instance is not None:
                yield instance

    def readers(self) -> tuple[Instance | None, tuple[Instance, ...]]:
        """`[reader]` and `[readers.NAME]`: the chosen reader (None: "auto"), and all that may be tried."""
        tables = at(self._check.tree, ("readers",))
        named: dict[str, Node] = dict(tables.entries) if isinstance(tables, Table) else {}
        instances = {}
        use = at(self._check.tree, ("reader", "use"))
        chosen = plain(use) if use is not None and self._check.is_sound("reader") else None
        for name, table in named.items():
            instance = self._configured_reader(name, table, chosen)
            if instance is not None:
                instances[instance.component.name] = instance
        if chosen is None:
            return None, ()
        if chosen != AUTO:
            reader = self._chosen_reader(chosen, named)
            return reader, (reader,) if reader else ()
        for provider in self._registry.components("reader"):
            name = provider.component.name
            if name not in instances and name not in named:
                self._try_reader(provider.component, instances)
        return None, tuple(instances[name] for name in sorted(instances))

    def _configured_reader(self, name: str, table: Node, chosen: str | None) -> Instance | None:
        """`[readers.NAME]`, unless it is for the chosen reader, which has further options."""
        path: KeyPath = ("readers", name)
        if not self._check.is_sound(*path) or not isinstance(table, Table):
            return None
        component = self._find("reader", name, path)
        if component is None or component.name == _bare(chosen):
            return None
        options = self._options(component, table, lambda inner: (*path, *inner), table.place)
        return None if options is None else Instance(self._label(f"readers.{name}", component), component, options)

    def _chosen_reader(self, use: str, named: dict[str, Node]) -> Instance | None:
        component = self._find("reader", use, ("reader", "use"))
        if component is None:
            return None
        own, general = at(self._check.tree, ("reader", "options")), named.get(component.name)
        layers = [table for table in (general, own) if isinstance(table, Table)]
        place = place_of(self._check.tree, ("reader", "use"))

        def full(path: KeyPath) -> KeyPath:
            in_general = general is not None and path and at(general, path[:1]) is not None
            in_own = own is not None and path and at(own, path[:1]) is not None
            return ("readers", component.name, *path) if in_general and not in_own else ("reader", "options", *path)

        options = self._options(component, join(layers, place), full, place)
        return None if options is None else Instance(self._label("reader", component), component, options)

    def _try_reader(self, component: Component, instances: dict[str, Instance]) -> None:
        """Adds a reader that nobody mentioned. One that needs options is not a mistake of this pipeline."""
        model = _options_of(component)
        try:
            options = model.model_validate(
                {}, context=self._check.surroundings(model, Table({}, self._check.tree.place))
            )
        except Exception:
            name = component.name
            self._check.warn(("readers",), f'the reader "{name}" is left out; it needs options, in [readers.{name}]')
        else:
            label = self._label(f"readers.{component.name}", component)
            instances[component.name] = Instance(label, component, options)

    def _one(self, path: KeyPath, kind: Kind, label: str) -> Instance | None:
        check = self._check
        table, use = at(check.tree, path), at(check.tree, (*path, "use"))
        if not isinstance(table, Table) or use is None:
            return None
        if not (check.is_sound(*path, "use") and check.is_sound(*path, "options")):
            return None
        component = self._find(kind, plain(use), (*path, "use"))
        if component is None:
            return None
        on: frozenset[Purpose] = frozenset()
        if kind == "notifier" and check.is_sound(*path):
            on = frozenset(NotifierUse.model_validate(plain(table)).on)
        options = self._options_at(path, component, on)
        return None if options is None else Instance(self._label(label, component), component, options, on)

    def _label(self, text: str, component: Component) -> Label:
        return Label(text, self._registry.plugin_of(component).short)

    def _options_at(self, path: KeyPath, component: Component, on: frozenset[Purpose]) -> Options | None:
        place = place_of(self._check.tree, (*path, "use"))
        table = at(self._check.tree, (*path, "options"))
        node = table if isinstance(table, Table) else Table({}, place)
        return self._options(component, node, lambda inner: (*path, "options", *inner), place, on)

    def _mask_only(self, path: KeyPath, kind: Kind) -> None:
        """Finds the secrets of an element that is not used, as it is printed all the same."""
        aside = Check(self._check.tree, self._check.folder)
        Instances(aside, self._registry)._one(path, kind, "")
        self._check.masked |= aside.masked

    def _find(self, kind: Kind, use: str, path: KeyPath) -> Component | None:
        try:
            return self._registry.find(kind, use)
        except MusterrollError as error:
            self._check.complain(path, error.message)
            return None

    def _options(
        self,
        component: Component,
        node: Table,
        full: Callable[[KeyPath], KeyPath],
        asker: Place,
        on: frozenset[Purpose] = frozenset(),
    ) -> Options | None:
        options = self._check.checked(_options_of(component), node, full, asker=asker, on=on)
        for path in literal_secrets(options, node) if options is not None else ():
            self._check.warn(full(path), LITERAL)
            self._check.masked.add(full(path))
        return options


def _bare(use: str | None) -> str | None:
    return use and use.rpartition(":")[2]


def _options_of(component: Component) -> type[Options]:
    return cast("ReaderType[Options]", component).options
