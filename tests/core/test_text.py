from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import fold
from musterroll.contract.text import clean, column_letter, did_you_mean, nearest

INVISIBLE = "\u00ad\u034f\u180b\u200b\u200c\u200d\u200e\u202a\u202c\u2060\u3164\ufe0f\ufeff\uffa0\U000e0100"
# Some of everything that makes comparing hard, more often than chance would bring it up.
TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from(INVISIBLE + " \u00a0\u2800ßẞſİıσςΣé\u0301\u0345ﬁKÅ가ᄀ\u1161①"))
) | st.text("aA1 \t")


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("  ana\t\r\n", "ana"),
        ("\u00a0ana\u2003\u3000", "ana"),
        ("\ufeffana\u200b", "ana"),
        ("\u200b \u00a0\u2060ana\u200e \u200f", "ana"),
        ("\u202a+44 7712\u202c", "+44 7712"),  # as phones come out of an address book
        ("e\u0301mile", "émile"),
        ("Ａna ﬁ", "Ａna ﬁ"),  # NFC, not NFKC: compared as the same, stored as typed
        ("an\u200ba", "an\u200ba"),
        ("❤\ufe0f", "❤\ufe0f"),
        (" \u200b\ufeff\u00a0", ""),
        ("\u2800 \u3164\ufe0f", ""),
    ],
)
def test_a_value_is_trimmed_and_nfc(typed: str, cleaned: str) -> None:
    assert clean(typed) == cleaned


@given(TEXTS)
def test_a_cleaned_value_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned == cleaned.strip()


@given(TEXTS)
def test_what_is_invisible_folds_to_nothing_and_is_blank(text: str) -> None:
    if not fold(text):
        assert clean(text) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana", " aNA "),
        ("Straße", "STRASSE"),
        ("ana", "ａｎａ"),
        ("ana", "a\u200bn\u00ada"),
        ("ana", "ana\U000e0100"),
        ("ana", "\u3164ana\u180b"),
        ("Émile", "e\u0301mile"),
        ("émile", "e\u200b\u0301mile"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Ana Li", "ana\u00a0li"),
        ("ﬁn", "FIN"),
    ],
)
def test_the_same_name(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("ana", "anä"), ("ana", "аna"), ("an a", "ana"), ("ı", "i"), ("1", "١")])
def test_different_names(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(TEXTS)
def test_folding_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_folding_sees_no_difference_of_normal_form(text: str) -> None:
    forms = {fold(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    assert forms == {fold(text)}


@given(TEXTS, TEXTS, st.text(INVISIBLE))
def test_folding_does_not_see_what_is_invisible(before: str, after: str, invisible: str) -> None:
    assert fold(before + invisible + after) == fold(before + after)


@given(TEXTS)
def test_folding_sees_no_difference_of_case(text: str) -> None:
    # The iota below a letter moves when it becomes a capital: Unicode itself holds those to be different texts.
    if "\u0345" not in unicodedata.normalize("NFD", text):
        assert fold(text.casefold()) == fold(text)


@given(st.text("aB .ß", max_size=8))
def test_the_short_way_for_ascii_is_the_long_one(text: str) -> None:
    assert fold(text + "\u200b") == fold(text)


def test_column_letters() -> None:
    assert [column_letter(n) for n in (0, 4, 25, 26, 51, 52, 701, 702, 16383)] == [
        *("A", "E", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD")
    ]


@given(st.integers(0, 10**7))
def test_a_column_letter_says_which_column(index: int) -> None:
    back = 0
    for letter in column_letter(index):
        back = back * 26 + ord(letter) - 64
    assert back - 1 == index


def test_the_nearest_is_compared_folded_and_returned_as_it_is() -> None:
    assert nearest("USRNAME", ["Email", "Username"]) == "Username"
    assert nearest("zzz", ["Email", "Username"]) is None
    assert nearest("x", []) is None
    assert did_you_mean("emial", ["Email"]) == ', did you mean "Email"?'
    assert did_you_mean("zzz", ["Email"]) == ""
