from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll_plugins.validators.email import Email, EmailOptions
from musterroll_plugins.validators.email_domain import EmailDomain, EmailDomainOptions, ascii_domain
from support.rows import context, row

Seen = list[tuple[str, str | None]]


def seen(address: str | None, **options: object) -> Seen:
    options = options or {"domains": ["acme.example", "gmail.com"]}
    validator = EmailDomain(EmailDomainOptions.model_validate(options), context())
    return [(p.code, p.suggestion) for p in validator.check(row(email=address))]


BAD: Seen = [("email.domain", None)]


def test_one_of_these_domains() -> None:
    assert seen("ana@acme.example") == []
    assert seen("ana@Acme.EXAMPLE") == []
    assert seen("ana@elsewhere.example.org") == BAD
    assert seen("ana@gmial.com") == [("email.domain", "ana@gmail.com")]
    assert seen("ana@mail.acme.example") == BAD
    assert seen("ana@notacme.example") == [("email.domain", "ana@acme.example")]


def test_below_a_domain_where_that_is_said() -> None:
    options = {"domains": ["acme.example"], "forbidden": ["old.acme.example"], "subdomains": True}

    assert seen("ana@mail.de.acme.example", **options) == []
    assert seen("ana@mail.old.acme.example", **options) == BAD
    assert seen("ana@notacme.example", **options) == [("email.domain", "ana@acme.example")]


def test_forbidden_domains() -> None:
    assert seen("ana@free.example", forbidden=["free.example"]) == BAD
    assert seen("ana@work.example", forbidden=["free.example"]) == []


@pytest.mark.parametrize(
    "domain", ["müller.example", "MÜLLER.example", "xn--mller-kva.example", "mu\u0308ller.example"]
)
def test_a_domain_has_several_spellings(domain: str) -> None:
    assert seen("ana@müller.example", domains=[domain]) == []
    assert seen("ana@XN--MLLER-KVA.example", domains=[domain]) == []
    assert [code for code, _ in seen("ana@muller.example", domains=[domain])] == ["email.domain"]


def test_the_message_names_the_domains_but_not_hundreds() -> None:
    options = EmailDomainOptions(domains=tuple(f"d{n}.example" for n in range(100)))
    (problem,) = EmailDomain(options, context()).check(row(email="ana@x.org"))

    assert (
        problem.message == "Email must be an address at one of d0.example, d1.example, d2.example, d3.example, "
        "d4.example or 95 others"
    )


@pytest.mark.parametrize("text", ["", None, "ana", "ana@", "@acme.example", "a b@x.org", "a@b@x.org", "a@" + "x" * 300])
def test_what_is_no_address_is_for_another_rule(text: str | None) -> None:
    assert seen(text) == []


def test_nor_is_what_nobody_sees() -> None:
    assert seen("ana\u200b@acme\u200b.example") == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "name the domains"),
        ({"domains": ["@acme.example"]}, 'what comes after the "@"'),
        ({"domains": ["*.acme.example"]}, 'write "acme.example" and subdomains = true'),
        ({"domains": ["acme example"]}, "not the name of a domain"),
        ({"domains": ["-.example"]}, "not the name of a domain"),
        ({"domains": ["Acme.example"], "forbidden": ["acme.example"]}, "both allowed and forbidden"),
    ],
)
def test_mistakes_in_the_pipeline(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says.replace("*", r"\*")):
        EmailDomainOptions.model_validate(options)


@given(st.text(st.sampled_from("aZ0.-@éßＡ。\u200d\u0301") | st.characters()))
def test_no_text_breaks_it(text: str) -> None:
    name = ascii_domain(text)

    assert name is None or ascii_domain(name) == name
    for code, suggestion in seen(text, domains=["acme.example"]):
        assert code == "email.domain"
        assert suggestion is None or suggestion.endswith("@acme.example")
        assert not list(Email(EmailOptions(), context()).check(row(email=text)))
