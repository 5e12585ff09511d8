from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from musterroll import Field, Options, Origin, Severity, Value
from musterroll.contract.text import clean
from musterroll_plugins.validators._characters import faulty, has_control, legible
from musterroll_plugins.validators.characters import Characters
from support.rows import context, row

CHARACTERS = Characters(Options(), context(Field(name="note", heading="Note")))


@pytest.mark.parametrize(
    ("text", "suggestion", "says"),
    [
        ("An\x07a", "Ana", 'a control character (U+0007) after "An"'),
        ("An\x00a", "Ana", "U+0000"),
        ("Ana\nLópez", "Ana López", 'a line break after "Ana"'),
        ("Ana \r\n López", "Ana López", "a line break"),
        ("Ana\u2028López", "Ana López", "a line break"),
        ("Ana\tLópez", "Ana López", "a tab"),
        ("An\u200ba", "Ana", "an invisible character (U+200B, zero width space)"),
        ("An\u00ada", "Ana", "soft hyphen"),
        ("Ana\u202eanA", "AnaanA", "right-to-left override"),
        ("Jos\ufffd", None, "damaged or lost"),
        ("An\ue000a", "Ana", "only some fonts know (U+E000)"),
        ("An\ufdd0a", "Ana", "no character (U+FDD0)"),
        ("A\u3164na", "Ana", "hangul filler"),
        ("An\u200da", "Ana", "zero width joiner"),
        ("7\ufe0f1", "71", "variation selector-16"),
        ("A\u0301\u200bna", "Ána", "zero width space"),
        ("\x07", None, "at its beginning"),
        ("A\x07n\x08a\n\tx", "Ana x", '(U+0007) after "A", and a control character (U+0008), and a line break'),
    ],
)
def test_what_nobody_typed_is_one_problem_with_what_was_meant(text: str, suggestion: str | None, says: str) -> None:
    (problem,) = CHARACTERS.check(row(surname=text))

    assert (problem.code, problem.cell, problem.value) == ("surname.control_characters", "D3", text)
    assert problem.suggestion == suggestion
    assert says in problem.message
    assert problem.message.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "Ana López-Öçk O'Brien",
        "Müller\u00a0GmbH",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: a non-joiner inside a word
        "\u0915\u094d\u200d\u0937",  # Devanagari: a joiner after the virama
        "\u0d2e\u0d4b\u0d39\u0d28\u0d4d\u200d \u0d32\u0d3e\u0d32\u0d4d",  # Malayalam: at the end of a word
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala
        "葛\U000e0100城",
        "👩\u200d💻 ❤\ufe0f 👩🏽\u200d🚀 🏳\ufe0f\u200d🌈 1\ufe0f\u20e3 ©\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "ᠮᠣᠩᠭᠣᠯ\u180eᠠ",
    ],
)
def test_what_scripts_and_emoji_need_is_good(text: str) -> None:
    assert clean(text) == text
    assert not list(CHARACTERS.check(row(surname=text)))
    assert legible(text) == text


def test_every_field_is_looked_at_and_each_is_a_problem() -> None:
    note = Value("x\x07", Origin.DEFAULT)

    found = CHARACTERS.check(row(username="a\x07", groups="A;\nB", email=None, note=note))
    assert [p.code for p in found] == [f"{name}.control_characters" for name in ("username", "groups", "note")]


def test_an_invisible_character_in_a_username_is_a_warning_since_usernames_compare_without_it() -> None:
    def severities(text: str) -> list[Severity]:
        return [p.severity for p in CHARACTERS.check(row(username=text, forename=text))]

    assert severities("an\u00ada") == [Severity.WARNING, Severity.ERROR]
    assert severities("an\u00ada\x07b") == severities("ana\ufffd") == [Severity.ERROR, Severity.ERROR]


def test_a_field_that_is_made_of_others_repeats_their_fault_and_is_not_reported() -> None:
    assert not list(CHARACTERS.check(row(username=Value("a\x07", Origin.COMPOSED))))


@pytest.mark.parametrize("password", ["tab\tand more", "Alt+\nEnter", "nul\0", "\x7f" * 9, "\u2028line here"])
def test_a_password_must_not_hold_what_cannot_be_typed_and_is_not_shown(password: str) -> None:
    (problem,) = CHARACTERS.check(row(password=password))

    assert (problem.code, problem.cell, problem.value, problem.suggestion) == (
        "password.control_characters",
        "E3",
        None,
        None,
    )
    assert not set(password.split()) & set(problem.message.split())


def test_a_password_may_hold_all_else() -> None:
    assert not list(CHARACTERS.check(row(password=" zero\u200bwidth ✓ \ue000 ❤\ufe0f ")))


TEXT = st.text(
    st.sampled_from(
        "aé \n\t\x00\u200b\u200c\u200d\ufe0f\u202e\u0915\u094d\u0645葛👩🏴❤\u20e31\U000e0067\U000e007f\u2800\u0301"
    )
    | st.characters()
)


@example("a\ufe0f\u200d😀")  # what a joiner belonged to goes as well
@given(TEXT)
def test_what_is_left_is_good_and_stays(text: str) -> None:
    assert not list(faulty(legible(text)))
    assert legible(legible(text)) == legible(text)
    for problem in CHARACTERS.check(row(surname=Value(text, Origin.CELL, text))):
        assert problem.suggestion is None or problem.suggestion == clean(problem.suggestion)
        assert not list(faulty(problem.suggestion or ""))
        assert not list(faulty(problem.message))


@given(TEXT)
def test_controls_are_always_faulty_and_letters_never(text: str) -> None:
    found = {match.start() for match in faulty(text)}

    for place, character in enumerate(text):
        if has_control(character):
            assert place in found
        if unicodedata.category(character) in ("Lu", "Ll", "Nd"):
            assert place not in found
