"""What a format code shows, for any number; the programs' own word on it is in tests/plugins/readers."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll_plugins.readers.number_formats import exact, show_number, show_text

WHOLE = st.integers(-(10**14) + 1, 10**14 - 1)
FRACTIONS = st.decimals(-99999, 99999, places=4).map(float)
CODES = st.text('0#?.,;"\\[]_*E+-% /@<>=$x1d', max_size=20)


@given(WHOLE | st.floats(allow_nan=False, allow_infinity=False, max_value=1e14, min_value=-1e14), CODES)
def test_any_code_shows_something_or_is_not_certain(value: float, code: str) -> None:
    shown = show_number(value, code)
    assert shown is None or isinstance(shown, str)


@given(WHOLE)
def test_thousands(value: int) -> None:
    assert show_number(value, "#,##0") == f"{value:,}"


@given(WHOLE | FRACTIONS, st.integers(1, 6))
def test_decimals_are_rounded_as_people_round(value: float, places: int) -> None:
    rounded = abs(exact(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    assert show_number(value, f"0.{'0' * places}") == f"{'-' if value < 0 else ''}{rounded:f}"


@given(WHOLE.filter(lambda value: value != 0))
def test_an_exponent_is_that_of_the_number(value: int) -> None:
    shown = show_number(value, "0.0000000000000E+00")
    assert shown is not None
    assert Decimal(shown) == value


@given(st.integers(0, 10**13), st.text("abcXYZ -_:", max_size=8), st.text("abcXYZ -_:", max_size=8))
def test_texts_stand_around_the_digits(value: int, before: str, after: str) -> None:
    assert show_number(value, f'"{before}"0"{after}"') == f"{before}{value}{after}"


@given(FRACTIONS, st.sampled_from(["0.00", "#,##0", "0%", '"EMP-"0']))
def test_a_second_section_shows_no_sign(value: float, code: str) -> None:
    shown, negative = show_number(abs(value), code), show_number(-abs(value), f"{code};({code})")
    assert negative == (f"({shown})" if value else shown)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        *[("@", "ana"), ("General", "ana"), ("0.00", "ana"), ('"EMP-"@', "EMP-ana"), ("0;0;0;", ""), (";;;", "")],
        *[("_(@_)", " ana "), ('0;0;0;"T"', "T"), ("0;0;0", "ana"), ('0;"x"@', "xana"), ("0;0;0;General", "ana")],
        *[("*-@", None), ("0;0;0;0;0", None), ('0;0;0;"a"0', None), ("[DBNum1]@", None)],
    ],
)
def test_what_a_code_shows_of_a_text(code: str, shown: str | None) -> None:
    assert show_text("ana", code) == shown
