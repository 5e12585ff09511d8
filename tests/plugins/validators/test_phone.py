from __future__ import annotations

import re
import unicodedata

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Context, FieldSet, Origin, Row, Severity, Value
from musterroll_plugins.validators.phone import Phone, PhoneOptions
from support.rows import changed, context, row
from support.sheets import HEADINGS, read, sheet, user

PHONE = Phone(PhoneOptions(), context())
STRICT = Phone(PhoneOptions(strict=True), context())

Seen = list[tuple[str, str | None]]


def seen(code: str | None, phone: str | None, validator: Phone = PHONE) -> Seen:
    return [(p.code, p.suggestion) for p in validator.check(row(calling_code=code, phone=phone))]


@pytest.mark.parametrize(
    ("code", "phone"),
    [
        ("", ""),
        ("44", "7712345678"),
        ("1", "2025550123"),
        ("49", "15123456789"),
        ("351", "912345678"),
        ("33", "612345678"),
        ("39", "0612345678"),  # Rome: the 0 belongs to the number
        ("39", "3123456789"),
        ("378", "0549886377"),
        ("225", "0123456789"),
        ("7", "7012345678"),  # Kazakhstan: begins like its calling code
        ("49", "491512345678"),  # Leer: likewise
        ("31", "318001234"),  # valid with and without what looks like the calling code
        ("49", "4915123456789"),
        ("55", "55844717029"),  # in no range either way: nothing says that 55 does not belong to it
        ("7", "8001234567"),  # a Russian freephone number begins like the trunk prefix
        ("44", "7781123456"),  # Guernsey shares 44
        ("44", "7700900123"),  # kept for examples, never assigned
        ("61", "491570006"),
        ("800", "12345678"),  # international freephone
    ],
)
def test_accepts(code: str, phone: str) -> None:
    assert seen(code, phone) == []


@pytest.mark.parametrize(
    ("code", "phone", "local"),
    [
        ("44", "447712345678", "7712345678"),
        ("44", "+447712345678", "7712345678"),
        ("44", "00447712345678", "7712345678"),
        ("44", "+44 7712 345-678", "7712345678"),
        ("44", "4407712345678", "7712345678"),
        ("44", "+44 (0)7712 345678", "7712345678"),
        ("44", "447700900123", "7700900123"),
        ("49", "4930123456", "30123456"),
        ("43", "436641234567", "6641234567"),
        ("55", "55800123456", "800123456"),  # of a possible shape as it stands, but in no range
        ("1", "12025550123", "2025550123"),
        ("1", "01112025550123", "2025550123"),
        ("7", "79161234567", "9161234567"),
        ("39", "390612345678", "0612345678"),
    ],
)
def test_a_repeated_calling_code_is_an_error_with_the_local_part(code: str, phone: str, local: str) -> None:
    assert seen(code, phone) == [("phone.includes_calling_code", local)]


@pytest.mark.parametrize(
    ("code", "phone", "local"),
    [
        ("44", "07712345678", "7712345678"),
        ("44", "07700900123", "7700900123"),
        ("49", "015123456789", "15123456789"),
        ("33", "0612345678", "612345678"),
        ("7", "89161234567", "9161234567"),
        ("36", "06301234567", "301234567"),
        ("375", "80291234567", "291234567"),
        ("370", "861234567", "61234567"),
        ("358", "0401234567", "401234567"),
    ],
)
def test_a_trunk_prefix_is_a_warning_with_the_corrected_number(code: str, phone: str, local: str) -> None:
    (problem,) = PHONE.check(row(calling_code=code, phone=phone))

    assert (problem.code, problem.severity, problem.cell) == ("phone.trunk_prefix", Severity.WARNING, "G3")
    assert (problem.value, problem.suggestion) == (phone, local)


@pytest.mark.parametrize(
    ("code", "phone", "suggestion"),
    [
        ("44", "12", None),
        ("44", "771234567", None),  # a digit is missing
        ("44", "77123456789", None),  # one too many
        ("44", "0", None),
        ("44", "call me", None),
        ("44", "7712345678 ext 5", None),
        ("44", "7.7E9", None),
        ("44", "+4930123456", None),  # another country
        ("39", "+0612345678", None),
        ("44", "+07712345678", "7712345678"),
        ("44", "7712 345-678", "7712345678"),
        ("44", "(07712) 345678", "7712345678"),
        ("44", "٧٧١٢٣٤٥٦٧٨", "7712345678"),
        ("44", "7٧12345678", "7712345678"),
    ],
)
def test_anything_else_is_invalid(code: str, phone: str, suggestion: str | None) -> None:
    assert seen(code, phone) == [("phone.invalid", suggestion)]


def test_strict_wants_a_range_that_is_assigned() -> None:
    assert seen("44", "7712345678", STRICT) == []
    assert seen("44", "7700900123", STRICT) == [("phone.invalid", None)]
    assert seen("800", "00123456", STRICT) == []  # the zeros count
    assert seen("44", "447712345678", STRICT) == [("phone.includes_calling_code", "7712345678")]
    assert seen("44", "447700900123", STRICT) == [("phone.invalid", None)]


@pytest.mark.parametrize(
    ("code", "suggestion"),
    [
        ("999", None),
        ("+44", "44"),
        ("0044", "44"),
        ("044", "44"),
        ("4 4", "44"),
        ("UK", None),
        ("9" * 5000, None),
        ("0", None),
    ],
)
def test_an_unknown_calling_code_says_nothing_about_the_phone(code: str, suggestion: str | None) -> None:
    assert seen(code, "7712345678") == [("calling_code.invalid", suggestion)]
    assert seen(code, "not a number") == [("calling_code.invalid", suggestion)]
    assert seen(code, None) == [("calling_code.invalid", suggestion)]


def test_a_phone_needs_a_calling_code_and_the_other_way_round() -> None:
    assert seen("", "7712345678") == [("calling_code.required", None)]
    assert seen("", "+447712345678") == [("calling_code.required", "44")]
    assert seen("", "00 1 202 555 0123") == [("calling_code.required", "1")]
    assert seen("", "call me") == [("calling_code.required", None), ("phone.invalid", None)]
    assert seen("44", "") == [("calling_code.unexpected", None)]
    assert seen("999", "") == [("calling_code.unexpected", None)]


def test_what_nobody_sees_is_for_another_rule() -> None:
    assert seen("44", "\u202a77123\u200b45678\u202c") == []
    assert seen("4\u200b4", "7712\n345678") == []
    assert seen("44", "0771\u200b2345678") == [("phone.trunk_prefix", "7712345678")]


def test_silent_where_a_cell_is_broken_or_nobody_typed_the_code() -> None:
    assert seen("44", None) == []
    assert seen(None, "7712345678") == []
    assert not list(PHONE.check(row(calling_code=Value("44", Origin.DEFAULT))))
    assert seen("44", "7" * 51) == []  # phone.too_long
    assert seen("44", "x" * 51) == []
    assert seen("", "x" * 51) == [("calling_code.required", None)]
    short = context(changed("calling_code", max_length=3))
    assert seen("+ 44", "7712345678", Phone(PhoneOptions(), short)) == []  # calling_code.too_long


def test_a_pipeline_without_the_columns_can_keep_the_validator() -> None:
    bare = Context(instance="validators[phone]", fields=FieldSet([]))

    assert not list(Phone(PhoneOptions(), bare).check(Row(3, {}, {})))


def test_a_default_calling_code_is_one() -> None:
    validator = Phone(PhoneOptions(), context(changed("calling_code", default="44")))

    assert seen("", "7712345678", validator) == []
    assert seen("", "447712345678", validator) == [("phone.includes_calling_code", "7712345678")]


@given(
    st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.sampled_from(sorted(phonenumbers.PhoneNumberType.values())),
)
def test_what_the_library_knows_to_be_valid_is_accepted_everywhere(region: str, kind: int) -> None:
    number = phonenumbers.example_number_for_type(region, kind)
    if number is not None and phonenumbers.is_valid_number(number):
        code, local = str(number.country_code), phonenumbers.national_significant_number(number)
        assert seen(code, local) == []
        assert seen(code, f"+{code}{local}") == [("phone.includes_calling_code", local)]


@given(
    st.sampled_from(["44", "1", "39", "7", "800", "54", "99"]) | st.text(max_size=5),
    st.text(st.sampled_from("0123456789 +-()x٣²"), max_size=20) | st.text(),
)
def test_no_text_breaks_it_and_corrected_numbers_are_good(code: str, phone: str) -> None:
    for problem in PHONE.check(row(calling_code=code, phone=phone)):
        if problem.suggestion is not None and problem.field == "phone":
            assert seen(code, problem.suggestion) == []
            assert_is_the_typed_number(phone, problem.suggestion, code)


def assert_is_the_typed_number(typed: str, suggestion: str, code: str) -> None:
    """A suggestion is what was typed, without separators, ".0", a calling code or a trunk prefix in front."""
    digits = "".join(str(unicodedata.decimal(c)) for c in typed if unicodedata.decimal(c, None) is not None)
    typed_ones = {digits} | {digits[: -len(zeros)] for zeros in ("0", "00", "000") if typed.endswith(f".{zeros}")}
    in_front = rf"(?:(?:00|011)?{code})?(?:\d{{0,3}})"
    assert any(re.fullmatch(f"{in_front}{suggestion}", one) or suggestion == f"0{one}" for one in typed_ones)


@pytest.mark.parametrize(
    ("code", "phone", "suggestion"),
    [
        ("44", "7712345678.0", "7712345678"),
        ("49", "301234567.0", "301234567"),  # and not 3012345670
        ("49", "301234567,00", "301234567"),
        ("49", "0301234567.0", "301234567"),
        ("44", "+447712345678.0", "7712345678"),
        ("49", "030/1234567", "301234567"),
        ("49", "(030) 123-4567", "301234567"),
        ("49", "+49 (0)30 1234567", "301234567"),
        ("33", "06.12.34.56.00", "612345600"),
        ("7", "8 (916) 123-45-67", "9161234567"),
        ("1", "(202) 555-0123", "2025550123"),
        # The 0 belongs to the number there, and a spreadsheet program has dropped it.
        ("39", "612345678", "0612345678"),
        ("225", "712345678", "0712345678"),
        ("242", "61234567", "061234567"),
        ("378", "549886377", "0549886377"),
    ],
)
def test_a_certain_number_is_suggested(code: str, phone: str, suggestion: str) -> None:
    assert [found for _, found in seen(code, phone)] == [suggestion]
    assert seen(code, suggestion) == []


@pytest.mark.parametrize(
    "phone",
    [
        *("301234567/8", "030 123/456", "123 / 124", "030 1234567/1234568", "0301/0302", "030/123456/7"),
        *("301234567-8", "030 1234567-12", "301234567 8", "301234567.5", "301 234 567.0", "1234567 1234568"),
        *("123456 - 123457", "301234567x12", "301234567 ext. 5", "301234567 #5", "301234567;301234568"),
        *("301234567,5", "30(0)1234567", "301234567 (8)", "301234567\n8", "030123\n4567", "301234567²"),
        *("301234567 or 8", "301234567&8", "+84 912345678", "0084 912345678"),
    ],
)
def test_nothing_is_suggested_where_two_numbers_or_an_extension_may_be_meant(phone: str) -> None:
    for code in ("49", "7"):
        for problem in PHONE.check(row(calling_code=code, phone=phone)):
            assert problem.suggestion is None
    assert seen("49", phone) != [] or "\n" in phone  # of a line break another rule tells


@pytest.mark.parametrize(
    ("code", "phone", "suggestion", "says"),
    [
        ("44.0", "7712345678", "44", "digits"),
        ("1809", "5551234", "1", "8095551234 in Phone"),
        ("1-809", "555-1234", "1", "8095551234 in Phone"),
        ("+1 809", "8095551234", "1", "8095551234 in Phone"),
        ("1809", "5551234/5", None, "not the telephone code"),
        ("1809", "12", None, "not the telephone code"),
        ("4/4", "7712345678", None, "digits"),
        ("44;49", "7712345678", None, "digits"),
    ],
)
def test_a_calling_code_with_more_than_it_should_have(code: str, phone: str, suggestion: str | None, says: str) -> None:
    (problem,) = PHONE.check(row(calling_code=code, phone=phone))
    assert (problem.code, problem.suggestion) == ("calling_code.invalid", suggestion)
    assert says in problem.message


OMITTED = changed("calling_code", omitted=True)
WHOLE = Phone(PhoneOptions(), context(OMITTED))


def whole(phone: str, validator: Phone = WHOLE, **code: object) -> Seen:
    """What is said of a whole number, as the sheet stage makes the row."""
    spec = changed("calling_code", omitted=True, **code)
    headings = [heading for heading in HEADINGS if heading != "Calling Code"]
    cells = [cell for heading, cell in zip(HEADINGS, user("ana", phone=phone), strict=True) if heading in headings]
    (made,) = read(sheet(cells, headings=headings, guidance=()), spec).rows
    found = list(validator.check(made))
    assert {(p.field, p.cell, p.value) for p in found} <= {("phone", "F3", phone)}
    return [(p.code, p.suggestion) for p in found]


@pytest.mark.parametrize(
    "phone",
    ["", "+447712345678", "+44 7712 345678", "00447712345678", "+1 (425) 555-0100", "+1 425-555-0100", "+390612345678"],
)
def test_without_a_calling_code_a_whole_number_is_good(phone: str) -> None:
    assert whole(phone) == []


@pytest.mark.parametrize(
    ("phone", "code", "suggestion"),
    [
        ("7712345678", "phone.invalid", None),
        ("07712345678", "phone.invalid", None),
        ("447712345678", "phone.invalid", None),
        ("nonsense", "phone.invalid", None),
        ("+1 (425) 555-0100 x12", "phone.invalid", None),
        ("+44 7712345678/9", "phone.invalid", None),
        ("+999 1234567", "phone.invalid", None),
        ("+44 12", "phone.invalid", None),
        ("+44", "phone.invalid", None),
        ("+44 07712 345678", "phone.trunk_prefix", "+447712345678"),
        ("+44 44 7712 345678", "phone.includes_calling_code", "+447712345678"),
        ("+39 612345678", "phone.invalid", "+390612345678"),
    ],
)
def test_without_a_calling_code_anything_else_is_said_of_the_phone(
    phone: str, code: str, suggestion: str | None
) -> None:
    assert whole(phone) == [(code, suggestion)]
    assert suggestion is None or whole(suggestion) == []


def test_a_default_calling_code_lets_local_numbers_through() -> None:
    validator = Phone(PhoneOptions(), context(changed("calling_code", omitted=True, default="44")))

    assert whole("7712345678", validator, default="44") == []
    assert whole("+49 30 1234567", validator, default="44") == []
    assert whole("07712345678", validator, default="44") == [("phone.trunk_prefix", "7712345678")]


@given(st.text(st.sampled_from("0123456789 +-()x/.")) | st.text())
def test_whole_numbers_never_break_it_and_suggestions_are_whole_and_good(phone: str) -> None:
    for _, suggestion in whole_of(phone):
        if suggestion is not None:
            assert suggestion.startswith("+")
            assert whole_of(suggestion) == []


def whole_of(phone: str) -> Seen:
    return [(p.code, p.suggestion) for p in WHOLE.check(row(calling_code=None, phone=phone))]
