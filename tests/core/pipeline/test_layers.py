from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from musterroll.errors import Mistake
from musterroll.pipeline.layers import join, layer, merge
from musterroll.pipeline.origins import Place, TomlTable, path_text, place_of, plain
from musterroll.pipeline.settings import Settings

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.integers(0, 9) | st.booleans()


def layer_of(data: dict[str, Any], label: str = "file", *, in_file: bool = True) -> TomlTable:
    mistakes: list[Mistake] = []
    made = layer(data, Place(label, Path(), in_file=in_file), mistakes)
    assert mistakes == []
    return made


def merged(*layers: dict[str, Any]) -> Any:
    tables = [layer_of(data, str(i)) for i, data in enumerate(layers)]
    result = tables[0]
    for table in tables[1:]:
        result = merge(result, table)
    return plain(result)


@st.composite
def uses(draw: st.DrawFn) -> dict[str, Any]:
    table: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {}, optional={"use": NAMES, "options": st.dictionaries(NAMES, SCALARS), "enabled": SCALARS}
        )
    )
    return table


@st.composite
def elements(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(NAMES, unique=True))
    return [{"name": name, **draw(uses())} for name in names]


LAYERS = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "match": st.lists(NAMES),
        "plugins": st.lists(NAMES),
        "disable": st.lists(NAMES),
        "backend": uses(),
        "reader": uses(),
        "validators": elements(),
        "notifiers": elements(),
        "password": st.dictionaries(NAMES, SCALARS),
        "readers": st.dictionaries(NAMES, st.dictionaries(NAMES, SCALARS)),
        "sheet": st.fixed_dictionaries({}, optional={"aliases": st.dictionaries(NAMES, st.lists(NAMES))}),
    },
)


@given(LAYERS, LAYERS, LAYERS)
def test_how_layers_are_grouped_makes_no_difference(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    one, two, three = layer_of(a), layer_of(b), layer_of(c)
    assert plain(merge(merge(one, two), three)) == plain(merge(one, merge(two, three)))


@given(LAYERS)
def test_an_empty_layer_changes_nothing(data: dict[str, Any]) -> None:
    assert merged({}, data) == merged(data, {}) == data


@given(LAYERS, LAYERS)
def test_merging_leaves_its_layers_alone(a: dict[str, Any], b: dict[str, Any]) -> None:
    one, two = layer_of(a), layer_of(b)
    merge(one, two)
    assert (plain(one), plain(two)) == (a, b)


def test_tables_merge_and_values_are_replaced() -> None:
    below = {"invites": {"send_to": "new", "valid_days": 14}, "match": ["username"]}
    above = {"invites": {"send_to": "all"}, "match": ["staff_number", "username"]}
    assert merged(below, above) == {
        "invites": {"send_to": "all", "valid_days": 14},
        "match": ["staff_number", "username"],
    }


def test_another_plugin_does_not_inherit_options() -> None:
    below = {"backend": {"use": "directory", "options": {"path": "a.db"}}}
    assert merged(below, {"backend": {"use": "scim"}}) == {"backend": {"use": "scim"}}
    assert merged(below, {"backend": {"options": {"x": 1}}})["backend"]["options"] == {"path": "a.db", "x": 1}


def test_arrays_of_tables_merge_in_place() -> None:
    below = {"validators": [{"name": "a", "use": "x", "options": {"k": 1}}, {"name": "b", "use": "x"}]}
    above = {"validators": [{"name": "c", "use": "y"}, {"name": "a", "options": {"k": 2}}]}
    assert merged(below, above)["validators"] == [
        {"name": "a", "use": "x", "options": {"k": 2}},
        {"name": "b", "use": "x"},
        {"name": "c", "use": "y"},
    ]


def test_arrays_of_tables_in_options_merge_by_name_where_they_have_names() -> None:
    def rules(*rules: dict[str, Any]) -> dict[str, Any]:
        return {"backend": {"options": {"rules": list(rules)}}}

    named = merged(rules({"name": "a", "x": 1}), rules({"name": "a", "y": 2}, {"name": "b"}))
    assert named == rules({"name": "a", "x": 1, "y": 2}, {"name": "b"})
    assert merged(rules({"x": 1}), rules({"y": 2})) == rules({"y": 2})


def test_plugins_and_disable_concatenate() -> None:
    data = {"plugins": ["a.py"], "disable": ["x"]}
    assert merged(data, {"plugins": ["b.py"], "disable": ["y"]}) == {"plugins": ["a.py", "b.py"], "disable": ["x", "y"]}


def test_a_reference_to_a_secret_is_one_value() -> None:
    below = {"backend": {"options": {"token": {"env": "TOKEN"}}}}
    above = {"backend": {"options": {"token": {"file": "token.txt"}}}}
    assert merged(below, above) == above


def test_every_value_knows_its_layer() -> None:
    below = layer_of({"validators": [{"name": "a", "use": "x"}], "plugins": ["1.py", "2.py"]}, "base")
    above = layer_of({"validators": [{"name": "a", "enabled": False}], "plugins": ["3.py"]}, "file")
    both = merge(below, above)
    assert place_of(both, ("validators", "a", "use")).label == "base"
    assert place_of(both, ("validators", "a", "enabled")).label == "file"
    assert [(place_of(both, ("plugins", i)).label, path_text(both, ("plugins", i))) for i in range(3)] == [
        ("base", "plugins[0]"),
        ("base", "plugins[1]"),
        ("file", "plugins[0]"),
    ]


def test_flags_do_not_take_the_blame_for_what_a_file_leaves_out() -> None:
    both = merge(layer_of({"backend": {"use": "x"}}), layer_of({"backend": {"options": {}}}, "--set", in_file=False))
    assert place_of(both, ("backend", "missing")).label == "file"


@pytest.mark.parametrize(
    ("elements", "path"),
    [
        ([{"use": "x"}], "validators[0]"),
        ([{"name": " "}], "validators[0]"),
        ([{"name": "a"}, {"name": "a"}], "validators[a]"),
    ],
)
def test_elements_need_names_of_their_own(elements: list[dict[str, Any]], path: str) -> None:
    mistakes: list[Mistake] = []
    layer({"validators": elements}, Place("acme.toml", Path()), mistakes)
    assert [(mistake.path, mistake.origin) for mistake in mistakes] == [(path, "acme.toml")]


def test_bottomless_tables_are_a_mistake() -> None:
    data: dict[str, Any] = {}
    for _ in range(5000):
        data = {"a": data}
    mistakes: list[Mistake] = []
    layer(data, Place("acme.toml", Path()), mistakes)
    assert "too deeply" in mistakes[0].message


def test_parts_of_one_layer_do_not_clear_one_another() -> None:
    parts = [layer_of({"backend": {"options": {"url": "x"}}}), layer_of({"backend": {"use": "scim"}})]
    assert plain(join(parts, Place("--set", Path()))) == {"backend": {"use": "scim", "options": {"url": "x"}}}


def _with_a_default(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """The keys of tables that there is one of, and that mean something where nobody says anything."""
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _with_a_default(inner, f"{path}{name}.")
        elif not info.is_required() and info.default not in (None, (), {}, False):
            yield f"{path}{name}"


def test_defaults_have_one_home() -> None:
    """The built-in pipeline is where a person looks for them, and `pipeline show` shows them with their place."""
    assert list(_with_a_default(Settings)) == []
