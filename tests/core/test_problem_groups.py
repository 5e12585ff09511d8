"""Problems by their cause."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from musterroll import Problem, Severity
from musterroll.sheet.problem_groups import group_problems


def phone(row: int, value: str = "07712345678") -> Problem:
    message = 'Phone begins with "0", which is dialled inside the country only; leave it out'
    return Problem(
        code="phone.trunk_prefix",
        message=message,
        severity=Severity.WARNING,
        row=row,
        column="G",
        field="phone",
        value=value,
        suggestion=value[1:],
    )


def problem(row: int | None, message: str, *, column: str | None = "A", code: str = "email.invalid") -> Problem:
    return Problem(code=code, message=message, row=row, column=column)


def test_cells_of_one_cause_are_ranges() -> None:
    (group,) = group_problems([*map(phone, range(3, 53)), phone(60)])
    assert (group.code, group.severity, group.field, group.count) == ("phone.trunk_prefix", "warning", "phone", 51)
    assert (group.cells, group.value, group.suggestion) == ("G3:G52, G60", "07712345678", "7712345678")
    assert group.message == phone(3).message


def test_many_cells_are_cut_and_counted() -> None:
    (group,) = group_problems(phone(row) for row in range(3, 103, 2))
    assert group.cells == "G3, G5, G7, G9, G11, G13 and 44 more"


def test_where_values_differ_the_suggestion_is_an_example() -> None:
    (group,) = group_problems([phone(3), phone(4, "0207946001")])
    assert (group.value, group.suggestion) == (None, "e.g. 7712345678 in G3")


def test_what_differs_in_a_message_is_left_out_and_nothing_else() -> None:
    texts = [
        'Forename has 61 characters and may have 50, after "Ann"',
        'Forename has 75 characters and may have 50, after "Bo"',
    ]
    (group,) = group_problems(problem(row, text) for row, text in enumerate(texts, 3))
    assert group.message == "Forename has … characters and may have 50, after …"


_DETAILS = ("there is no @ in it", "it has a space", "a dot is at its end", "it is empty")


def test_a_cause_that_is_said_in_few_ways_is_told_with_its_details() -> None:
    said = [_DETAILS[row % 3] for row in range(3, 12)]
    groups = group_problems(problem(row, f"Email is not valid: {text}") for row, text in enumerate(said, 3))
    assert [(group.message, group.cells) for group in groups] == [
        ("Email is not valid: there is no @ in it", "A3, A6, A9"),
        ("Email is not valid: it has a space", "A4, A7, A10"),
        ("Email is not valid: a dot is at its end", "A5, A8, A11"),
    ]


def test_details_of_many_kinds_are_of_one_cause() -> None:
    (group,) = group_problems(problem(row, f"Email is not valid: {_DETAILS[row % 4]}") for row in range(3, 15))
    assert (group.message, group.count, group.cells) == ("Email is not valid", 12, "A3:A14")


def test_what_came_before_the_details_differed_is_counted_once() -> None:
    texts = ['Groups cannot be read: "a" is empty', 'Groups cannot be read: "b" is empty', "Groups cannot be read: no"]
    groups = group_problems(problem(row, text) for row, text in enumerate(texts, 3))
    assert [(group.message, group.count, group.cells) for group in groups] == [
        ("Groups cannot be read: … is empty", 2, "A3:A4"),
        ("Groups cannot be read: no", 1, "A5"),
    ]


def test_errors_come_first_those_of_the_whole_sheet_before_the_most_frequent() -> None:
    found = [problem(None, "Columns are missing", column=None, code="column.missing")]
    found += [phone(row) for row in range(3, 90)]
    found += [problem(3, "Give a name", code="forename.required", column="C"), problem(4, "No"), problem(5, "No")]
    found += [problem(7, "Row 7 is blank", code="row.blank", column=None)]
    assert [(group.code, group.cells) for group in group_problems(found)] == [
        ("column.missing", None),
        ("email.invalid", "A4:A5"),
        ("forename.required", "C3"),
        ("row.blank", "row 7"),
        ("phone.trunk_prefix", "G3:G89"),
    ]


def test_causes_without_end_stay_bounded_and_none_is_lost() -> None:
    def endless() -> Iterator[Problem]:
        for row in range(3, 20_003):
            yield problem(
                row, f"Broken in the way of {'abcdefghij'[row % 10]}{'x' * (row % 300)}", code=f"acme.rule{row % 4000}"
            )

    groups = group_problems(endless())
    assert len(groups) < 1100
    assert sum(group.count for group in groups) == 20_000


@given(
    st.lists(
        st.builds(
            Problem,
            code=st.sampled_from(["a.b", "c.d"]),
            message=st.sampled_from(['x "1"', 'x "2"', "x: y", "z 5 6", ""]),
            severity=st.sampled_from(Severity),
            row=st.none() | st.integers(1, 20),
            column=st.none() | st.sampled_from("AB"),
            value=st.none() | st.just("v"),
            suggestion=st.none() | st.sampled_from("st"),
        )
    )
)
def test_every_problem_is_in_one_group(found: list[Problem]) -> None:
    found.sort(key=lambda one: (one.row is not None, one.row or 0))
    groups = group_problems(found)
    assert sum(group.count for group in groups) == len(found)
    assert [group.severity for group in groups] == sorted(
        (group.severity for group in groups), key=list(Severity).index
    )
