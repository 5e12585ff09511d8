"""The one small language of conditions: what holds, what is said of it, and what is no condition."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import Condition, Conditions, Field, FieldSet, Options, Surroundings
from support.rows import fields, row


def conditions(**written: object) -> Conditions:
    return Conditions.model_validate(written)


@pytest.mark.parametrize(
    ("written", "meeting", "failing"),
    [
        ("Sales", ["Sales", "SALES", "ｓales", "Sa\u200bles"], ["", "Sale", "Sales 2"]),
        (["Sales", "IT"], ["it", "sales"], ["", "HR"]),
        ({"not": "Sales"}, ["", "IT"], ["sales"]),
        ({"not": ["Sales", "IT"]}, ["", "HR"], ["it", "Sales"]),
        ({"blank": True}, [""], ["x"]),
        ({"blank": False}, ["x"], [""]),
        ({"present": True}, ["x"], [""]),
        ({"present": False}, [""], ["x"]),
        ({"pattern": r"A\d{2}"}, ["A12"], ["", "a12", "A123", "xA12"]),
        ({"pattern": r"A\d{2}", "ignore_case": True}, ["A12", "a12"], ["b12"]),
        ({"not": {"pattern": "A.*"}}, ["", "b"], ["A", "Abc"]),
        ({"not": {"pattern": "A.*", "ignore_case": True}}, ["b"], ["abc"]),
        ({"not": {"blank": True}}, ["x"], [""]),
        ({"present": True, "not": "Sales"}, ["IT"], ["", "sales"]),
    ],
)
def test_what_a_condition_asks(written: object, meeting: list[str], failing: list[str]) -> None:
    condition = Condition.of(written)
    assert [text for text in (*meeting, *failing) if condition.holds(text)] == meeting


def test_every_field_of_a_table_must_meet_its_condition() -> None:
    table = conditions(department=["Sales", "IT"], country={"not": "UK"})
    assert table.holds({"department": "it", "country": "DE"})
    assert not table.holds({"department": "it", "country": "uk"})
    assert not table.holds({"country": "DE"})  # what is not there is blank
    assert [name for name, _ in table.unmet({"country": "UK"})] == ["department", "country"]
    assert conditions().holds({})
    assert not conditions()


def test_a_row_gives_the_texts_and_no_password() -> None:
    table = conditions(forename="Ana", password={"present": True})
    texts = table.texts_of(row(forename="Ana", password="Sesame-7"))
    assert texts == {"forename": "Ana", "password": "***"}
    assert table.holds(texts)
    assert not table.holds(table.texts_of(row(forename="Ana")))


def test_it_is_said_in_words() -> None:
    table = conditions(a="x", b=["x", "y"], c={"not": "x"}, d={"blank": True}, e={"present": True}, f={"pattern": "A+"})
    assert table.statement(str.upper) == (
        'A is "x" and B is one of "x", "y" and C is not "x" and D is empty and E is filled in and F has the form A+'
    )
    assert (
        Condition.of({"present": True, "not": ["x", "y"]}).demand() == 'must be filled in and must be none of "x", "y"'
    )
    assert Condition.of({"not": {"pattern": "A+"}}).demand() == "must not have the form A+"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (3, 'values of a sheet are texts; write "3"'),
        (True, 'write "true"'),
        ("", "no value of a sheet is an empty text; write { blank = true }"),
        (["a", " "], "no value of a sheet is an empty text"),
        ([], "write a text, a list of texts"),
        ([1], "write a text, a list of texts"),
        ({}, "write a text, a list of texts"),
        (None, "write a text, a list of texts"),
        ({"patern": "A"}, 'unknown key "patern", did you mean "pattern"?'),
        ({"pattern": "("}, "pattern is not a regular expression that can be used here: unclosed group, at character 1"),
        ({"pattern": "(?!a)b"}, "look-around"),
        ({"pattern": 3}, "pattern should be text"),
        ({"ignore_case": True}, "ignore_case belongs to a pattern"),
        ({"blank": "yes"}, "blank should be true or false"),
        ({"blank": 1}, "blank should be true or false"),
        ({"blank": True, "present": True}, "write blank or present, not both"),
        ({"not": {"not": "a"}}, "not takes one thing"),
        ({"not": {"present": True, "pattern": "a"}}, "not takes one thing"),
        ({"not": 3}, 'write "3"'),
    ],
)
def test_what_is_no_condition_says_how_to_write_one(written: object, says: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(says)):
        conditions(department=written)


def test_a_field_that_is_not_there_and_a_password_are_mistakes() -> None:
    around = Surroundings(lambda name, path: path, fields(Field(name="department", heading="Department")))
    with pytest.raises(ValidationError, match='there is no field "deparment", did you mean "department"'):
        Conditions.model_validate({"deparment": "x"}, context=around)
    with pytest.raises(ValidationError, match='"password" is secret: only'):
        Conditions.model_validate({"password": {"not": "x"}}, context=around)
    assert Conditions.model_validate({"password": {"present": True}}, context=around)
    assert Conditions.model_validate({"any": "x"}, context=Surroundings(lambda name, path: path))


def test_options_that_hold_conditions_are_written_out_as_they_were() -> None:
    class Rule(Options):
        when: Conditions = Conditions({})

    written = {"when": {"department": {"not": ["Sales"]}}}
    assert Rule.model_validate(written).model_dump() == written
    assert Rule.model_validate(written) == Rule.model_validate(written)
    assert Rule().model_dump() == {"when": {}}


_TEXTS = st.text(min_size=1).filter(lambda text: text.strip() and text.isprintable())
_POSITIVE = st.one_of(
    _TEXTS,
    st.lists(_TEXTS, min_size=1),
    st.fixed_dictionaries({"pattern": _TEXTS.map(re.escape).filter(str.isascii)}),
    st.fixed_dictionaries({"present": st.booleans()}),
)


@given(_POSITIVE, st.text())
def test_not_is_the_other_way_round(written: object, text: str) -> None:
    try:
        condition = Condition.of(written)
    except ValueError:
        return
    assert Condition.of({"not": written}).holds(text) is not condition.holds(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["not", "blank", "present", "pattern", "ignore_case", "x"]), inner)
        ),
    )
)
def test_whatever_is_written_is_a_condition_or_says_why_not(written: object) -> None:
    try:
        Condition.of(written).holds("x")
    except ValueError as error:
        said = str(error)
    else:
        said = "a condition"
    assert said


def test_empty_surroundings_know_no_field() -> None:
    with pytest.raises(ValidationError, match='there is no field "x"'):
        Conditions.model_validate({"x": "y"}, context=Surroundings(lambda name, path: path, FieldSet([])))
