from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from musterroll import Origin, Problem, Row, Severity, Value
from musterroll_plugins.validators.condition import ConditionOptions, ConditionRule
from support.rows import changed, context, row

SALES = {"when": {"forename": "Ana"}, "must": {"surname": {"pattern": r"A\d"}}}


def found(row: Row, **options: object) -> list[Problem]:
    return list(ConditionRule(ConditionOptions.model_validate(options or SALES), context()).check(row))


def test_only_the_rows_that_it_is_about_must_meet_it() -> None:
    assert not found(row(forename="Bo", surname="x"))
    assert not found(row(forename="ana", surname="A1"))
    (problem,) = found(row(forename="ANA", surname="x"))
    assert (problem.code, problem.cell, problem.value, problem.severity) == (
        "surname.condition",
        "D3",
        "x",
        Severity.ERROR,
    )
    assert problem.message == r'Surname must have the form A\d where Forename is "Ana"'


def test_without_when_it_is_about_every_row_and_each_field_has_its_problem() -> None:
    problems = found(
        row(surname="x"), must={"surname": ["a", "b"], "phone": {"present": True}, "email": {"blank": True}}
    )
    assert [problem.message for problem in problems] == ['Surname must be one of "a", "b"', "Phone must be filled in"]


def test_message_code_and_severity_are_the_pipeline_s_own() -> None:
    own = {"message": "{heading} is for Ana alone", "code": "acme.ana", "severity": "warning"}
    (problem,) = found(row(forename="Ana", surname="x"), **SALES, **own)
    assert (problem.message, problem.code, problem.severity) == (
        "Surname is for Ana alone",
        "acme.ana",
        Severity.WARNING,
    )


def test_what_is_reported_already_is_no_second_fault() -> None:
    must = {"username": {"pattern": "u.*"}}
    assert not found(row(username=""), must=must)  # username.required
    assert not found(row(username=None), must=must)  # a broken cell
    assert not found(row(username="x" * 101), must=must)  # username.too_long
    assert not found(row(surname="A\u200b1", forename="Ana"))  # characters that nobody sees
    assert found(row(surname="", forename="Ana"))


def test_nothing_is_supposed_of_a_cell_that_cannot_be_used() -> None:
    when, must = {"forename": {"not": "Ana"}}, {"surname": "x"}
    assert not found(row(forename=None), when=when, must=must)
    # A column that the sheet does not have is blank for everybody.
    absent = Row(3, {"surname": Value("y", Origin.CELL)}, {"surname": "A"})
    assert found(absent, when=when, must=must)


def test_a_password_may_be_asked_for_and_is_not_shown() -> None:
    options = ConditionOptions.model_validate({"when": {"forename": "Ana"}, "must": {"password": {"blank": True}}})
    rule = ConditionRule(options, context(changed("password", required=False)))
    (problem,) = rule.check(row(forename="Ana", password="Sesame-7"))
    assert (problem.value, problem.message) == (None, 'Password must be empty where Forename is "Ana"')
    assert not list(rule.check(row(forename="Ana")))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "Field required"),
        ({"must": {}}, "needs at least one field"),
        ({"must": {"surname": "x"}, "code": "Acme"}, "String should match pattern"),
        ({"must": {"surname": 3}}, 'values of a sheet are texts; write "3"'),
    ],
)
def test_mistakes_are_found_in_the_pipeline(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(says)):
        ConditionOptions.model_validate(options)
