from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from musterroll_cli.output.escape import shorten, visible


@given(st.text(st.characters(codec=None)))
def test_only_printable_characters_and_blanks_remain(text: str) -> None:
    assert all(c.isprintable() or unicodedata.category(c) == "Zs" for c in visible(text))


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M"])))
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_what_would_command_a_terminal_is_spelled_out() -> None:
    assert visible("\x1b]0;gotcha\x07\x9b31m") == r"\x1b]0;gotcha\x07\u009b31m"
    assert visible("ana\u202egnp.exe\u200b\ud800\U000e0001") == r"ana\u202egnp.exe\u200b\ud800\U000e0001"
    assert visible("two\nlines\tand\r") == r"two\nlines\tand\r"


def test_long_text_is_cut() -> None:
    assert shorten("a" * 60) == "a" * 60
    assert shorten("a" * 61) == "a" * 59 + "…"
