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


def column(name: str, *texts: str) -> list[dict[str, str]]:
    return [{name: text} for text in texts]


MORE = (
    *column(
        "email", "bo@gmial.com", "ana@acme", "a..b@acme.example", "ana@acme.example\nbo@acme.example", "a@xn--a.de"
    ),
    *column("username", "ana", "Ana", "\u0430na", "\u03bd", "\u039d", "n", "v", "stra\u00dfe", "strasse", "ab@c.de"),
    *column("forename", "ana", "Bo", "A\u200b1", "Zo\u00eb", "N\u00fa\u00f1ez", "M\u00c3\u00bcller", "Sesame-open-7"),
    *column("surname", "ana", "bo", "A1", "a1", "A\u200b1", "a\x071", "Sesame\u200b-open-7"),
    *column(
        "password",
        "password",
        "P@ssw0rd",
        "12345678",
        "abcxabcx",
        "ghijklmn",
        "tyuiopas",
        "W3lc0me2024!",
        "ana-Qx7-river",
    ),
    *column(
        "password",
        "\u0430\u0431\u0432\u0433\u0434\u0435\u0436\u0437",
        "m0nkey12",
        "tr0mb0ne",
        "Sesame\u200b-open-7",
        "ana-Qx7",
    ),
    *column("calling_code", "44", "49", "39", "7", "999"),
    *column("phone", "7712345678", "07712345678", "447712345678", "4912345678", "4915123456789", "015123456789", "0"),
)
"""Values of all kinds, for proofs."""


class Contract(ValidatorContract):
    more = MORE


FULL = {"username": "ana", "forename": "Ana", "password": "Sesame-open-7"}


class TestRequired(Contract):
    good, bad, codes = (FULL,), ({**FULL, "forename": ""},), frozenset({"forename.required"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(required, "required")


class TestLength(Contract):
    good, bad, codes = (FULL,), ({"surname": "x" * 51},), frozenset({"surname.too_long"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(length, "length")


class TestCharacters(Contract):
    good, bad, codes = (FULL,), ({"surname": "a\x07b"},), frozenset({"surname.control_characters"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(characters, "characters")


class TestChoices(Contract):
    good, bad, codes = ({"site": "North"},), ({"site": "Norht"},), frozenset({"site.not_a_choice"})

    def validator(self) -> RowValidator | SheetValidator:
        site = Field(name="site", heading="Site", choices=("North", "South"))
        return build_validator(choices, "choices", make_context(site))


class TestPattern(Contract):
    good, bad, codes = ({"surname": "A1"},), ({"surname": "1A"},), frozenset({"surname.pattern"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(pattern, "pattern", field="surname", pattern=r"A\d")


class TestPatternOfLength(Contract):
    good, bad, codes = ({"surname": "abc"},), ({"surname": "ab"},), frozenset({"surname.pattern"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(pattern, "pattern", field="surname", pattern=".{3}")


class TestCompare(Contract):
    good, bad = ({"email": "a@b.example", "username": "A@B.example"},), ({"email": "a@b.example", "username": "c"},)
    codes = frozenset({"email.not_equal"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(compare, "compare", field="email", other="username", rule="equal")


class TestCondition(Contract):
    good, bad = ({"surname": "A1", "forename": "Ana"}, {"forename": "Bo"}), ({"surname": "x", "forename": "ana"},)
    codes = frozenset({"surname.condition"})

    def validator(self) -> RowValidator | SheetValidator:
        must = {"surname": {"pattern": r"A\d"}}
        return build_validator(condition, "condition", when={"forename": "Ana"}, must=must)


class TestComparePasswordAndName(Contract):
    good, bad = ({**FULL, "surname": "Sesame-open-7"},), ({**FULL, "surname": "x"},)
    codes = frozenset({"surname.not_equal"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(compare, "compare", field="surname", other="password", rule="equal")


class TestDifferent(Contract):
    good, bad, codes = (FULL,), ({**FULL, "forename": "x", "surname": "X"},), frozenset({"forename.not_different"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(compare, "compare", field="forename", other="surname", rule="different")


class TestEmail(Contract):
    good, bad, codes = ({"email": "ana@acme.com"},), ({"email": "ana@@acme"},), frozenset({"email.invalid"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(email, "email")


class TestEmailDomain(Contract):
    good, bad, codes = ({"email": "ana@acme.com"},), ({"email": "ana@acme.org"},), frozenset({"email.domain"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(email_domain, "email-domain", domains=["acme.com"])


class TestPassword(Contract):
    good, bad, codes = (FULL,), ({**FULL, "password": "ana"},), frozenset({"password.policy"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(password, "password")


class TestStrictPassword(Contract):
    good, bad, codes = (FULL,), ({**FULL, "password": "sesame-open"},), frozenset({"password.policy"})

    def validator(self) -> RowValidator | SheetValidator:
        require, within = ("digit", "upper"), ("email", "username")
        return build_validator(
            password, "password", require=require, min_classes=3, max_length=20, not_containing=within
        )


class TestStrictPhone(Contract):
    good, bad = ({"calling_code": "44", "phone": "7712345678"},), ({"calling_code": "44", "phone": "12"},)
    codes = frozenset({"phone.invalid"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(phone, "phone", strict=True)


class TestPhone(Contract):
    good, bad = ({"calling_code": "44", "phone": "7712345678"},), ({"calling_code": "44", "phone": "12"},)
    codes = frozenset({"phone.invalid"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(phone, "phone")


class TestUnique(Contract):
    good, bad, codes = (FULL, {"username": "bo"}), (FULL, {"username": "ANA"}), frozenset({"username.duplicate"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(unique, "unique")
