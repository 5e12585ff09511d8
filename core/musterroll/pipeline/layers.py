"""How the layers of a pipeline go over one another.

Tables merge; a layer that sets `use` replaces the `options` with it; arrays of tables merge by their unique
`name`, in place; `plugins` and `disable` concatenate; other arrays replace.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from musterroll.contract.options import REFERENCE_KEYS
from musterroll.errors import Mistake
from musterroll.pipeline.origins import Items, Joined, KeyPath, Leaf, Node, Place, TomlTable, path_text

NAMED: frozenset[KeyPath] = frozenset(
    {("transforms",), ("validators",), ("groups",), ("notifiers",), ("sheet", "fields")}
)
"""Arrays of tables whose elements must have a name. In plugins' options names are up to the plugin."""
_JOINED: frozenset[KeyPath] = frozenset({("plugins",), ("disable",)})
_DEEPEST = 50  # levels: far more than anybody needs, far fewer than Python's recursion can take


def layer(data: Mapping[str, Any], place: Place, mistakes: list[Mistake]) -> TomlTable:
    """Makes a layer of plain TOML data; what cannot be a layer is added to `mistakes`."""
    if _is_too_deep(data):
        mistakes.append(Mistake("", "tables are nested too deeply", place.label))
        return TomlTable({}, place)
    return _table(data, place, (), mistakes)


def merge(lower: TomlTable, upper: TomlTable) -> TomlTable:
    """Puts one layer over another; neither is changed."""
    return _merged(lower, upper, (), use_clears=True)


def join(layers: list[TomlTable], place: Place) -> TomlTable:
    """Makes one layer of parts that count as one, such as several `--set`: here `use` clears no options."""
    return reduce(lambda a, b: _merged(a, b, (), use_clears=False), layers, TomlTable({}, place))


def _is_too_deep(data: Mapping[str, Any]) -> bool:
    level: list[Any] = [data]
    for _ in range(_DEEPEST):
        level = [child for value in level for child in (value.values() if isinstance(value, Mapping) else value)]
        level = [value for value in level if isinstance(value, Mapping | list)]
    return bool(level)


def _node(value: Any, place: Place, path: KeyPath, mistakes: list[Mistake]) -> Node:
    if isinstance(value, dict):
        table = _table(value, place, path, mistakes)
        return _by_name(table) if path in NAMED and not place.in_file else table
    if isinstance(value, list):
        if path in _JOINED:
            return Joined(tuple((i, Leaf(part, place)) for i, part in enumerate(value)), place)
        if path in NAMED and all(isinstance(element, dict) for element in value):
            return _items(value, place, path, mistakes)
        if _all_named(value):
            return _items(value, place, path, mistakes)
    return Leaf(value, place)


def _table(value: Mapping[str, Any], place: Place, path: KeyPath, mistakes: list[Mistake]) -> TomlTable:
    return TomlTable({key: _node(child, place, (*path, key), mistakes) for key, child in value.items()}, place)


def _all_named(value: list[Any]) -> bool:
    names = [element.get("name") for element in value if isinstance(element, dict)]
    return 0 < len(names) == len(value) == len(set(map(repr, names))) and all(isinstance(n, str) for n in names)


def _items(value: list[dict[str, Any]], place: Place, path: KeyPath, mistakes: list[Mistake]) -> Items:
    entries: dict[str, TomlTable] = {}
    array = path_text(Leaf(None, place), path)
    for i, element in enumerate(value):
        name = element.get("name")
        if not isinstance(name, str) or not name.strip():
            text = 'needs a name of its own, e.g. name = "…"'
            mistakes.append(_mistake(f"{array}[{i}]", text, place, (*path, i)))
        elif name in entries:
            text = "this name is used twice; it must be unique"
            mistakes.append(_mistake(f"{array}[{name}]", text, place, (*path, i)))
        else:
            entries[name] = _table(element, place, (*path, name), mistakes)
    return Items(entries, place)


def _mistake(spelling: str, text: str, place: Place, path: KeyPath) -> Mistake:
    spot = place.written.spot((*place.prefix, *path), with_value=False) if place.written is not None else None
    return Mistake(spelling, text, place.label, *(spot or ()))


def _merged(lower: TomlTable, upper: TomlTable, path: KeyPath, *, use_clears: bool) -> TomlTable:
    entries = dict(lower.entries)
    if use_clears and "use" in upper.entries and _chooses_plugin(path):
        entries.pop("options", None)
    for key, node in upper.entries.items():
        below = entries.get(key)
        entries[key] = node if below is None else _over(below, node, (*path, key), use_clears=use_clears)
    return TomlTable(entries, upper.place if upper.place.in_file else lower.place)


def _chooses_plugin(path: KeyPath) -> bool:
    return path in (("backend",), ("reader",)) or (len(path) == 2 and path[:1] in NAMED)


def _over(lower: Node, upper: Node, path: KeyPath, *, use_clears: bool) -> Node:
    if isinstance(lower, Items) and isinstance(upper, TomlTable) and not upper.place.in_file:
        upper = _by_name(upper)
    match lower, upper:
        case TomlTable(), TomlTable():
            if _is_secret(lower) and _is_secret(upper):
                return upper
            return _merged(lower, upper, path, use_clears=use_clears)
        case Items(old), Items(new):
            entries = dict(old)
            for name, table in new.items():
                known = entries.get(name)
                under = (*path, name)
                entries[name] = table if known is None else _merged(known, table, under, use_clears=use_clears)
            return Items(entries, upper.place)
        case Joined(first), Joined(second):
            return Joined(first + second, upper.place)
    return upper


def _by_name(table: TomlTable) -> Node:
    """Reads `--set validators.NAME.key=…` as an element of the array."""
    entries = {}
    for name, child in table.entries.items():
        if not isinstance(child, TomlTable):
            return table
        entries[name] = TomlTable({"name": Leaf(name, child.place), **child.entries}, child.place)
    return Items(entries, table.place)


def _is_secret(table: TomlTable) -> bool:
    # A reference is one value: `{ file = … }` over `{ env = … }` must not come to both.
    return len(table.entries) == 1 and not table.entries.keys().isdisjoint(REFERENCE_KEYS)
