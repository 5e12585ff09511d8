from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from musterroll.contract.options import SecretRef
from musterroll.errors import Mistake
from musterroll.pipeline.assignments import flags_as_sets, flags_layer, parse_key, parse_sets, sets_layer
from musterroll.pipeline.instances import KeyTypes
from musterroll.pipeline.key_types import meant, parse_value
from musterroll.pipeline.origins import plain

SCALARS = st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text() | st.dates()


def sets(*texts: str) -> tuple[Any, list[Mistake]]:
    mistakes: list[Mistake] = []
    return plain(sets_layer(parse_sets(texts, mistakes), KeyTypes(), Path(), mistakes)), mistakes


@given(SCALARS | st.lists(SCALARS, max_size=3))
def test_a_toml_value_comes_back(value: object) -> None:
    text = tomli_w.dumps({"value": value}).removeprefix("value = ")
    assert parse_value(text) == value


@given(st.text())
def test_any_text_is_a_value(text: str) -> None:
    value = parse_value(text)
    assert value == text or not isinstance(value, str) or text.strip()[0] in "\"'"


@pytest.mark.parametrize(
    "text", ["", "abc", "1,2", "1 # one", "1\nextends = false", "[1", "a]", '"open', "https://x/?a=b", "[" * 9999]
)
def test_what_is_no_toml_value_is_text(text: str) -> None:
    assert parse_value(text) == text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("invites.send_to", ("invites", "send_to")),
        ("validators.corporate-mail.enabled", ("validators", "corporate-mail", "enabled")),
        ("validators[corporate-mail].enabled", ("validators", "corporate-mail", "enabled")),
        ('validators."corp.mail".enabled', ("validators", "corp.mail", "enabled")),
        ("validators[corp.mail].enabled", ("validators", "corp.mail", "enabled")),
        ("", None),
        ("a b", None),
        (".a", None),
        ("[a]", None),
        ("a\nb", None),
        ("a = 1 #", None),
    ],
)
def test_keys(text: str, path: tuple[str, ...] | None) -> None:
    assert parse_key(text) == path


@given(st.text())
def test_any_text_is_a_key_or_none(text: str) -> None:
    path = parse_key(text)
    assert path is None or all(isinstance(part, str) for part in path)


def test_elements_of_arrays_are_found_by_name() -> None:
    data, _ = sets("validators.corporate-mail.enabled=false", "validators.corporate-mail.use=x")
    assert data == {"validators": [{"name": "corporate-mail", "enabled": False, "use": "x"}]}


def test_the_order_of_use_and_options_does_not_matter() -> None:
    one, _ = sets("backend.options.url=x", "backend.use=scim")
    other, _ = sets("backend.use=scim", "backend.options.url=x")
    assert one == other == {"backend": {"use": "scim", "options": {"url": "x"}}}


@pytest.mark.parametrize("text", ["invites", "=x", "a b=c", "extends=false", "profiles.x.name=a"])
def test_wrong_texts_are_mistakes_without_their_value(text: str) -> None:
    data, mistakes = sets(text, "name=b")
    assert data == {"name": "b"}
    assert [mistake.origin for mistake in mistakes] == ["--set"]


def test_flags_know_their_name_and_can_be_spelt_as_sets() -> None:
    flags = {"invites.send_to": ("all", "--invites"), "confirm": (False, "--yes")}
    layer = flags_layer(flags, Path(), [])
    assert plain(layer) == {"invites": {"send_to": "all"}, "confirm": False}
    assert sets(*flags_as_sets(flags))[0] == plain(layer)


@given(st.text())
def test_a_key_of_text_takes_the_characters_as_they_are(text: str) -> None:
    assert meant(text, [str]) == text or parse_value(text).keys() <= {"env", "file"}


@pytest.mark.parametrize(
    ("text", "types", "value"),
    [
        ("007", [str], "007"),
        ("'quoted'", [Path], "'quoted'"),
        ("true", [str, type(None)], "true"),
        ('"skip"', [Literal["skip", "abort"]], "skip"),  # as older versions wrote it into the journal
        ('{ env = "X" }', [SecretRef], {"env": "X"}),
        ("12345", [SecretRef], "12345"),
        ("44", [str, SecretRef], "44"),
        ("50%", [int, str], "50%"),
        ('"50%"', [int, str], "50%"),
        ("50", [int, str], 50),
        ("50.5", [int, str], "50.5"),
        ("no", [bool], "no"),
        ("false", [bool], False),
        ("true", [str, bool], True),
        ("[1]", [str, tuple[int, ...]], [1]),
        ("[1]", [str], "[1]"),
        ("5", [], 5),
        ("five", [], "five"),
    ],
)
def test_what_a_text_means_depends_on_the_types_of_its_key(text: str, types: list[Any], value: object) -> None:
    assert repr(meant(text, types)) == repr(value)
