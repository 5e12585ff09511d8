"""What each transform makes of what people type."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from musterroll import Field, Origin, Problem, Value
from musterroll.errors import PipelineError
from musterroll.testing import build_transform, make_context, make_row
from musterroll_plugins.transforms import case, date, default, map, replace, split  # noqa: A004 -- modules

OWN = make_context(*(Field(name=name, heading=name.title()) for name in ("born", "department", "full")))


def said(module: ModuleType, name: str, texts: dict[str, str], /, **options: Any) -> dict[str, str | Value | Problem]:
    return dict(build_transform(module, name, OWN, **options).apply(make_row(3, **texts)))


def problem(found: dict[str, str | Value | Problem]) -> Problem:
    (one,) = found.values()
    assert isinstance(one, Problem)
    return one


@pytest.mark.parametrize(
    ("to", "text", "wanted"),
    [
        ("lower", "ANA Silva", "ana silva"),
        ("upper", "Straße", "STRASSE"),
        ("title", "ANA MARIA", "Ana Maria"),
        ("title", "jean-luc o'neil", "Jean-Luc O'Neil"),
        ("title", "VAN DER BERG", "Van Der Berg"),
        ("title", "McKay", "McKay"),
        ("title", "ÉLODIE ÅS", "Élodie Ås"),
        ("title", "d’ARTAGNAN", "d’ARTAGNAN"),
    ],
)
def test_case(to: str, text: str, wanted: str) -> None:
    assert said(case, "case", {"forename": text}, fields=["forename"], to=to) == {"forename": wanted}


@pytest.mark.parametrize(
    ("pattern", "by", "text", "wanted"),
    [
        (r"\s+", " ", "Ana   Maria", "Ana Maria"),
        (r"^Dr\. ", "", "Dr. Ana", "Ana"),
        (r"(\w+) (\w+)", r"\2, \1", "Ana Silva", "Silva, Ana"),
        (r"(?P<a>.)-", r"\g<a>\\", "A-B", r"A\B"),
        ("x", "y", "Ana", "Ana"),
        ("(a)|b", r"[\1]", "ab", "[a][]"),
    ],
)
def test_replace(pattern: str, by: str, text: str, wanted: str) -> None:
    found = said(replace, "replace", {"forename": text}, fields=["forename"], pattern=pattern, by=by)
    assert found == {"forename": wanted}


@pytest.mark.parametrize("by", [r"\2", r"\g<b>", "\\", r"\x"])
def test_what_stands_instead_refers_to_what_is_there(by: str) -> None:
    with pytest.raises(ValidationError, match="by: "):
        said(replace, "replace", {}, fields=["forename"], pattern="(?P<a>x)", by=by)


def test_no_pattern_is_slow() -> None:
    begun = time.monotonic()
    said(replace, "replace", {"forename": "a" * 50_000 + "!"}, fields=["forename"], pattern="(a+)+$", by="")
    said(split, "split", {"full": "a" * 50_000 + "!"}, field="full", pattern="(?P<surname>(a+)+)")
    assert time.monotonic() - begun < 5


def test_split() -> None:
    form = r"\+(?P<calling_code>44|351) ?(?P<phone>\d+)"
    assert said(split, "split", {"phone": "+44 7712345678"}, field="phone", pattern=form) == {
        "calling_code": "44",
        "phone": "7712345678",
    }
    found = problem(said(split, "split", {"phone": "7712345678"}, field="phone", pattern=form))
    assert (found.code, found.field, found.value) == ("phone.pattern", "phone", "7712345678")
    assert said(split, "split", {"phone": "77"}, field="phone", pattern=form, otherwise="keep") == {}
    assert said(split, "split", {}, field="phone", pattern=form) == {}


@pytest.mark.parametrize(("pattern", "wrong"), [("(.+)", "name its groups"), ("(", "regular expression")])
def test_a_split_that_cannot_be(pattern: str, wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        said(split, "split", {}, field="full", pattern=pattern)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1.3.2010", "2010-03-01"),
        ("01.03.2010", "2010-03-01"),
        ("2010-03-01", "2010-03-01"),
        ("5/5/2010", "2010-05-05"),
    ],
)
def test_dates(text: str, wanted: str) -> None:
    forms = ["DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY"]
    assert said(date, "date", {"born": text}, fields=["born"], forms=forms) == {"born": wanted}


@pytest.mark.parametrize(("text", "words"), [("30.2.2010", "no date"), ("soon", "no date"), ("3/4/2010", "may be")])
def test_what_is_no_date_or_two(text: str, words: str) -> None:
    forms = ["DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY"]
    found = problem(said(date, "date", {"born": text}, fields=["born"], forms=forms))
    assert found.code == "born.type"
    assert words in found.message


@pytest.mark.parametrize("form", ["DD.MM", "DD.MM.YYY", "YYYY-MM-DD-DD", "d.m.yyyy"])
def test_forms_that_are_none(form: str) -> None:
    with pytest.raises(ValidationError, match="YYYY, MM and DD"):
        said(date, "date", {}, fields=["born"], forms=[form])


def test_names_of_months_and_years_of_two_digits() -> None:
    forms, fields = ["DD MMM YY", "DD.MM.YY"], ["born"]
    for text in ("3 Okt. 71", "3 OCT 71", "03.10.71"):
        assert said(date, "date", {"born": text}, fields=fields, forms=forms, first_year=1930) == {"born": "1971-10-03"}
    with pytest.raises(ValidationError, match="say which hundred years are meant"):
        said(date, "date", {}, fields=fields, forms=forms)
    with pytest.raises(ValidationError, match="this is how dates go on from here"):
        said(date, "date", {}, fields=fields, forms=["DD.MM.YYYY"], to="DD MMM YYYY")


def test_map(tmp_path: Path) -> None:
    file = tmp_path / "departments.csv"
    file.write_text("Number,Department\n10,Sales\n20,Häuser\n", "utf-8")
    options: dict[str, Any] = {"field": "department", "file": file, "values": {"R&D": "Research"}}
    for text, wanted in (("10", "Sales"), (" 20 ", "Häuser"), ("r&d", "Research")):
        assert said(map, "map", {"department": text}, **options) == {"department": wanted}
    found = problem(said(map, "map", {"department": "R+D"}, **options))
    assert (found.code, found.suggestion) == ("department.not_a_choice", "R&D")
    assert said(map, "map", {"department": "x"}, otherwise="keep", **options) == {}
    assert said(map, "map", {"department": "10"}, to="surname", **options) == {"surname": "Sales"}
    assert problem(said(map, "map", {"department": "Sales"}, to="surname", **options)).code == "department.not_a_choice"


@pytest.mark.parametrize(
    ("text", "words"),
    [("a\n", "two headings"), ("a,b\n10,x\n10,y\n", "row 3: .*already"), ("a,b\n,x\n", "row 2: .*empty")],
)
def test_a_table_that_cannot_be_used(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "departments.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(PipelineError, match=words):
        said(map, "map", {}, field="department", file=file)


def test_a_default_counts_when_a_user_is_created_only() -> None:
    found = said(default, "default", {"username": "ana"}, field="email", value="{username}@acme.example")
    assert found == {"email": Value("ana@acme.example", Origin.DEFAULT)}
    assert said(default, "default", {"email": "x@y.example"}, field="email", value="z") == {}
    assert said(default, "default", {}, field="email", value="{username}@acme.example") == {}
