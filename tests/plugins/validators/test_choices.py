from __future__ import annotations

import pytest
from pydantic import ValidationError

from musterroll import Problem, Severity
from musterroll_plugins.validators.choices import Choices, ChoicesOptions
from support.rows import changed, context, row

SITES = ("York", "Zürich", "Aix-en-Provence")


def found(text: str | None, choices: tuple[str, ...] = SITES, **options: object) -> list[Problem]:
    rule = Choices(ChoicesOptions.model_validate(options), context(changed("surname", choices=choices)))
    return list(rule.check(row(surname=text)))


def test_a_choice_is_good_and_so_is_a_blank_cell() -> None:
    for text in (*SITES, "", None):
        assert not found(text)
    assert not found("anything", ())


def test_anything_else_is_an_error_that_names_the_choices() -> None:
    (problem,) = found("Leeds")

    assert (problem.code, problem.severity, problem.cell) == ("surname.not_a_choice", Severity.ERROR, "D3")
    assert problem.message == "Surname is not one of the choices: York, Zürich, Aix-en-Provence"
    assert problem.suggestion is None
    assert found("Yrok")[0].suggestion == "York"
    assert "s9 or 2 others" in found("x", tuple(f"s{n}" for n in range(12)))[0].message


def test_another_spelling_of_a_choice_is_a_warning_with_the_right_one() -> None:
    for text, right in (("YORK", "York"), ("ｙork", "York"), ("zürich", "Zürich")):
        (problem,) = found(text)
        assert (problem.code, problem.severity) == ("surname.not_a_choice", Severity.WARNING)
        assert problem.suggestion == right


def test_what_is_too_long_or_not_to_be_seen_is_for_another_rule() -> None:
    assert not found("x" * 51)
    assert not found("Yo\u200brk")
    assert found("Yo\u200brj")[0].suggestion == "York"


def test_the_choices_can_stand_in_the_options() -> None:
    assert not found("Leeds", field="surname", values=["Leeds", " Zu\u0308rich "])
    assert not found("Zürich", field="surname", values=["Leeds", " Zu\u0308rich "])
    assert found("York", field="surname", values=["Leeds"])
    with pytest.raises(ValidationError, match="values needs the field"):
        found("x", values=["a"])
