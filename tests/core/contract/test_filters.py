"""Placeholders and what they do to their values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Template, ascii_text, title_text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Müller", "Mueller"),
        ("ÄRZTE", "AERZTE"),
        ("Ärzte", "Aerzte"),
        ("Ö", "Oe"),
        ("Straße", "Strasse"),
        ("Åse Ørsted", "Aase Oersted"),
        ("Łukasz", "Lukasz"),
        ("José", "Jose"),
        ("Ольга", "Ol'ga"),
        ("plain", "plain"),
    ],
)
def test_letters_as_passports_have_them(text: str, wanted: str) -> None:
    assert ascii_text(text) == wanted


@given(st.text())
def test_what_is_made_ascii_is(text: str) -> None:
    assert ascii_text(text).isascii()
    assert ascii_text(ascii_text(text)) == ascii_text(text)


@given(st.text())
def test_a_title_stays_one(text: str) -> None:
    once = title_text(text)
    assert title_text(once).casefold() == once.casefold()


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{surname}", "Müller-Lüd 2"),
        ("{surname|ascii|lower}", "mueller-lued 2"),
        ("{ surname }", None),
        ("{surname | ascii | letters | upper}", "MUELLERLUED2"),
        ("{surname|first}.{{x}}", "M.{x}"),
        ("{surname|lower|title}", "Müller-Lüd 2"),
    ],
)
def test_filters(template: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(ValueError, match="a single"):
            Template(template)
        return
    made = Template(template)
    assert made.names == ("surname",)
    assert made.fill({"surname": "Müller-Lüd 2"}) == wanted


@pytest.mark.parametrize(
    ("template", "words"), [("{a|lowr}", 'did you mean "lower"'), ("{a|x}", "the filters are"), ("{a|}", "a single")]
)
def test_filters_that_there_are_not(template: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Template(template)
