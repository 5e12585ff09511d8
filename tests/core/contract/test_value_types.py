"""What a type makes of texts: one spelling, which stays what it is and which the sheet's own form comes back to."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import DateForm, Field, FieldType
from musterroll.contract.fields import FieldRole
from musterroll.contract.translation import languages
from musterroll.contract.value_types import ValueType, value_type_of
from musterroll.pipeline.loader import load_pipeline

FORMS = ("DD.MM.YYYY", "MM/DD/YYYY", "YYYYMMDD", "DD-MM-YYYY", "YYYY/MM/DD")
TEXTS = st.one_of(
    st.text(max_size=12),
    st.text("0123456789.-/+ T:", max_size=20),
    st.sampled_from(["yes", "Nein", "TRUE", "0", "+44 7712 345678", "－5"]),
)


def made(type_: FieldType, **more: Any) -> ValueType:
    words = {"yes": "true", "ja": "true", "true": "true", "no": "false", "false": "false"}
    if type_ is FieldType.BOOLEAN:
        more = {"choices": ("yes", "no"), "words": words, **more}
    found = value_type_of(Field(name="x", heading="X", type=type_, **more))
    assert found is not None
    return found


@pytest.mark.parametrize("type_", [FieldType.INTEGER, FieldType.DATE, FieldType.BOOLEAN, FieldType.PHONE])
@given(text=TEXTS)
def test_a_spelling_is_found_once(type_: FieldType, text: str) -> None:
    one = made(type_)
    spelt = one.canonical(text)
    if spelt is None:
        fault = one.fault(text)
        assert fault.message
        assert fault.suggestion is None or one.canonical(fault.suggestion) is not None
    else:
        assert one.canonical(spelt) == spelt
        assert one.canonical(one.written(spelt)) == spelt


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 5))
def test_integers_are_their_digits(number: int, zeros: int) -> None:
    one = made(FieldType.INTEGER)
    sign = "-" if number < 0 else "+"
    assert one.canonical(f"{sign}{'0' * zeros}{abs(number)}") == str(number)
    assert one.canonical(str(number)) == str(number)


@given(st.dates(), st.lists(st.sampled_from(FORMS), unique=True), st.sampled_from(["YYYY-MM-DD", *FORMS]))
def test_dates_are_read_in_the_forms_of_the_customer_and_never_guessed(day: dt.date, forms: list[str], to: str) -> None:
    one = made(FieldType.DATE, formats=tuple(forms), to=to)
    wanted = DateForm(to).write(day)
    assert one.canonical(day.isoformat()) == wanted
    for form in forms:
        assert one.canonical(DateForm(form).write(day)) == wanted
    assert one.canonical(one.written(wanted)) == wanted
    # What the customer has not named is nothing, even if it can only mean one day.
    assert (one.canonical(f"{day.day}/{day.month}/{day.year:04}") is None) or "MM/DD/YYYY" in forms


@given(st.dates())
def test_of_two_forms_that_disagree_none_is_chosen(day: dt.date) -> None:
    one = made(FieldType.DATE, formats=("DD/MM/YYYY", "MM/DD/YYYY"))
    text = f"{day.day:02}/{day.month:02}/{day.year:04}"
    is_certain = day.day > 12 or day.day == day.month
    assert one.canonical(text) == (day.isoformat() if is_certain else None)


def test_yes_and_no_are_understood_in_every_language_and_never_mixed_up(tmp_path: Path) -> None:
    file = tmp_path / "musterroll.toml"
    lines = 'name = "a"\nlanguage = "de"\n[[sheet.fields]]\nname = "x"\nheading = "X"\ntype = "boolean"\n'
    file.write_text(lines + '[[sheet.fields]]\nname = "y"\nheading = "Y"\nrole = "active"\n', encoding="utf-8")
    fields = load_pipeline(file).fields
    truth, active = value_type_of(fields["x"]), value_type_of(fields["y"])
    assert truth is not None
    assert active is not None
    assert [truth.canonical(word) for word in ("Ja", "j", "wahr", "1", "YES", "nein", "falsch", "0", "n")] == [
        *["true"] * 5,
        *["false"] * 4,
    ]
    assert [active.canonical(word) for word in ("ja", "Inactive", "nein")] == ["yes", "no", "no"]
    assert fields["x"].choices == ("ja", "nein")
    assert (truth.written("true"), truth.written("false")) == ("ja", "nein")
    assert "de" in languages()


def test_a_role_is_of_its_own_type() -> None:
    assert value_type_of(Field(name="x", heading="X", role=FieldRole.OLD_USERNAME)) is None
