from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import BoolCell, Cell, DateCell, ErrorCell, FormulaCell, NumberCell, Origin, TextCell, Value
from musterroll.contract.rows import BLANK
from musterroll.contract.text import clean
from musterroll.sheet.values import CellFault, cell_value, secret_value, shown
from musterroll_plugins.readers.number_formats import number_cell, text_cell

TEXTS = (
    st.text() | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Zs", "L"])) | st.from_regex(r"[#+E\d.,:!/A-Z]*")
)
NUMBERS = st.builds(
    NumberCell,
    st.integers() | st.floats() | st.integers(10**4000, 10**5000),
    st.text() | st.text('0#?.,;"\\[]_*E+% /@<>$-1') | st.sampled_from(["General", "00000", '"0"#', "0#"]),
)
DATES = st.builds(DateCell, st.datetimes() | st.dates() | st.times() | st.timedeltas())
CELLS: st.SearchStrategy[Cell] = (
    st.none()
    | TEXTS
    | NUMBERS
    | DATES
    | st.builds(BoolCell, st.booleans())
    | st.builds(ErrorCell, st.text())
    | st.builds(FormulaCell, st.text())
    | st.builds(text_cell, TEXTS, st.text('0@#?.,;"\\\\[]_*E+% /x'))
)


def value_of(cell: Cell, *, secret: bool) -> Value | CellFault:
    return secret_value(cell) if secret else cell_value(cell)


def text_of(cell: Cell) -> str:
    value = cell_value(cell)
    assert isinstance(value, Value), value
    return value.text


def fault_of(cell: Cell, *, secret: bool = False) -> CellFault:
    value = value_of(cell, secret=secret)
    assert isinstance(value, CellFault), value
    return value


def number(value: float, number_format: str = "General") -> NumberCell:
    return number_cell(value, number_format)


@given(CELLS, st.booleans())
def test_no_cell_breaks_it(cell: Cell, secret: bool) -> None:
    value = value_of(cell, secret=secret)
    assert isinstance(value, Value | CellFault)
    if isinstance(value, Value):
        assert value.origin in (Origin.CELL, Origin.BLANK)
        assert (value.text, value.raw) == ("", None) if secret else value.secret is None
    (shown(cell) or "").encode()  # what a problem shows can be written to any file


@given(TEXTS)
def test_a_text_is_cleaned_and_kept_as_it_was_typed(text: str) -> None:
    value = cell_value(text)
    if isinstance(value, Value):
        assert value == (Value(clean(text), Origin.CELL, text) if clean(text) else BLANK)


@given(st.text(min_size=1).filter(lambda text: not text.strip().startswith(("#", "Err")) and "+" not in text))
def test_a_password_is_taken_as_it_is(text: str) -> None:
    value = secret_value(text)
    assert isinstance(value, Value)
    assert value.secret is not None
    assert value.secret.reveal() == text


@given(st.integers(-(10**14) + 1, 10**14 - 1), st.booleans())
def test_a_whole_number_is_its_digits(value: int, as_float: bool) -> None:
    assert text_of(number(float(value) if as_float else value)) == str(value)


@given(st.decimals(-99999, 99999, places=6))
def test_a_fraction_is_what_was_typed(value: object) -> None:
    typed = f"{value:f}".rstrip("0").rstrip(".")
    assert text_of(number(float(typed))) == ("0" if typed == "-0" else typed)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7712345678, "7712345678"),
        (7712345678.0, "7712345678"),
        (7.7e9, "7700000000"),
        (99999999999999.0, "99999999999999"),
        (0.1 + 0.2, "0.3"),
        (44 / 10 * 10, "44"),
        (0.1 * 3 * 10, "3"),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (-5.5, "-5.5"),
    ],
)
def test_a_number_is_never_point_zero_or_an_exponent(value: float, text: str) -> None:
    assert text_of(number(value)) == text


@pytest.mark.parametrize(
    "value", [10**14, 1e14, 123456789012345678, -(10**14), 1.5e300, 10**400, 1 / 3, 1.23456789012345]
)
def test_a_number_of_15_digits_has_lost_some(value: float) -> None:
    fault = fault_of(number(value))
    assert (fault.code, fault.suggestion) == ("cell.precision_lost", None)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_an_error(value: float) -> None:
    assert fault_of(number(value)).code == "cell.error"


@pytest.mark.parametrize(
    ("number_format", "value", "as_shown"),
    [
        ("00000", 123, "00123"),
        ("0000000000", 7712345.0, "0007712345"),
        ('0#" "##" "##" "##" "##', 612345678, "0612345678"),  # French telephone numbers
        ("0###", 12, "0012"),
        ('"0"#', 7712345678, "07712345678"),
        ("\\0General", 7712345678, "07712345678"),
        ('"00"#', 447712345678, "00447712345678"),
        ("000-00-0000", 12345678, "012-34-5678"),
        ("000-000", 1234, "001-234"),
        ("00\\.000\\.000", 1234000, "01.234.000"),
        ("[$-407]00000;-00000", 1067, "01067"),
        ("000.0", 7, "007"),
    ],
)
def test_zeros_that_only_the_format_shows(number_format: str, value: float, as_shown: str) -> None:
    fault = fault_of(number(value, number_format))
    assert (fault.code, fault.suggestion) == ("cell.leading_zeros", as_shown)


@pytest.mark.parametrize(
    "number_format",
    [
        *("", "General", "0", "@", "[Red]0", "0;00", "[<=1000]0;00", "# ?/100", '_(* #,##0_);_(* "0"_)', "0;;;@"),
        *(
            "#,##0",
            "#",
            "0_)",
            "[$-409]0",
            "[$-1010409]0",
            "[$-en-US]0",
            "0;0;@",
            "[Color 12]General",
            "* 0",
            "[>9]0.0;0",
        ),
    ],
)
def test_formats_that_show_the_digits(number_format: str) -> None:
    assert text_of(number(5, number_format)) == "5"


@pytest.mark.parametrize(
    ("value", "number_format", "as_shown"),
    [
        (100000, "0.00E+00", "1.00E+05"),
        (7712345678, "##0.0E+0", "7.7E+9"),
        (9.996, "0.00E-00", "1.00E01"),
        (0.5, "0%", "50%"),
        (0.125, "0.00%", "12.50%"),
        (0.5, "# ?/?", "1/2"),
        (1.25, "# ??/100", "1 25/100"),
        (12345678.5, "#,##0.00", "12,345,678.50"),
        (12345678, "#,##0", "12,345,678"),
        (1234567.5, '"$"#,##0.00', "$1,234,567.50"),
        (500, "[$€-407]0.00", "€500.00"),
        (-500, "[$$-409]#,##0.00;[RED]\\-[$$-409]#,##0.00", "-$500.00"),
        (-1234.5, '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_);_(@_)', "$(1,234.50)"),
        (7712345678, "+44 0000 000000", "+44 7712 345678"),
        (1234567, "000-0000", "123-4567"),
        (5551234567, "[<=9999999]###-####;(###) ###-####", "(555) 123-4567"),
        (1234, '"EMP-"0', "EMP-1234"),
        (7, '"EMP-"0000', "EMP-0007"),
        (-5, '"EMP-"0', "-EMP-5"),
        (1234, '0000" X"', "1234 X"),
        (1234, 'General" km"', "1234 km"),
        (3, '"Smith"', "Smith"),
        (1, '"TRUE";"TRUE";"FALSE"', "TRUE"),
        (-7712, "0;(0)", "(7712)"),
        (-7712, "0;0", "7712"),
        (0, '0;-0;"none"', "none"),
        (12.5, "0.00", "12.50"),
        (0, "0.00", "0.00"),
        (0, "0.000", "0.000"),
        (0, "0%", "0%"),
        (5, '"0."0', "0.5"),
        (5, "0.00", "5.00"),
        (12.5, "0", "13"),
        (2.5, "0", "3"),
        (1234567, '0.0,,"M"', "1.2M"),
        (5, "#.##", "5."),
        (-5, "000", "-005"),
        (5, '#"0"', "50"),
        (5, "00%", "500%"),
        (5, "000E+00", "005E+00"),
        (5, "+44 0", "+44 5"),
        (5, '"+44 (0)"#', "+44 (0)5"),
        (5, "[>9]0;0.0", "5.0"),
        (1 / 3, "0.00", "0.33"),
    ],
)
def test_what_a_person_sees_decides(value: float, number_format: str, as_shown: str) -> None:
    fault = fault_of(number(value, number_format))
    assert (fault.code, fault.suggestion) == ("cell.shown_otherwise", as_shown)
    hidden = fault_of(number(value, number_format), secret=True)
    assert (hidden.code, hidden.suggestion) == ("cell.shown_otherwise", None)
    assert as_shown not in hidden.message


STRANGE = ("*00", "yyyy", "[h]:mm", "[DBNum1]0", "[$-D00041E]0", '"open', "0;0;0;0;0", "[<3]0", "0" * 300)


@pytest.mark.parametrize(
    ("value", "number_format"),
    [
        *[(5, ";;;"), (5, ";"), (0, "#"), (-5, "0;"), (-5, "[<100]0;0.0"), (0.3, "# ?/?")],
        *[(5, code) for code in STRANGE],
    ],
)
def test_a_number_that_is_hidden_or_shown_who_knows_how_is_not_guessed(value: float, number_format: str) -> None:
    fault = fault_of(number(value, number_format))
    assert (fault.code, fault.suggestion) == ("cell.shown_otherwise", None)


@pytest.mark.parametrize("cell", [NumberCell(5, "00000"), TextCell("5", '"EMP-"@')])
def test_what_a_reader_does_not_say_is_not_guessed(cell: Cell) -> None:
    assert fault_of(cell).code == "cell.shown_otherwise"


@given(st.integers(0, 10**13), st.integers(1, 20))
def test_a_shown_zero_is_always_noticed(value: int, width: int) -> None:
    cell = number(value, "0" * width)
    if len(str(value)) < width:
        assert fault_of(cell).suggestion == f"{value:0{width}}"
    else:
        assert text_of(cell) == str(value)


@pytest.mark.parametrize(
    "text", ["7.7E+9", "7.71235E+11", "7,71235E+11", " 1E+05 ", "7.71e+11", "-1.5E+3", "771.2E+9", "7.7E9"]
)
@pytest.mark.parametrize("secret", [False, True])
def test_an_exponent_in_a_csv_has_lost_digits(text: str, secret: bool) -> None:
    assert fault_of(text, secret=secret).code == "cell.precision_lost"


@pytest.mark.parametrize(
    "text",
    [
        "1E5",
        "2E+",
        "E+5",
        "ana+1E+5@example.com",
        "1E+5x",
        "7712345678.0",
        "1e+5555",
        "+447712345678",
        "C++",
        "1.2.3E+4",
    ],
)
def test_texts_that_only_look_like_an_exponent(text: str) -> None:
    assert text_of(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        " #n/a ",
        "#NV",
        "#WERT!",
        "#ÜBERLAUF!",
        "#NOM?",
        "#¿NOMBRE?",
        "Err:502",
        "###",
        "########",
    ],
)
@pytest.mark.parametrize("secret", [False, True])
def test_an_error_in_a_csv(text: str, secret: bool) -> None:
    fault = fault_of(text, secret=secret)
    assert fault.code == "cell.error"
    assert text.strip() not in fault.message


@pytest.mark.parametrize(
    "text", ["#", "##", "#1", "#sales", "N/A", "#N/A;Sales", "Err:", "Erra", "REF!", "#NAME", "#TEAM!"]
)
def test_texts_that_only_look_like_an_error(text: str) -> None:
    assert text_of(text) == text


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (DateCell(dt.date(2024, 5, 1)), "cell.not_text"),
        (DateCell(dt.timedelta(hours=25)), "cell.not_text"),
        (BoolCell(value=True), "cell.not_text"),
        (ErrorCell("#N/A"), "cell.error"),
        (FormulaCell("=A1"), "cell.formula"),
        ("broken \ud800", "cell.not_text"),
    ],
)
@pytest.mark.parametrize("secret", [False, True])
def test_what_is_no_text(cell: Cell, code: str, secret: bool) -> None:
    assert fault_of(cell, secret=secret).code == code


@pytest.mark.parametrize("cell", [None, "", "  ", "\u00a0", "\u200b\ufeff"])
def test_a_blank_cell(cell: Cell) -> None:
    assert cell_value(cell) == BLANK


def test_a_password_of_spaces_is_one_and_an_empty_cell_is_none() -> None:
    value = secret_value(" a\u0301 ")
    assert isinstance(value, Value)
    assert value.secret is not None
    assert (value.secret.reveal(), value.text, value.raw) == (" a\u0301 ", "", None)
    assert secret_value("") == secret_value(None) == BLANK
    assert secret_value(" ") != BLANK


def test_a_password_of_digits_is_never_suggested() -> None:
    value = secret_value(number(12345678))
    assert isinstance(value, Value)
    assert value.secret is not None
    assert (value.secret.reveal(), value.raw) == ("12345678", None)
    fault = fault_of(number(1234, "00000000"), secret=True)
    assert (fault.code, fault.suggestion) == ("cell.leading_zeros", None)
    assert "1234" not in fault.message
