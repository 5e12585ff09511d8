from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Template

NAMES = st.from_regex(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,8}", re.ASCII), fullmatch=True)
# (is a name, the name or literal text)
PARTS = st.lists(st.tuples(st.just(True), NAMES) | st.tuples(st.just(False), st.text("{}a é\n")))


@given(PARTS)
def test_what_is_written_is_what_comes_out(parts: list[tuple[bool, str]]) -> None:
    escaped = [f"{{{text}}}" if is_name else text.replace("{", "{{").replace("}", "}}") for is_name, text in parts]
    values = {name: f"<{name}{{x}}>" for is_name, name in parts if is_name}

    template = Template("".join(escaped))

    assert template.names == tuple(values)
    assert template.fill(values) == "".join(values[text] if is_name else text for is_name, text in parts)


@given(st.text("{}ab_1 .é"))
def test_any_text_is_a_template_or_a_mistake(text: str) -> None:
    try:
        template = Template(text)
    except ValueError:
        return
    # Placeholders that are filled with themselves give back the text.
    braces = template.fill({name: f"{{{name}}}" for name in template.names})
    assert braces == text.replace("{{", "{").replace("}}", "}")


@pytest.mark.parametrize(
    "text", ["{", "}", "{}", "{ email }", "{email }", "{a.b}", "{a[0]}", "{a!r}", "{0}", "{é}", "{a}}", "{{a}"]
)
def test_a_brace_that_is_no_placeholder_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match=r"a single \"[{}]\" in .*; write \"(\{\{|\}\})\""):
        Template(text)


def test_a_placeholder_without_a_value() -> None:
    with pytest.raises(KeyError):
        Template("{forename} {surname}").fill({"forename": "Ana"})


def test_values_are_not_looked_into() -> None:
    assert Template("{a}{b}").fill({"a": "{b}", "b": "%s {{"}) == "{b}%s {{"
