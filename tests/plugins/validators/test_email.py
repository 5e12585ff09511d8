from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from musterroll import Severity
from musterroll_plugins.validators.email import _USUAL_DOMAIN, Email, EmailOptions
from support.rows import changed, context, row

EMAIL = Email(EmailOptions(), context())


def codes(text: str) -> list[str]:
    return [problem.code for problem in EMAIL.check(row(email=text))]


@pytest.mark.parametrize(
    "address",
    [
        "ana@example.com",
        "ana@acme.example",
        "ana@corp.local",
        "ana@Corp.LOCAL",
        "ana@mail.test",
        "o'brien+news@sub.example.co.uk",
        "jürgen@müller.de",
        "用户@例え.jp",
        "ana@xn--mller-kva.de",
    ],
)
def test_accepts(address: str) -> None:
    assert codes(address) == []


@pytest.mark.parametrize(
    ("address", "suggestion"),
    [
        ("ana", None),
        ("@example.com", None),
        ("ana@", None),
        ("ana@example", None),
        ("ana@localhost", None),
        ("ana@local", None),
        ("ana@test", None),
        ("ana@.test", None),
        ("ana@b@example.com", None),
        ("ana@example.com; bo@example.com", None),
        ("ana lopez@example.com", None),
        ("ana(x)@example.com", None),
        ("ana@exa_mple.com", None),
        ("ana@example.invalid", None),
        ("ana@\u0378.com", None),
        ("ana@" + "x" * 64 + ".com", None),
        ("ana@example,com", "ana@example.com"),
        ("ana.@example.com", None),
        ("ana@example.com.", "ana@example.com"),
        ("ana@example..com", "ana@example.com"),
        ("ana @ example.com", "ana@example.com"),
        ("ana＠example.com", "ana@example.com"),
        ("mailto:ana@example.com", "ana@example.com"),
        ("Ana López <ana@example.com>", "ana@example.com"),
        ('"ana b"@example.com', None),
        ("ana,bo@example.com", None),  # two people, perhaps
        ("ana@example.com,bo", None),
    ],
)
def test_rejects_with_a_suggestion_where_it_is_sure(address: str, suggestion: str | None) -> None:
    (problem,) = EMAIL.check(row(email=address))

    assert (problem.code, problem.cell, problem.value) == ("email.invalid", "A3", address)
    assert problem.suggestion == suggestion
    assert problem.message.startswith("Email is not a valid address: ")
    assert "U+" not in problem.message


def test_blank_broken_and_overlong_addresses_are_not_its_business() -> None:
    assert codes("") == []
    assert not list(EMAIL.check(row(email=None)))
    assert codes("a" * 255 + "@") == []  # 256 characters: email.too_long
    assert codes("a" * 240 + "@" + "b" * 14) == ["email.invalid"]  # 255


def test_what_nobody_sees_is_for_another_rule() -> None:
    assert codes("ana\u200b@exam\nple.com") == []
    assert codes("ana@example.com\nbo@example.com") == ["email.invalid"]


def test_an_address_can_be_too_long_to_be_delivered_to() -> None:
    unlimited = Email(EmailOptions(), context(changed("email", max_length=None)))
    # Punycode is short for a letter that is repeated; the readable form has three bytes for each.
    punycode = ".".join(["日" * 26] * 3).encode("idna").decode("ascii") + ".jp"

    assert codes("a" * 242 + "@example.com") == []
    assert codes("a" * 243 + "@example.com") == ["email.invalid"]
    assert len(punycode) < 200
    assert codes(f"a@{punycode}") == []
    assert codes(f"{'a' * 20}@{punycode}") == ["email.invalid"]
    # Looking for a suggestion does not take for ever either.
    assert [p.code for p in unlimited.check(row(email="x" + " " * 100_000 + "x"))] == ["email.invalid"]


def library_says(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


PART = st.text(st.sampled_from("abZ09.-_+'\"(@ <>\\éß日＠\u0301\u200b\ud800"), max_size=12) | st.text(max_size=8)
DOMAIN = st.sampled_from(
    ["example.com", "x.co", "XN--MLLER-KVA.de", "xn--a.com", "é.fr", "b" * 63 + ".org", "a.b.c.1", "[1.2.3.4]"]
)


@given(
    st.builds("{}@{}".format, PART | st.integers(1, 260).map("a".__mul__), DOMAIN | PART)
    | st.builds("{}@{}{}".format, PART, PART, DOMAIN)
    | st.emails()
    | PART
)
def test_the_quick_verdict_is_the_library_s(address: str) -> None:
    if not address.lower().endswith((".test", ".local")):
        assert EMAIL.is_valid(address) == library_says(address)


@given(PART | st.text())
def test_no_text_breaks_it_and_suggestions_are_valid(text: str) -> None:
    for problem in EMAIL.check(row(email=text)):
        assert problem.suggestion is None or EMAIL.is_valid(problem.suggestion)


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("Gnail.com", "gmail.com"),
        ("mgail.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmial.con", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("hotmal.co.uk", "hotmail.co.uk"),
        ("hotnail.de", "hotmail.de"),
        ("yaho.com", "yahoo.com"),
        ("yahooo.fr", "yahoo.fr"),
        ("outlok.com", "outlook.com"),
        ("outlook.cm", "outlook.com"),
        ("iclould.com", "icloud.com"),
        ("comcast.ent", "comcast.net"),
    ],
)
def test_a_misspelt_domain_of_a_large_provider_is_a_warning(domain: str, meant: str) -> None:
    (problem,) = EMAIL.check(row(email=f"Ana.B@{domain}"))

    assert (problem.code, problem.severity, problem.cell) == ("email.misspelt_domain", Severity.WARNING, "A3")
    assert problem.suggestion == f"Ana.B@{meant}"
    assert codes(problem.suggestion) == []


@pytest.mark.parametrize(
    "domain",
    [
        *("gmx.com", "gmx.de", "gmx.net", "gmx.at", "mail.com", "ymail.com", "email.com", "hotmail.de", "hotmail.fr"),
        *("hotmail.co.uk", "yahoo.co.uk", "yahoo.com.br", "yahoo.co.jp", "outlook.de", "outlook.com.br", "live.com"),
        *("live.co.uk", "live.nl", "msn.com", "aol.com", "aim.com", "me.com", "mac.com", "icloud.com", "cloud.com"),
        *("proton.me", "pm.me", "protonmail.ch", "zoho.com", "yandex.ru", "yandex.com", "mail.ru", "bk.ru", "inbox.ru"),
        *("inbox.com", "web.de", "freenet.de", "t-online.de", "orange.fr", "free.fr", "sfr.fr", "laposte.net"),
        *("libero.it", "libera.it", "tin.it", "virgilio.it", "alice.it", "wp.pl", "o2.pl", "onet.pl", "interia.pl"),
        *("seznam.cz", "email.cz", "centrum.cz", "ukr.net", "i.ua", "abv.bg", "naver.com", "daum.net", "qq.com"),
        *("163.com", "126.com", "sina.com", "rediffmail.com", "rocketmail.com", "btinternet.com", "sky.com"),
        *("virginmedia.com", "ntlworld.com", "comcast.net", "verizon.net", "att.net", "cox.net", "earthlink.net"),
        *(
            "fastmail.com",
            "fastmail.fm",
            "hey.com",
            "tutanota.com",
            "tuta.io",
            "posteo.de",
            "mailbox.org",
            "bluewin.ch",
        ),
        *("gmail.de", "example.com", "acme.co", "gaia.com", "hotel.com", "hotmail.hu", "outlook.acme.com", "gail.org"),
        *("jmail.com", "hmail.com", "fmail.co.uk", "smail.com", "vmail.me", "qmail.org", "hushmail.com", "grail.com"),
    ],
)
def test_real_domains_are_never_taken_for_misspelt_ones(domain: str) -> None:
    assert codes(f"ana@{domain}") == []


_LABELS = st.from_regex(r"[a-zA-Z0-9\-]{1,5}", fullmatch=True) | st.sampled_from(
    ["a" * 63, "a" * 64, "xn--bcher-kva", "ab--c", "1", "local", "arpa"]
)
_ENDINGS = st.sampled_from(["com", "ORG", "example", "de", "C1", "11", "-a", "test", "arpa", "onion", "museum", "c"])


@given(st.lists(_LABELS, max_size=6), _ENDINGS)
@example(["a" * 63] * 3, "com")
@example(["a" * 63] * 4, "com")
def test_a_usual_domain_is_one_that_the_library_accepts(labels: list[str], ending: str) -> None:
    domain = ".".join([*labels, ending])
    if _USUAL_DOMAIN.fullmatch(domain):
        validate_email(f"a@{domain}", check_deliverability=False)
