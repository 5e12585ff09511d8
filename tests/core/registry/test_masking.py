"""Passwords are taken out of texts, in whatever form they are repeated."""

from __future__ import annotations

import html
import json
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll.registry import masks
from musterroll.registry.masks import SecretsSeen, masked, may_tell

PASSWORDS = ["Sesame-4711", " päss wörd ", "quo\"te'd\\x", "<tag>&", "ﬁne-Ｗide-1", "with\ttab and\nline"]
FORMS = [
    str,
    str.strip,
    str.upper,
    str.lower,
    repr,
    ascii,
    json.dumps,
    html.escape,
    quote,
    lambda text: text[: max(len(text) - 2, 9)],
]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("form", FORMS)
def test_in_every_form(password: str, form: object) -> None:
    assert callable(form)
    said = form(password)
    for text in (f"Your password {said} is bad", f"bad:{said}", f'"{said}"'):
        shown = masked(text, [password], of_secret=True)
        assert "***" in shown
        assert said.strip("\"' ") not in shown


@given(st.text(min_size=6), st.text(), st.text())
def test_whatever_it_is(password: str, before: str, after: str) -> None:
    shown = masked(before + password + after, [password])
    assert not password.strip() or password not in shown or password in "***"


@pytest.mark.parametrize(
    ("password", "text"),
    [
        ("a", "This is a bad password; at least one letter more"),
        ("1", "It has 1 character, and at least 12 are needed"),
        ("e", "The rest of the message stays readable"),
        ("test", "the latest of the contests"),
        ("password", "The password must not be a common password"),
        ("", "Nothing"),
        ("   ", "Nothing   at all"),
    ],
)
def test_short_and_usual_ones_make_no_nonsense(password: str, text: str) -> None:
    assert masked(text, [password]) == text


@pytest.mark.parametrize(
    ("password", "text"),
    [("ab1", 'not "ab1"'), ("1", "it is '1'"), ("password", "The password: password"), ("x9", "is =x9")],
)
def test_short_ones_are_masked_where_they_are_quoted(password: str, text: str) -> None:
    assert masked(text, [password]).endswith("***") or masked(text, [password])[:-1].endswith("***")


def test_those_of_other_rows_are_found_by_what_was_remembered() -> None:
    seen = SecretsSeen()
    for number in range(50):
        seen.add(f"Sesame-{number}-ÄX")
    text = "row 7 has the same password as row 3: sesame-17-äx"
    assert seen.masked(text) == "row 7 has the same password as row 3: ***"
    assert seen.masked("nothing of that kind") == "nothing of that kind"
    assert "Sesame" not in repr(vars(seen))


SOME = st.one_of(st.text(max_size=80), st.text(string.printable, max_size=80))


@given(SOME, SOME, SOME)
def test_the_quick_look_finds_all_that_is_masked(secret: str, before: str, after: str) -> None:
    if not secret.strip():
        return
    forms = {form.casefold() for form in masks._forms(secret)}
    text = secret.strip()
    if len(text) >= 9:
        forms.add(masks._start(text).casefold())
    for form in forms:
        assert may_tell(f"{before}{form}{after}", [secret])
    if masked(f"{before}{text}{after}", [secret]) != f"{before}{text}{after}":
        assert may_tell(f"{before}{text}{after}", [secret])
