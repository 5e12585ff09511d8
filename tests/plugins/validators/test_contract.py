"""Every built-in rule keeps the published contract."""

from __future__ import annotations

from musterroll import Field, RowValidator, SheetValidator
from musterroll.testing import ValidatorContract, build_validator, make_context
from musterroll_plugins.validators import (
    characters,
    choices,
    compare,
    condition,
    email,
    email_domain,
    length,
    password,
    pattern,
    phone,
    required,
    unique,
)

FULL = {"username": "ana", "forename": "Ana", "password": "Sesame-open-7"}


class TestRequired(ValidatorContract):
    good, bad, codes = (FULL,), ({**FULL, "forename": ""},), frozenset({"forename.required"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(required, "required")


class TestLength(ValidatorContract):
    good, bad, codes = (FULL,), ({"surname": "x" * 51},), frozenset({"surname.too_long"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(length, "length")


class TestCharacters(ValidatorContract):
    good, bad, codes = (FULL,), ({"surname": "a\x07b"},), frozenset({"surname.control_characters"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(characters, "characters")


class TestChoices(ValidatorContract):
    good, bad, codes = ({"site": "North"},), ({"site": "Norht"},), frozenset({"site.not_a_choice"})

    def validator(self) -> RowValidator | SheetValidator:
        site = Field(name="site", heading="Site", choices=("North", "South"))
        return build_validator(choices, "choices", make_context(site))


class TestPattern(ValidatorContract):
    good, bad, codes = ({"surname": "A1"},), ({"surname": "1A"},), frozenset({"surname.pattern"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(pattern, "pattern", field="surname", pattern=r"A\d")


class TestCompare(ValidatorContract):
    good, bad = ({"email": "a@b.example", "username": "A@B.example"},), ({"email": "a@b.example", "username": "c"},)
    codes = frozenset({"email.not_equal"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(compare, "compare", field="email", other="username", rule="equal")


class TestCondition(ValidatorContract):
    good, bad = ({"surname": "A1", "forename": "Ana"}, {"forename": "Bo"}), ({"surname": "x", "forename": "ana"},)
    codes = frozenset({"surname.condition"})

    def validator(self) -> RowValidator | SheetValidator:
        must = {"surname": {"pattern": r"A\d"}}
        return build_validator(condition, "condition", when={"forename": "Ana"}, must=must)


class TestEmail(ValidatorContract):
    good, bad, codes = ({"email": "ana@acme.com"},), ({"email": "ana@@acme"},), frozenset({"email.invalid"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(email, "email")


class TestEmailDomain(ValidatorContract):
    good, bad, codes = ({"email": "ana@acme.com"},), ({"email": "ana@acme.org"},), frozenset({"email.domain"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(email_domain, "email-domain", domains=["acme.com"])


class TestPassword(ValidatorContract):
    good, bad, codes = (FULL,), ({**FULL, "password": "ana"},), frozenset({"password.policy"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(password, "password")


class TestPhone(ValidatorContract):
    good, bad = ({"calling_code": "44", "phone": "7712345678"},), ({"calling_code": "44", "phone": "12"},)
    codes = frozenset({"phone.invalid"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(phone, "phone")


class TestUnique(ValidatorContract):
    good, bad, codes = (FULL, {"username": "bo"}), (FULL, {"username": "ANA"}), frozenset({"username.duplicate"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(unique, "unique")
