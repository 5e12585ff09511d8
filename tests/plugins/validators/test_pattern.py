from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import Problem
from musterroll_plugins.validators.pattern import Pattern, PatternOptions
from support.rows import changed, context, row


def found(text: str | None, pattern: str = r"A\d{5}", **options: object) -> list[Problem]:
    checked = PatternOptions.model_validate({"field": "surname", "pattern": pattern, **options})
    return list(Pattern(checked, context()).check(row(surname=text)))


def test_the_whole_value_must_match() -> None:
    assert not found("A10015")
    for text in ("xA10015", "A100155", "B10015", "A10015 A10015"):
        (problem,) = found(text)
        assert (problem.code, problem.cell, problem.value) == ("surname.pattern", "D3", text)
    assert not found("ab", "a|ab")  # also where a shorter branch comes first
    assert not found("Жанна", r"\p{Cyrillic}+")


def test_the_message_is_the_pipeline_s_own_or_shows_the_pattern() -> None:
    assert found("x", message="Staff numbers are A and five digits")[0].message == "Staff numbers are A and five digits"
    assert r"Surname does not have the form that it must have: A\d{5}" in found("x")[0].message


def test_what_can_be_mended_is_suggested() -> None:
    assert found("a10015")[0].suggestion == "A10015"
    assert found("a 10 015")[0].suggestion == "A10015"
    assert found("A1001")[0].suggestion is None
    assert not found("a10015", ignore_case=True)


def test_what_is_blank_too_long_or_not_to_be_seen_is_for_another_rule() -> None:
    assert not found("")
    assert not found(None)
    assert not found("A" * 51)
    assert not found("A100\u200b15")


def test_a_password_can_have_a_form_and_is_not_shown() -> None:
    rule = Pattern(PatternOptions(field="password", pattern="[a-z]+"), context())

    assert not list(rule.check(row(password="sesame")))
    (problem,) = rule.check(row(password="Sesame"))
    assert (problem.code, problem.value, problem.suggestion) == ("password.pattern", None, None)
    assert "Sesame" not in problem.message


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(abc", "unclosed group"),
        ("[z-a]", "invalid character class range"),
        ("a)|(b", "unopened group"),
        (r"(a)\1", "backreferences are not supported"),
        ("(?!a)b", "look-around, including look-ahead and look-behind, is not supported"),
        (r"\d{1000000}", "it repeats too much; write smaller numbers in {}"),
        ("*", "repetition operator missing expression"),
        ("(?x) a # comment", "unclosed group"),
    ],
)
def test_a_broken_pattern_is_a_mistake_in_the_pipeline(pattern: str, says: str) -> None:
    with pytest.raises(ValidationError, match=f"can be used here: {says}"):
        PatternOptions(field="surname", pattern=pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+b", "(.*)*b", "(a?){50}a{50}b", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    rule = Pattern(PatternOptions(field="surname", pattern=pattern), context(changed("surname", max_length=None)))
    start = time.monotonic()

    assert len(list(rule.check(row(surname="a" * 32_767)))) == 1  # the longest cell of a workbook
    assert time.monotonic() - start < 5


@given(st.text(), st.text())
def test_no_pattern_and_no_text_breaks_it(pattern: str, text: str) -> None:
    try:
        problems = found(text, pattern)
    except ValidationError:
        return
    for problem in problems:
        assert problem.suggestion is None or not found(problem.suggestion, pattern)
