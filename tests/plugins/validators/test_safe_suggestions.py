"""Which suggestions of the standard rules are the only thing that can be meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Options, Problem, RowValidator
from musterroll.contract.codes import explanations_of
from musterroll_plugins.groups.paths import Paths, PathsOptions
from musterroll_plugins.validators.characters import Characters
from musterroll_plugins.validators.choices import Choices, ChoicesOptions
from musterroll_plugins.validators.email import Email, EmailOptions
from musterroll_plugins.validators.phone import Phone, PhoneOptions
from support.rows import context, row

PHONE = Phone(PhoneOptions(), context())
EMAIL = Email(EmailOptions(), context())
CHARACTERS = Characters(Options(), context())


def only(rule: RowValidator, **values: str | None) -> Problem:
    (found,) = rule.check(row(**values))
    assert_may_be_named(found)
    return found


def assert_may_be_named(problem: Problem) -> None:
    """What is repaired without asking can be named under `repairs`."""
    assert not problem.is_safe or any(one.is_repaired for one in explanations_of(problem.code)), problem.code


@pytest.mark.parametrize(
    ("code", "phone", "suggestion", "also"),
    [
        ("44", "07712345678", "7712345678", ()),  # a trunk prefix
        ("+44", "7712345678", "44", ()),
        ("0044", "7712345678", "44", ()),
        ("'44", "7712345678", "44", ()),
        ("44", "7712 345 678", "7712345678", ()),
        ("44", "7712345678.0", "7712345678", ()),
        ("44", '"7712345678"', "7712345678", ()),
        ("44", "’7712345678", "7712345678", ()),
        ("44", "+44 7712 345678", "7712345678", ()),
        ("1809", "5551234", "1", (("phone", "8095551234"),)),
        ("", "+44 7712 345678", "44", (("phone", "7712345678"),)),
    ],
)
def test_numbers(code: str, phone: str, suggestion: str, also: tuple[tuple[str, str], ...]) -> None:
    found = only(PHONE, calling_code=code, phone=phone)
    assert (found.suggestion, found.is_safe, found.also) == (suggestion, True, also)


def test_a_zero_that_a_program_may_have_dropped_is_a_guess() -> None:
    found = only(PHONE, calling_code="39", phone="612345678")
    assert (found.suggestion, found.is_safe) == ("0612345678", False)


@pytest.mark.parametrize(
    ("text", "suggestion", "safe"),
    [
        ("ana@acme,com", "ana@acme.com", True),
        ("ana@acme,co.uk", "ana@acme.co.uk", True),
        ("ana@acme,verwaltung", "ana@acme.verwaltung", False),
        ("Ana Silva <ana@acme.com>", "ana@acme.com", True),
        ("ana@acme.com <other@acme.com>", None, False),
        ("mailto:ana@acme.com", "ana@acme.com", True),
        ('"ana@acme.com"', "ana@acme.com", True),
        ("ana @ acme.com", "ana@acme.com", True),
        ("ana@acme.com.", "ana@acme.com", True),
        ("ana@acme.com. Sales", "ana@acme.com.Sales", False),
        ("ana..silva@acme.com", "ana.silva@acme.com", False),
        ("ana@gmial.com", "ana@gmail.com", False),
    ],
)
def test_addresses(text: str, suggestion: str | None, safe: bool) -> None:
    found = only(EMAIL, email=text)
    assert (found.suggestion, found.is_safe) == (suggestion, safe)


@pytest.mark.parametrize(
    ("text", "suggestion", "safe"),
    [
        ("An\u200ba", "Ana", True),
        ("An\x07a", "Ana", True),
        ("Jo\nAnn", "Jo Ann", False),  # one name, or two
        ("Jo\tAnn", "Jo Ann", False),
        ("An\ufffda", None, False),
        ("An\ue000a", "Ana", False),
    ],
)
def test_characters(text: str, suggestion: str | None, safe: bool) -> None:
    found = only(CHARACTERS, forename=text)
    assert (found.suggestion, found.is_safe) == (suggestion, safe)


def test_the_other_rules() -> None:
    (found,) = Paths(PathsOptions(), context()).resolve(row(groups="Sales;;Role A;"))
    assert isinstance(found, Problem)
    assert_may_be_named(found)
    assert (found.suggestion, found.is_safe) == ("Sales;Role A", True)
    choices = Choices(ChoicesOptions(field="forename", values=("North", "South")), context())
    near = only(choices, forename="Nroth")
    assert (near.suggestion, near.is_safe) == ("North", False)


@given(st.sampled_from(["44", "1", "39", "49", "225", "351"]), st.text("+0123456789 ()-./'\"", max_size=18))
def test_a_number_that_was_repaired_needs_no_repair(code: str, phone: str) -> None:
    for _ in range(3):
        safe = [one for one in PHONE.check(row(calling_code=code, phone=phone)) if one.is_safe]
        if not safe:
            break
        changed = {one.field: one.suggestion or "" for one in safe} | dict(safe[0].also)
        code, phone = changed.get("calling_code", code), changed.get("phone", phone)
    else:
        pytest.fail(f"{code} {phone} is repaired for ever")
