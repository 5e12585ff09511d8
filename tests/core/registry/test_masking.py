"""Passwords are taken out of texts, in whatever form they are repeated."""

from __future__ import annotations

import html
import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import musterroll_plugins
from musterroll.contract.translation import add_catalogues, gettext, gettext_about, in_language
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
    assert masked(text, seen.of(text)) == "row 7 has the same password as row 3: ***"
    assert masked("nothing of that kind", seen.of("nothing of that kind")) == "nothing of that kind"
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


@pytest.fixture(autouse=True)
def said_nothing() -> None:
    """Nobody has said a sentence of ours a moment ago."""
    for _ in range(100):
        gettext("")


add_catalogues(Path(musterroll_plugins.__file__).parent)

# Texts of ours, with what is filled in: each is in the catalogue.
MESSAGES = [
    ("{heading} is missing; fill it in", "heading"),
    ("{heading} is not a valid address: {reason}", "reason"),
    ("{heading} does not meet the policy: {rules}; choose another one", "rules"),
    ("it must contain at least {least} of these: lower-case, upper-case, digits, symbols", "least"),
    ("it is one of the most common passwords", ""),
]


def words() -> list[tuple[str, str, str]]:
    """Each word of these texts, which somebody may have for a password."""
    found = []
    for language in ("en", "de"):
        with in_language(language):
            for text, name in MESSAGES:
                plain = gettext(text)
                found += [(language, text, word) for word in re.findall(r"\w{4,}", plain) if word != name]
    return found


@pytest.mark.parametrize(("language", "text", "word"), words())
def test_our_own_words_stay_whatever_somebody_has_for_a_password(language: str, text: str, word: str) -> None:
    with in_language(language):
        said = gettext(text, heading="E", reason="it has a space in it", rules="a; b", least=3)
        assert masked(said, [word, word.upper()], of_secret=True) == said


@pytest.mark.parametrize(("language", "text", "word"), words())
def test_a_word_of_ours_is_masked_where_it_was_filled_in(language: str, text: str, word: str) -> None:
    with in_language(language):
        filled = dict.fromkeys(("heading", "reason", "rules", "least"), f'"{word}"')
        said = gettext(text, **filled)
        assert masked(said, [word]) == said.replace(f'"{word}"', '"***"')


SECRET = st.text("αβγδεζηθ", min_size=4)


@given(SECRET, st.sampled_from(MESSAGES), SOME, SOME, st.sampled_from([str, str.upper, ascii, html.escape, quote]))
def test_no_secret_gets_through_by_a_sentence_of_ours(
    secret: str, message: tuple[str, str], before: str, after: str, form: Callable[[str], str]
) -> None:
    filled = dict.fromkeys(("heading", "reason", "rules", "least"), f"{before} {form(secret)} {after}")
    for said in (
        gettext(message[0], **filled),
        gettext(MESSAGES[2][0], heading="E", rules=f"a; {gettext(message[0], **filled)}"),
        gettext_about("E", message[0], filled),
    ):
        assert form(secret) not in masked(said, [secret])


def test_what_a_column_is_called_is_nobodys_secret() -> None:
    said = gettext_about("E-mail address", "{heading} is missing; fill it in", {})
    assert masked(said, ["address"]) == said
    assert masked(gettext("{heading} is missing; fill it in", heading="My address"), ["address"]).startswith("My ***")


@given(st.text(string.ascii_letters, min_size=4, max_size=20))
def test_who_writes_a_secret_into_the_sentence_itself_is_masked(secret: str) -> None:
    said = gettext(f"The password is <{secret}> and too short")  # what nobody should do: it is in no catalogue
    assert f"<{secret}>" not in masked(said, [secret])


def test_a_sentence_like_ours_that_we_have_not_said_is_masked() -> None:
    assert masked("it is one of the most common passwords", ["common"]) == "it is one of the most *** passwords"


def test_a_sentence_that_is_the_password_is_masked() -> None:
    said = gettext("it is one of the most common passwords")
    assert masked(said, [said]) == "***"


def test_sentences_that_another_one_lists_stay_and_what_is_between_them_does_not() -> None:
    rules = [gettext("it is one of the most common passwords"), "common", gettext("it is too easy to guess")]
    said = gettext(
        "{heading} does not meet the policy: {rules}; choose another one", heading="P", rules="; ".join(rules)
    )
    assert masked(said, ["common"]) == said.replace("; common;", "; ***;")


def test_a_secret_that_goes_on_from_a_sentence_into_what_was_filled_in_is_masked() -> None:
    said = gettext("{heading} is not a valid address: {reason}", heading="E", reason="Sesame is bad")
    assert masked(said, ["address: Sesame"]) == "E is not a valid *** is bad"


def test_of_two_that_come_to_the_same_nobody_knows_which_words_are_ours() -> None:
    text = "{heading} is not a valid address: {reason}"
    said = gettext(text, heading="E", reason="x is not a valid address: y")
    assert masked(said, ["valid"]) == "E is not a valid address: x is not a *** address: y"
    assert gettext(text, heading="E is not a valid address: x", reason="y") == said
    assert masked(said, ["valid"]).count("***") == 2
