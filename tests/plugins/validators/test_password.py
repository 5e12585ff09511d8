from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll_plugins.validators.password import Password, PasswordOptions
from support.rows import context, row


def faults(password: str, username: str = "ana.lopez", /, **options: object) -> list[str]:
    validator = Password(PasswordOptions.model_validate(options), context())
    problems = list(validator.check(row(username=username, password=password)))
    assert all((p.code, p.cell, p.value, p.suggestion) == ("password.policy", "E3", None, None) for p in problems)
    return [p.message for p in problems]


def test_a_long_password_that_nobody_guesses_is_good() -> None:
    assert not faults("correct horse battery")
    assert not faults("Zürich-4-Bäume")
    assert not faults("ab3$efgh", lower=True, digit=True, symbol=True, classes=3)


@pytest.mark.parametrize(
    ("password", "options", "rule"),
    [
        ("short77", {}, "at least 8 characters"),
        ("long enough", {"max_length": 10}, "at most 10 characters"),
        ("ONLY-UPPER", {"lower": True}, "a lower-case letter"),
        ("only-lower", {"upper": True}, "an upper-case letter"),
        ("no digits!", {"digit": True}, "a digit"),
        ("nosymbols99", {"symbol": True}, "a symbol"),
        ("lower-only", {"classes": 3}, "at least 3 of these"),
        ("x-ANA.Lopez-9", {}, "the username"),
        ("PassW0rd1", {}, "most common"),
    ],
)
def test_each_rule(password: str, options: dict[str, object], rule: str) -> None:
    (message,) = faults(password, **options)

    assert rule in message
    assert password not in message


def test_one_problem_lists_every_failing_rule() -> None:
    (message,) = faults("ANA", "ana", lower=True, digit=True)

    assert message == (
        "Password does not meet the policy: it must have at least 8 characters; it must contain a lower-case letter; "
        "it must contain a digit; it must not contain the username; choose another one"
    )


def test_rules_can_be_switched_off_and_short_usernames_are_no_fault() -> None:
    assert not faults("password", not_common=False)
    assert not faults("x-ana.lopez-9", not_username=False)
    assert not faults("long-gone-al", "al")
    assert not faults("correct horse", "")


def test_no_password_no_problem() -> None:
    validator = Password(PasswordOptions(), context())

    assert not list(validator.check(row(password="")))
    assert not list(validator.check(row(password=None)))


def test_limits_that_nothing_can_meet_are_a_mistake() -> None:
    with pytest.raises(ValidationError, match=r"max_length \(6\) is less than min_length \(8\)"):
        PasswordOptions(max_length=6)


@given(st.text(st.characters(min_codepoint=0x2460, max_codepoint=0x24FF), min_size=1), st.text())
def test_a_password_is_never_shown(password: str, username: str) -> None:
    for message in faults(password, username, min_length=300, digit=True, classes=4):
        assert not set(password) & set(message)
