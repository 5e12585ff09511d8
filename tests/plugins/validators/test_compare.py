from __future__ import annotations

from typing import Literal

import pytest
from pydantic import ValidationError

from musterroll import Field, Problem, Row
from musterroll_plugins.validators.compare import Compare, CompareOptions
from support.rows import changed, context, row

AGAIN = Field(name="again", heading="Email again")
Rule = Literal["equal", "different"]


def found(one: Row, field: str, other: str, rule: Rule, *fields: Field, **options: bool) -> list[Problem]:
    checked = CompareOptions(field=field, other=other, rule=rule, **options)
    return list(Compare(checked, context(AGAIN, *fields)).check(one))


def test_an_address_that_is_typed_twice() -> None:
    def codes(email: str | None, again: str | None, *fields: Field) -> list[str]:
        return [p.code for p in found(row(email=email, again=again), "again", "email", "equal", *fields)]

    assert codes("ana@x.org", "Ana@x.org") == codes("", "") == codes(None, "ana@x.org") == []
    assert codes("ana@x.org", "ana@x\u200b.org") == []
    assert codes("ana@x.org", "anna@x.org") == ["again.not_equal"]
    assert codes("ana@x.org", "") == codes("", "ana@x.org") == ["again.not_equal"]
    # Where it is needed, it is missing already.
    assert codes("ana@x.org", "", Field(name="again", heading="", required=True)) == []
    assert codes("", "ana@x.org", changed("email", required=True)) == []


def test_case_counts_where_the_pipeline_says_so() -> None:
    one = row(email="ana@x.org", again="Ana@x.org")

    assert len(found(one, "again", "email", "equal", ignore_case=False)) == 1


def test_a_problem_names_both_headings_at_the_first_field() -> None:
    (problem,) = found(row(email="a", surname="b"), "surname", "email", "equal")

    assert (problem.cell, problem.value) == ("D3", "b")
    assert problem.message == "Surname is not the same as Email; correct one of the two"


def test_a_password_must_not_be_the_username() -> None:
    def messages(username: str, password: str) -> list[str]:
        problems = found(row(username=username, password=password), "password", "username", "different")
        assert all((p.code, p.value) == ("password.not_different", None) for p in problems)
        return [p.message for p in problems]

    assert messages("ana", "sesame") == messages("", "") == messages("ana", "") == []
    (message,) = messages("ana.lopez", "ANA.Lopez")
    assert message == "Password must not be the same as Username; choose another one"


def test_a_password_is_compared_exactly_and_what_is_beside_it_is_not_shown() -> None:
    assert not found(row(again="Sesame", password="Sesame"), "again", "password", "equal")
    (problem,) = found(row(again="sesame", password="Sesame"), "again", "password", "equal")
    assert problem.value is None
    assert "esame" not in repr(problem)


def test_mistakes_in_the_pipeline() -> None:
    with pytest.raises(ValidationError, match="must be two fields"):
        CompareOptions(field="email", other="email", rule="equal")
