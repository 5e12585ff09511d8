"""Rules that are a function each: what they get, what they may return, where they are found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from musterroll import (
    Context,
    GroupPath,
    GroupResolver,
    Options,
    Problem,
    Row,
    RowValidator,
    Severity,
    SheetValidator,
    gettext,
    group_rule,
    rule,
    sheet_rule,
)
from musterroll.errors import PipelineError
from musterroll.pipeline.loader import load_pipeline
from musterroll.registry.guards.built import VALIDATOR, look_at_built
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.registry import Registry
from musterroll.testing import (
    GroupResolverContract,
    ValidatorContract,
    build_group_resolver,
    build_validator,
    make_row,
)
from musterroll_testing.building import make_absent_row

if TYPE_CHECKING:
    from collections.abc import Iterable as OnlyForTypes

HERE = sys.modules[__name__]


class BadgeOptions(Options):
    """Options of `t-badge`.

    Attributes:
        letter: what a badge begins with.
    """

    letter: str = "A"


@rule("t-text", field="forename", code="t.forename")
def of_text(text: str) -> str | None:
    """Forenames are not shouted.

    More words.
    """
    return "{heading} is all capitals" if text.isupper() else None


@rule("t-row", field="forename", code="t.same", severity=Severity.WARNING)
def of_row(row):  # type: ignore[no-untyped-def]  # as a stranger may write it
    return "{heading} is the surname" if row["forename"] == row["surname"] else None


@rule("t-badge", field="badge", code="t.badge")
def with_options(row: Row, options: BadgeOptions, context: Context) -> OnlyForTypes[str | Problem]:
    if not row["badge"].startswith(options.letter):
        yield gettext("{heading} begins with {letter}", letter=options.letter)
        yield row.problem("surname", "t.other", "{instance}", instance=context.instance)


@rule("t-problem", field="forename", code="t.unused")
def one_problem(row: Row, /, *, context: Context) -> Problem | None:
    return row.problem("surname", "t.surname", "x") if row["forename"] == "x" else None


@sheet_rule("t-managers", fields=["username", "manager"], code="t.managers")
def managers(rows: Sequence[Row]) -> Iterator[str | Problem]:
    """Managers are in the sheet."""
    known = {row["username"] for row in rows}
    for row in rows:
        if row["manager"] and row["manager"] not in known:
            yield row.problem("manager", "t.unknown_manager", "{heading} is not in the sheet")
    if len(rows) > 2:
        yield "The sheet has too many users; split it"


@group_rule("t-department", field="department")
def department(text: str) -> GroupPath:
    return ("Departments", text)


@group_rule("t-site", field="site")
def site(row: Row) -> Iterator[str | GroupPath | Problem]:
    for one in row["site"].split("/"):
        yield one or row.problem("site", "t.site", "An empty one")


@group_rule("t-top", field="site")
def top(text: str) -> str | None:
    return text if text != "none" else None


def check(name: str, *rows: Row, **options: object) -> list[Problem]:
    made = build_validator(HERE, name, **options)
    found = [problem for row in rows for problem in made.check(row)]
    return found + list(made.finish() if isinstance(made, SheetValidator) else ())


def test_the_function_stays_what_it_is() -> None:
    assert of_text("ANA") == "{heading} is all capitals"
    assert of_text("Ana") is None


def test_a_text_is_the_message_of_a_problem() -> None:
    (problem,) = check("t-text", make_row(forename="ANA"))
    assert problem == make_row(forename="ANA").problem("forename", "t.forename", "{heading} is all capitals")
    assert problem.message == "Forename is all capitals"


def test_a_row_without_an_annotation_and_a_warning() -> None:
    (problem,) = check("t-row", make_row(forename="Ana", surname="Ana"))
    assert (problem.code, problem.severity) == ("t.same", Severity.WARNING)


def test_options_and_context_by_annotation() -> None:
    assert [(one.code, one.message) for one in check("t-badge", make_row(badge="B1"))] == [
        ("t.badge", "badge begins with A"),
        ("t.other", "t-badge"),
    ]
    assert check("t-badge", make_row(badge="B1"), letter="B") == []
    assert [one.code for one in check("t-problem", make_row(forename="x"))] == ["t.surname"]


@pytest.mark.parametrize("name", ["t-text", "t-row", "t-badge"])
def test_what_is_blank_or_not_there_is_not_asked_about(name: str) -> None:
    for row in (make_row(), make_absent_row("badge"), make_row(forename=None, badge=None)):
        assert check(name, row) == []


def test_the_rows_of_a_sheet() -> None:
    people = [make_row(3, username="ana", manager="bo"), make_row(4, username="bo", manager="cy", password="Sesame")]
    (problem,) = check("t-managers", *people)
    assert problem == people[1].problem("manager", "t.unknown_manager", "{heading} is not in the sheet")
    whole = check("t-managers", *people, make_row(5, username="cy"))
    assert whole == [Problem(code="t.managers", message="The sheet has too many users; split it")]


def test_the_kept_rows_are_a_sequence_of_rows_without_secrets() -> None:
    seen: list[Row] = []

    @sheet_rule("t-kept", fields=("username", "password"), code="t.kept")
    def keep(rows: Sequence[Row]) -> None:
        seen.extend([*rows, rows[-1], *rows[:1]])

    HERE.__dict__.pop("keep", None)
    assert check("t-kept", make_row(3, username="ana", password="Sesame-7"), make_row(4, username=None)) == []
    assert [row.number for row in seen] == [3, 4, 4, 3]
    assert (seen[0]["username"], seen[0].secret("password"), seen[0].value("password").is_filled) == ("ana", None, True)
    assert seen[1].value("username").origin == "absent"
    assert "Sesame" not in repr(seen)


def resolve(name: str, row: Row) -> list[object]:
    return list(build_group_resolver(HERE, name).resolve(row))


def test_groups() -> None:
    assert resolve("t-department", make_row(department="Sales")) == [("Departments", "Sales")]
    assert resolve("t-department", make_row()) == []
    assert resolve("t-top", make_row(site="York")) == [("York",)]
    assert resolve("t-top", make_row(site="none")) == []
    first, second = resolve("t-site", make_row(site="York/"))
    assert first == ("York",)
    assert isinstance(second, Problem)


class TestTheContractOfARule(ValidatorContract):
    good, bad, codes = ({"forename": "Ana"},), ({"forename": "ANA"},), frozenset({"t.forename"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(HERE, "t-text")


class TestTheContractOfASheetRule(ValidatorContract):
    good, bad = ({"username": "ana"},), ({"username": "ana", "manager": "bo"}, {"username": "cy"}, {"username": "di"})
    codes = frozenset({"t.managers", "t.unknown_manager"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(HERE, "t-managers")


class TestTheContractOfAGroupRule(GroupResolverContract):
    row, groups = {"site": "York/Leeds"}, frozenset({("York",), ("Leeds",)})

    def resolver(self) -> GroupResolver:
        return build_group_resolver(HERE, "t-site")


# -- what cannot be a rule ------------------------------------------------------------------------------------


async def later(text: str) -> str:
    return ""


def nothing() -> str:
    return ""


def a_number(number: int) -> str:
    return ""


def unknown(row: Row, mystery: object) -> str:
    return ""


def two(row: Row, one: Options, other: BadgeOptions) -> str:
    return ""


def only_for_types(rows: OnlyForTypes[str]) -> str:
    return ""


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (later, r"the rule later\(\) is asynchronous"),
        (nothing, r"the rule nothing\(\) takes nothing to look at; give it a parameter: row: Row"),
        (a_number, r"the rule a_number\(\) looks at a row or at a text; write number: Row or number: str"),
        (unknown, 'nobody knows what the parameter "mystery" of the rule'),
        (two, "nobody knows what the parameter"),
        (only_for_types, 'type "OnlyForTypes", which is not known where it is written'),
        (BadgeOptions, '"t-bad" must decorate a function, and this is BadgeOptions'),
    ],
)
def test_what_cannot_be_a_rule_says_why(function: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        rule("t-bad", field="x", code="t.bad")(function)


def test_a_code_has_a_subject_and_fields_are_a_list() -> None:
    with pytest.raises(TypeError, match='the code "Staff" of the rule "t-bad" should be subject'):
        rule("t-bad", field="x", code="Staff")
    with pytest.raises(TypeError, match=r'a list of names: fields=\["manager"\]'):
        sheet_rule("t-bad", fields="manager", code="t.bad")


def gives(answer: object) -> Callable[[Any], Any]:
    """A function that gives this, whatever it is asked."""

    def function(row: Any) -> Any:
        return answer

    return function


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (True, "gave True; it returns a text that says what is wrong, problems made with row.problem"),
        (3, "gave something of the type int"),
        ([None], "gave None"),
        (["x", 3], "gave something of the type int"),
        (b"x", "gave something of the type bytes"),
    ],
)
def test_what_a_rule_may_not_return_is_named(answer: object, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HERE.__dict__, "__musterroll_rules__", [])
    rule("t-wrong", field="forename", code="t.wrong")(gives(answer))
    with pytest.raises(TypeError, match=says):
        check("t-wrong", make_row(forename="x"))


def test_what_is_returned_besides_yielding_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HERE.__dict__, "__musterroll_rules__", [])

    @rule("t-both", field="forename", code="t.both")
    def both(text: str) -> Generator[str, None, str]:
        yield from ()
        return "lost"

    with pytest.raises(TypeError, match="yields and returns"):
        check("t-both", make_row(forename="x"))


def test_a_problem_that_is_dropped_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HERE.__dict__, "__musterroll_rules__", [])

    @rule("t-drops", field="forename", code="t.drops")
    def drops(row: Row) -> None:
        row.problem("forename", "t.drops", "Nobody sees this")

    with pytest.raises(AnswerError, match="makes a problem and drops it"):
        look_at_built(build_validator(HERE, "t-drops"), VALIDATOR)


# -- where they are found -------------------------------------------------------------------------------------

_FILE = '''
from musterroll import rule

@rule("acme-staff-number", field="staff_number", code="acme.staff_number")
def check(text: str) -> str | None:
    """Staff numbers are A and five digits."""
    if not (text[0] == "A" and text[1:].isdigit() and len(text) == 6):
        return "{heading} is A and five digits; look at the badge"

@rule("acme-short", field="forename", code="acme.short")
def check(text: str) -> str | None:
    return "{heading} is one letter" if len(text) == 1 else None
'''


def test_a_local_file_needs_no_hook(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text(_FILE, encoding="utf-8")
    registry = Registry.load(external=False, local_files=[tmp_path / "acme.py"])
    assert [str(fault) for fault in registry.faults] == []
    found = {line.name: line.summary for line in registry.listing() if line.plugin == "acme"}
    # Both functions are called `check`, and none of them is lost.
    assert found == {"acme-staff-number": "Staff numbers are A and five digits", "acme-short": "check"}


def test_what_is_wrong_with_one_is_a_fault_of_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text(_FILE.replace('"acme-short"', '"Acme short"'), encoding="utf-8")
    registry = Registry.load(external=False, local_files=[tmp_path / "acme.py"])
    assert ["the name 'Acme short' should be lower-case" in str(fault) for fault in registry.faults] == [True]


_PIPELINE = """
name = "acme"
plugins = ["acme.py"]
backend = { use = "memory" }
validators = [{ name = "staff-number", use = "acme-staff-number" }]
sheet.fields = [{ name = "%s", heading = "Staff number" }]
"""


def test_a_pipeline_without_its_field_has_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text(_FILE, encoding="utf-8")
    (tmp_path / "acme.toml").write_text(_PIPELINE % "staff_number", encoding="utf-8")
    assert load_pipeline(tmp_path / "acme.toml", external_plugins=False).warnings == ()
    (tmp_path / "acme.toml").write_text(_PIPELINE % "staff_no", encoding="utf-8")
    with pytest.raises(PipelineError) as caught:
        load_pipeline(tmp_path / "acme.toml", external_plugins=False)
    (mistake,) = caught.value.mistakes
    assert mistake.path == "validators[staff-number].use"
    assert mistake.message.startswith('"acme-staff-number" is about the field "staff_number", which does not exist')
