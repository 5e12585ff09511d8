from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from musterroll import Field, Problem, Row, Severity, fold
from musterroll_plugins.validators.unique import Unique, UniqueOptions, skeleton
from support.rows import context, row


def problems(*rows: Row, options: UniqueOptions | None = None, match: tuple[str, ...] = ("username",)) -> list[Problem]:
    own = Field(name="staff_number", heading="Staff Number")
    validator = Unique(options or UniqueOptions(), context(own, match=match))
    found = [problem for each in rows for problem in validator.check(each)]
    return [*found, *validator.finish()]


def users(*names: str) -> list[Problem]:
    return problems(*(row(number, username=name) for number, name in enumerate(names, 3)))


def test_a_repeated_username_is_an_error_on_each_later_row_and_also_rejects_the_first() -> None:
    found = users("ana", "bo", "ANA", "ａｎａ", "a\u200bna")

    assert [(p.code, p.severity, p.cell, p.also_rejects) for p in found] == [
        ("username.duplicate", Severity.ERROR, "B5", (3,)),
        ("username.duplicate", Severity.ERROR, "B6", (3,)),
        ("username.duplicate", Severity.ERROR, "B7", (3,)),
    ]
    assert all("row 3" in p.message for p in found)


def test_folding_knows_more_than_ascii() -> None:
    assert [p.code for p in users("Straße", "STRASSE")] == ["username.duplicate"]


def test_a_shared_address_is_a_warning() -> None:
    found = problems(row(3, username="ana", email="info@example.com"), row(4, username="bo", email="Info@Example.com"))

    assert [(p.code, p.severity, p.cell, p.also_rejects) for p in found] == [
        ("email.duplicate", Severity.WARNING, "A4", ())
    ]
    assert "row 3" in found[0].message


def test_a_copied_row_is_one_fault() -> None:
    found = problems(row(3, username="ana", email="a@x.example"), row(4, username="ana", email="a@x.example"))

    assert [p.code for p in found] == ["username.duplicate"]


def test_what_the_pipeline_matches_by_must_be_unique_too() -> None:
    first = row(3, username="ana", staff_number="7")
    match = ("staff_number", "username")

    (problem,) = problems(first, row(4, username="bo", staff_number="7"), match=match)
    assert (problem.code, problem.also_rejects) == ("staff_number.duplicate", (3,))
    (problem,) = problems(first, row(4, username="Ana", staff_number="8"), match=match)
    assert problem.code == "username.duplicate"
    # An address that users are recognised by draws no warning besides.
    (problem,) = problems(
        row(3, username="ana", email="a@x.example"), row(4, username="bo", email="a@x.example"), match=("email",)
    )
    assert (problem.code, problem.severity) == ("email.duplicate", Severity.ERROR)


def test_a_copied_row_is_one_fault_where_two_fields_match_as_well() -> None:
    copies = (row(number, username="ana", staff_number="7") for number in (3, 4))

    assert [p.code for p in problems(*copies, match=("staff_number", "username"))] == ["username.duplicate"]


def test_usernames_need_not_be_unique_where_the_pipeline_says_so() -> None:
    rows = [row(3, username="ana"), row(4, username="ana"), row(5, username="аna")]

    assert not problems(*rows, options=UniqueOptions(fields=()), match=("staff_number",))


def test_two_faults_are_two_problems() -> None:
    found = problems(
        row(3, username="ana", staff_number="7"),
        row(4, username="bo", staff_number="8"),
        row(5, username="ana", staff_number="8"),
        match=("staff_number", "username"),
    )

    assert [(p.code, p.also_rejects) for p in found] == [("username.duplicate", (3,)), ("staff_number.duplicate", (4,))]


def test_blank_and_broken_cells_are_never_the_same() -> None:
    assert not problems(row(3, username=None), row(4, username=None), row(5), row(6))


CYRILLIC_ANA = "аnа"


@pytest.mark.parametrize("names", [("ana", CYRILLIC_ANA), (CYRILLIC_ANA, "ana"), (CYRILLIC_ANA, "Аna"), ("ΑΝΑ", "ana")])
def test_names_that_only_look_alike_are_a_warning_on_the_later_one(names: tuple[str, str]) -> None:
    (problem,) = users(*names)

    assert (problem.code, problem.severity, problem.cell) == ("username.confusable", Severity.WARNING, "B4")
    assert "row 3" in problem.message


def test_the_foreign_letters_are_named() -> None:
    (problem,) = users("ana", "аna")

    assert '"а" (Cyrillic)' in problem.message


def test_names_that_look_different_are_not_confused() -> None:
    assert not users("jose", "josé", "анна", "anna", "user1", "userl", "вал", "Bал".lower())


def test_a_repeated_foreign_name_is_a_duplicate_only() -> None:
    assert [p.code for p in users("ана", "Ана")] == ["username.duplicate"]


@example("Ս")  # folding brings up a letter that looks like "u"
@given(st.text(st.sampled_from("aeo1аеоΑΝνı\u0301Ａ\u200b") | st.characters(), max_size=8))
def test_a_skeleton_is_stable_and_ascii_is_its_own(name: str) -> None:
    assert skeleton(skeleton(name)) == skeleton(name)
    if name.isascii():
        assert skeleton(name) == fold(name)


@given(st.lists(st.text(st.sampled_from("aAоo о"), max_size=3), max_size=8))
def test_each_later_occurrence_of_a_name_is_reported_once(names: list[str]) -> None:
    folded = [fold(name) for name in names if fold(name)]
    duplicates = [p for p in users(*names) if p.code == "username.duplicate"]

    assert len(duplicates) == len(folded) - len(set(folded))
