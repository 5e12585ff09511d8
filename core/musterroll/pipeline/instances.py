"""Makes the named instances of plugins that a pipeline asks for, with checked options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from musterroll.contract.components import Component, GroupResolverType, ReaderType, ValidatorType
from musterroll.contract.fields import GROUPS, PASSWORD
from musterroll.contract.messages import Purpose
from musterroll.contract.options import Options
from musterroll.contract.text import did_you_mean
from musterroll.errors import Label, MusterrollError
from musterroll.pipeline.check import Check, conditions_at
from musterroll.pipeline.fields import LITERAL
from musterroll.pipeline.key_types import is_path, type_of_key
from musterroll.pipeline.layers import join
from musterroll.pipeline.masks import inside_options, literal_secrets
from musterroll.pipeline.origins import Items, KeyPath, Node, Place, TomlTable, at, place_of, plain
from musterroll.pipeline.pipeline import Instance
from musterroll.pipeline.settings import NotifierUse, Settings
from musterroll.registry.loader import HOME
from musterroll.registry.registry import Kind, Registry
from musterroll.registry.strict_options import checked

if TYPE_CHECKING:
    from musterroll.contract.conditions import Conditions

AUTO = "auto"
CHOOSING: dict[str, Kind] = {
    "reader": "reader",
    "transforms": "transform",
    "validators": "validator",
    "groups": "group_resolver",
    "backend": "user_backend",
    "notifiers": "notifier",
}
"""The tables, and arrays of tables, that choose a plugin."""


class Instances:
    """Looks components up and checks their options; mistakes go to the check."""

    def __init__(self, check: Check, registry: Registry) -> None:
        self._check, self._registry = check, registry

    def backend(self) -> Instance | None:
        """`[backend]`; None where it has mistakes."""
        return self._one(("backend",), "user_backend", "backend")

    def array(self, array: str, kind: Kind) -> Iterator[Instance]:
        """Yields the enabled elements of `[[transforms]]`, `[[validators]]`, `[[groups]]` or `[[notifiers]]`."""
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
        named: dict[str, Node] = dict(tables.entries) if isinstance(tables, TomlTable) else {}
        instances = {}
        use = at(self._check.tree, ("reader", "use"))
        chosen = plain(use) if use is not None and self._check.is_sound("reader") else None
        component = None if chosen in (None, AUTO) else self._find("reader", chosen, ("reader", "use"))
        own = [name for name in named if component is not None and self._means(name, component)]
        for name, table in named.items():
            instance = None if name in own else self._configured_reader(name, table)
            if instance is not None:
                instances[instance.component.name] = instance
        if chosen != AUTO:
            reader = self._chosen_reader(component, own) if component is not None else None
            return reader, (reader,) if reader else ()
        for provider in self._registry.components("reader"):
            name = provider.component.name
            if name not in instances and name not in map(bare_name, named):
                self._try_reader(provider.component, instances)
        # Of several that claim a file the first one reads it.
        return None, tuple(sorted(instances.values(), key=lambda one: (not one.is_asked, one.component.name)))

    def _means(self, name: str, component: Component) -> bool:
        """Whether `[readers.NAME]` is for that component. Where one is chosen, its bare name is clear enough."""
        try:
            return name == component.name or self._registry.find("reader", name) is component
        except MusterrollError:
            return False

    def _configured_reader(self, name: str, table: Node) -> Instance | None:
        """`[readers.NAME]` of a reader that is not the chosen one, which has further options."""
        path: KeyPath = ("readers", name)
        if not self._check.is_sound(*path) or not isinstance(table, TomlTable):
            return None
        component = self._find("reader", name, path)
        if component is None:
            return None
        options = self._options(component, table, lambda inner: (*path, *inner), table.place)
        label = self._label(f"readers.{name}", component)
        return None if options is None else Instance(label, component, options, path=path)

    def _chosen_reader(self, component: Component, names: list[str]) -> Instance | None:
        tree = self._check.tree
        layers: dict[KeyPath, TomlTable] = {}
        for path in (*(("readers", name) for name in names), ("reader", "options")):
            if isinstance(table := at(tree, path), TomlTable):
                layers[path] = table
        place = place_of(tree, ("reader", "use"))

        def full(path: KeyPath) -> KeyPath:
            owners = [owner for owner, table in layers.items() if path and at(table, path[:1]) is not None]
            return (*(owners[-1] if owners else ("reader", "options")), *path)

        options = self._options(component, join(list(layers.values()), place), full, place)
        label = self._label("reader", component)
        return None if options is None else Instance(label, component, options, path=("reader",))

    def _try_reader(self, component: Component, instances: dict[str, Instance]) -> None:
        """Adds a reader that nobody mentioned. One that needs options is not a mistake of this pipeline."""
        model = _options_of(component)
        try:
            options = checked(model, {}, self._check.surroundings(model, TomlTable({}, self._check.tree.place)))
        except Exception:
            name = component.name
            self._check.warn(("readers",), f'the reader "{name}" is left out; it needs options, in [readers.{name}]')
        else:
            ours = self._registry.plugin_of(component).is_of(HOME)
            label = self._label(f"readers.{component.name}", component)
            instances[component.name] = Instance(label, component, options, is_asked=ours)

    def _one(self, path: KeyPath, kind: Kind, label: str) -> Instance | None:
        check = self._check
        table, use = at(check.tree, path), at(check.tree, (*path, "use"))
        if not isinstance(table, TomlTable) or use is None:
            return None
        if not (check.is_sound(*path, "use") and check.is_sound(*path, "options")):
            return None
        component = self._find(kind, plain(use), (*path, "use"))
        if component is None:
            return None
        self._look_for_fields(component, (*path, "use"))
        on: frozenset[Purpose] = frozenset()
        if kind == "notifier" and check.is_sound(*path):
            on = frozenset(NotifierUse.model_validate(plain(table)).on)
        options, when = self._options_at(path, component, on), self._when(path)
        if options is None:
            return None
        return Instance(self._label(label, component), component, options, on, when=when, path=path)

    def _when(self, path: KeyPath) -> Conditions | None:
        """The rows that an instance is about; None for all."""
        found = conditions_at(self._check, (*path, "when"))
        if found is not None and path[0] == "notifiers":
            for name in {GROUPS, PASSWORD}.intersection(found.root):
                text = f"a notifier knows the fields of a user, and not the {name}"
                self._check.complain((*path, "when", name), text)
        return found

    def _look_for_fields(self, component: Component, path: KeyPath) -> None:
        """Complains where the pipeline lacks a field that a rule is about: the rule would never find anything."""
        fields = self._check.fields
        for name in component.fields if isinstance(component, ValidatorType | GroupResolverType) else ():
            if fields is not None and name not in fields:
                near = did_you_mean(name, fields)
                text = f'"{component.name}" is about the field "{name}", which does not exist{near}'
                self._check.complain(path, text)

    def _label(self, text: str, component: Component) -> Label:
        return Label(text, self._registry.plugin_of(component).short)

    def _options_at(self, path: KeyPath, component: Component, on: frozenset[Purpose]) -> Options | None:
        place = place_of(self._check.tree, (*path, "use"))
        table = at(self._check.tree, (*path, "options"))
        node = table if isinstance(table, TomlTable) else TomlTable({}, place)
        return self._options(component, node, lambda inner: (*path, "options", *inner), place, on)

    def _mask_only(self, path: KeyPath, kind: Kind) -> None:
        """Finds the secrets of an element that is not used, as it is printed all the same."""
        unused = Check(self._check.tree, self._check.folder, self._check.types)
        Instances(unused, self._registry)._one(path, kind, "")
        self._check.masked |= unused.masked

    def _find(self, kind: Kind, use: str, path: KeyPath) -> Component | None:
        try:
            return self._registry.find(kind, use)
        except MusterrollError as error:
            self._check.complain(path, error.message)
            return None

    def _options(
        self,
        component: Component,
        node: TomlTable,
        full: Callable[[KeyPath], KeyPath],
        asker: Place,
        on: frozenset[Purpose] = frozenset(),
    ) -> Options | None:
        options = self._check.checked(_options_of(component), node, full, asker=asker, on=on)
        for path in literal_secrets(options, node) if options is not None else ():
            self._check.warn(full(path), LITERAL)
            self._check.masked.add(full(path))
        return options


class KeyTypes:
    """The types of the keys of a pipeline, as far as they are known: those of options depend on the plugin.

    Args:
        tree: the merged pipeline, which chooses the plugins.
        registry: the plugins; None where they are not known yet.
    """

    def __init__(self, tree: TomlTable | None = None, registry: Registry | None = None) -> None:
        self._tree, self._registry = tree, registry

    def __call__(self, path: KeyPath) -> tuple[Any, ...]:
        """Returns the types of a key; none where they are not known."""
        keys = tuple(map(str, path))
        inside = tuple(map(str, inside_options(path)))
        if not inside:
            return type_of_key(Settings, keys)
        owner = keys[: len(keys) - len(inside)]
        if owner[0] == "readers":
            kind, use = CHOOSING["reader"], cast("object", owner[1])
        else:
            node = at(self._tree, (*owner[:-1], "use")) if self._tree is not None else None
            kind, use = CHOOSING[owner[0]], plain(node) if node is not None else None
        if self._registry is None or not isinstance(use, str):
            return ()
        try:
            component = self._registry.find(kind, use)
        except MusterrollError:  # that is said where plugins are looked up
            return ()
        return type_of_key(_options_of(component), inside)

    def is_path(self, path: KeyPath) -> bool:
        """Whether a text is the path of a file or folder, as far as that is known."""
        if path[:1] in (("plugins",), ("state",)):
            return True
        inside = inside_options(path)
        return (len(inside) > 1 and inside[-1] == "file") or any(map(is_path, self(path)))


def bare_name(use: str) -> str:
    """The name of a component without that of its distribution."""
    return use.rpartition(":")[2]


def _options_of(component: Component) -> type[Options]:
    return cast("ReaderType[Options]", component).options
