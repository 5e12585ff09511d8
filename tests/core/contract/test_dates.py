"""The forms of dates: years of two digits, names of months, and that what is written is read as the same day."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from musterroll.contract.dates import DateForm, named_form
from musterroll.contract.translation import in_language

DAY = dt.date(2026, 3, 1)


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ("DD.MM.YYYY", ["1.3.2026", "01.03.2026"]),
        ("DD MMM YYYY", ["1 Mar 2026", "01 MARCH 2026", "1 Mrz 2026", "1 märz 2026", "1 Mar. 2026", "1 Maerz 2026"]),
        ("DD. MMMM YYYY", ["1. März 2026", "01. march 2026", "1. Mär. 2026"]),
        ("MMM. DD, YYYY", ["Mar. 1, 2026"]),
        ("MMMM DD, YYYY", ["March 1, 2026", "Mar. 01, 2026"]),
        ("DDMMMYY", ["01MAR26", "1Mar26"]),
        ("YY-MM-DD", ["26-3-1"]),
    ],
)
def test_what_a_form_reads(form: str, texts: list[str]) -> None:
    assert {DateForm(form, 1930).read(text) for text in texts} == {DAY}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("DD MMM YYYY", "30 Feb 2026"),
        ("DD MMM YYYY", "1 Ma 2026"),
        ("DD MMM YYYY", "1 3 2026"),
        ("DD.MM.YY", "1.3.2026"),
        ("DD.MM.YY", "1.3.6"),
        ("DD.MM.YYYY", "1.3.26"),
    ],
)
def test_what_is_no_date_of_a_form(form: str, text: str) -> None:
    assert DateForm(form, 1930).read(text) is None


@pytest.mark.parametrize(
    "form", ["", "DD.MM", "DD.MM.YYYY YY", "DD.MM.MMM.YYYY", "DD.MM.YYY", "D.MM.YYYY", "DD.MMMMM.YYYY", "DD.mm.YYYY"]
)
def test_what_is_no_form(form: str) -> None:
    with pytest.raises(ValueError, match="write a form of YYYY, MM and DD"):
        DateForm(form, 1930)


def test_two_digits_without_a_century_are_no_form() -> None:
    with pytest.raises(ValueError, match="YY can be any century"):
        DateForm("DD.MM.YY")


@pytest.mark.parametrize(
    ("first", "years"),
    [
        (1930, {"29": 2029, "30": 1930, "99": 1999, "00": 2000}),
        (2000, {"00": 2000, "99": 2099}),
        (1, {"01": 1, "00": 100}),
    ],
)
def test_two_digits_are_one_of_the_hundred_years(first: int, years: dict[str, int]) -> None:
    form = DateForm("DD.MM.YY", first)
    assert {text: day.year for text in years if (day := form.read(f"1.3.{text}"))} == years


_PARTS = [["YYYY", "YY"], ["MM", "MMM", "MMMM"], ["DD"]]


@given(
    day=st.dates(),
    parts=st.tuples(*map(st.sampled_from, _PARTS)).flatmap(st.permutations),
    sign=st.sampled_from([" ", ".", "/", ". ", ", "]),
    first=st.integers(1, 9900),
    languages=st.tuples(st.sampled_from(["en", "de"]), st.sampled_from(["en", "de"])),
)
def test_what_is_written_is_read_as_the_same_day_in_whatever_language(
    day: dt.date, parts: list[str], sign: str, first: int, languages: tuple[str, str]
) -> None:
    form = DateForm(sign.join(parts), first)
    assume(not form.has_short_year or first <= day.year < first + 100)
    with in_language(languages[0]):
        text = form.write(day)
    with in_language(languages[1]):
        assert form.read(text) == day
        assert form.read(text.upper()) == day


def test_names_are_written_in_the_language() -> None:
    with in_language("de"):
        assert DateForm("DD. MMMM YYYY").write(DAY) == "01. März 2026"
        assert DateForm("DD MMM YYYY").write(DAY) == "01 Mrz 2026"
    assert DateForm("DD. MMMM YYYY").write(DAY) == "01. March 2026"


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["3 Mar 2026", "14 Okt. 2025", "1 MAI 2024"], "DD MMM YYYY"),
        (["3. März 2026", "1. April 2026"], "DD. MMMM YYYY"),
        (["Mar. 3, 2026", "Apr 4, 2026"], "MMM DD, YYYY"),
        (["March 3, 2026", "May 4, 2026"], "MMMM DD, YYYY"),
        (["2026-Mar-03"], "YYYY-MMM-DD"),
        (["3.Mrz.71", "03.Apr.26"], "DD.MMM.YY"),
        (["29FEB00"], "DDMMMYY"),
        (["3 Mar 2026", "March 4, 2026"], None),
        (["3 Mar 2026", "30 Feb 2026"], None),
        (["3 Mars 2026"], None),
        (["3 Mar 026"], None),
        (["3 Mar 2026 B"], None),
        (["(3 Mar 2026)"], None),
        (["3.3.2026"], None),
        (["Mar"], None),
        ([], None),
    ],
)
def test_the_form_of_a_column_whose_months_are_named(texts: list[str], form: str | None) -> None:
    assert named_form(texts) == form


@given(
    days=st.lists(st.dates(dt.date(1950, 1, 1), dt.date(2049, 12, 31)), min_size=1),
    written=st.sampled_from(["DD MMM YYYY", "DD. MMMM YYYY", "MMMM DD, YYYY", "YYYY/MMM/DD", "DD-MMM-YY"]),
    language=st.sampled_from(["en", "de"]),
)
def test_a_form_that_is_found_reads_what_was_written(days: list[dt.date], written: str, language: str) -> None:
    with in_language(language):
        texts = [DateForm(written, 1950).write(day) for day in days]
    found = named_form(texts)
    assert found is not None
    assert DateForm(found, 1950).has_short_year == DateForm(written, 1950).has_short_year
    assert [DateForm(found, 1950).read(text) for text in texts] == days


@given(st.lists(st.text(max_size=20), max_size=3))
def test_any_text_has_a_form_that_reads_it_or_none(texts: list[str]) -> None:
    found = named_form(texts)
    assert found is None or all(map(DateForm(found, 2000).read, texts))
