from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import Guidance
from musterroll_plugins.validators.password import Password, PasswordOptions
from support.rows import context, row


def faults(password: str, username: str = "ana.lopez", /, **options: object) -> list[str]:
    validator = Password(PasswordOptions.model_validate(options), context())
    problems = list(
        validator.check(row(username=username, password=password, surname="López", email="write.to@x.example"))
    )
    assert all((p.code, p.cell, p.value, p.suggestion) == ("password.policy", "E3", None, None) for p in problems)
    return [p.message for p in problems]


def test_a_long_password_that_nobody_guesses_is_good() -> None:
    assert not faults("correct horse battery")
    assert not faults("Zürich-4-Bäume")
    assert not faults("ab3$efgh", require=["lower", "digit", "symbol"], min_classes=3)


@pytest.mark.parametrize(
    ("password", "options", "rule"),
    [
        ("xhort77", {}, "at least 8 characters"),
        ("long enough", {"max_length": 10}, "at most 10 characters"),
        ("ONLY-UPPER", {"require": ["lower"]}, "a lower-case letter"),
        ("only-lower", {"require": ["upper"]}, "an upper-case letter"),
        ("no digits!", {"require": ["digit"]}, "a digit"),
        ("nosymbols99x", {"require": ["symbol"]}, "a symbol"),
        ("lower-only", {"min_classes": 3}, "at least 3 of these"),
        ("lower-only1", {"min_classes": 4}, "all of these"),
        ("x-ANA.Lopez-9", {}, "the username"),
        ("x-López-9-y-z", {"not_containing": ["username", "surname"]}, "what is in Surname"),
        ("x-Write.To-9", {"not_containing": ["email"]}, "what is in Email"),
        ("PassW0rd1", {}, "most common"),
        ("horse-Lopez", {"min_strength": 4}, "too easy to guess"),
    ],
)
def test_each_rule(password: str, options: dict[str, object], rule: str) -> None:
    (message,) = faults(password, **options)

    assert rule in message
    assert message.count("; it ") == 0
    assert password not in message


def test_one_problem_lists_every_failing_rule() -> None:
    (message,) = faults("ANA", "ana", require=["lower", "digit"])

    assert message == (
        "Password does not meet the policy: it must have at least 8 characters; it must contain a lower-case letter; "
        "it must contain a digit; it must not contain the username; it is one of the most common passwords; "
        "choose another one"
    )


@pytest.mark.parametrize(
    "password",
    [
        *("password", "PASSWORT123", "Christopher", "P@ssw0rd!", "Welcome1!", "Summer2025", "contraseña1"),
        *("aaaaaaaa", "abcabcabc", "adminadmin", "🙂🙂🙂🙂🙂🙂🙂🙂"),
        *("12345678", "hgfedcba", "qwertzui", "lkjhgfds", "1q2w3e4r", "ÀÁÂÃÄÅÆÇ"),
    ],
)
def test_what_is_tried_first_is_common(password: str) -> None:
    assert len(faults(password)) == 1
    assert not faults(password, not_common=False)


def test_an_address_as_username_counts_without_its_domain_too() -> None:
    assert faults("x-ana.lopez-9", "ana.lopez@example.com")
    assert faults("al@example.com!", "al@example.com")
    assert not faults("x-example-99", "ana.lopez@example.com")


def test_rules_can_be_switched_off_and_short_usernames_are_no_fault() -> None:
    assert not faults("x-ana.lopez-9", not_containing=[])
    assert not faults("long-gone-al", "al")
    assert not faults("correct horse", "")


def test_the_strength_of_a_long_password_is_judged_by_its_beginning() -> None:
    assert not faults("correct horse battery " * 400, min_strength=3)
    assert faults("ab" * 5000, min_strength=1, not_common=False)


def test_no_password_no_problem() -> None:
    validator = Password(PasswordOptions(), context())

    assert not list(validator.check(row(password="")))
    assert not list(validator.check(row(password=None)))


def test_limits_that_nothing_can_meet_are_a_mistake() -> None:
    with pytest.raises(ValidationError, match=r"max_length \(6\) is less than min_length \(8\)"):
        PasswordOptions(max_length=6)
    with pytest.raises(ValidationError, match="no place for 4 kinds"):
        PasswordOptions(min_length=0, max_length=3, min_classes=4)


def guidance(**options: object) -> Guidance:
    found = Password(PasswordOptions.model_validate(options), context()).guidance("password")
    assert found is not None
    return found


NOTHING: dict[str, object] = {"min_length": 0, "not_containing": [], "not_common": False}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"min_length": 8}, "At least 8 characters."),
        ({"min_length": 1}, "At least 1 character."),
        ({"max_length": 64}, "At most 64 characters."),
        ({"min_length": 8, "max_length": 64}, "8 to 64 characters."),
        ({"min_length": 8, "max_length": 8}, "8 characters."),
        ({"require": ["digit", "lower"]}, "With a lower-case letter, a digit."),
        ({"require": ["upper", "symbol"], "min_classes": 2}, "With an upper-case letter, a symbol."),
        ({"min_classes": 1}, ""),
        (
            {"require": ["digit"], "min_classes": 3},
            "With a digit. With at least 3 of these: lower-case letters, upper-case letters, digits, symbols.",
        ),
        ({"min_classes": 4}, "With lower-case and upper-case letters, digits and symbols."),
        ({"not_containing": ["username", "email"]}, "Without what is in Username, Email."),
        ({"not_common": True}, "No common password, repetition or row of keys."),
        ({"min_strength": 3}, "Hard to guess."),
    ],
)
def test_the_guidance_says_each_rule(options: dict[str, object], text: str) -> None:
    assert guidance(**{**NOTHING, **options}).text == text


def test_the_guidance_says_the_whole_policy() -> None:
    found = guidance(max_length=64, require=["digit"], min_strength=2)
    assert found == Guidance(
        text="8 to 64 characters. With a digit. Without what is in Username. "
        "No common password, repetition or row of keys. Hard to guess.",
        problem="password.policy",
        min_length=8,
        max_length=64,
    )
    assert Password(PasswordOptions(), context()).guidance("username") is None


@given(st.text(st.characters(min_codepoint=0x2460, max_codepoint=0x24FF), min_size=1), st.text())
def test_a_password_is_never_shown(password: str, username: str) -> None:
    for message in faults(password, username, min_length=300, require=["digit"], min_classes=4):
        assert not set(password) & set(message)
