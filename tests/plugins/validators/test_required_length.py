from __future__ import annotations

import unicodedata

from musterroll import Field, Options, Origin, Severity, Value
from musterroll.contract.templates import Template
from musterroll_plugins.validators.length import Length
from musterroll_plugins.validators.required import Required
from support.rows import changed, context, row


def test_every_blank_required_field_is_named_by_its_heading() -> None:
    problems = list(Required(Options(), context()).check(row(username="ana")))

    assert [(p.code, p.cell, p.severity) for p in problems] == [
        ("forename.required", "C3", Severity.ERROR),
        ("password.required", "E3", Severity.ERROR),
    ]
    assert problems[0].message == "Forename is missing; fill it in"


def test_what_was_reported_already_or_came_from_elsewhere_is_not_missing() -> None:
    check = Required(Options(), context()).check

    assert not list(check(row(username=None, forename=Value("Ana", Origin.COMPOSED), password="x")))
    assert not list(check(row(username="ana", forename=Value("?", Origin.DEFAULT), password="x")))


def test_a_sheet_without_a_field_does_not_miss_it() -> None:
    own = (changed("forename", omitted=True), Field(name="department", heading="Department", required=True))
    problems = list(Required(Options(), context(*own)).check(row(username="ana", password="x", department="")))

    assert [p.code for p in problems] == ["department.required"]


def test_a_composed_field_is_missed_only_where_what_it_is_made_of_is_not() -> None:
    made = changed("username", compose=Template("{email}"))
    blank = row(username="", email="", forename="Ana", password="x")

    (problem,) = Required(Options(), context(made)).check(blank)
    assert (problem.code, problem.message) == (
        "username.required",
        "Username is missing; it is made of Email, so fill that in",
    )
    (problem,) = Required(Options(), context(made, changed("email", required=True))).check(blank)
    assert problem.code == "email.required"


def test_length_says_how_long_it_is_and_may_be() -> None:
    check = Length(Options(), context()).check

    assert not list(check(row(forename="x" * 50)))
    (problem,) = check(row(forename="x" * 51))
    assert (problem.code, problem.cell) == ("forename.too_long", "C3")
    assert "51" in problem.message
    assert "50" in problem.message


def test_length_counts_characters_and_no_passwords() -> None:
    check = Length(Options(), context(changed("password", max_length=3))).check

    assert not list(check(row(forename=unicodedata.normalize("NFC", "e\u0301" * 50), surname="😀" * 50)))
    assert not list(check(row(password="correct horse")))
    assert not list(check(row(forename=None)))
